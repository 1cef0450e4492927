/** What an infected server, its name servers and its hosts may do to the egress gateway. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { after, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { firstStatus, startGateway, tunnelTo } from '../support/gateway.ts';
import { inLanes } from '../support/lanes.ts';
import { RawClient } from '../support/raw-client.ts';
import { until } from '../support/wormgate.ts';

/** Accepts, and says nothing. */
const silent = createServer((socket) => socket.on('error', () => {}).resume());
silent.listen(0, '0.0.0.0');
await once(silent, 'listening');
const address = silent.address();
assert.ok(typeof address === 'object' && address !== null);
const { port } = address;
const accepted = new Set<Socket>();
silent.on('connection', (socket) => accepted.add(socket));
after(() => {
  for (const socket of accepted) socket.destroy();
  silent.close();
});

const megabyte = 2 ** 20;

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

function heapBytes(): number {
  collect();
  return process.memoryUsage().heapUsed;
}

function hostOf(number: number): string {
  return `127.${10 + (number >> 16)}.${(number >> 8) & 0xff}.${number & 0xff || 1}`;
}

function connectLine(host: string): string {
  return `CONNECT ${host}:${port} HTTP/1.1\r\nHost: ${host}:${port}\r\n\r\n`;
}

/** Sends a CONNECT and reads no more than how it begins to be answered. */
function attempt(gateway: number, host: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port: gateway, host: '127.0.0.1', localAddress: '127.0.0.50' });
    let text = '';
    socket.on('error', reject);
    socket.on('data', (chunk) => {
      text += chunk;
    });
    // A reset leaves no port waiting, of which there are fewer than attempts.
    socket.on('end', () => socket.resetAndDestroy());
    socket.on('close', () => resolve(text.slice(9, 12)));
    socket.write(connectLine(host));
  });
}

/** Asks for so many hosts on one connection, fifty at a time; gives how many were refused. */
async function attemptOften(gateway: number, first: number, count: number): Promise<number> {
  const client = await RawClient.connect(gateway, '127.0.0.50');
  const asked = Array.from({ length: count }, (_, index) => hostOf(first + index));
  let answered = 0;
  for (let at = 0; at < count; at += 50) {
    const hosts = asked.slice(at, at + 50);
    client.send(
      hosts.map((host) => `GET http://${host}:${port}/ HTTP/1.1\r\nHost: x\r\n\r\n`).join(''),
    );
    const before = client.text.length;
    answered += hosts.length;
    const isAnswered = () =>
      client.text.slice(before).split('HTTP/1.1 503 Service Unavailable').length > hosts.length &&
      client.text.endsWith('\n');
    await client.until(isAnswered, 'fifty answers');
  }
  client.destroy();
  return answered;
}

test('50,000 attempts against a full queue are refused one by one', async (t) => {
  const gateway = await startGateway(t, {}, { delayMs: 600_000 });
  const first = await tunnelTo(gateway.port, `127.0.0.2:${port}`, '127.0.0.50');
  const waiting = await inLanes(Array.from({ length: 20 }), 20, async (_, index) => {
    const client = await RawClient.connect(gateway.port, '127.0.0.50');
    return client.send(connectLine(hostOf(index)));
  });
  await until(() => gateway.sources.report('127.0.0.50')?.counts.waiting === 20);
  const beforeBytes = heapBytes();
  const count = 50_000;
  let refused = 0;
  const tunnels = count / 5;
  await inLanes(Array.from({ length: tunnels }), 64, async (_, index) => {
    if ((await attempt(gateway.port, hostOf(index))) === '503') refused += 1;
  });
  await inLanes([1, 2, 3, 4], 4, async (quarter) => {
    const answered = await attemptOften(gateway.port, quarter * tunnels, tunnels);
    refused += answered;
  });
  assert.equal(refused, count);
  assert.equal(gateway.statistics.get('egress_dropped'), count);
  const counts = gateway.sources.report('127.0.0.50')?.counts;
  assert.deepEqual([counts?.dropped, counts?.waiting, counts?.waitingMax], [count, 20, 20]);
  assert.deepEqual(gateway.events, ['127.0.0.50 detected', '127.0.0.50 dropping']);
  // Each has its line, which this test keeps.
  gateway.log.length = 0;
  const grownBytes = heapBytes() - beforeBytes;
  assert.ok(grownBytes < 32 * megabyte, `the heap grew by ${grownBytes / megabyte} MiB`);
  for (const client of [first, ...waiting]) client.destroy();
  await until(() => gateway.sources.report('127.0.0.50')?.counts.waiting === 0);
});

