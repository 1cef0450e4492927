/** Made-up settings of `[Cache]`, and the lines that mean them. */
import fc from 'fast-check';
import type { CacheSettings } from '../../src/config/shape.ts';

const seconds = fc.integer({ min: 0, max: 31_536_000 }).map((count) => count * 1000);

export const cacheModel: fc.Arbitrary<CacheSettings> = fc.record(
  {
    bytesMax: fc.integer({ min: 1_048_576, max: 1_099_511_627_776 }),
    answerBytesMax: fc.integer({ min: 1024, max: 1_048_576 }),
    answersMax: fc.integer({ min: 1, max: 10_000_000 }),
    variantsMax: fc.integer({ min: 1, max: 1000 }),
    defaultTtlMs: seconds,
    heuristicFraction: fc.integer({ min: 0, max: 100 }).map((percent) => percent / 100),
    heuristicMaxMs: seconds,
    staleWhileRevalidateMs: seconds,
    staleIfErrorMs: seconds,
    ignoresClientNoCache: fc.boolean(),
    sendsCacheStatus: fc.boolean(),
    purgeAllow: fc.array(fc.constantFrom('10.0.0.0/8', '::1', '192.0.2.1'), { maxLength: 3 }),
  },
  { noNullPrototype: true },
);

/** The section's lines. */
export function renderCache(settings: CacheSettings): string[] {
  return [
    `MaxCacheSize=${settings.bytesMax}`,
    `MaxCacheObject=${settings.answerBytesMax}`,
    `MaxCacheEntries=${settings.answersMax}`,
    `MaxCacheVariants=${settings.variantsMax}`,
    `DefaultTtl=${settings.defaultTtlMs / 1000}`,
    `HeuristicFraction=${Math.round(settings.heuristicFraction * 100)}`,
    `HeuristicMax=${settings.heuristicMaxMs / 1000}`,
    `StaleWhileRevalidateDefault=${settings.staleWhileRevalidateMs / 1000}`,
    `StaleIfErrorDefault=${settings.staleIfErrorMs / 1000}`,
    `IgnoreClientNoCache=${settings.ignoresClientNoCache ? 1 : 0}`,
    `CacheStatusHeader=${settings.sendsCacheStatus ? 1 : 0}`,
    `PurgeAllow=${settings.purgeAllow.join(', ')}`,
  ];
}
