/** Bodies over HTTP/2: whole, or seen to be cut; as fast as the slower side, and never faster. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { constants } from 'node:http2';
import { test } from 'node:test';
import { H2Client, readH2Answer } from '../support/h2-client.ts';
import { startOrigin } from '../support/origin.ts';
import { skipWithout } from '../support/parts.ts';
import { startScriptedOrigin } from '../support/scripted-origin.ts';
import { startTlsWormgate } from '../support/tls-wormgate.ts';
import { until } from '../support/wormgate.ts';

const skip = skipWithout('openssl');

test('bodies of every framing go through whole, both ways, on both lanes', { skip }, async (t) => {
  const origin = await startOrigin(t, (req, res) => {
    res.setHeader(
      'X-Framing',
      req.headers['transfer-encoding'] ?? req.headers['content-length'] ?? '',
    );
    req.pipe(res);
  });
  const large = randomBytes(3_000_000);
  for (const fastPath of ['1', '0']) {
    const { tlsPort, wormgate } = await startTlsWormgate(t, {
      origin: origin.url,
      sections: { 'Extra Configuration': ['ScanVirusPatterns=1', `FastPath=${fastPath}`] },
    });
    const client = await H2Client.connect(t, tlsPort);
    for (const body of ['', 'abc', large]) {
      const length = { 'content-length': body.length };
      const known = await client.ask({ ':method': 'POST', ':path': '/', ...length }, body);
      assert.equal(known.fields['x-framing'], String(body.length));
      assert.ok(known.body.equals(Buffer.from(body)));
      const unknown = await client.ask({ ':method': 'POST', ':path': '/' }, body);
      assert.equal(unknown.fields['x-framing'], 'chunked');
      assert.ok(unknown.body.equals(Buffer.from(body)));
    }
    const many = await Promise.all(
      Array.from({ length: 40 }, () => client.ask({ ':method': 'PUT', ':path': '/' }, large)),
    );
    assert.ok(many.every(({ body }) => body.equals(large)));
    assert.equal(await wormgate.counter('client_aborts'), 0);
    assert.equal(await wormgate.counter('h2_resets'), 0);
    await wormgate.stop();
  }
});

test('a client that reads slowly slows its origin down, and no other stream', {
  skip,
}, async (t) => {
  let sent = 0;
  const origin = await startOrigin(t, (req, res) => {
    if (req.url !== '/large') return res.end('ok');
    const more = () => {
      while (sent < 64_000_000) {
        sent += 65_536;
        if (!res.write(Buffer.alloc(65_536))) return res.once('drain', more);
      }
      return res.end();
    };
    return more();
  });
  const { tlsPort } = await startTlsWormgate(t, { origin: origin.url });
  const client = await H2Client.connect(t, tlsPort);
  const stream = client.open({ ':path': '/large' });
  await once(stream, 'response');
  let before = -1;
  await until(async () => {
    const isStill = sent === before && sent > 0;
    before = sent;
    await new Promise((resolve) => setTimeout(resolve, 100));
    return isStill;
  });
  assert.ok(sent < 32_000_000, `${sent} bytes were taken from the origin`);
  assert.equal((await client.ask({ ':path': '/small' })).status, 200);
  let received = 0;
  stream.on('data', (chunk) => {
    received += chunk.length;
  });
  await once(stream, 'end');
  assert.ok(received >= 64_000_000);
});

test('an origin that reads slowly slows its client down', { skip }, async (t) => {
  let pausedReq: import('node:http').IncomingMessage | undefined;
  const origin = await startOrigin(t, (req, res) => {
    if (req.url !== '/slow') return res.end('ok');
    pausedReq = req;
    req.on('end', () => res.end('done'));
    return req.pause();
  });
  const { tlsPort } = await startTlsWormgate(t, { origin: origin.url });
  const client = await H2Client.connect(t, tlsPort);
  const stream = client.open({ ':method': 'POST', ':path': '/slow' }, true);
  let taken = 0;
  const chunk = Buffer.alloc(65_536);
  const write = () => {
    stream.write(chunk, () => {
      taken += chunk.length;
      if (taken < 32_000_000) write();
      else stream.end();
    });
  };
  write();
  let before = -1;
  await until(async () => {
    const isStill = taken === before && taken > 0;
    before = taken;
    await new Promise((resolve) => setTimeout(resolve, 100));
    return isStill;
  });
  assert.ok(taken < 16_000_000, `${taken} bytes were taken from the client`);
  assert.equal((await client.ask({ ':path': '/other' })).status, 200);
  pausedReq?.resume();
  assert.equal((await readH2Answer(stream)).status, 200);
});

test('trailers go both ways', { skip }, async (t) => {
  const origin = await startOrigin(t, (req, res) => {
    req.resume();
    req.on('end', () => {
      res.writeHead(200, { Trailer: 'X-Sum' });
      res.write('content');
      res.addTrailers({ 'X-Sum': `${req.rawTrailers.join('=')}!` });
      res.end();
    });
  });
  const { tlsPort } = await startTlsWormgate(t, { origin: origin.url });
  const client = await H2Client.connect(t, tlsPort);
  const session = client.session;
  const fields = { ':method': 'POST', ':path': '/', ':authority': 'site.test' };
  const stream = session.request(fields, { endStream: false, waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'x-mine': 'yes' }));
  stream.end('body');
  const answer = await readH2Answer(stream);
  assert.equal(answer.body.toString(), 'content');
  assert.equal(answer.trailers['x-sum'], 'x-mine=yes!');
});

test('interim answers arrive before the final one', { skip }, async (t) => {
  const origin = await startScriptedOrigin(t);
  origin.on('/hints', (call) => {
    call.say('HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n');
    setTimeout(() => call.say('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'), 20);
  });
  origin.on('/continue', (call) => {
    call.say('HTTP/1.1 100 Continue\r\n\r\n');
    call.onBody(() => call.say('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'));
  });
  const { tlsPort } = await startTlsWormgate(t, { origin: origin.url });
  const client = await H2Client.connect(t, tlsPort);
  assert.deepEqual((await client.ask({ ':path': '/hints' })).interim, [103]);
  const fields = { ':method': 'POST', ':path': '/continue', expect: '100-continue' };
  const stream = client.open({ ...fields, 'content-length': 4 }, true);
  const answer = readH2Answer(stream);
  await once(stream, 'continue');
  stream.end('body');
  assert.equal((await answer).status, 200);
});

test('an answer that is cut short is reset, so that it does not look whole', {
  skip,
}, async (t) => {
  const origin = await startScriptedOrigin(t);
  origin.on('/half', (call) => {
    call.say('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf');
    setTimeout(() => call.socket.destroy(), 30);
  });
  const { tlsPort, wormgate } = await startTlsWormgate(t, { origin: origin.url });
  const client = await H2Client.connect(t, tlsPort);
  origin.on('/chunk', (call) => {
    call.say('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n');
    setTimeout(() => call.socket.destroy(), 30);
  });
  // Node's client finds out by itself that some of the length is missing, and says 1.
  await assert.rejects(client.ask({ ':path': '/half' }), /reset with [12]$/);
  await assert.rejects(client.ask({ ':path': '/chunk' }), /reset with 2$/);
  assert.equal((await client.ask({ ':path': '/other' })).status, 200);
  await wormgate.logLine(/"GET \/half HTTP\/2\.0" 200 4 error=origin_cut_short/);
});

test('a client that resets its stream ends the request at the origin', { skip }, async (t) => {
  const origin = await startScriptedOrigin(t);
  origin.on('/wait', () => {});
  origin.on('/half', (call) => call.say('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf'));
  for (const fastPath of ['1', '0']) {
    const { tlsPort, wormgate } = await startTlsWormgate(t, {
      origin: origin.url,
      sections: { 'Extra Configuration': [`FastPath=${fastPath}`] },
    });
    const client = await H2Client.connect(t, tlsPort);
    for (const path of [`/wait${fastPath}`, `/half${fastPath}`]) {
      const stream = client.open({ ':path': path });
      await until(() => origin.callsOf(path).length === 1);
      stream.close(constants.NGHTTP2_CANCEL);
      await until(() => origin.callsOf(path)[0]?.isClosed() === true);
      await wormgate.logLine(new RegExp(`"GET ${path} HTTP/2\\.0" .* error=client_gone`));
    }
    assert.equal((await client.ask({ ':path': '/other' })).status, 200);
    assert.equal(await wormgate.counter('h2_resets'), 2);
    assert.equal(await wormgate.counter('client_aborts'), 2);
    await wormgate.stop();
  }
});
