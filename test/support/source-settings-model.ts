/** Made-up settings of `[Virus Sources]`, and the lines that mean them. */
import fc from 'fast-check';
import type { SourceSettings } from '../../src/config/shape.ts';

const path = fc.constantFrom('/', '/a*', '/favicon.ico', '/\xe9', '/a=b', '/x,y');
const domain = fc.constantFrom('googlebot.com', 'a.test', 'crawl.b_c.example');

export const sourceModel: fc.Arbitrary<SourceSettings> = fc.record(
  {
    blocking: fc.boolean(),
    missLimit: fc.integer({ min: 2, max: 1000 }),
    missIntervalMs: fc.integer({ min: 1, max: 3600 }).map((count) => count * 1000),
    virusLimit: fc.integer({ min: 1, max: 1000 }),
    blockMs: fc.integer({ min: 1, max: 86_400 }).map((count) => count * 1000),
    blockMsMax: fc.integer({ min: 86_400, max: 31_536_000 }).map((count) => count * 1000),
    sourcesMax: fc.integer({ min: 100, max: 10_000_000 }),
    missStatuses: fc.array(fc.integer({ min: 400, max: 599 }), { maxLength: 5 }),
    missExceptions: fc.array(path, { maxLength: 4 }),
    crawlers: fc.array(domain, { maxLength: 3 }),
    crawlerLookupsMax: fc.integer({ min: 1, max: 1024 }),
  },
  { noNullPrototype: true },
);

/** The section's lines. */
export function renderSources(settings: SourceSettings): string[] {
  return [
    `SourceBlocking=${settings.blocking ? 1 : 0}`,
    `MissLimit=${settings.missLimit}`,
    `MissInterval=${settings.missIntervalMs / 1000}`,
    `VirusLimit=${settings.virusLimit}`,
    `BlockSeconds=${settings.blockMs / 1000}`,
    `BlockSecondsMax=${settings.blockMsMax / 1000}`,
    `MaxSources=${settings.sourcesMax}`,
    `MissStatus=${settings.missStatuses.join(', ')}`,
    `MissExceptions=${settings.missExceptions.map((path) => `"${path.replace('\xe9', '\\xe9')}"`).join(',')}`,
    `Crawlers=${settings.crawlers.join(' , ')}`,
    `MaxCrawlerLookups=${settings.crawlerLookupsMax}`,
  ];
}
