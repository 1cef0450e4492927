import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { connectConsole } from '../../../src/admin/console-client.ts';
import { type ConsoleServer, startConsoleServer } from '../../../src/admin/console-server.ts';
import { type Clock, systemClock } from '../../../src/clock.ts';
import { Statistics } from '../../../src/statistics.ts';
import { FakeContext } from '../../support/console-context.ts';

function makeFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'wormgate-console-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

interface Options {
  readonly clientsMax?: number;
  readonly clock?: Clock;
}

function startOn(folder: string, context: FakeContext, statistics: Statistics, options: Options) {
  return startConsoleServer({
    socketFile: join(folder, 'console.sock'),
    context,
    statistics,
    clock: options.clock ?? systemClock,
    limits: () => ({ consoleClientsMax: options.clientsMax ?? 16, consoleLineBytesMax: 4096 }),
  });
}

async function start(t: TestContext, options: Options = {}) {
  const folder = makeFolder(t);
  const context = new FakeContext();
  const statistics = new Statistics();
  const started = await startOn(folder, context, statistics, options);
  assert.ok(started.ok, started.ok ? '' : started.message);
  const { server } = started;
  let closing: Promise<void> | undefined;
  const close = () => {
    closing ??= server.close();
    return closing;
  };
  t.after(close);
  return { folder, context, statistics, close };
}

async function connect(t: TestContext, folder: string) {
  const connection = await connectConsole(folder);
  assert.ok(connection.ok, connection.ok ? '' : connection.message);
  t.after(() => connection.client.close());
  return connection.client;
}

/** Sends bytes as they are and gives everything that comes back until the server closes. */
function exchange(folder: string, bytes: string | Buffer, keepOpen = true): Promise<string> {
  return new Promise((done) => {
    let received = '';
    const socket = createConnection(join(folder, 'console.sock'));
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk) => {
      received += chunk;
    });
    socket.on('close', () => done(received));
    if (keepOpen) socket.write(bytes);
    else socket.end(bytes);
  });
}

test('the socket is open to its owner alone', async (t) => {
  const { folder } = await start(t);
  assert.equal(statSync(join(folder, 'console.sock')).mode & 0o777, 0o600);
});

test('the umask of the process is as before', async (t) => {
  const before = process.umask();
  await start(t);
  assert.equal(process.umask(), before);
});

test('lines are carried out in order and answered one by one', async (t) => {
  const { folder, context, statistics } = await start(t);
  const client = await connect(t, folder);
  const answer = await client.send(['virus add -k "\xe9"', 'nonsense', 'virus list -k'], 'ncf');
  assert.ok(answer.ok);
  assert.deepEqual(
    answer.replies.map(({ ok }) => ok),
    [true, false, true],
  );
  assert.deepEqual([...context.keywordNames], ['\xe9']);
  assert.equal(statistics.get('console_commands'), 2);
  assert.equal(statistics.get('console_refused'), 1);
});

test('requests may be sent ahead, and each gets its own answer', async (t) => {
  const { folder } = await start(t);
  const client = await connect(t, folder);
  const lines = Array.from({ length: 20 }, (_, index) => `virus add -k k${index}`);
  const answers = await Promise.all(lines.map((line) => client.send([line], 'console')));
  for (const [index, answer] of answers.entries()) {
    assert.ok(answer.ok);
    assert.equal(answer.replies[0]?.text, `Added the keyword "k${index}".`);
  }
});

test('the screen is answered with the figures', async (t) => {
  const { folder } = await start(t);
  const client = await connect(t, folder);
  const screen = await client.screen();
  assert.ok(screen.ok);
  assert.equal(screen.snapshot.nonVirusRequests, 5200);
});

test('a client that stops writing still gets its answer', async (t) => {
  const { folder } = await start(t);
  const answer = await exchange(folder, '{"id":7,"lines":["virus list"]}\n', false);
  assert.deepEqual(JSON.parse(answer), {
    id: 7,
    replies: [{ ok: true, text: 'There are no patterns.' }],
  });
});

