/** PROXY protocol in: the client behind a balancer is the peer; nobody else may say so. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { skipWithout } from '../support/parts.ts';
import { RawClient } from '../support/raw-client.ts';
import { patternSection } from '../support/reload.ts';
import { startScriptedOrigin, valuesOf } from '../support/scripted-origin.ts';
import { startTlsWormgate } from '../support/tls-wormgate.ts';
import { startWormgate, until } from '../support/wormgate.ts';

const accelerator = ['ProxyProtocol=1', 'TrustedProxies=127.0.0.1'];
const request = 'GET /hello.txt HTTP/1.1\r\nHost: site.test\r\n\r\n';
const text = 'PROXY TCP4 192.0.2.7 198.51.100.1 40000 80\r\n';

/** Version 2, with TLVs that mean nothing here. */
function binary(command: number, family: number, addresses: Buffer): Buffer {
  const extra = Buffer.from('0400050000000000', 'hex');
  const head = Buffer.from('0d0a0d0a000d0a515549540a00000000', 'hex');
  head[12] = 0x20 | command;
  head[13] = family;
  head.writeUInt16BE(addresses.length + extra.length, 14);
  return Buffer.concat([head, addresses, extra]);
}

const ipv6 = Buffer.concat([
  Buffer.from('20010db8000000000000000000000007', 'hex'),
  Buffer.from('20010db8000000000000000000000001', 'hex'),
  Buffer.from('9c400050', 'hex'),
]);

test('the address in the header is the client, on both lanes', async (t) => {
  const origin = await startScriptedOrigin(t);
  const headers: [string, string | Buffer][] = [
    ['192.0.2.7', text],
    ['2001:db8::7', 'PROXY TCP6 2001:db8::7 2001:db8::1 40000 80\r\n'],
    ['2001:db8::7', binary(1, 0x21, ipv6)],
    ['192.0.2.9', binary(1, 0x11, Buffer.from('c0000209c63364019c400050', 'hex'))],
    ['127.0.0.1', 'PROXY UNKNOWN\r\n'],
    ['127.0.0.1', binary(0, 0, Buffer.alloc(0))],
  ];
  for (const fastPath of ['1', '0']) {
    const wormgate = await startWormgate(t, {
      origin: origin.url,
      accelerator,
      sections: { 'Extra Configuration': ['ScanVirusPatterns=1', `FastPath=${fastPath}`] },
    });
    for (const [index, [client, header]] of headers.entries()) {
      const path = `/${fastPath}/${index}`;
      const asked = `GET ${path} HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 1.2.3.4\r\n\r\n`;
      const balancer = await RawClient.connect(wormgate.port);
      balancer.send(header, asked);
      assert.equal((await balancer.answer()).status, 200);
      balancer.destroy();
      // Whom a header speaks for is no trusted proxy, unless it is the balancer itself.
      const seen = client === '127.0.0.1' ? '1.2.3.4' : client;
      await wormgate.logLine(new RegExp(`^${seen} .*"GET ${path} `));
      const forwarded = valuesOf(origin.callsOf(path)[0]?.head ?? '', 'X-Forwarded-For');
      assert.deepEqual(forwarded, [client === '127.0.0.1' ? '1.2.3.4, 127.0.0.1' : client]);
    }
    assert.equal(await wormgate.counter('proxy_headers'), headers.length);
    await until(async () => {
      const closed = await wormgate.counter('connections_closed');
      return closed === (await wormgate.counter('connections'));
    });
  }
});

test('the header may come byte by byte, and with the request behind it', async (t) => {
  const wormgate = await startWormgate(t, { accelerator });
  for (const header of [Buffer.from(text), binary(1, 0x21, ipv6)]) {
    const balancer = await RawClient.connect(wormgate.port);
    balancer.socket.setNoDelay(true);
    for (const byte of header) await balancer.flush(Buffer.from([byte]));
    assert.equal((await balancer.ask(request)).status, 200);
    assert.equal((await balancer.ask(request)).status, 200);
    balancer.destroy();
  }
});

test('connections without a header, with a broken one, too late, or from others are closed', async (t) => {
  const wormgate = await startWormgate(t, {
    accelerator,
    sections: { Limits: ['TlsHandshakeTimeout=1'] },
  });
  const refused: [string, string | Buffer][] = [
    ['127.0.0.1', request],
    ['127.0.0.1', 'PROXY TCP4 192.0.2.7 198.51.100.1 40000\r\n'],
    ['127.0.0.1', `PROXY TCP4 ${'1'.repeat(200)}`],
    ['127.0.0.1', binary(2, 0x11, Buffer.alloc(12))],
    ['127.0.0.1', 'PROXY TCP4 192.0.2.7'],
    ['127.0.0.2', text + request],
  ];
  for (const [from, bytes] of refused) {
    const client = await RawClient.connect(wormgate.port, from);
    client.send(bytes);
    await client.end();
    assert.equal(client.text, '');
    client.destroy();
  }
  assert.equal(await wormgate.counter('proxy_headers_refused'), refused.length);
  assert.equal(await wormgate.counter('requests'), 0);
  assert.equal(await wormgate.counter('connections_closed'), refused.length);
});

test('worms are named by the address in the header, and slipped', async (t) => {
  const wormgate = await startWormgate(t, {
    accelerator,
    sections: patternSection(['scripts/root.exe']),
  });
  const balancer = await RawClient.connect(wormgate.port);
  balancer.send(text, 'GET /scripts/root.exe HTTP/1.1\r\nHost: a\r\n\r\n');
  await balancer.end();
  assert.equal(balancer.text, '');
  await wormgate.logLine(/^192\.0\.2\.7 .*"GET \/scripts\/root\.exe HTTP\/1\.1" - - pattern=/);
  assert.match(wormgate.virus('show').stdout, /192\.0\.2\.7/);
});

test('the header comes before TLS, for HTTP/1.1 and HTTP/2', {
  skip: skipWithout('openssl'),
}, async (t) => {
  const { wormgate, tlsPort } = await startTlsWormgate(t, { accelerator });
  for (const [protocol, logged] of [
    ['http/1.1', 'HTTP/1.1'],
    ['h2', 'HTTP/2.0'],
  ] as const) {
    const balancer = await RawClient.connect(tlsPort);
    await balancer.flush(text);
    balancer.socket.removeAllListeners('data');
    const secure = connectTls({
      socket: balancer.socket,
      rejectUnauthorized: false,
      ALPNProtocols: [protocol],
    });
    await new Promise<void>((resolve, reject) => {
      secure.once('secureConnect', resolve);
      secure.once('error', reject);
    });
    if (protocol === 'http/1.1') secure.write(request);
    else await askOverH2(secure);
    await wormgate.logLine(new RegExp(`^192\\.0\\.2\\.7 .*"GET /hello\\.txt ${logged}" 200 35$`));
    secure.destroy();
  }
});

async function askOverH2(socket: import('node:tls').TLSSocket): Promise<void> {
  const { connect } = await import('node:http2');
  const session = connect('https://site.test', { createConnection: () => socket });
  session.on('error', () => {});
  const stream = session.request({ ':path': '/hello.txt' });
  stream.resume();
  await new Promise((resolve) => stream.once('end', resolve));
}
