import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, Socket } from 'node:net';
import { after, test } from 'node:test';
import { originFaultOf } from '../../../src/upstream/faults.ts';
import { FirstReachable } from '../../../src/upstream/first-reachable.ts';
import type { Origin } from '../../../src/upstream/origin.ts';
import { startFullBacklog } from '../../support/full-backlog.ts';
import { inOrder, makeOrigin } from '../../support/made-origin.ts';
import { freePort } from '../../support/wormgate.ts';

const server = createServer().listen(0, '127.0.0.1');
await once(server, 'listening');
const address = server.address();
const port = typeof address === 'object' && address !== null ? address.port : 0;
after(() => server.close());

function originAt(each: number): Origin {
  return makeOrigin({ port: each });
}

/** What an agent over these origins hands out, and how often it went on to the next. */
async function connect(origins: readonly Origin[], connectTimeoutMs = 5000) {
  let retries = 0;
  const limits = { connectTimeoutMs, originTriesMax: 3 };
  const agent = new FirstReachable(inOrder(origins), limits, () => {
    retries += 1;
  });
  const [error, connection] = await new Promise<[Error | null, unknown]>((resolve) => {
    agent.createConnection({}, (...result) => resolve(result));
  });
  assert.ok(connection instanceof Socket);
  const { remotePort } = connection;
  connection.destroy();
  return { error, remotePort, retries };
}

test('the first origin that accepts is the one; the others are not asked', async () => {
  const silent = originAt(await freePort());
  assert.deepEqual(await connect([originAt(port), silent]), {
    error: null,
    remotePort: port,
    retries: 0,
  });
});

test('origins that refuse are passed over, each counted', async () => {
  const origins = [originAt(await freePort()), originAt(await freePort()), originAt(port)];
  assert.deepEqual(await connect(origins), { error: null, remotePort: port, retries: 2 });
});

test('where none accepts, the error is the last one’s', async () => {
  const { error, retries } = await connect([
    originAt(await freePort()),
    originAt(await freePort()),
  ]);
  assert.equal(originFaultOf(error), 'origin_unreachable');
  assert.equal(retries, 1);
});

test('an origin that does not accept within ConnectTimeout is passed over, or reported', async (t) => {
  const full = originAt(await startFullBacklog(t));
  assert.deepEqual(await connect([full, originAt(port)], 50), {
    error: null,
    remotePort: port,
    retries: 1,
  });
  const { error } = await connect([full], 50);
  assert.equal(originFaultOf(error), 'origin_connect_timeout');
});

test('once abandoned it goes on to no other origin', async (t) => {
  const full = originAt(await startFullBacklog(t));
  let retries = 0;
  const limits = { connectTimeoutMs: 50, originTriesMax: 3 };
  const agent = new FirstReachable(inOrder([full, originAt(port)]), limits, () => {
    retries += 1;
  });
  let isDone = false;
  agent.createConnection({}, () => {
    isDone = true;
  });
  agent.abandon();
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.deepEqual([retries, isDone], [0, false]);
});