const malformed: readonly (readonly [title: string, bytes: string | Buffer, error: RegExp])[] = [
  ['no JSON', 'hello\n', /not JSON/],
  ['JSON of another kind', '[]\n', /no id/],
  ['null', 'null\n', /no id/],
  ['an id that is no integer', '{"id":1.5,"screen":true}\n', /not an integer/],
  ['lines that are no strings', '{"id":1,"lines":[1]}\n', /no lines/],
  ['neither lines nor screen', '{"id":1}\n', /no lines/],
  ['an unknown origin', '{"id":1,"lines":[],"origin":"x"}\n', /origin/],
  ['too many lines', `{"id":1,"lines":[${'"",'.repeat(500)}""]}\n`, /at most 500/],
  ['an endless message', Buffer.alloc(1024 * 1024 + 1, 0x20), /longer than 1048576 bytes/],
];

for (const [title, bytes, error] of malformed) {
  test(`a message with ${title} is answered with an error and closed`, async (t) => {
    const { folder, context } = await start(t);
    const answer = JSON.parse(await exchange(folder, bytes));
    assert.equal(answer.id, null);
    assert.match(answer.error, error);
    assert.deepEqual(context.commits, []);
  });
}

test('more clients than allowed are told so, closed and counted', async (t) => {
  const { folder, statistics } = await start(t, { clientsMax: 2 });
  const first = await connect(t, folder);
  const second = await connect(t, folder);
  assert.ok((await first.screen()).ok);
  assert.ok((await second.screen()).ok);
  const third = await connect(t, folder);
  assert.deepEqual(await third.screen(), {
    ok: false,
    message: 'the server refused: there are 2 console clients already',
    exitCode: 1,
  });
  assert.equal(statistics.get('console_clients_refused'), 1);
});

test('a client that leaves makes room for another', async (t) => {
  const { folder } = await start(t, { clientsMax: 1 });
  await exchange(folder, '{"id":1,"screen":true}\n', false);
  const client = await connect(t, folder);
  assert.ok((await client.screen()).ok);
});

test('a client that is idle is let go', async (t) => {
  const actions: (() => void)[] = [];
  const clock: Clock = {
    ...systemClock,
    after: (_, action) => {
      actions.push(action);
      return { cancel: () => actions.splice(actions.indexOf(action), 1) };
    },
  };
  const { folder } = await start(t, { clock });
  const client = await connect(t, folder);
  let gone = false;
  client.whenGone(() => {
    gone = true;
  });
  assert.ok((await client.screen()).ok);
  const waiting = new Promise<void>((done) => {
    const look = () => (client.usable ? setImmediate(look) : done());
    look();
  });
  assert.equal(actions.length, 1);
  actions[0]?.();
  await waiting;
  assert.equal(gone, false);
});

test('a stale socket of a dead server is replaced', async (t) => {
  const folder = makeFolder(t);
  const path = join(folder, 'console.sock');
  // A listener whose file is moved away and back leaves it behind when it closes.
  const dead = createServer();
  await new Promise<void>((done) => dead.listen(path, done));
  const { renameSync } = await import('node:fs');
  renameSync(path, `${path}.kept`);
  await new Promise<void>((done) => dead.close(() => done()));
  renameSync(`${path}.kept`, path);
  assert.ok(statSync(path).isSocket());
  const started = await startOn(folder, new FakeContext(), new Statistics(), {});
  assert.ok(started.ok, started.ok ? '' : started.message);
  t.after(() => started.server.close());
  const client = await connect(t, folder);
  assert.ok((await client.screen()).ok);
});

test('a live server on the same data folder is respected', async (t) => {
  const { folder } = await start(t);
  const second = await startOn(folder, new FakeContext(), new Statistics(), {});
  assert.deepEqual(second, {
    ok: false,
    message: `another wormgate is running on this data folder (${folder})`,
  });
  const client = await connect(t, folder);
  assert.ok((await client.screen()).ok);
});

