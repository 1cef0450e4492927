/** HTTP/2 in front: requests become those of HTTP/1.1, answers those of HTTP/2, and nothing is lost. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { constants } from 'node:http2';
import { test } from 'node:test';
import { H2Client } from '../support/h2-client.ts';
import { programPath, skipWithout } from '../support/parts.ts';
import { patternSection } from '../support/reload.ts';
import { headerLinesOf, startScriptedOrigin, valuesOf } from '../support/scripted-origin.ts';
import { startTlsWormgate } from '../support/tls-wormgate.ts';
import { until } from '../support/wormgate.ts';

const skip = skipWithout('openssl');

test('the origin receives the request that it would have over HTTP/1.1', { skip }, async (t) => {
  const origin = await startScriptedOrigin(t);
  const { tlsPort } = await startTlsWormgate(t, { origin: origin.url });
  const client = await H2Client.connect(t, tlsPort);
  const answer = await client.ask({
    ':method': 'GET',
    ':path': '/a?b=c',
    accept: '*/*',
    cookie: ['a=1', 'b=2', 'c=3'],
    te: 'trailers',
    'x-forwarded-for': '1.2.3.4',
    'x-umlaut': 'gr\xfc\xdf',
  });
  assert.equal(answer.status, 200);
  assert.equal(answer.body.toString(), 'ok');
  const head = origin.callsOf('/a')[0]?.head ?? '';
  assert.equal(head.split('\r\n')[0], 'GET /a?b=c HTTP/1.1');
  assert.deepEqual(headerLinesOf(head), [
    ['Host', 'site.test'],
    ['accept', '*/*'],
    ['cookie', 'a=1; b=2; c=3'],
    ['x-umlaut', 'gr\xfc\xdf'],
    ['Via', '2.0 wormgate'],
    ['X-Forwarded-For', '127.0.0.1'],
    ['X-Forwarded-Proto', 'https'],
    ['X-Forwarded-Host', 'site.test'],
    ['Connection', 'keep-alive'],
  ]);
});

test('an answer keeps its fields, and loses what ends at one connection', { skip }, async (t) => {
  const origin = await startScriptedOrigin(t);
  const lines = [
    'HTTP/1.1 200 Fine',
    'Set-Cookie: a=1',
    'Set-Cookie: b=2',
    'Connection: X-Hop',
    'X-Hop: 1',
    'Keep-Alive: timeout=5',
    'X-Text: gr\xfc\xdf',
    'Content-Type: text/plain',
    'Content-Type: text/html',
    'Content-Length: 2',
  ];
  origin.on('/', (call) => call.say(`${lines.join('\r\n')}\r\n\r\nok`));
  const { tlsPort } = await startTlsWormgate(t, { origin: origin.url });
  const client = await H2Client.connect(t, tlsPort);
  const { fields } = await client.ask({ ':path': '/' });
  assert.deepEqual(fields['set-cookie'], ['a=1', 'b=2']);
  assert.equal(fields['x-text'], 'gr\xfc\xdf');
  assert.equal(fields['content-type'], 'text/plain');
  for (const name of ['connection', 'x-hop', 'keep-alive', 'transfer-encoding']) {
    assert.equal(fields[name], undefined, name);
  }
});

