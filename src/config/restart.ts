/**
 * What a reload cannot change: the rows that are not live. Pattern set, journal and VIRPAT.NCF are
 * made for one window, so PatternSize and PatternStartOffset hold until the next start; so do bounds
 * that Node's parser, the logs and the journal are made with.
 */
import type { Settings } from './shape.ts';

/** The restart-only keys and where Settings keeps their values. */
export const restartOnly: Readonly<Record<string, (settings: Settings) => number>> = {
  PatternSize: (settings) => settings.virus.patternSize,
  PatternStartOffset: (settings) => settings.virus.patternStartOffset,
  Workers: (settings) => settings.fleet.workers,
  MaxHeaderBytes: (settings) => settings.limits.headerBytesMax,
  MaxLogBacklog: (settings) => settings.limits.logBacklogBytesMax,
  MaxJournalBytes: (settings) => settings.limits.journalBytesMax,
  MaxDistributionTable: (settings) => settings.limits.distributionBytesMax,
  MaxServedMemory: (settings) => settings.limits.servedMemoryBytesMax,
};

/** A sentence for each restart-only key whose value in `next` is not the one in force. */
export function restartOnlyDifferences(old: Settings, next: Settings): string[] {
  return Object.entries(restartOnly).flatMap(([key, read]) =>
    read(old) === read(next)
      ? []
      : [`${key} stays ${read(old)}; the new value ${read(next)} needs a restart.`],
  );
}
