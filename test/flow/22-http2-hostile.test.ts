/** HTTP/2 from hostile clients, frame by frame: floods are ended, lies never reach an origin. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { H2Client } from '../support/h2-client.ts';
import {
  FrameClient,
  fieldBlock,
  frame,
  frameFlags,
  frameTypes,
  getFields,
} from '../support/h2-frames.ts';
import { skipWithout } from '../support/parts.ts';
import { residentBytes } from '../support/process.ts';
import { startScriptedOrigin } from '../support/scripted-origin.ts';
import { startTlsWormgate } from '../support/tls-wormgate.ts';
import { until } from '../support/wormgate.ts';

const skip = skipWithout('openssl');
const cancel = 8;
const enhanceYourCalm = 11;
const protocolError = 1;

function resetFrame(stream: number): Buffer {
  const code = Buffer.alloc(4);
  code.writeUInt32BE(cancel);
  return frame(frameTypes.rstStream, 0, stream, code);
}

test('a client that takes back too many requests is told to calm down, and closed', {
  skip,
}, async (t) => {
  const origin = await startScriptedOrigin(t);
  origin.on('/', () => {});
  const { tlsPort, wormgate } = await startTlsWormgate(t, {
    origin: origin.url,
    sections: { Limits: ['MaxH2Resets=50'] },
  });
  const client = await FrameClient.connect(tlsPort);
  const block = fieldBlock(getFields());
  for (let stream = 1; stream < 2000 && !client.closed; stream += 2) {
    const flags = frameFlags.endHeaders | frameFlags.endStream;
    client.send(frame(frameTypes.headers, flags, stream, block), resetFrame(stream));
    if (stream % 20 === 1) await new Promise((resolve) => setImmediate(resolve));
  }
  await until(() => client.closed);
  assert.equal(client.goawayCode, enhanceYourCalm);
  assert.equal(await wormgate.counter('h2_floods'), 1);
  assert.equal(await wormgate.counter('h2_resets'), 51);
  await until(async () => {
    const closed = await wormgate.counter('connections_closed');
    return closed === (await wormgate.counter('connections'));
  });
  await until(() => origin.openCount === 0);
  const other = await H2Client.connect(t, tlsPort);
  origin.on('/ok', (call) => call.say('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'));
  assert.equal((await other.ask({ ':path': '/ok' })).status, 200);
});

test('few requests taken back do no harm', { skip }, async (t) => {
  const { tlsPort, wormgate } = await startTlsWormgate(t, {
    sections: { Limits: ['MaxH2Resets=50'] },
  });
  const client = await FrameClient.connect(tlsPort);
  for (let stream = 1; stream < 81; stream += 2) {
    client.request(stream, getFields());
    client.send(resetFrame(stream));
  }
  client.request(101, getFields('/hello.txt'));
  await until(() => client.hasAnswer(101));
  assert.equal(await wormgate.counter('h2_floods'), 0);
  client.socket.destroy();
});

test('a head that goes on in CONTINUATION frames without end is ended', { skip }, async (t) => {
  const { tlsPort, wormgate } = await startTlsWormgate(t);
  const before = residentBytes(wormgate.pid);
  for (const size of [1, 100, 10_000]) {
    const client = await FrameClient.connect(tlsPort);
    client.send(frame(frameTypes.headers, frameFlags.endStream, 1, fieldBlock(getFields())));
    const piece = fieldBlock([['x-more', 'y'.repeat(size)]]);
    for (let count = 0; count < 5000 && !client.closed; count += 1) {
      client.send(frame(frameTypes.continuation, 0, 1, piece));
      if (count % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await until(() => client.closed);
    assert.equal(client.hasAnswer(1), false);
  }
  assert.equal(await wormgate.counter('h2_connection_errors'), 3);
  assert.equal(await wormgate.counter('h2_requests'), 0);
  assert.ok(residentBytes(wormgate.pid) - before < 100_000_000);
});

test('a header list beyond MaxH2HeaderBytes is reset', { skip }, async (t) => {
  const { tlsPort } = await startTlsWormgate(t, {
    sections: { Limits: ['MaxH2HeaderBytes=4096', 'MaxHeaderBytes=65536'] },
  });
  const client = await FrameClient.connect(tlsPort);
  client.request(1, [...getFields(), ['x-large', 'y'.repeat(6000)]]);
  await until(() => client.resetCode(1) === enhanceYourCalm);
  assert.equal(client.hasAnswer(1), false);
  const other = await H2Client.connect(t, tlsPort);
  assert.equal((await other.ask({ ':path': '/hello.txt' })).status, 200);
});

test('requests that HTTP/2 forbids are reset, reach no origin, and harm no other', {
  skip,
}, async (t) => {
  const origin = await startScriptedOrigin(t);
  const { tlsPort } = await startTlsWormgate(t, { origin: origin.url });
  const without = (name: string) => getFields('/bad').filter(([each]) => each !== name);
  const plus = (...more: [string, string][]) => [...getFields('/bad'), ...more];
  const forbidden: Record<string, (readonly [string, string])[]> = {
    'upper case': plus(['X-Upper', 'y']),
    connection: plus(['connection', 'close']),
    'transfer-encoding': plus(['transfer-encoding', 'chunked']),
    upgrade: plus(['upgrade', 'websocket']),
    'keep-alive': plus(['keep-alive', 'timeout=5']),
    te: plus(['te', 'gzip']),
    'no method': without(':method'),
    'no path': without(':path'),
    'no scheme': without(':scheme'),
    'two paths': plus([':path', '/second']),
    'pseudo field behind others': [['accept', '*/*'], ...getFields('/bad')],
    'unknown pseudo field': [[':odd', 'y'], ...getFields('/bad')],
    'a blank in the path': getFields('/bad HTTP/1.1\r\nx: y'),
    'a line end in the path': getFields('/bad\r\nx: y'),
    'no slash at its beginning': getFields('bad'),
    'an empty path': getFields(''),
    'a blank in the method': [[':method', 'GET /bad'], ...without(':method')],
    'a line end in the authority': [[':authority', 'a\r\nx: y'], ...without(':authority')],
    'scheme http': [[':scheme', 'http'], ...without(':scheme')],
    'extended CONNECT': [[':protocol', 'websocket'], [':method', 'CONNECT'], ...without(':method')],
    'a length without a body': plus(['content-length', '5']),
    'two lengths': plus(['content-length', '0'], ['content-length', '1']),
  };
  for (const [what, fields] of Object.entries(forbidden)) {
    const client = await FrameClient.connect(tlsPort);
    client.request(1, fields);
    await until(
      () => client.resetCode(1) !== undefined || client.closed,
      5000,
      () => what,
    );
    if (!client.closed) {
      assert.equal(client.resetCode(1), protocolError, what);
      client.request(3, getFields('/good'));
      await until(
        () => client.hasAnswer(3),
        5000,
        () => what,
      );
    }
    assert.equal(client.hasAnswer(1), false, what);
    client.socket.destroy();
  }
  assert.deepEqual(origin.callsOf('/bad'), []);
  assert.ok(origin.calls.every(({ target, head }) => target === '/good' && !head.includes('x:')));
});