test('10,000 clients that vanish while they wait leave nothing behind', async (t) => {
  const gateway = await startGateway(
    t,
    {},
    { delayMs: 600_000, queueSize: 1_000, highWaterMark: 1_000, lowWaterMark: 4 },
  );
  const first = await tunnelTo(gateway.port, `127.0.0.2:${port}`, '127.0.0.51');
  const beforeBytes = heapBytes();
  for (let round = 0; round < 10; round += 1) {
    const sockets = await inLanes(Array.from({ length: 1_000 }), 50, async (_, index) => {
      const socket = connect({ port: gateway.port, host: '127.0.0.1', localAddress: '127.0.0.51' });
      socket.on('error', () => {});
      await once(socket, 'connect');
      socket.write(connectLine(hostOf(round * 1_000 + index)));
      return socket;
    });
    await until(() => gateway.sources.report('127.0.0.51')?.counts.waiting === 1_000);
    for (const [index, socket] of sockets.entries()) {
      if (index % 10 === 0) socket.destroy();
      else socket.resetAndDestroy();
    }
    await until(() => gateway.sources.report('127.0.0.51')?.counts.waiting === 0);
  }
  assert.equal(gateway.statistics.get('egress_abandoned'), 10_000);
  assert.equal(gateway.sources.report('127.0.0.51')?.counts.dropped, 0);
  assert.equal(gateway.events.filter((event) => event.endsWith('detected')).length, 10);
  const grownBytes = heapBytes() - beforeBytes;
  assert.ok(grownBytes < 32 * megabyte, `the heap grew by ${grownBytes / megabyte} MiB`);
  first.destroy();
});

test('names that are never answered cost their asker, and nobody else', async (t) => {
  const gateway = await startGateway(t);
  const ask = (host: string, from: string) => tunnelTo(gateway.port, `${host}:${port}`, from);
  const answers = await Promise.all(
    Array.from({ length: 200 }, (_, index) => ask(`${index}.silent.test`, '127.0.0.50')),
  );
  const statuses = answers.map(firstStatus);
  assert.equal(statuses.filter((status) => status === 504).length, 3, 'a quarter of 10');
  assert.equal(statuses.filter((status) => status === 503).length, 197);
  assert.equal(gateway.resolver.pendingCount, 3);
  assert.equal(gateway.statistics.get('egress_name_failures'), 200);
  const neighbour = await ask('site.test', '127.0.0.60');
  assert.equal(firstStatus(neighbour), 200);
  for (const client of [...answers, neighbour]) client.destroy();
});

test('a host that accepts and says nothing is let go, plain or in a tunnel', async (t) => {
  const gateway = await startGateway(t, { idleTimeoutMs: 300, originTimeoutMs: 300 });
  const tunnel = await tunnelTo(gateway.port, `127.0.0.2:${port}`);
  assert.equal(firstStatus(tunnel), 200);
  const plain = await RawClient.connect(gateway.port);
  plain.send(`GET http://127.0.0.2:${port}/ HTTP/1.1\r\nHost: x\r\n\r\n`);
  await plain.until(() => firstStatus(plain) !== 0, 'an answer');
  assert.equal(firstStatus(plain), 504);
  await tunnel.until(() => tunnel.closed, 'the end of the tunnel');
  await until(() => [...accepted].every((socket) => socket.destroyed || socket.readableEnded));
  plain.destroy();
});

test('one client does not take the connections of others', async (t) => {
  const gateway = await startGateway(t, { connectionsMax: 30, sourceConnectionsMax: 20 });
  const greedy = await Promise.all(
    Array.from({ length: 25 }, () => RawClient.connect(gateway.port, '127.0.0.50')),
  );
  await until(() => gateway.statistics.get('egress_connections_refused') === 5);
  const neighbour = await tunnelTo(gateway.port, `127.0.0.2:${port}`, '127.0.0.60');
  assert.equal(firstStatus(neighbour), 200);
  for (const client of [...greedy, neighbour]) client.destroy();
});

