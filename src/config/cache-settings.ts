/** The settings of `[Cache]`, and the check that needs two keys. */
import type { cacheSection } from './cache-rows.ts';
import type { SectionReader } from './section-reader.ts';
import type { CacheSettings } from './shape.ts';
import type { SectionTable } from './table.ts';

type CacheReader = SectionReader<typeof cacheSection extends SectionTable<infer V> ? V : never>;

const secondMs = 1000;

/** Reads the section. A MaxCacheObject above MaxCacheSize is a fault; the default one gives way. */
export function readCacheSettings(reader: CacheReader): CacheSettings {
  const bytesMax = reader.get('MaxCacheSize');
  const answerBytesMax = reader.get('MaxCacheObject');
  if (answerBytesMax > bytesMax && reader.has('MaxCacheObject')) {
    const message = `it is ${answerBytesMax}; allowed is at most MaxCacheSize, ${bytesMax}`;
    reader.report(reader.lineOf('MaxCacheObject'), 'MaxCacheObject', message);
  }
  return {
    bytesMax,
    answerBytesMax: Math.min(answerBytesMax, bytesMax),
    answersMax: reader.get('MaxCacheEntries'),
    variantsMax: reader.get('MaxCacheVariants'),
    defaultTtlMs: reader.get('DefaultTtl') * secondMs,
    heuristicFraction: reader.get('HeuristicFraction') / 100,
    heuristicMaxMs: reader.get('HeuristicMax') * secondMs,
    staleWhileRevalidateMs: reader.get('StaleWhileRevalidateDefault') * secondMs,
    staleIfErrorMs: reader.get('StaleIfErrorDefault') * secondMs,
    ignoresClientNoCache: reader.get('IgnoreClientNoCache'),
    sendsCacheStatus: reader.get('CacheStatusHeader'),
    purgeAllow: reader.get('PurgeAllow'),
  };
}