test('what is no field never gets into a line of HTTP/1.1', { skip }, async (t) => {
  const origin = await startScriptedOrigin(t);
  const { tlsPort } = await startTlsWormgate(t, { origin: origin.url });
  const client = await FrameClient.connect(tlsPort);
  const odd: [string, string][] = [
    ['x-a', 'b\r\nx-smuggled: c'],
    ['x-a', 'b\nx-smuggled: c'],
    ['x-a', 'b\0c'],
    ['x-a', 'b\r'],
    ['x-a b', 'c'],
    ['x-a:', 'c'],
    ['x-a\r\nx-smuggled', 'c'],
  ];
  // Node leaves such a field out, whole, and hands on the others.
  for (const [index, field] of odd.entries()) {
    const stream = 2 * index + 1;
    client.request(stream, [...getFields('/value'), field]);
    await until(() => client.hasAnswer(stream) || client.resetCode(stream) !== undefined);
  }
  assert.ok(origin.calls.every(({ head }) => !/x-a|smuggled/.test(head)));
  client.socket.destroy();
});

test('what HTTP/1.1 refuses is answered, logged and kept from origins as well', {
  skip,
}, async (t) => {
  const origin = await startScriptedOrigin(t);
  const { tlsPort, wormgate } = await startTlsWormgate(t, { origin: origin.url });
  const client = await H2Client.connect(t, tlsPort);
  const connect = client.session.request({ ':method': 'CONNECT', ':authority': 'a.test:443' });
  connect.on('error', () => {});
  const [fields] = await new Promise<[Record<string, unknown>]>((resolve) =>
    connect.once('response', (head) => resolve([head])),
  );
  assert.equal(fields[':status'], 405);
  const raw = await FrameClient.connect(tlsPort);
  raw.request(1, getFields('/gr\xfc\xdf'));
  await until(() => raw.hasAnswer(1));
  await wormgate.logLine(/"\(bad request line\) GET \/gr%FC%DF HTTP\/2\.0" 400/);
  await wormgate.logLine(/"CONNECT a\.test:443 HTTP\/2\.0" 405 \d+ error=connect_refused/);
  assert.deepEqual(origin.calls, []);
});

test('a body that is shorter or longer than its length is reset', { skip }, async (t) => {
  const origin = await startScriptedOrigin(t);
  origin.on('/', () => {});
  const { tlsPort } = await startTlsWormgate(t, { origin: origin.url });
  for (const body of ['abc', 'abcdefgh']) {
    const client = await FrameClient.connect(tlsPort);
    const fields = [...getFields(), [':method', 'POST'] as const].slice(1);
    const ordered = [...fields.slice(-1), ...fields.slice(0, -1), ['content-length', '5'] as const];
    client.send(frame(frameTypes.headers, frameFlags.endHeaders, 1, fieldBlock(ordered)));
    client.send(frame(frameTypes.data, frameFlags.endStream, 1, Buffer.from(body)));
    await until(() => client.resetCode(1) !== undefined || client.closed);
    client.socket.destroy();
  }
  await until(() => origin.openCount === 0);
});

