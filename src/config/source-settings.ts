/** The settings of `[Virus Sources]`, and the check that needs two keys. */
import type { SectionReader } from './section-reader.ts';
import type { SourceSettings } from './shape.ts';
import type { sourcesSection } from './source-rows.ts';
import type { SectionTable } from './table.ts';

type SourcesReader = SectionReader<typeof sourcesSection extends SectionTable<infer V> ? V : never>;

const secondMs = 1000;

/** Reads the section. A BlockSecondsMax below BlockSeconds is a fault. */
export function readSourceSettings(reader: SourcesReader): SourceSettings {
  const blockMs = reader.get('BlockSeconds') * secondMs;
  const blockMsMax = reader.get('BlockSecondsMax') * secondMs;
  const isKnown = !reader.isBad('BlockSeconds') && !reader.isBad('BlockSecondsMax');
  if (isKnown && blockMsMax < blockMs) {
    const seconds = [blockMsMax, blockMs].map((ms) => ms / secondMs);
    const message = `it is ${seconds[0]}; allowed is at least BlockSeconds, ${seconds[1]}`;
    reader.report(reader.lineOf('BlockSecondsMax'), 'BlockSecondsMax', message);
  }
  return {
    blocking: reader.get('SourceBlocking'),
    missLimit: reader.get('MissLimit'),
    missIntervalMs: reader.get('MissInterval') * secondMs,
    virusLimit: reader.get('VirusLimit'),
    blockMs,
    blockMsMax,
    sourcesMax: reader.get('MaxSources'),
    missStatuses: reader.get('MissStatus'),
    missExceptions: reader.get('MissExceptions'),
    crawlers: reader.get('Crawlers'),
    crawlerLookupsMax: reader.get('MaxCrawlerLookups'),
  };
}