test('of several servers that start at once on one data folder, one runs', async (t) => {
  const folder = makeFolder(t);
  const starts = Array.from({ length: 4 }, () =>
    startOn(folder, new FakeContext(), new Statistics(), {}),
  );
  const results = await Promise.all(starts);
  const servers: ConsoleServer[] = results.flatMap((result) => (result.ok ? [result.server] : []));
  t.after(() => Promise.all(servers.map((server) => server.close())));
  assert.equal(servers.length, 1);
});

test('a file that is not a socket is left alone', async (t) => {
  const folder = makeFolder(t);
  writeFileSync(join(folder, 'console.sock'), 'mine');
  const started = await startOn(folder, new FakeContext(), new Statistics(), {});
  assert.equal(started.ok, false);
  assert.match(started.ok ? '' : started.message, /is in the way: it is not a socket/);
});

test('a data folder whose path is too long for a socket is refused in words', async (t) => {
  const folder = join(makeFolder(t), 'x'.repeat(120));
  const started = await startOn(folder, new FakeContext(), new Statistics(), {});
  assert.match(started.ok ? '' : started.message, /longer than 103 bytes/);
  const connection = await connectConsole(folder);
  assert.match(connection.ok ? '' : connection.message, /longer than 103 bytes/);
});

test('close lets a batch in progress be answered and removes the socket', async (t) => {
  const { folder, context, close } = await start(t);
  let release = () => {};
  context.commitDelay = new Promise<void>((done) => {
    release = done;
  });
  const client = await connect(t, folder);
  const answer = client.send(['virus add -k x'], 'console');
  // The screen of a second client is answered after the first one's batch has been begun.
  const other = await connect(t, folder);
  assert.ok((await other.screen()).ok);
  const closed = close();
  release();
  assert.ok((await answer).ok);
  await closed;
  assert.throws(() => statSync(join(folder, 'console.sock')), { code: 'ENOENT' });
});

test('without a server the client says so, with exit code 3', async (t) => {
  const folder = makeFolder(t);
  assert.deepEqual(await connectConsole(folder), {
    ok: false,
    message: `no wormgate is running on data folder ${folder}`,
    exitCode: 3,
  });
  assert.equal((await connectConsole(join(folder, 'absent'))).ok, false);
});

test('a client whose server goes away is told', async (t) => {
  const { folder, close } = await start(t);
  const client = await connect(t, folder);
  const gone = new Promise((done) => client.whenGone(done));
  await close();
  const failure = { ok: false, message: 'the server has gone away', exitCode: 3 };
  assert.deepEqual(await gone, failure);
  assert.deepEqual(await client.screen(), failure);
});

test('a fault behind the console costs the client its answer and nothing else', async (t) => {
  const { folder, context } = await start(t);
  context.snapshotError = new Error('broken');
  const client = await connect(t, folder);
  assert.deepEqual(await client.screen(), {
    ok: false,
    message: 'the server refused: the console failed: broken',
    exitCode: 1,
  });
  context.snapshotError = undefined;
  assert.ok((await (await connect(t, folder)).screen()).ok);
});

test('a client that does not read is not read from', async (t) => {
  const { folder, context } = await start(t);
  const request = `${JSON.stringify({ id: 1, lines: Array.from({ length: 500 }, () => 'virus -h') })}\n`;
  const socket = createConnection(join(folder, 'console.sock'));
  t.after(() => socket.destroy());
  socket.on('error', () => socket.destroy());
  socket.pause();
  for (let count = 0; count < 200; count += 1) socket.write(request);
  let before = -1;
  while (before !== context.recorded.length) {
    before = context.recorded.length;
    await new Promise((done) => setTimeout(done, 100));
  }
  assert.ok(before > 0);
  socket.destroy();
  assert.ok(before < 200 * 500 * 2, `${before} lines were carried out`);
});