test('more streams than MaxH2Streams are refused; who should know better is closed', {
  skip,
}, async (t) => {
  const origin = await startScriptedOrigin(t);
  origin.on('/', () => {});
  const { tlsPort } = await startTlsWormgate(t, {
    origin: origin.url,
    sections: { Limits: ['MaxH2Streams=3'] },
  });
  const refusedStream = 7;
  const unaware = await FrameClient.connect(tlsPort);
  for (const stream of [1, 3, 5, 7, 9]) unaware.request(stream, getFields());
  await until(() => unaware.resetCode(9) === refusedStream);
  assert.equal(unaware.resetCode(7), refusedStream);
  await until(() => origin.calls.length === 3);
  const aware = await FrameClient.connect(tlsPort);
  await until(() => aware.frames.length > 0);
  aware.send(frame(frameTypes.settings, frameFlags.ack, 0));
  for (const stream of [1, 3, 5, 7, 9]) aware.request(stream, getFields());
  await until(() => aware.closed);
  unaware.socket.destroy();
  await until(() => origin.openCount === 0);
  assert.ok(origin.calls.length <= 6);
});

test('floods of PING and SETTINGS, and frames that are none, end their connection only', {
  skip,
}, async (t) => {
  const { tlsPort, wormgate } = await startTlsWormgate(t, {
    sections: { Limits: ['HeaderTimeout=1'] },
  });
  const floods = {
    ping: frame(frameTypes.ping, 0, 0, Buffer.alloc(8)),
    settings: frame(frameTypes.settings, 0, 0),
  };
  for (const piece of Object.values(floods)) {
    const client = await FrameClient.connect(tlsPort);
    // Nothing is read, so that answers pile up.
    client.socket.pause();
    const many = Buffer.concat(Array.from({ length: 1000 }, () => piece));
    for (let count = 0; count < 200 && !client.socket.destroyed; count += 1) {
      if (client.socket.writableLength < 1_000_000) client.send(many);
      await new Promise((resolve) => setImmediate(resolve));
    }
    client.socket.destroy();
  }
  const garbage = await FrameClient.connect(tlsPort);
  garbage.send(Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n'));
  await until(() => garbage.closed);
  assert.ok(residentBytes(wormgate.pid) < 400_000_000);
  const other = await H2Client.connect(t, tlsPort);
  assert.equal((await other.ask({ ':path': '/hello.txt' })).status, 200);
});

test('a client that sends no request, or only half of one, is closed after HeaderTimeout', {
  skip,
}, async (t) => {
  const { tlsPort } = await startTlsWormgate(t, { sections: { Limits: ['HeaderTimeout=1'] } });
  const silent = await FrameClient.connect(tlsPort);
  const half = await FrameClient.connect(tlsPort);
  half.send(frame(frameTypes.headers, frameFlags.endStream, 1, fieldBlock(getFields())));
  await until(() => silent.closed && half.closed);
});

test('a client that takes nothing of its answer is closed after SendTimeout', {
  skip,
}, async (t) => {
  const origin = await startScriptedOrigin(t);
  const body = 'x'.repeat(500_000);
  origin.on('/', (call) => call.say(`HTTP/1.1 200 OK\r\nContent-Length: 500000\r\n\r\n${body}`));
  for (const fastPath of ['1', '0']) {
    const { tlsPort, wormgate } = await startTlsWormgate(t, {
      origin: origin.url,
      sections: { 'Extra Configuration': [`FastPath=${fastPath}`], Limits: ['SendTimeout=1'] },
    });
    // SETTINGS_INITIAL_WINDOW_SIZE = 0
    const client = await FrameClient.connect(tlsPort, Buffer.from('000400000000', 'hex'));
    client.request(1, getFields());
    await until(() => client.resetCode(1) !== undefined || client.closed);
    await wormgate.logLine(/error=send_timeout/);
    assert.equal(await wormgate.counter('response_send_timeouts'), 1);
    await until(() => origin.openCount === 0);
    await wormgate.stop();
  }
});

test('a client whose body pauses is answered 408 after BodyTimeout', { skip }, async (t) => {
  const origin = await startScriptedOrigin(t);
  origin.on('/', () => {});
  for (const fields of [{ 'content-length': 10 }, {}]) {
    const { tlsPort, wormgate } = await startTlsWormgate(t, {
      origin: origin.url,
      sections: { Limits: ['BodyTimeout=1'] },
    });
    const client = await H2Client.connect(t, tlsPort);
    const stream = client.open({ ':method': 'POST', ':path': '/', ...fields }, true);
    stream.write('abc');
    const status = await new Promise((resolve) =>
      stream.once('response', (head) => resolve(head[':status'])),
    );
    assert.equal(status, 408);
    await wormgate.stop();
  }
});