test('HEAD, 204, 304, an empty body, and a body that ends with its connection', {
  skip,
}, async (t) => {
  const origin = await startScriptedOrigin(t);
  origin.on('/head', (call) => call.say('HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n'));
  origin.on('/204', (call) => call.say('HTTP/1.1 204 No Content\r\n\r\n'));
  origin.on('/304', (call) =>
    call.say('HTTP/1.1 304 Not Modified\r\nETag: "a"\r\nContent-Length: 7\r\n\r\n'),
  );
  origin.on('/empty', (call) => call.say('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'));
  origin.on('/close', (call) => {
    call.say('HTTP/1.1 200 OK\r\n\r\nuntil the end');
    call.socket.end();
  });
  origin.on('/799', (call) => call.say('HTTP/1.1 799 Odd\r\nContent-Length: 2\r\n\r\nok'));
  const { tlsPort, wormgate } = await startTlsWormgate(t, { origin: origin.url });
  const client = await H2Client.connect(t, tlsPort);
  const seen = async (path: string, method = 'GET') => {
    const { status, fields, body } = await client.ask({ ':path': path, ':method': method });
    return [status, fields['content-length'], body.toString()];
  };
  assert.deepEqual(await seen('/head', 'HEAD'), [200, '7', '']);
  assert.deepEqual(await seen('/204'), [204, undefined, '']);
  assert.deepEqual(await seen('/304'), [304, '7', '']);
  assert.deepEqual(await seen('/empty'), [200, '0', '']);
  assert.deepEqual(await seen('/close'), [200, undefined, 'until the end']);
  assert.deepEqual(await seen('/799'), [500, '2', 'ok']);
  assert.equal(await wormgate.counter('h2_resets'), 0);
  assert.equal(await wormgate.counter('client_aborts'), 0);
  await wormgate.logLine(/"HEAD \/head HTTP\/2\.0" 200 0$/);
});

test('worms are slipped with their connection, or dropped with an answer', { skip }, async (t) => {
  const { tlsPort, wormgate, options } = await startTlsWormgate(t, {
    accelerator: ['TrustedProxies=127.0.0.2'],
    sections: patternSection(['scripts/root.exe']),
  });
  const slipped = await H2Client.connect(t, tlsPort);
  await assert.rejects(slipped.ask({ ':path': '/scripts/root.exe?/c+dir' }));
  await until(() => slipped.closed);
  await wormgate.logLine(
    /"GET \/scripts\/root\.exe\?\/c\+dir HTTP\/2\.0" - - pattern="scripts\/root\.exe"/,
  );
  wormgate.configure({
    ...options,
    sections: patternSection(['scripts/root.exe'], 'VirusAction=drop'),
  });
  await wormgate.stop();
  await wormgate.start();
  const dropped = await H2Client.connect(t, tlsPort);
  const answer = await dropped.ask({ ':path': '/scripts/root.exe' });
  assert.equal(answer.status, 400);
  assert.match(answer.body.toString(), /Request id: /);
  await until(() => dropped.closed);
  assert.equal(dropped.goaway, constants.NGHTTP2_NO_ERROR);
});

test('behind a trusted proxy the connection of a worm stays', { skip }, async (t) => {
  const { tlsPort, wormgate } = await startTlsWormgate(t, {
    accelerator: ['TrustedProxies=127.0.0.1'],
    sections: patternSection(['scripts/root.exe']),
  });
  const client = await H2Client.connect(t, tlsPort);
  const from = { 'x-forwarded-for': '192.0.2.7' };
  assert.equal((await client.ask({ ':path': '/scripts/root.exe', ...from })).status, 400);
  assert.equal((await client.ask({ ':path': '/hello.txt', ...from })).status, 200);
  assert.equal(client.closed, false);
  await wormgate.logLine(/^192\.0\.2\.7 .*"GET \/scripts\/root\.exe HTTP\/2\.0" 400 \d+ pattern=/);
});

test('the window is cut from the line in HTTP/1.1', { skip }, async (t) => {
  const { tlsPort } = await startTlsWormgate(t, {
    sections: patternSection(['.env HTTP/1.1'], 'VirusAction=drop'),
  });
  const client = await H2Client.connect(t, tlsPort);
  assert.equal((await client.ask({ ':path': '/.env' })).status, 400);
});

test('limits and refusals are answered, and the connection goes on', { skip }, async (t) => {
  const { tlsPort, wormgate } = await startTlsWormgate(t, {
    accelerator: ['Hosts=site.test'],
    sections: { Limits: ['MaxHeaderBytes=4096', 'MaxHeaders=20', 'MaxRequestBody=1000'] },
  });
  const client = await H2Client.connect(t, tlsPort);
  const status = async (fields: object, body?: string) => {
    const all = { ':path': '/', ...(body !== undefined && { ':method': 'POST' }), ...fields };
    return (await client.ask(all, body)).status;
  };
  assert.equal(await status({ 'x-large': 'y'.repeat(5000) }), 431);
  const many = Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`x-${index}`, 'y']));
  assert.equal(await status(many), 431);
  assert.equal(await status({ ':authority': 'other.test' }), 421);
  assert.equal(await status({ 'content-length': 2000 }, 'x'.repeat(2000)), 413);
  assert.equal(await status({}, 'x'.repeat(2000)), 413);
  assert.equal(await status({ ':path': '/hello.txt' }), 200);
  assert.equal(await wormgate.counter('h2_connections'), 1);
  await wormgate.logLine(/"GET \/ HTTP\/2\.0" 431 \d+ error=head_too_large/);
});