test('a client that is refused and does not close is closed', async (t) => {
  const gateway = await startGateway(t, { allowPorts: [[1, 2]] });
  const socket = connect({ port: gateway.port, host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => {});
  socket.write(connectLine('127.0.0.2'));
  socket.resume();
  await once(socket, 'end');
  // Our side stays open, so that it is the gateway that has to end it: with a reset.
  await until(() => {
    socket.write('x');
    return socket.destroyed;
  }, 5_000);
});

test('what a host answers against the rules ends in 502, and the gateway goes on', async (t) => {
  const gateway = await startGateway(t);
  const answers = [
    'HTTP/1.1 200 \x01\x02\r\nContent-Length: 2\r\n\r\nok',
    'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n',
    'nonsense\r\n\r\n',
    'HTTP/1.1 000 x\r\n\r\n',
    'HTTP/1.1 099 x\r\nContent-Length: 0\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
    'HTTP/1.1 200 OK\r\nA: \x01\r\n\r\n',
    '',
    'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ncut',
  ];
  let next = 0;
  const host = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.end(answers[next++] ?? '', 'latin1'));
  });
  host.listen(0, '127.0.0.3');
  await once(host, 'listening');
  t.after(() => host.close());
  const where = host.address();
  assert.ok(typeof where === 'object' && where !== null);
  const statuses: number[] = [];
  for (const _ of answers) {
    const client = await RawClient.connect(gateway.port);
    client.send(`GET http://127.0.0.3:${where.port}/ HTTP/1.1\r\nHost: x\r\n\r\n`);
    await client.until(() => firstStatus(client) !== 0, 'an answer');
    statuses.push(firstStatus(client));
    client.destroy();
  }
  assert.deepEqual(statuses, [200, 502, 502, 502, 502, 502, 502, 502, 200]);
  await until(() => gateway.log.length === answers.length);
  assert.equal(gateway.log.at(-1)?.error, 'host_cut_short');
});

test('one connection opens one connection to a host at a time, and none once it has gone', async (t) => {
  const gateway = await startGateway(t, { originTimeoutMs: 60_000 });
  for (const socket of accepted) socket.destroy();
  accepted.clear();
  const client = await RawClient.connect(gateway.port);
  const ask = `GET http://127.0.0.2:${port}/ HTTP/1.1\r\nHost: x\r\n\r\n`;
  client.send(ask.repeat(50));
  await until(() => accepted.size > 0);
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal(accepted.size, 1);
  client.reset();
  await until(() => [...accepted].every((socket) => socket.destroyed || socket.readableEnded));
  const greedy = await RawClient.connect(gateway.port);
  greedy.send(ask.repeat(1_000));
  await greedy.until(() => greedy.closed, 'the end');
  assert.ok(accepted.size <= 2, `${accepted.size} connections`);
});

test('a client that has sent bytes early and leaves is noticed', async (t) => {
  const gateway = await startGateway(t, {}, { delayMs: 600_000 });
  const first = await tunnelTo(gateway.port, `127.0.0.2:${port}`);
  const early = await RawClient.connect(gateway.port);
  early.send(connectLine('127.0.0.3'));
  await until(() => gateway.sources.total().counts.waiting === 1);
  early.send('early data');
  early.destroy();
  await until(() => gateway.sources.total().counts.waiting === 0);
  first.destroy();
});

test('more header lines than Node would keep do not hide the length of a body', async (t) => {
  const received: string[] = [];
  const host = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (chunk) => received.push(String(chunk)));
    setTimeout(() => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'), 100);
  });
  host.listen(0, '127.0.0.8');
  await once(host, 'listening');
  t.after(() => host.close());
  const where = host.address();
  assert.ok(typeof where === 'object' && where !== null);
  const gateway = await startGateway(t);
  const client = await RawClient.connect(gateway.port);
  const lines = 'a:\r\n'.repeat(2_500);
  client.send(
    `GET http://127.0.0.8:${where.port}/ HTTP/1.1\r\nHost: x\r\n${lines}Content-Length: 5\r\n\r\nGET /`,
  );
  await client.until(() => firstStatus(client) === 200, 'an answer');
  assert.match(received.join(''), /Content-Length: 5\r\n/);
  client.destroy();
});
