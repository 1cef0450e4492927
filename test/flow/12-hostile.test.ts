/**
 * Whatever is thrown at it ends in an answer or a closed connection; the process lives, and afterwards
 * holds no more sockets and little more memory than before.
 */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { inLanes } from '../support/lanes.ts';
import { residentBytes, socketCount } from '../support/process.ts';
import { sendRaw } from '../support/raw.ts';
import { askOnce } from '../support/raw-client.ts';
import { startWormgate, until } from '../support/wormgate.ts';

const noiseCount = 10_000;
const laneCount = 32;

const wormgate = await startWormgate(
  { after },
  { sections: { Limits: ['HeaderTimeout=2', 'BodyTimeout=2', 'KeepAliveTimeout=2'] } },
);

const anyBytes = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));

/** Pieces of the grammar, good and bad, in any order. */
const piece = fc.constantFrom(
  ...[
    'GET',
    'POST',
    'DELETE',
    'CONNECT',
    'PRI',
    'get',
    ' ',
    '  ',
    '\t',
    '/',
    '/a',
    '*',
    'http://h/',
  ],
  ...['?', '%', '%00', '\0', 'HTTP/1.1', 'HTTP/1.0', 'HTTP/2.0', '\r\n', '\n', '\r', '\r\n\r\n'],
  ...['Host: a\r\n', 'Host', ':', 'Content-Length: 5\r\n', 'Content-Length: -1\r\n'],
  ...['Transfer-Encoding: chunked\r\n', '0\r\n\r\n', '5\r\nhello\r\n', 'ffffffffffffffff\r\n'],
  ...['Connection: close\r\n', 'Connection: Upgrade\r\nUpgrade: websocket\r\n', 'Upgrade: h2c\r\n'],
  ...[
    'Expect: 100-continue\r\n',
    'Expect: x\r\n',
    'X: \x80\xff\r\n',
    ' folded\r\n',
    'a'.repeat(200),
  ],
);
const grammarNoise = fc
  .array(piece, { minLength: 1, maxLength: 25 })
  .map((pieces) => Buffer.from(pieces.join(''), 'latin1'));

const soundRequests = [
  'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
  'POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello',
  'POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
  'GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
  'DELETE / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /x HTTP/1.1\r\nHost: b\r\n\r\n',
];
const oneByteChanged = fc
  .tuple(fc.constantFrom(...soundRequests), fc.nat(), fc.nat({ max: 255 }))
  .map(([request, at, byte]) => {
    const bytes = Buffer.from(request, 'latin1');
    bytes[at % bytes.length] = byte;
    return bytes;
  });

/** Sends the bytes, ends the sending side, and waits for the other side to close. */
function throwAt(bytes: Buffer): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port: wormgate.port, host: '127.0.0.1' });
    const timer = setTimeout(() => {
      socket.destroy();
      resolve(false);
    }, 8000);
    socket.on('connect', () => socket.end(bytes));
    socket.on('data', () => {});
    socket.on('error', () => {});
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(true);
    });
  });
}

async function isServing(): Promise<void> {
  const answer = await askOnce(wormgate.port, 'GET /hello.txt HTTP/1.1\r\nHost: a\r\n\r\n');
  assert.equal(answer.status, 200);
}

test('10,000 random byte strings end in an answer or a closed connection and leave nothing behind', async () => {
  const samples = fc.sample(fc.oneof(anyBytes, grammarNoise, oneByteChanged, oneByteChanged), {
    seed: 2001,
    numRuns: noiseCount,
  });
  // The first pass fills what is filled once: compiled code, the heap's young generation, the pool.
  await inLanes(samples, laneCount, throwAt);
  await until(() => socketCount(wormgate.pid) < laneCount, 8000);
  const memoryBefore = residentBytes(wormgate.pid);
  const ended = await inLanes(samples, laneCount, throwAt);
  const stuck = samples.filter((_, index) => ended[index] !== true);
  assert.deepEqual(
    stuck.map((bytes) => bytes.toString('latin1')),
    [],
  );
  await isServing();
  // Its listeners, the demonstration site and the few kept-alive connections to it.
  const before = socketCount(wormgate.pid);
  await until(
    () => socketCount(wormgate.pid) <= 12,
    8000,
    () => `${before} sockets at first, ${socketCount(wormgate.pid)} now`,
  );
  const grown = residentBytes(wormgate.pid) - memoryBefore;
  assert.ok(grown < 64 * 1024 * 1024, `memory grew by ${grown} bytes`);
});

test('no line of the log was broken or forged by any of it', async () => {
  await wormgate.logLine(/hello\.txt/);
  for (const line of wormgate.log().trimEnd().split('\n')) {
    assert.match(line, /^127\.0\.0\.1 - - \[[^\]]+\] "[ !#-[\]-~]*" (\d{3} \d+|- -|- \d+)( .*)?$/);
  }
});

test('noise on the console socket is answered with an error or a closed connection', async () => {
  const path = join(wormgate.dataFolder, 'console.sock');
  const samples = fc.sample(
    fc.oneof(
      anyBytes,
      fc.json().map((text) => Buffer.from(`${text}\n`)),
      fc.string().map((line) => Buffer.from(`${JSON.stringify({ id: 1, lines: [line] })}\n`)),
      fc.constant(Buffer.alloc(2 * 1024 * 1024, 'x')),
    ),
    { seed: 2002, numRuns: 300 },
  );
  await inLanes(samples, 8, async (bytes) => {
    await new Promise<void>((resolve) => {
      const socket = connect(path, () => socket.end(bytes));
      socket.on('data', () => {});
      socket.on('error', () => {});
      socket.on('close', () => resolve());
    });
  });
  assert.equal(wormgate.virus('show').code, 0);
});

test('heads and bodies that trickle in or stop half-way are let go', async () => {
  const halves = [
    'G',
    'GET / HT',
    'GET / HTTP/1.1\r\nHost: a\r\n',
    soundRequests[1]?.slice(0, -2) ?? '',
  ];
  const answers = await inLanes(halves, halves.length, (half) =>
    sendRaw(wormgate.port, [half], { waitMs: 8000 }),
  );
  for (const [index, answer] of answers.entries()) {
    assert.ok(answer.closed, `${halves[index]}`);
    // The demonstration site echoes while it is sent to: that answer had begun, and is cut off.
    assert.match(answer.text, index === 3 ? /^HTTP\/1\.1 200 .*\r\nhel\r\n$/s : /^HTTP\/1\.1 408 /);
  }
  await isServing();
});
