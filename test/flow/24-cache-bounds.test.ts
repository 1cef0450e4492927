/** What the cache may take, what a reload changes, and an end in the middle of fetches; on both lanes. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { headerOf } from '../support/answer.ts';
import type { Cleanup } from '../support/cleanup.ts';
import { inLanes } from '../support/lanes.ts';
import { RawClient } from '../support/raw-client.ts';
import { taken } from '../support/reload.ts';
import { type ScriptedOrigin, startScriptedOrigin } from '../support/scripted-origin.ts';
import { startWormgate, until, type Wormgate, type WormgateOptions } from '../support/wormgate.ts';

const fresh = 'HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\n';
const mebibyte = 1_048_576;

interface Site {
  readonly wormgate: Wormgate;
  readonly origin: ScriptedOrigin;
  readonly options: WormgateOptions;
  /** The same with other lines for `[Cache]`. */
  with(...cache: string[]): WormgateOptions;
}

async function startSite(t: Cleanup, fastPath: number, ...cache: string[]): Promise<Site> {
  const origin = await startScriptedOrigin(t);
  const withLines = (...lines: string[]): WormgateOptions => ({
    origin: origin.url,
    accelerator: ['Cache=1'],
    sections: {
      'Extra Configuration': ['ScanVirusPatterns=1', `FastPath=${fastPath}`],
      Cache: lines,
      Limits: ['DrainSeconds=1'],
    },
  });
  const options = withLines(...cache);
  return { wormgate: await startWormgate(t, options), origin, options, with: withLines };
}

function get(path: string): string {
  return `GET ${path} HTTP/1.1\r\nHost: site.test\r\n\r\n`;
}

function answer(body: string, lines = fresh): string {
  return `${lines}Content-Length: ${body.length}\r\n\r\n${body}`;
}

/** Memory of a process in RAM, in bytes. */
function residentBytes(pid: number): number {
  const kibibytes = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
  return Number(kibibytes) * 1024;
}

const lanes = [
  ['fast path', 1],
  ['front', 0],
] as const;

