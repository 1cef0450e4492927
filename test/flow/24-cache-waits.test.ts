/** Origins that say nothing more and clients that read nothing: what the cache does then ends in time; on both lanes. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { headerOf } from '../support/answer.ts';
import type { Cleanup } from '../support/cleanup.ts';
import { RawClient } from '../support/raw-client.ts';
import { startScriptedOrigin } from '../support/scripted-origin.ts';
import { startWormgate, until, type Wormgate } from '../support/wormgate.ts';

const fresh = 'HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\n';
const text = 'x'.repeat(12_000_000);

function get(path: string): string {
  return `GET ${path} HTTP/1.1\r\nHost: site.test\r\n\r\n`;
}

async function startSite(t: Cleanup, fastPath: number, originTimeout = 1, ...cache: string[]) {
  const origin = await startScriptedOrigin(t);
  const wormgate = await startWormgate(t, {
    origin: origin.url,
    accelerator: ['Cache=1'],
    sections: {
      'Extra Configuration': ['ScanVirusPatterns=1', `FastPath=${fastPath}`],
      Limits: ['SendTimeout=1', `OriginTimeout=${originTimeout}`],
      Cache: cache,
    },
  });
  return { origin, wormgate };
}

async function crowd(wormgate: Wormgate, count: number, path: string): Promise<RawClient[]> {
  const clients = await Promise.all(
    Array.from({ length: count }, () => RawClient.connect(wormgate.port)),
  );
  const before = await wormgate.counter('cache_collapsed');
  for (const client of clients) client.send(get(path));
  await until(async () => (await wormgate.counter('cache_collapsed')) === before + count - 1);
  return clients;
}

const lanes = [
  ['fast path', 1],
  ['front', 0],
] as const;

for (const [name, fastPath] of lanes) {
  describe(`on the ${name}`, { concurrency: 5 }, () => {
    test('OriginTimeout before an answer: 504 for all who wait', async (t) => {
      const { origin, wormgate } = await startSite(t, fastPath);
      origin.on('/', () => {});
      for (const client of await crowd(wormgate, 5, '/a')) {
        assert.equal((await client.answer()).status, 504);
        client.destroy();
      }
      assert.equal(origin.calls.length, 1);
      await until(() => wormgate.log().match(/ 504 \d+ error=origin_timeout/g)?.length === 5);
    });

    test('OriginTimeout within an answer: cut short for all, not stored', async (t) => {
      const { origin, wormgate } = await startSite(t, fastPath);
      origin.on('/', (call) => {
        setTimeout(() => call.say(`${fresh}Content-Length: 9\r\n\r\nhalf`), 300);
      });
      for (const client of await crowd(wormgate, 3, '/a')) {
        await client.end();
        assert.match(client.text, /half$/);
        client.destroy();
      }
      assert.equal(await wormgate.counter('cache_stored'), 0);
    });

    test('OriginTimeout behind the client’s back: the stale answer stays', async (t) => {
      const { origin, wormgate } = await startSite(
        t,
        fastPath,
        1,
        'StaleWhileRevalidateDefault=600',
      );
      origin.on('/', (call) => {
        if (origin.calls.length === 1) call.say(`${fresh}Age: 700\r\nContent-Length: 3\r\n\r\none`);
      });
      const client = await RawClient.connect(wormgate.port);
      const ask = async () => headerOf(await client.ask(get('/a')), 'cache-status') ?? '';
      await ask();
      assert.match(await ask(), /; hit/);
      await until(() => origin.calls[1]?.isClosed() === true);
      assert.match(await ask(), /; hit/);
      await until(() => origin.calls.length === 3);
      client.destroy();
    });

    test('SendTimeout: who does not read what is stored is cut off', async (t) => {
      const { origin, wormgate } = await startSite(t, fastPath, 20, 'MaxCacheObject=20000000');
      origin.on('/', (call) => call.say(`${fresh}Content-Length: ${text.length}\r\n\r\n${text}`));
      const quick = await RawClient.connect(wormgate.port);
      await quick.ask(get('/a'));
      const slow = await RawClient.connect(wormgate.port);
      slow.socket.pause();
      slow.send(get('/a'));
      await until(async () => (await wormgate.counter('cache_hits')) === 1);
      assert.equal((await quick.ask(get('/a'))).body.length, text.length);
      await until(() => /error=send_timeout/.test(wormgate.log()));
      slow.destroy();
      quick.destroy();
    });

    test('of what is not stored, who does not read is cut off, and the others get the whole', async (t) => {
      const { origin, wormgate } = await startSite(t, fastPath, 20, 'MaxCacheObject=100000');
      const chunked = `${fresh}Transfer-Encoding: chunked\r\n\r\n${text.length.toString(16)}\r\n`;
      let release = () => {};
      origin.on('/', (call) => {
        release = () => call.say(`${chunked}${text}\r\n0\r\n\r\n`);
      });
      const [slow, quick] = (await crowd(wormgate, 2, '/a')) as [RawClient, RawClient];
      await until(() => origin.calls.length === 1);
      slow.socket.pause();
      release();
      assert.equal((await quick.answer()).body.length, text.length);
      await until(() => /error=send_timeout/.test(wormgate.log()));
      assert.equal(origin.calls.length, 1);
      slow.destroy();
      quick.destroy();
    });
  });
}
