import assert from 'node:assert/strict';
import type { LookupAddress } from 'node:dns';
import { once } from 'node:events';
import { createServer as createHttpServer, request, type ServerResponse } from 'node:http';
import { connect, createServer, type Socket } from 'node:net';
import { after, test } from 'node:test';
import { OriginAddresses } from '../../../src/upstream/origin-addresses.ts';
import { FakeSurroundings, makeOrigin, originSettings } from '../../support/made-origin.ts';
import { until } from '../../support/wormgate.ts';

/** Addresses of a name, whose answers and failures are recorded. */
function addressesOf(host: string, answers: (readonly string[] | Error)[]) {
  const told: string[] = [];
  const addresses = new OriginAddresses({
    host,
    lookUp: async () => {
      const answer = answers.length > 1 ? answers.shift() : answers[0];
      if (answer === undefined || answer instanceof Error) throw answer ?? new Error('no answer');
      return answer;
    },
    onFound: (hasChanged) => told.push(hasChanged ? 'changed' : 'same'),
    onFailed: (error) => told.push(error.message),
  });
  return { addresses, told };
}

function ask(addresses: OriginAddresses): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    addresses.forConnecting('ignored', { all: true }, (error, found) => {
      if (error !== null) reject(error);
      else resolve((found as LookupAddress[]).map(({ address }) => address));
    });
  });
}

test('a name that is not known yet is waited for; then its addresses take turns', async () => {
  const { addresses } = addressesOf('o.test', [['192.0.2.1', '192.0.2.2']]);
  assert.deepEqual(await ask(addresses), ['192.0.2.1', '192.0.2.2']);
  assert.deepEqual(await ask(addresses), ['192.0.2.2', '192.0.2.1']);
  assert.deepEqual(await ask(addresses), ['192.0.2.1', '192.0.2.2']);
});

test('the other family comes last, however often it is asked', async () => {
  const { addresses } = addressesOf('o.test', [['192.0.2.1', '2001:db8::1', '192.0.2.2']]);
  for (const [first, second] of [
    ['192.0.2.1', '192.0.2.2'],
    ['192.0.2.2', '192.0.2.1'],
    ['192.0.2.1', '192.0.2.2'],
  ]) {
    assert.deepEqual(await ask(addresses), [first, second, '2001:db8::1']);
  }
});

test('a name without an address is ENOTFOUND, and asked for again', async () => {
  const { addresses } = addressesOf('o.test', [new Error('silent'), ['192.0.2.1']]);
  await assert.rejects(ask(addresses), { code: 'ENOTFOUND' });
  assert.deepEqual(await ask(addresses), ['192.0.2.1']);
});

test('while look-ups fail, or find nothing, the last known addresses stay', async () => {
  const { addresses, told } = addressesOf('o.test', [['192.0.2.1'], new Error('silent'), []]);
  for (let times = 0; times < 3; times += 1) await addresses.refresh();
  assert.deepEqual(await ask(addresses), ['192.0.2.1']);
  assert.deepEqual(told, ['same', 'silent', 'no address of o.test is known']);
});

test('another order is no change, another address is', async () => {
  const [one, two] = ['192.0.2.1', '2001:db8::1'];
  const { addresses, told } = addressesOf('o.test', [[one, two], [two, one], ['2001:DB8::1']]);
  for (let times = 0; times < 3; times += 1) await addresses.refresh();
  assert.deepEqual(told, ['same', 'same', 'changed']);
  assert.deepEqual(addresses.known, [two]);
});

test('when a name moves, new connections follow and idle ones are let go', async () => {
  const accepted: Socket[] = [];
  const server = createServer((socket) => accepted.push(socket)).listen(0, '0.0.0.0');
  await once(server, 'listening');
  after(() => server.close());
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const surroundings = new FakeSurroundings();
  surroundings.addresses = ['127.0.0.1'];
  const origin = makeOrigin(
    { host: 'o.test', port },
    originSettings('OriginResolve=1'),
    surroundings,
  );
  const pool = origin.connections;
  const [idle, busy] = [pool.open(), pool.open()];
  await until(() => idle.isConnected && busy.isConnected);
  pool.giveBack(idle, 60_000);
  surroundings.addresses = ['127.0.0.2'];
  await until(() => idle.socket.destroyed);
  assert.equal(busy.socket.destroyed, false);
  pool.giveBack(busy, 60_000);
  assert.equal(busy.socket.destroyed, true);
  const next = pool.take();
  await until(() => next.isConnected);
  assert.equal(next.socket.remoteAddress, '127.0.0.2');
  pool.giveBack(next, 60_000);
  assert.equal(next.socket.destroyed, false);
  assert.match(surroundings.warnings.join(), /o\.test:\d+ is now at 127\.0\.0\.2/);
  assert.deepEqual(surroundings.openings, ['o.test', 'o.test', 'o.test']);
  origin.retire();
  for (const socket of accepted) socket.destroy();
});

test('so are the front’s: idle ones at once, those in use behind their answer', async () => {
  const held: ServerResponse[] = [];
  const server = createHttpServer((req, res) => {
    if (req.url === '/held') held.push(res);
    else res.end();
  }).listen(0, '0.0.0.0');
  // It is us who close them.
  server.keepAliveTimeout = 60_000;
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  const surroundings = new FakeSurroundings();
  const origin = makeOrigin(
    { host: 'o.test', port },
    originSettings('OriginResolve=1'),
    surroundings,
  );
  const ask = (path: string) => request({ agent: origin.pool, host: 'x', port, path }).end();
  const idleCount = () => Object.values(origin.pool.freeSockets).flat().length;
  const busy = ask('/held');
  await until(() => held.length > 0);
  ask('/').on('response', (answer) => answer.resume());
  await until(() => idleCount() === 1);
  surroundings.addresses = ['127.0.0.2'];
  await until(() => idleCount() === 0);
  busy.on('response', (answer) => answer.resume());
  held[0]?.end();
  await until(() => busy.socket?.destroyed === true);
  ask('/').on('response', (answer) => answer.resume());
  await until(() => idleCount() === 1);
  const [socket] = Object.values(origin.pool.freeSockets).flat();
  assert.equal(socket?.remoteAddress, '127.0.0.2');
  origin.retire();
});

test('an address that refuses is passed over for the next', async () => {
  const server = createServer((socket) => socket.end()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  after(() => server.close());
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const { addresses } = addressesOf('o.test', [['127.0.0.2', '::1', '127.0.0.1']]);
  for (let times = 0; times < 3; times += 1) {
    const socket = connect({ host: 'o.test', port, lookup: addresses.forConnecting });
    await once(socket, 'connect');
    assert.equal(socket.remoteAddress, '127.0.0.1');
    socket.destroy();
  }
});
