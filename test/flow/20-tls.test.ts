/** TLS in front: versions, names, HSTS, redirects, sessions, faults of the configuration. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { makeCertificate } from '../support/certificate.ts';
import { oneProcess } from '../support/one-process.ts';
import { programPath, skipWithout } from '../support/parts.ts';
import { askRaw } from '../support/raw.ts';
import { RawClient } from '../support/raw-client.ts';
import { taken } from '../support/reload.ts';
import { startScriptedOrigin, valuesOf } from '../support/scripted-origin.ts';
import { startTlsWormgate } from '../support/tls-wormgate.ts';
import { startWormgate, until } from '../support/wormgate.ts';

const skip = skipWithout('openssl');

/** A finished handshake; rejects when there is none. */
async function shake(port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options });
  socket.on('error', () => {});
  await new Promise<void>((resolve, reject) => {
    socket.once('secureConnect', resolve);
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('closed')));
  });
  return socket;
}

/** The names of the certificate that is shown to a client that asks for `servername`. */
async function shownNames(port: number, servername?: string): Promise<string> {
  const socket = await shake(port, servername === undefined ? {} : { servername });
  const names = socket.getPeerCertificate().subjectaltname ?? '';
  socket.destroy();
  return names;
}

test('curl over HTTP/1.1 and HTTP/2 is served alike', { skip }, async (t) => {
  const { wormgate, tlsPort } = await startTlsWormgate(t);
  for (const [version, logged] of [
    ['--http1.1', 'HTTP/1.1'],
    ['--http2', 'HTTP/2.0'],
  ] as const) {
    const url = `https://site.test:${tlsPort}/hello.txt?${version}`;
    const resolve = `site.test:${tlsPort}:127.0.0.1`;
    const ca = join(wormgate.folder, 'site.crt');
    const args = [
      '-s',
      '-w',
      '%{http_version}',
      version,
      '--cacert',
      ca,
      '--resolve',
      resolve,
      url,
    ];
    const { stdout } = spawnSync(programPath('curl'), args, { encoding: 'utf8', timeout: 10_000 });
    assert.equal(
      stdout,
      `Hello from the demonstration site.\n${version === '--http2' ? '2' : '1.1'}`,
    );
    await wormgate.logLine(new RegExp(`"GET /hello\\.txt\\?${version} ${logged}" 200 35$`));
  }
  assert.equal(await wormgate.counter('tls_handshakes'), 2);
  assert.equal(await wormgate.counter('h2_requests'), 1);
});

test('origins learn on both lanes that the client came over TLS', { skip }, async (t) => {
  const origin = await startScriptedOrigin(t);
  const { tlsPort } = await startTlsWormgate(t, {
    origin: origin.url,
    accelerator: ['TrustedProxies=127.0.0.2'],
  });
  const client = await RawClient.connectTls(tlsPort);
  await client.ask('GET /fast HTTP/1.1\r\nHost: site.test\r\nForwarded: for=1.2.3.4\r\n\r\n');
  await client.ask('GET /front HTTP/1.1\r\nHost:  site.test\r\nX-A: b\r\nX-A: b\r\n\r\n');
  client.destroy();
  const trusted = await RawClient.connectTls(tlsPort, '127.0.0.2');
  await trusted.ask('GET /via HTTP/1.1\r\nHost: site.test\r\nForwarded: for=1.2.3.4\r\n\r\n');
  trusted.destroy();
  for (const target of ['/fast', '/front', '/via']) {
    const head = origin.callsOf(target)[0]?.head ?? '';
    assert.deepEqual(valuesOf(head, 'X-Forwarded-Proto'), ['https'], target);
    assert.deepEqual(valuesOf(head, 'Via'), ['1.1 wormgate'], target);
  }
  const forwarded = valuesOf(origin.callsOf('/via')[0]?.head ?? '', 'Forwarded');
  assert.deepEqual(forwarded, ['for=1.2.3.4', 'for=127.0.0.2;proto=https']);
});

