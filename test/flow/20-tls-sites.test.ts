/** What a site makes of TLS: HSTS, redirects, and every fault of its configuration. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { headerOf } from '../support/answer.ts';
import { makeCertificate } from '../support/certificate.ts';
import { skipWithout } from '../support/parts.ts';
import { RawClient } from '../support/raw-client.ts';
import { listens, taken } from '../support/reload.ts';
import { startScriptedOrigin } from '../support/scripted-origin.ts';
import { startTlsWormgate } from '../support/tls-wormgate.ts';
import { makeWormgate, runCli, until } from '../support/wormgate.ts';

const skip = skipWithout('openssl');

test('HSTS is sent over TLS only, on our own answers too, beside none of the origin', {
  skip,
}, async (t) => {
  const origin = await startScriptedOrigin(t);
  const own =
    'HTTP/1.1 200 OK\r\nStrict-Transport-Security: max-age=1\r\nContent-Length: 0\r\n\r\n';
  origin.on('/own', (call) => call.say(own));
  const { wormgate, tlsPort } = await startTlsWormgate(t, {
    origin: origin.url,
    accelerator: ['HstsSeconds=300', 'HstsIncludeSubdomains=1'],
    sections: {
      'Virus Pattern Configuration': [
        'NoOfVirusPatterns=1',
        'Pattern1="worm",5',
        'PatternSize=4',
        'VirusAction=drop',
      ],
    },
  });
  const hstsOf = async (isTls: boolean, path: string, extra = '') => {
    const client = await (isTls ? RawClient.connectTls(tlsPort) : RawClient.connect(wormgate.port));
    const answer = await client.ask(`GET ${path} HTTP/1.1\r\nHost: site.test\r\n${extra}\r\n`);
    client.destroy();
    return headerOf(answer, 'Strict-Transport-Security');
  };
  const all = 'max-age=300; includeSubDomains';
  for (const extra of ['', 'X-A: b\r\nX-A: b\r\n']) {
    assert.equal(await hstsOf(true, '/', extra), all);
    assert.equal(await hstsOf(true, '/worm', extra), all);
    assert.equal(await hstsOf(true, '/own', extra), 'max-age=1');
    assert.equal(await hstsOf(false, '/', extra), undefined);
    assert.equal(await hstsOf(false, '/worm', extra), undefined);
  }
});

test('RedirectToTls leads to https, worms are slipped before', { skip }, async (t) => {
  const { wormgate, tlsPort } = await startTlsWormgate(t, {
    accelerator: ['RedirectToTls=1', 'TrustedProxies=127.0.0.2'],
    sections: {
      'Virus Pattern Configuration': ['NoOfVirusPatterns=1', 'Pattern1="worm",5', 'PatternSize=4'],
    },
  });
  const client = await RawClient.connect(wormgate.port);
  const get = await client.ask('GET /a?b HTTP/1.1\r\nHost: Site.Test:80\r\n\r\n');
  assert.equal(get.status, 301);
  assert.equal(headerOf(get, 'Location'), `https://site.test:${tlsPort}/a?b`);
  const put = await client.ask('DELETE /a HTTP/1.1\r\nHost: site.test\r\n\r\n');
  assert.equal(put.status, 308);
  client.send('GET /worm HTTP/1.1\r\nHost: site.test\r\n\r\n');
  await client.end();
  assert.equal(client.text, '');
  const old = await RawClient.connect(wormgate.port);
  assert.equal((await old.ask('GET / HTTP/1.0\r\n\r\n')).status, 421);
  const proxy = await RawClient.connect(wormgate.port, '127.0.0.2');
  const passed = 'GET /hello.txt HTTP/1.1\r\nHost: site.test\r\nX-Forwarded-Proto: https\r\n\r\n';
  assert.equal((await proxy.ask(passed)).status, 200);
  proxy.destroy();
  const liar = await RawClient.connect(wormgate.port);
  assert.equal((await liar.ask(passed)).status, 301);
  liar.destroy();
  assert.equal(await wormgate.counter('tls_redirects'), 3);
  const secure = await RawClient.connectTls(tlsPort);
  assert.equal((await secure.ask('GET /hello.txt HTTP/1.1\r\nHost: a\r\n\r\n')).status, 200);
  secure.destroy();
});

test('wormgate check finds every fault of TLS', { skip }, async (t) => {
  const wormgate = await makeWormgate(t);
  makeCertificate(wormgate.folder, ['one.test']);
  makeCertificate(wormgate.folder, ['two.test']);
  writeFileSync(join(wormgate.folder, 'broken.crt'), 'no PEM');
  const check = (...lines: string[]) => {
    writeFileSync(wormgate.configFile, ['[Accelerator a]', 'Origin=demo', ...lines, ''].join('\n'));
    const { code, stderr } = runCli(['check', '--config', wormgate.configFile]);
    const places = new RegExp(`${wormgate.folder}/`, 'g');
    return { code, said: stderr.replace(places, '').trimEnd().split('\n') };
  };
  const tls = 'ListenTls=127.0.0.1:1443';
  const pair = ['Certificate=one.test.crt', 'CertificateKey=one.test.key'];
  assert.deepEqual(check(tls).said, [
    'PROXY.CFG:3: [Accelerator a] ListenTls: it needs Certificate and CertificateKey',
  ]);
  assert.deepEqual(check(tls, 'Certificate=none.crt', 'CertificateKey=one.test.key').said, [
    'PROXY.CFG:4: [Accelerator a] Certificate: `none.crt` cannot be read: no such file',
  ]);
  assert.deepEqual(check(tls, 'Certificate=broken.crt', 'CertificateKey=broken.crt').said, [
    'PROXY.CFG:4: [Accelerator a] Certificate: `broken.crt` holds no certificate in PEM',
    'PROXY.CFG:5: [Accelerator a] CertificateKey: `broken.crt` holds no private key in PEM',
  ]);
  assert.deepEqual(check(tls, 'Certificate=one.test.crt', 'CertificateKey=two.test.key').said, [
    'PROXY.CFG:5: [Accelerator a] CertificateKey: `two.test.key` is not the key of `one.test.crt`',
  ]);
  assert.deepEqual(
    check(tls, 'Certificate=one.test.crt, two.test.crt', 'CertificateKey=one.test.key').said,
    ['PROXY.CFG:4: [Accelerator a] Certificate: certificates: 2, keys: 1; each needs the other'],
  );
  assert.deepEqual(check(tls, ...pair, 'TlsCiphers=nonsense', 'Listen=127.0.0.1:1443').said, [
    'PROXY.CFG:3: [Accelerator a] ListenTls: 127.0.0.1:1443 cannot be both in Listen and in ListenTls, as of [Accelerator a], line 7',
    'PROXY.CFG:6: [Accelerator a] TlsCiphers: OpenSSL knows no such list of ciphers: `nonsense`',
  ]);
  assert.deepEqual(check('Listen=127.0.0.1:1080', 'RedirectToTls=1').said, [
    'PROXY.CFG:4: [Accelerator a] RedirectToTls: it needs ListenTls or RedirectPort, to know where to',
  ]);
  assert.deepEqual(check('Hosts=a').said, [
    'PROXY.CFG:1: [Accelerator a] Listen: it is required, or ListenTls',
  ]);
  const second = [
    '[Accelerator b]',
    'Origin=demo',
    'Hosts=b',
    tls,
    ...pair,
    'Http2=0',
    'TrustedProxies=::1',
    'ProxyProtocol=1',
  ];
  assert.deepEqual(check(tls, ...pair, ...second).said, [
    'PROXY.CFG:12: [Accelerator b] Http2: it is not that of [Accelerator a], which shares 127.0.0.1:1443',
    'PROXY.CFG:14: [Accelerator b] ProxyProtocol: it is not that of [Accelerator a], which shares 127.0.0.1:1443',
  ]);
  assert.deepEqual(check('Listen=127.0.0.1:1080', 'ProxyProtocol=1').said, [
    'PROXY.CFG:4: [Accelerator a] ProxyProtocol: it needs TrustedProxies: nobody else may send the header',
  ]);
  assert.equal(check(tls, ...pair, 'Listen=').code, 0);
});

test('our own redirect does not count as served', {
  skip,
}, async (t) => {
  const { wormgate } = await startTlsWormgate(t, {
    accelerator: ['RedirectToTls=1'],
    sections: {
      'Virus Pattern Configuration': ['EnablePatternAutoUpdate=1', 'HitThreshold=20'],
    },
  });
  wormgate.virus('add', '-k', 'root.exe');
  const request = 'GET /scripts/root.exe?/c+dir HTTP/1.1\r\nHost: site.test\r\n\r\n';
  for (let count = 0; count < 40; count += 1) {
    const client = await RawClient.connect(wormgate.port);
    client.send(request);
    await client.until(() => client.closed || client.text !== '', 'an answer or the end');
    client.destroy();
  }
  await until(async () => (await wormgate.counter('patterns_proposed')) === 1);
  assert.match(wormgate.virus('list').stdout, /no origin answered 404 or 410/);
});

test('an address changes from plain to TLS and back, and goes, by reload', { skip }, async (t) => {
  const { wormgate, tlsPort, options } = await startTlsWormgate(t);
  const request = 'GET /hello.txt HTTP/1.1\r\nHost: a\r\n\r\n';
  const old = await RawClient.connectTls(tlsPort);
  assert.equal((await old.ask(request)).status, 200);
  const plain = [`Listen=127.0.0.1:${tlsPort}`, 'Origin=demo'];
  await taken(wormgate, { sections: { 'Accelerator test': plain } });
  const client = await RawClient.connect(tlsPort);
  assert.equal((await client.ask(request)).status, 200);
  client.destroy();
  assert.equal((await old.ask(request)).status, 200);
  await taken(wormgate, options);
  const again = await RawClient.connectTls(tlsPort);
  assert.equal((await again.ask(request)).status, 200);
  again.destroy();
  await taken(wormgate, {});
  await until(async () => !(await listens(tlsPort)));
  await old.end();
});