for (const [name, fastPath] of lanes) {
  describe(`on the ${name}`, { concurrency: 3 }, () => {
    test('a reload that makes MaxCacheSize smaller evicts what was not used for longest', async (t) => {
      const site = await startSite(t, fastPath, `MaxCacheSize=${4 * mebibyte}`);
      const { wormgate, origin } = site;
      const text = 'x'.repeat(300_000);
      origin.on('/', (call) => call.say(answer(text)));
      const client = await RawClient.connect(wormgate.port);
      const paths = Array.from({ length: 8 }, (_, index) => `/${index}`);
      for (const path of [...paths, '/0', '/1']) await client.ask(get(path));
      assert.equal(origin.calls.length, 8);
      await taken(wormgate, site.with(`MaxCacheSize=${mebibyte}`));
      assert.equal(await wormgate.counter('cache_evicted'), 5);
      for (const path of ['/0', '/1', '/7']) await client.ask(get(path));
      assert.equal(origin.calls.length, 8);
      await client.ask(get('/6'));
      assert.equal(origin.calls.length, 9);
      client.destroy();
    });

    test('Cache=0 by a reload: nothing is answered from the store any more', async (t) => {
      const site = await startSite(t, fastPath);
      const { wormgate, origin } = site;
      origin.on('/', (call) => call.say(answer('one')));
      const client = await RawClient.connect(wormgate.port);
      for (let round = 0; round < 2; round += 1) await client.ask(get('/a'));
      assert.equal(origin.calls.length, 1);
      await taken(wormgate, { ...site.options, accelerator: ['Cache=0'] });
      const later = await client.ask(get('/a'));
      assert.equal(headerOf(later, 'cache-status'), undefined);
      assert.equal(origin.calls.length, 2);
      client.destroy();
    });

    test('many more URLs than there is room for: the memory stays bounded', async (t) => {
      const cacheBytes = 4 * mebibyte;
      const { wormgate, origin } = await startSite(t, fastPath, `MaxCacheSize=${cacheBytes}`);
      const text = answer('x'.repeat(262_144));
      origin.on('/', (call) => call.say(text));
      const clients = await Promise.all(
        Array.from({ length: 8 }, () => RawClient.connect(wormgate.port)),
      );
      const ask = async (from: number, count: number) => {
        const paths = Array.from({ length: count }, (_, index) => `/${from + index}?q=${index}`);
        await inLanes(clients, clients.length, async (client, lane) => {
          for (const path of paths.filter((_, index) => index % clients.length === lane)) {
            await client.ask(get(path));
          }
        });
      };
      await ask(0, 100);
      const before = residentBytes(wormgate.pid);
      // Fifty times what there is room for.
      await ask(100, 800);
      const grown = residentBytes(wormgate.pid) - before;
      assert.ok(grown < 30 * cacheBytes, `${grown} bytes more`);
      const stored = await wormgate.counter('cache_stored');
      const evicted = await wormgate.counter('cache_evicted');
      assert.equal(stored, 900);
      assert.ok((stored - evicted) * 262_144 < cacheBytes, `${stored - evicted} are left`);
      for (const client of clients) client.destroy();
    });

    test('MaxCacheEntries bounds how many there are', async (t) => {
      const { wormgate, origin } = await startSite(t, fastPath, 'MaxCacheEntries=3');
      origin.on('/', (call) => call.say(answer('one')));
      const client = await RawClient.connect(wormgate.port);
      for (let index = 0; index < 6; index += 1) await client.ask(get(`/${index}`));
      assert.equal(await wormgate.counter('cache_evicted'), 3);
      for (const path of ['/5', '/4', '/3']) await client.ask(get(path));
      assert.equal(origin.calls.length, 6);
      client.destroy();
    });

    test('a stop lets those who wait have what is fetched', async (t) => {
      const { wormgate, origin } = await startSite(t, fastPath);
      origin.on('/', () => {});
      const clients = await Promise.all([1, 2].map(() => RawClient.connect(wormgate.port)));
      for (const client of clients) client.send(get('/a'));
      await until(async () => (await wormgate.counter('cache_collapsed')) === 1);
      wormgate.signal('SIGTERM');
      await until(async () => !(await accepts(wormgate.port)));
      origin.calls[0]?.say(answer('one'));
      for (const client of clients) {
        assert.equal((await client.answer()).body.toString(), 'one');
        await client.end();
        client.destroy();
      }
      // Awaits the end and hastens nothing.
      assert.equal(await wormgate.stop('SIGCONT'), 0);
      assert.equal(origin.calls.length, 1);
      assert.doesNotMatch(wormgate.stderr, /Error|at /);
    });

    test('a stop does not wait for what is fetched for nobody', async (t) => {
      const { wormgate, origin } = await startSite(t, fastPath, 'StaleWhileRevalidateDefault=600');
      origin.on('/', (call) => {
        if (origin.calls.length === 1) call.say(answer('one', `${fresh}Age: 700\r\n`));
      });
      const client = await RawClient.connect(wormgate.port);
      for (let round = 0; round < 2; round += 1) await client.ask(get('/a'));
      await until(() => origin.calls.length === 2);
      client.destroy();
      assert.equal(await wormgate.stop(), 0);
      await until(() => origin.calls[1]?.isClosed() === true);
      assert.doesNotMatch(wormgate.stderr, /Error|at /);
    });

    test('the end of DrainSeconds, and a kill, come in the middle of an answer', async (t) => {
      for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
        const { wormgate, origin } = await startSite(t, fastPath);
        origin.on('/', (call) => call.say(`${fresh}Content-Length: 100\r\n\r\nhalf`));
        const clients = await Promise.all([1, 2].map(() => RawClient.connect(wormgate.port)));
        for (const client of clients) client.send(get('/a'));
        for (const client of clients) {
          await client.until(() => client.text.includes('half'), 'the beginning');
        }
        wormgate.signal(signal);
        for (const client of clients) {
          await client.end();
          await assert.rejects(client.answer(), /closed without an answer/);
          client.destroy();
        }
        assert.equal(await wormgate.stop('SIGCONT'), signal === 'SIGTERM' ? 0 : null);
        assert.doesNotMatch(wormgate.stderr, /Error|at /);
      }
    });
  });
}

async function accepts(port: number): Promise<boolean> {
  try {
    const client = await RawClient.connect(port);
    client.destroy();
    return true;
  } catch {
    return false;
  }
}
