/** Origins behind TLS, on both lanes: verified, or a 502 whose reason the operator is told. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { askOnce, RawClient } from '../support/raw-client.ts';
import { startScriptedOrigin } from '../support/scripted-origin.ts';
import { startSites } from '../support/sites.ts';
import { certificatePath, startTlsOrigin } from '../support/tls-origin.ts';
import { makeWormgate, runCli, until } from '../support/wormgate.ts';

const get = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const post = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody';
const chunked = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n';
const size = 3_000_000;

const ca = `OriginCA=${certificatePath('authority')}`;
const good = await startTlsOrigin(
  { after },
  {
    certificate: 'origin',
    handler: (req, res) => {
      if (req.url === '/large') res.end(Buffer.alloc(size, 'x'));
      else if (req.url === '/echo') req.pipe(res);
      else if (req.url === '/endless') {
        res.useChunkedEncodingByDefault = false;
        res.writeHead(200, { Connection: 'close' });
        res.end('as far as it goes');
      } else res.end('over TLS');
    },
  },
);
const other = await startTlsOrigin({ after }, { certificate: 'other' });
const expired = await startTlsOrigin({ after }, { certificate: 'expired' });
const asking = await startTlsOrigin({ after }, { certificate: 'origin', asksForOne: true });
const plain = await startScriptedOrigin({ after });

async function startLane(fastPath: '1' | '0') {
  const own = await startTlsOrigin({ after }, { certificate: 'origin' });
  const { wormgate, ports } = await startSites(
    { after },
    {
      good: { origin: good.url, lines: [ca] },
      own: { origin: own.url, lines: [ca] },
      unknown: { origin: good.url },
      other: { origin: other.url, lines: [ca] },
      renamed: { origin: other.url, lines: [ca, 'OriginServerName=other.test'] },
      expired: { origin: expired.url, lines: [ca] },
      unverified: { origin: expired.url, lines: ['OriginVerify=0'] },
      asking: { origin: asking.url, lines: [ca] },
      shown: {
        origin: asking.url,
        lines: [ca, `OriginCertificate=${certificatePath('client')}`, 'HealthPath=/'],
      },
      backed: { origin: `${expired.url} weight=256, ${plain.url}`, lines: [ca] },
    },
    { 'Extra Configuration': ['ScanVirusPatterns=1', `FastPath=${fastPath}`] },
  );
  return { own, wormgate, ports };
}

const lanes = {
  'the fast path': await startLane('1'),
  'the front': await startLane('0'),
};

for (const [lane, { own, wormgate, ports }] of Object.entries(lanes)) {
  describe(`on ${lane}`, { concurrency: true }, () => {
    for (const site of ['good', 'renamed', 'unverified', 'shown'] as const) {
      test(`${site}: requests with and without a body are answered`, async () => {
        for (const request of [get, post, chunked]) {
          const answer = await askOnce(ports[site], request);
          assert.deepEqual([answer.status, answer.body.toString()], [200, 'over TLS']);
        }
      });
    }

    for (const [site, reason] of [
      ['unknown', /: self-signed certificate in certificate chain/],
      ['other', /does not match certificate/],
      ['expired', /certificate has expired/],
    ] as const) {
      test(`${site}: 502, and the operator is told why, once`, async () => {
        for (const request of [get, post, chunked]) {
          assert.equal((await askOnce(ports[site], request)).status, 502);
        }
        await wormgate.logLine(/" 502 \d+ error=origin_tls id=/);
        const told = wormgate.stderr.split('\n').filter((line) => reason.test(line));
        const failures = told.filter((line) => line.includes(': TLS failed: '));
        assert.equal(failures.length, 1, wormgate.stderr);
      });
    }

    test('an origin that misses our certificate is a 502, too', async () => {
      assert.equal((await askOnce(ports.asking, post)).status, 502);
      await until(() => /TLS failed: .*(certificate|handshake)/i.test(wormgate.stderr));
    });

    test('a request with a body goes to another origin when TLS fails', async () => {
      assert.equal((await askOnce(ports.backed, post)).body.toString(), 'ok');
      assert.equal((await askOnce(ports.backed, chunked)).status, 200);
    });

    test('a large answer to a slow reader, and a large body, arrive whole', async () => {
      const client = await RawClient.connect(ports.good);
      client.send('GET /large HTTP/1.1\r\nHost: a\r\n\r\n');
      client.socket.pause();
      await new Promise((resolve) => setTimeout(resolve, 200));
      client.socket.resume();
      assert.equal((await client.answer()).body.length, size);
      const body = Buffer.alloc(size, 'wormgate');
      client.send(`POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n\r\n`, body);
      assert.ok((await client.answer()).body.equals(body));
      client.destroy();
    });

    test('an answer that ends with its connection is whole', async () => {
      const answer = await askOnce(ports.good, 'GET /endless HTTP/1.1\r\nHost: a\r\n\r\n');
      assert.deepEqual([answer.status, answer.body.toString()], [200, 'as far as it goes']);
    });

    test('one connection is enough for requests in turn; the next one resumes its session', async () => {
      for (let count = 0; count < 3; count += 1) await askOnce(ports.own, get);
      assert.equal(own.connections.length, 1);
      for (const socket of own.connections) socket.destroy();
      await until(() => own.connections.every(({ closed }) => closed));
      await until(async () => {
        await askOnce(ports.own, get);
        return own.connections.length > 1;
      });
      assert.equal(own.connections[1]?.isSessionReused(), true);
    });

    test('an upgraded connection goes over TLS, and only to who is verified', async () => {
      const upgrade = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n';
      const client = await RawClient.connect(ports.good);
      client.send(upgrade);
      await client.until(() => client.text.endsWith('hello'), 'the greeting');
      client.send('and back');
      await client.until(() => client.text.endsWith('and back'), 'the echo');
      client.destroy();
      assert.equal((await askOnce(ports.other, upgrade)).status, 502);
    });

    test('checks are made over TLS, too', async () => {
      await until(async () => (await wormgate.counter('origin_checks')) > 0);
      assert.equal(await wormgate.counter('origin_checks_failed'), 0);
    });

    test('who is not verified is warned of', () => {
      const warning = '[Accelerator unverified] OriginVerify=0: its https origins may be anybody';
      assert.equal(wormgate.stderr.split(warning).length, 2);
      assert.ok(!wormgate.stderr.includes('[Accelerator good]'));
    });
  });
}

test('https is served by the fast path: a chunked body, which is the front’s, has a connection of its own', async () => {
  const origin = await startTlsOrigin({ after }, { certificate: 'origin' });
  const { ports } = await startSites({ after }, { one: { origin: origin.url, lines: [ca] } });
  for (const request of [get, post, get, chunked, get, chunked]) {
    assert.equal((await askOnce(ports.one, request)).status, 200);
  }
  assert.equal(origin.connections.length, 2);
});

test('files that cannot be used are faults of the configuration, each with its line', async () => {
  const wormgate = await makeWormgate(
    { after },
    {
      origin: 'https://127.0.0.1:1',
      accelerator: [
        'OriginCA=missing.pem',
        `OriginCertificate=${certificatePath('authority')}`,
        `OriginKey=${certificatePath('client')}`,
      ],
    },
  );
  const { code, stdout, stderr } = runCli(['check', '--config', wormgate.configFile]);
  assert.equal(code, 2);
  const text = stdout + stderr;
  assert.match(text, /:\d+: \[Accelerator test\] OriginCA: `?.*missing\.pem.* cannot be read: /);
  assert.match(text, /:\d+: \[Accelerator test\] OriginCertificate: it cannot be used: .*mismatch/);
});
