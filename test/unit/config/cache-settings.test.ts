import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadSettings } from '../../../src/config/load.ts';
import { accelerator, faultsOf } from '../../support/settings-text.ts';

function settingsOf(...lines: string[]) {
  const text = [accelerator, '[Cache]', ...lines].join('\n');
  const loaded = loadSettings('x', () => Buffer.from(text, 'latin1'));
  assert.ok(loaded.ok);
  return loaded.settings;
}

test('the defaults of the cache: 64 MiB, heuristics of a tenth up to a day, nothing stale, nobody purges', () => {
  const { cache, accelerators } = settingsOf();
  assert.deepEqual(cache, {
    bytesMax: 64 * 1024 * 1024,
    answerBytesMax: 4 * 1024 * 1024,
    answersMax: 100_000,
    variantsMax: 16,
    defaultTtlMs: 0,
    heuristicFraction: 0.1,
    heuristicMaxMs: 86_400_000,
    staleWhileRevalidateMs: 0,
    staleIfErrorMs: 0,
    ignoresClientNoCache: false,
    sendsCacheStatus: true,
    purgeAllow: [],
  });
  assert.equal(accelerators[0]?.cache, true);
});

test('an answer is never allowed to be larger than the whole cache', () => {
  assert.equal(settingsOf('MaxCacheSize=1048576').cache.answerBytesMax, 1_048_576);
  const faults = faultsOf(
    [accelerator, '[Cache]', 'MaxCacheSize=1048576', 'MaxCacheObject=1048577'].join('\n'),
  );
  assert.deepEqual(faults, [
    '4: [Cache] MaxCacheObject: it is 1048577; allowed is at most MaxCacheSize, 1048576',
  ]);
});
