/** Virus requests and misses, counted for their sources as the request path and `tune` do it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Statistics } from '../../../src/statistics.ts';
import { NeverBlock } from '../../../src/virus/never-block.ts';
import { ServedMemory } from '../../../src/virus/served-memory.ts';
import { SourceWatch, type SourceWatchOptions } from '../../../src/virus/source-watch.ts';

function watching(options: Partial<SourceWatchOptions> = {}) {
  const statistics = new Statistics();
  const served = new ServedMemory({
    ...{ patternStartOffset: 1, patternSize: 16, bytesMax: 1 << 20 },
    ...{ lastsMs: 86_400_000, seed: 7, nowMs: 0 },
  });
  const watch = new SourceWatch({
    rules: { statuses: [404], exceptions: ['/'] },
    served,
    holdsKeyword: () => false,
    sourceRules: {
      ...{ missLimit: 3, missIntervalMs: 60_000, virusLimit: 2 },
      ...{ blockMs: 600_000, blockMsMax: 86_400_000, sourcesMax: 100 },
    },
    neverBlock: () => new NeverBlock(['192.0.2.9'], ['/open/']),
    statistics,
    ...options,
  });
  const miss = (client: string, target: string, atMs: number, referer?: string) =>
    watch.noteAnswer(
      { client, target, requestId: `id-${atMs}` },
      { requestString: `${target} HTTP/1.1`, status: 404, referer, host: 'a.test', atMs },
    );
  const virus = (client: string, atMs: number, target = '/x') =>
    watch.noteVirus({ client, target, requestId: `id-${atMs}` }, 'pattern', atMs);
  return { watch, served, statistics, miss, virus };
}

test('three misses block, and the source tells which', () => {
  const { watch, miss, statistics } = watching();
  assert.equal(miss('192.0.2.1', '/a', 1), 'miss');
  assert.equal(miss('192.0.2.1', '/b?x', 2), 'miss');
  assert.equal(watch.find('192.0.2.1', 2), undefined);
  assert.equal(miss('192.0.2.1', '/c', 3), 'miss');
  const source = watch.find('192.0.2.1', 4);
  assert.equal(source?.cause, 'misses');
  assert.deepEqual(
    source?.misses.map(({ path, requestId, status }) => [path, requestId, status]),
    [
      ['/a', 'id-1', 404],
      ['/b', 'id-2', 404],
      ['/c', 'id-3', 404],
    ],
  );
  assert.equal(statistics.get('misses'), 3);
  assert.equal(statistics.get('sources_blocked'), 1);
});

test('misses of one /64 are those of one source', () => {
  const { watch, miss } = watching();
  for (const [index, host] of ['1', '2', '3'].entries())
    miss(`2001:db8::${host}`, `/${host}`, index);
  assert.equal(watch.find('2001:db8::ffff', 4)?.address, '2001:db8::/64');
});

test('two virus requests block, and misses and virus requests are counted apart', () => {
  const { watch, miss, virus } = watching();
  virus('192.0.2.1', 1);
  miss('192.0.2.1', '/a', 2);
  miss('192.0.2.1', '/b', 3);
  assert.equal(watch.find('192.0.2.1', 3), undefined);
  virus('192.0.2.1', 4);
  assert.equal(watch.find('192.0.2.1', 5)?.cause, 'viruses');
});

test('what NeverBlock covers is neither counted nor blocked', () => {
  const { watch, miss, virus, statistics } = watching();
  for (let atMs = 0; atMs < 10; atMs += 1) {
    assert.equal(miss('192.0.2.9', `/${atMs}`, atMs), 'excepted');
    assert.equal(miss('192.0.2.1', `/open/${atMs}`, atMs), 'excepted');
    virus('192.0.2.9', atMs);
    virus('192.0.2.1', atMs, '/open/x');
  }
  assert.equal(watch.sources.size, 0);
  assert.equal(statistics.get('misses'), 0);
});

test('what a page led to is counted, but not for its source', () => {
  const { watch, served, miss, statistics } = watching();
  served.note('/page HTTP/1.1', 0, 14, 0);
  for (let atMs = 0; atMs < 30; atMs += 1) {
    assert.equal(miss('192.0.2.1', `/${atMs}.png`, atMs, 'http://a.test/page'), 'referred');
  }
  assert.equal(watch.sources.size, 0);
  assert.equal(statistics.get('misses_referred'), 30);
});

test('a source that is spared for its misses is blocked for its virus requests all the same', () => {
  const asked: string[] = [];
  const { watch, miss, virus } = watching({
    spares: (address) => {
      asked.push(address);
      return true;
    },
  });
  for (const atMs of [1, 2, 3, 4]) miss('192.0.2.1', `/${atMs}`, atMs);
  assert.deepEqual(asked, ['192.0.2.1', '192.0.2.1']);
  assert.equal(watch.find('192.0.2.1', 5), undefined);
  virus('192.0.2.1', 5);
  virus('192.0.2.1', 6);
  assert.equal(watch.find('192.0.2.1', 7)?.cause, 'viruses');
});

test('sources that are forgotten for others are counted', () => {
  const { miss, statistics } = watching();
  for (let atMs = 0; atMs < 150; atMs += 1) miss(`192.0.2.${atMs}x`, '/a', atMs);
  assert.equal(statistics.get('sources_forgotten'), 50);
});
