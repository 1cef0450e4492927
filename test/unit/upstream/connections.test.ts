/** The fast path's connections to an origin: which is used again, which is not, and when they go. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { after, test } from 'node:test';
import { ConnectionPool, type OriginConnection } from '../../../src/upstream/connections.ts';
import { linkTo } from '../../support/made-origin.ts';
import { until } from '../../support/wormgate.ts';

const accepted: Socket[] = [];
const server = createServer((socket) => {
  socket.on('error', () => {});
  accepted.push(socket);
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const address = server.address();
if (address === null || typeof address === 'string') throw new Error('no port');
after(() => {
  for (const socket of accepted) socket.destroy();
  server.close();
});

/** A user that notes what it is told. */
class User {
  readonly told: string[] = [];
  onConnect(): void {
    this.told.push('connect');
  }
  onBytes(bytes: Buffer, end: number): boolean {
    this.told.push(bytes.toString('latin1', 0, end));
    return true;
  }
  onDrain(): void {}
  onClosed(error: Error | undefined): void {
    this.told.push(error === undefined ? 'closed' : 'failed');
  }
}

const { port } = address;

function makePool(): ConnectionPool {
  const pool = new ConnectionPool(linkTo(port));
  pool.idleMax = 2;
  after(() => pool.retire());
  return pool;
}

/** A connection that stands, its user, and the origin's end of it. */
async function connected(pool: ConnectionPool) {
  const before = accepted.length;
  const connection = pool.open();
  const user = new User();
  connection.user = user;
  await until(() => connection.isConnected && accepted.length > before);
  return { connection, user, far: accepted.at(-1) as Socket };
}

test('the connection given back last is taken first, as a used one', async () => {
  const pool = makePool();
  const [one, other] = [await connected(pool), await connected(pool)];
  assert.equal(one.connection.isReused, false);
  pool.giveBack(one.connection, 60_000);
  pool.giveBack(other.connection, 60_000);
  assert.equal(pool.take(), other.connection);
  assert.equal(pool.take(), one.connection);
  assert.equal(one.connection.isReused, true);
  assert.equal(one.connection.user, undefined);
});

test('more than idleMax are not kept, nor one that may not be idle', async () => {
  const pool = makePool();
  const all = [await connected(pool), await connected(pool), await connected(pool)];
  const [first, second, third] = all.map(({ connection }) => connection) as OriginConnection[];
  pool.giveBack(first as OriginConnection, 0);
  assert.equal(first?.socket.destroyed, true);
  pool.giveBack(second as OriginConnection, 1000);
  pool.idleMax = 1;
  pool.giveBack(third as OriginConnection, 1000);
  assert.equal(third?.socket.destroyed, true);
  assert.equal(second?.socket.destroyed, false);
});

test('what the origin says is for the user, and its end too', async () => {
  const { user, far } = await connected(makePool());
  far.write('hello');
  await until(() => user.told.includes('hello'));
  far.end();
  await until(() => user.told.includes('closed'));
  assert.deepEqual(user.told, ['connect', 'hello', 'closed']);
});

test('an idle connection that the origin closes, or speaks on, is not handed out again', async () => {
  const pool = makePool();
  for (const act of [(far: Socket) => far.end(), (far: Socket) => far.write('surplus')]) {
    const { connection, user, far } = await connected(pool);
    pool.giveBack(connection, 60_000);
    act(far);
    await until(() => connection.socket.destroyed);
    const next = pool.take();
    assert.notEqual(next, connection);
    next.abandon();
    assert.deepEqual(user.told, ['connect']);
  }
});

test('a connection that cannot be made fails, once', async () => {
  const closed = createServer();
  closed.listen(0, '127.0.0.1');
  await once(closed, 'listening');
  const free = closed.address();
  if (free === null || typeof free === 'string') throw new Error('no port');
  closed.close();
  await once(closed, 'close');
  const connection = new ConnectionPool(linkTo(free.port)).take();
  const user = new User();
  connection.user = user;
  await until(() => connection.socket.closed);
  assert.deepEqual(user.told, ['failed']);
});

test('who gives a connection up hears no more of it', async () => {
  const { connection, user, far } = await connected(makePool());
  connection.abandon();
  await until(() => far.destroyed || far.readableEnded || connection.socket.closed);
  assert.deepEqual(user.told, ['connect']);
});

test('idle connections go when their time is up, and all when the pool is retired', async () => {
  const pool = makePool();
  const [short, long] = [await connected(pool), await connected(pool)];
  pool.giveBack(long.connection, 60_000);
  pool.giveBack(short.connection, 1);
  await until(() => short.connection.socket.destroyed);
  assert.equal(long.connection.socket.destroyed, false);
  const busy = await connected(pool);
  pool.retire();
  assert.equal(long.connection.socket.destroyed, true);
  assert.equal(busy.connection.socket.destroyed, false);
  pool.giveBack(busy.connection, 60_000);
  assert.equal(busy.connection.socket.destroyed, true);
});

test('a connection that has broken meanwhile is not taken back', async () => {
  const pool = makePool();
  const { connection } = await connected(pool);
  connection.abandon();
  pool.giveBack(connection, 60_000);
  const next = pool.take();
  assert.notEqual(next, connection);
  next.abandon();
});