test('a server that stops finishes the streams under way', { skip }, async (t) => {
  const origin = await startScriptedOrigin(t);
  origin.on('/slow', (call) => {
    call.say('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab');
    setTimeout(() => call.say('cd'), 300);
  });
  const { tlsPort, wormgate } = await startTlsWormgate(t, { origin: origin.url });
  const busy = await H2Client.connect(t, tlsPort);
  const idle = await H2Client.connect(t, tlsPort);
  const answer = busy.ask({ ':path': '/slow' });
  await until(() => origin.callsOf('/slow').length === 1);
  const stopped = wormgate.stop();
  await until(() => idle.closed);
  assert.equal((await answer).body.toString(), 'abcd');
  assert.equal(await stopped, 0);
  assert.equal(busy.goaway, constants.NGHTTP2_NO_ERROR);
});

test('idle connections are told and closed after KeepAliveTimeout', { skip }, async (t) => {
  const { tlsPort } = await startTlsWormgate(t, { sections: { Limits: ['KeepAliveTimeout=1'] } });
  const client = await H2Client.connect(t, tlsPort);
  await client.ask({ ':path': '/hello.txt' });
  await until(() => client.closed);
  assert.equal(client.goaway, constants.NGHTTP2_NO_ERROR);
});

test('Http2=0 leaves HTTP/1.1 to clients that can do both', { skip }, async (t) => {
  const { tlsPort } = await startTlsWormgate(t, { accelerator: ['Http2=0'] });
  const url = `https://127.0.0.1:${tlsPort}/hello.txt`;
  const args = ['-sk', '--http2', '-o', '/dev/null', '-w', '%{http_version}', url];
  const { stdout } = spawnSync(programPath('curl'), args, { encoding: 'utf8', timeout: 10_000 });
  assert.equal(stdout, '1.1');
});

test('h2load gets every answer', { skip: skipWithout('openssl', 'h2load') }, async (t) => {
  const { tlsPort, wormgate } = await startTlsWormgate(t);
  const url = `https://127.0.0.1:${tlsPort}/hello.txt`;
  const args = ['-n', '3000', '-c', '16', '-m', '20', url];
  const { stdout } = spawnSync(programPath('h2load'), args, { encoding: 'utf8', timeout: 60_000 });
  assert.match(stdout, /3000 succeeded, 0 failed, 0 errored, 0 timeout/);
  assert.match(stdout, /3000 2xx/);
  await until(async () => {
    const closed = await wormgate.counter('connections_closed');
    return (await wormgate.counter('connections')) === closed && closed === 16;
  });
  assert.equal(await wormgate.counter('h2_requests'), 3000);
  assert.equal(await wormgate.counter('client_aborts'), 0);
});

test('a Host that is equal to the authority is one host, another one is refused', {
  skip,
}, async (t) => {
  const origin = await startScriptedOrigin(t);
  const { tlsPort, wormgate } = await startTlsWormgate(t, { origin: origin.url });
  const client = await H2Client.connect(t, tlsPort);
  assert.equal((await client.ask({ ':path': '/same', host: 'SITE.test' })).status, 200);
  assert.deepEqual(valuesOf(origin.callsOf('/same')[0]?.head ?? '', 'Host'), ['site.test']);
  assert.equal((await client.ask({ ':path': '/other', host: 'other.test' })).status, 400);
  await wormgate.logLine(/"GET \/other HTTP\/2\.0" 400 \d+ error=ambiguous_head/);
  assert.deepEqual(origin.callsOf('/other'), []);
});