test('the certificate is chosen by the name asked for', { skip }, async (t) => {
  const { tlsPort } = await startTlsWormgate(t, {
    certificates: {
      first: ['first.test'],
      wild: ['*.wild.test', 'wild.test'],
      one: ['one.wild.test'],
    },
  });
  const shown = {
    'first.test': 'DNS:first.test',
    'FIRST.test': 'DNS:first.test',
    'wild.test': 'DNS:*.wild.test, DNS:wild.test',
    'a.wild.test': 'DNS:*.wild.test, DNS:wild.test',
    'one.wild.test': 'DNS:one.wild.test',
    'a.b.wild.test': 'DNS:first.test',
    'unknown.test': 'DNS:first.test',
  };
  for (const [name, names] of Object.entries(shown)) {
    assert.equal(await shownNames(tlsPort, name), names, name);
  }
  assert.equal(await shownNames(tlsPort), 'DNS:first.test');
});

test('accelerators on one address each have their certificate and their site', {
  skip,
}, async (t) => {
  const { wormgate, tlsPort, options } = await startTlsWormgate(t, {
    accelerator: ['Hosts=site.test'],
  });
  makeCertificate(wormgate.folder, ['other.test']);
  const other = [
    `ListenTls=127.0.0.1:${tlsPort}`,
    'Certificate=other.test.crt',
    'CertificateKey=other.test.key',
    'Origin=demo',
    'Hosts=other.test',
  ];
  await taken(wormgate, { ...options, sections: { 'Accelerator other': other } });
  assert.equal(await shownNames(tlsPort, 'other.test'), 'DNS:other.test');
  assert.match(await shownNames(tlsPort, 'site.test'), /DNS:site\.test/);
  for (const [host, status] of [
    ['site.test', 200],
    ['other.test', 200],
    ['third.test', 421],
  ]) {
    const client = await RawClient.connectTls(tlsPort);
    const answer = await client.ask(`GET /hello.txt HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    client.destroy();
    assert.equal(answer.status, status, String(host));
  }
});

test('a name with two kinds of keys gets the one that the client understands', {
  skip,
}, async (t) => {
  const { tlsPort } = await startTlsWormgate(t, {
    certificates: { ec: ['site.test'], rsa: ['site.test'] },
    kinds: { rsa: 'rsa' },
  });
  for (const [ciphers, kind] of [
    ['ECDHE-ECDSA-AES128-GCM-SHA256', 'prime256v1'],
    ['ECDHE-RSA-AES128-GCM-SHA256', undefined],
  ] as const) {
    const options = { ciphers, maxVersion: 'TLSv1.2', servername: 'site.test' } as const;
    const socket = await shake(tlsPort, options);
    const { asn1Curve } = socket.getPeerCertificate();
    assert.equal(asn1Curve, kind);
    socket.destroy();
  }
});

test('versions below TlsMinVersion are refused, and counted by their kind', { skip }, async (t) => {
  const { wormgate, tlsPort } = await startTlsWormgate(t, { accelerator: ['TlsMinVersion=1.3'] });
  const socket = await shake(tlsPort);
  assert.equal(socket.getProtocol(), 'TLSv1.3');
  socket.destroy();
  await assert.rejects(shake(tlsPort, { maxVersion: 'TLSv1.2' }));
  await until(async () => (await wormgate.counter('tls_version_failures')) === 1);
  const plain = await askRaw(tlsPort, 'GET / HTTP/1.1');
  assert.equal(plain.text.startsWith('HTTP/'), false);
  await until(async () => (await wormgate.counter('tls_plain_requests')) === 1);
  await assert.rejects(shake(tlsPort, { ALPNProtocols: ['spdy/1'] }));
  await until(async () => (await wormgate.counter('tls_cipher_failures')) === 1);
  spawnSync(programPath('curl'), ['-s', `https://127.0.0.1:${tlsPort}`], { timeout: 10_000 });
  await until(async () => (await wormgate.counter('tls_certificate_refusals')) === 1);
  const rude = await RawClient.connect(tlsPort);
  await rude.flush(Buffer.from('160301', 'hex'));
  await until(async () => (await wormgate.counter('connections')) === 6);
  rude.reset();
  await until(async () => (await wormgate.counter('tls_handshake_aborts')) >= 1);
  await until(async () => {
    const opened = await wormgate.counter('connections');
    return opened === (await wormgate.counter('connections_closed'));
  });
});

test('TLS 1.2 is spoken by default, 1.1 is not', { skip }, async (t) => {
  const { tlsPort } = await startTlsWormgate(t);
  const old = await shake(tlsPort, { maxVersion: 'TLSv1.2' });
  assert.equal(old.getProtocol(), 'TLSv1.2');
  old.destroy();
  const older = {
    minVersion: 'TLSv1.1',
    maxVersion: 'TLSv1.1',
    ciphers: 'ALL@SECLEVEL=0',
  } as const;
  await assert.rejects(shake(tlsPort, older));
  const cbc = { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA256' } as const;
  await assert.rejects(shake(tlsPort, cbc));
});

test('a handshake that does not go on is ended by TlsHandshakeTimeout', { skip }, async (t) => {
  const { wormgate, tlsPort } = await startTlsWormgate(t, {
    sections: {
      Limits: ['TlsHandshakeTimeout=1', 'MaxTlsHandshakes=1'],
      ...oneProcess('the bound is divided, and at least 1 for each worker'),
    },
  });
  const idle = await RawClient.connect(tlsPort);
  const second = await RawClient.connect(tlsPort);
  await second.end();
  assert.equal(await wormgate.counter('tls_handshakes_refused'), 1);
  await idle.end();
  assert.equal(await wormgate.counter('tls_handshake_timeouts'), 1);
  (await shake(tlsPort)).destroy();
});

test('sessions are taken up again, also under another name and after a reload', {
  skip,
}, async (t) => {
  const { wormgate, tlsPort, options } = await startTlsWormgate(t, {
    certificates: { one: ['one.test'], two: ['two.test'] },
  });
  const resumed = async (servername: string, maxVersion: 'TLSv1.2' | 'TLSv1.3') => {
    const first = connect({
      ...{ port: tlsPort, host: '127.0.0.1', rejectUnauthorized: false },
      ...{ servername, maxVersion },
    });
    const [session] = await once(first, 'session');
    first.destroy();
    if (servername === 'two.test') await taken(wormgate, options);
    const second = await shake(tlsPort, { servername, maxVersion, session });
    const isReused = second.isSessionReused();
    second.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await once(second, 'data');
    second.destroy();
    return isReused;
  };
  assert.equal(await resumed('one.test', 'TLSv1.3'), true);
  assert.equal(await resumed('one.test', 'TLSv1.2'), true);
  assert.equal(await resumed('two.test', 'TLSv1.3'), true);
  assert.equal(await wormgate.counter('tls_sessions_resumed'), 3);
});

test('WebSocket goes over TLS', { skip }, async (t) => {
  const origin = await startScriptedOrigin(t);
  origin.on('/ws', (call) => {
    call.say(
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello',
    );
    call.onBody(() => call.say(`<${call.body()}>`));
  });
  const { tlsPort } = await startTlsWormgate(t, { origin: origin.url });
  const client = await RawClient.connectTls(tlsPort);
  client.send('GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
  await client.until(() => client.text.includes('hello'), 'the switch');
  client.send('ping');
  await client.until(() => client.text.includes('<ping>'), 'the echo');
  client.destroy();
  assert.deepEqual(valuesOf(origin.callsOf('/ws')[0]?.head ?? '', 'X-Forwarded-Proto'), ['https']);
});

test('an answer under way is finished when the server stops, and idle connections end', {
  skip,
}, async (t) => {
  const origin = await startScriptedOrigin(t);
  origin.on('/slow', (call) => {
    call.say('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab');
    setTimeout(() => call.say('cd'), 300);
  });
  const { wormgate, tlsPort } = await startTlsWormgate(t, { origin: origin.url });
  const idle = await RawClient.connectTls(tlsPort);
  const shaking = await RawClient.connect(tlsPort);
  const busy = await RawClient.connectTls(tlsPort);
  busy.send('GET /slow HTTP/1.1\r\nHost: a\r\n\r\n');
  await busy.until(() => busy.text.includes('ab'), 'the first half');
  const stopped = wormgate.stop();
  assert.equal((await busy.answer()).body.toString(), 'abcd');
  await Promise.all([busy.end(), idle.end(), shaking.end()]);
  assert.equal(await stopped, 0);
});

test('a server without ListenTls runs as ever', async (t) => {
  const wormgate = await startWormgate(t);
  const answer = await askRaw(wormgate.port, 'GET /hello.txt HTTP/1.1');
  assert.match(answer.text, /^HTTP\/1\.1 200 OK/);
});
