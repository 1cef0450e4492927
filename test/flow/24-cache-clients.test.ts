/** The cache for clients of every kind: old ones, hasty ones, over TLS and HTTP/2, and viruses; on both lanes. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { headerOf } from '../support/answer.ts';
import { H2Client } from '../support/h2-client.ts';
import { skipWithout } from '../support/parts.ts';
import { RawClient } from '../support/raw-client.ts';
import { patternSection, taken } from '../support/reload.ts';
import { type ScriptedOrigin, startScriptedOrigin } from '../support/scripted-origin.ts';
import { startTlsWormgate } from '../support/tls-wormgate.ts';
import { until, type Wormgate, type WormgateOptions } from '../support/wormgate.ts';

const skip = skipWithout('openssl');

interface Lane {
  readonly name: string;
  readonly wormgate: Wormgate;
  readonly tlsPort: number;
  readonly origin: ScriptedOrigin;
  readonly options: WormgateOptions;
}

async function startLane(name: string, fastPath: number): Promise<Lane> {
  const cleanup = { after };
  const origin = await startScriptedOrigin(cleanup);
  origin.on('/', ({ target, say, head }) => {
    const body = target.startsWith('/large') ? 'x'.repeat(100_000) : `body of ${target}`;
    const lines = `Cache-Control: max-age=600\r\nETag: "a"\r\nContent-Length: ${body.length}\r\n`;
    say(`HTTP/1.1 200 OK\r\n${lines}\r\n${head.startsWith('HEAD') ? '' : body}`);
  });
  const started = await startTlsWormgate(cleanup, {
    origin: origin.url,
    accelerator: ['Cache=1', 'HstsSeconds=60'],
    sections: {
      'Extra Configuration': ['ScanVirusPatterns=1', `FastPath=${fastPath}`],
      ...patternSection(['worm.ida?NNNNNNN']),
    },
  });
  return { name, origin, ...started };
}

const lanes =
  skip === false ? await Promise.all([startLane('fast path', 1), startLane('front', 0)]) : [];

function get(path: string, ...lines: string[]): string {
  const fields = lines.map((line) => `${line}\r\n`).join('');
  return `GET ${path} HTTP/1.1\r\nHost: site.test\r\n${fields}\r\n`;
}

for (const { name, wormgate, tlsPort, origin, options } of lanes) {
  const connect = () => RawClient.connect(wormgate.port);

  describe(`on the ${name}`, () => {
    test('a client of HTTP/1.0 is answered and its connection closed', async () => {
      for (const wanted of ['fwd=uri-miss', 'hit', 'hit']) {
        const client = await connect();
        const answer = await client.ask('GET /old HTTP/1.0\r\nHost: site.test\r\n\r\n');
        assert.equal(answer.body.toString(), 'body of /old');
        assert.equal(answer.framing, 'length');
        assert.ok(headerOf(answer, 'cache-status')?.includes(wanted));
        await client.end();
        client.destroy();
      }
    });

    test('one of HTTP/1.0 that gets a chunked answer as it arrives knows where it ends', async () => {
      origin.on('/old-chunks', ({ say, socket }) => {
        say(
          'HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n',
        );
        setTimeout(() => socket.write('4\r\n two\r\n0\r\n\r\n'), 50);
      });
      for (const framing of ['close', 'length']) {
        const client = await connect();
        const answer = await client.ask('GET /old-chunks HTTP/1.0\r\nHost: site.test\r\n\r\n');
        assert.equal(answer.body.toString(), 'one two');
        assert.equal(answer.framing, framing);
        client.destroy();
      }
    });

    test('Connection: close is heeded for hits, too', async () => {
      for (let round = 0; round < 2; round += 1) {
        const client = await connect();
        const answer = await client.ask(get('/closing', 'Connection: close'));
        assert.equal(headerOf(answer, 'connection'), 'close');
        await client.end();
        client.destroy();
      }
    });

    test('hits and misses that are pipelined are answered in order', async () => {
      const warm = await connect();
      await warm.ask(get('/p1'));
      await warm.ask(get('/large1'));
      warm.destroy();
      const client = await connect();
      const wanted = ['/p2', '/p1', '/large1', '/p3', '/p1', '/large2', '/p2', '/p1'];
      client.send(...wanted.map((path) => get(path)));
      for (const path of wanted) {
        const { body } = await client.answer();
        if (path.startsWith('/large')) assert.equal(body.length, 100_000);
        else assert.equal(body.toString(), `body of ${path}`);
      }
      for (const path of ['/p1', '/p2', '/large2']) assert.equal(origin.callsOf(path).length, 1);
      client.destroy();
    });

    test('pipelined parts, conditions and HEADs of what is stored, too', async () => {
      const client = await connect();
      await client.ask(get('/parts'));
      client.send(
        get('/parts', 'Range: bytes=0-3'),
        get('/parts', 'If-None-Match: "a"'),
        get('/parts').replace('GET', 'HEAD'),
        get('/parts'),
      );
      assert.equal((await client.answer()).body.toString(), 'body');
      assert.equal((await client.answer()).status, 304);
      assert.equal(headerOf(await client.answer('HEAD'), 'content-length'), '14');
      assert.equal((await client.answer()).body.toString(), 'body of /parts');
      client.destroy();
    });

    test('a client that asks byte by byte is answered', async () => {
      const client = await connect();
      await client.ask(get('/slowly'));
      for (const byte of get('/slowly')) await client.flush(byte);
      assert.match(headerOf(await client.answer(), 'cache-status') ?? '', /hit/);
      client.destroy();
    });

    test('hits over TLS: as in the clear, with HSTS, and a key of their own', async () => {
      const secure = await RawClient.connectTls(tlsPort);
      const plain = await connect();
      for (const wanted of [/fwd=uri-miss/, /; hit/]) {
        const answer = await secure.ask(get('/scheme'));
        assert.match(headerOf(answer, 'cache-status') ?? '', wanted);
        assert.equal(headerOf(answer, 'strict-transport-security'), 'max-age=60');
        const other = await plain.ask(get('/scheme'));
        assert.match(headerOf(other, 'cache-status') ?? '', wanted);
        assert.equal(headerOf(other, 'strict-transport-security'), undefined);
      }
      assert.equal(origin.callsOf('/scheme').length, 2);
      secure.destroy();
      plain.destroy();
    });

    test('hits over HTTP/2, many at once', async (t) => {
      const client = await H2Client.connect(t, tlsPort);
      const ask = (path: string, fields = {}) => client.ask({ ':path': path, ...fields });
      assert.match(String((await ask('/h2')).fields['cache-status']), /fwd=uri-miss/);
      const answers = await Promise.all(Array.from({ length: 50 }, () => ask('/h2')));
      for (const { body, fields } of answers) {
        assert.equal(body.toString(), 'body of /h2');
        assert.match(String(fields['cache-status']), /; hit/);
        assert.ok(Number(fields.age) >= 0);
      }
      assert.equal((await ask('/h2', { range: 'bytes=0-3' })).status, 206);
      assert.equal((await ask('/h2', { 'if-none-match': '"a"' })).status, 304);
      const head = await ask('/h2', { ':method': 'HEAD' });
      assert.equal(head.fields['content-length'], '11');
      const crowd = await Promise.all(Array.from({ length: 20 }, () => ask('/large-h2')));
      for (const { body } of crowd) assert.equal(body.length, 100_000);
      assert.equal(origin.callsOf('/h2').length, 1);
      assert.equal(origin.callsOf('/large-h2').length, 1);
    });

    test('other hosts of the same site are stored apart', async () => {
      const client = await connect();
      for (const host of ['site.test', 'other.test', 'site.test:80']) {
        await client.ask(get('/hosts').replace('site.test', host));
      }
      assert.equal(origin.callsOf('/hosts').length, 2);
      // The origin is told the host as it is written, and may answer it otherwise.
      const { lines } = await client.ask(get('/hosts').replace('site.test', 'SITE.test'));
      assert.equal(headerOf({ lines }, 'cache-status'), 'wormgate; fwd=bypass');
      assert.equal(origin.callsOf('/hosts').length, 3);
      client.destroy();
    });

    test('PROXY.LOG tells of hits as of any request', async () => {
      const client = await connect();
      await client.ask(get('/logged'));
      await client.ask(get('/logged'));
      await client.ask(get('/logged', 'Range: bytes=0-3'));
      await client.ask(get('/logged', 'If-None-Match: "a"'));
      await client.ask(get('/logged').replace('GET', 'HEAD'));
      client.destroy();
      const lines = () =>
        wormgate
          .log()
          .split('\n')
          .filter((line) => line.includes(' /logged '))
          .map((line) => line.slice(line.indexOf('] ') + 2));
      await until(() => lines().length === 5);
      assert.deepEqual(
        lines().map((line) => line.replace(/ id=\S+$/, '')),
        [
          '"GET /logged HTTP/1.1" 200 15',
          '"GET /logged HTTP/1.1" 200 15',
          '"GET /logged HTTP/1.1" 206 4',
          '"GET /logged HTTP/1.1" 304 0',
          '"HEAD /logged HTTP/1.1" 200 0',
        ],
      );
      await taken(wormgate, {
        ...options,
        sections: { ...options.sections, Log: ['LogRequests=blocked'] },
      });
      const quiet = await connect();
      await quiet.ask(get('/logged'));
      await quiet.ask(get('/worm.ida?NNNNNNN')).catch(() => {});
      quiet.destroy();
      await until(() => /\/worm\.ida\?NNNNNNN/.test(wormgate.log()));
      assert.equal(lines().length, 5);
      await taken(wormgate, options);
    });

    test('a virus is not answered from the cache, and what is stored does not shield it', async () => {
      const path = '/late-worm?NNNNNNNNNNN';
      const client = await connect();
      await client.ask(get(path));
      assert.match(headerOf(await client.ask(get(path)), 'cache-status') ?? '', /; hit/);
      const hits = await wormgate.counter('cache_hits');
      const misses = await wormgate.counter('cache_misses');
      assert.equal(wormgate.virus('add', '-p', '"late-worm?NNNNNN"', '-o', '20').code, 0);
      client.send(get(path));
      await client.end();
      assert.equal(client.text, '');
      const other = await connect();
      other.send(get('/worm.ida?NNNNNNN'));
      await other.end();
      assert.equal(origin.callsOf('/worm.ida').length, 0);
      assert.equal(await wormgate.counter('cache_hits'), hits);
      assert.equal(await wormgate.counter('cache_misses'), misses);
      client.destroy();
      other.destroy();
    });

    test('CacheStatusHeader=0: nothing is told, and hits are hits', async () => {
      const quiet = { ...options.sections, Cache: ['CacheStatusHeader=0'] };
      await taken(wormgate, { ...options, sections: quiet });
      const client = await connect();
      for (const path of ['/untold', '/untold', '/untold?2']) {
        assert.equal(headerOf(await client.ask(get(path)), 'cache-status'), undefined);
      }
      const post = get('/untold').replace('GET', 'DELETE');
      assert.equal(headerOf(await client.ask(post), 'cache-status'), undefined);
      assert.equal(origin.callsOf('/untold').length, 3);
      client.destroy();
      await taken(wormgate, options);
    });
  });
}
