/** What the console sees and does, put together from the running parts. */
import type { ConsoleContext } from './admin/console.ts';
import type { FleetReport } from './admin/fleet-listing.ts';
import type { Listed } from './admin/listing.ts';
import type { ScreenSnapshot } from './admin/screen.ts';
import type { Settings } from './config/shape.ts';
import type { DataPlanes } from './data-planes.ts';
import type { LogFile } from './log/file.ts';
import type { PatternState } from './pattern-state.ts';
import { sourceConsole } from './source-console.ts';
import type { SourceService } from './source-service.ts';
import type { HitRates } from './virus/hit-rates.ts';
import type { PatternDatabase } from './virus/pattern-database.ts';
import type { Suspects } from './virus/suspects.ts';
import type { VirusSources } from './virus/virus-sources.ts';

export interface ConsoleParts {
  settings(): Settings;
  /** Undefined until the database is read. */
  state(): PatternState | undefined;
  readonly hitRates: HitRates;
  readonly virusSources: VirusSources;
  /** Undefined until they are read. */
  sources(): SourceService | undefined;
  /** Undefined until the database is read. */
  suspects(): Suspects | undefined;
  throttleStatus(source: string | undefined, isAdvice: boolean): string | undefined;
  /** Undefined until the database is read. */
  planes(): DataPlanes | undefined;
  fleet(): Promise<FleetReport | undefined>;
  consoleLog(): LogFile;
  nowMs(): number;
}

/** The context for executing console lines. */
export function consoleContext(parts: ConsoleParts): ConsoleContext {
  const state = () => {
    const open = parts.state();
    if (open === undefined) throw new Error('the pattern database is not open yet');
    return open;
  };
  return {
    ready: () => parts.state() !== undefined,
    patternSize: parts.settings().virus.patternSize,
    scanVirusPatterns: () => parts.settings().scanVirusPatterns,
    commit: async (changes) => {
      const outcomes = await state().database.commit(changes);
      await parts.planes()?.applied();
      return outcomes;
    },
    refresh: async () => parts.planes()?.reported(),
    snapshot: () => takeSnapshot(parts, state()),
    status: (source, isAdvice) => parts.throttleStatus(source, isAdvice),
    cache: {
      totals: () => parts.planes()?.cache.totals() ?? { keys: 0, answers: 0, bytes: 0 },
      list: (order, max) => parts.planes()?.cache.list(order, max) ?? [],
      purge: (url, isPrefix) => parts.planes()?.cache.purge(url, isPrefix) ?? 0,
      purgeAll: () => parts.planes()?.cache.purgeAll() ?? 0,
    },
    origins: () => parts.planes()?.origins() ?? [],
    sources: sourceConsole(parts),
    fleet: () => parts.fleet(),
    listed: {
      patterns: () => state().database.patterns.entries(),
      learned: () => state().database.learning.learned(),
      proposals: () => state().database.learning.proposals.pending(),
      keywords: () => state().database.keywords.entries(),
      count: (what) => countOf(state().database, what),
    },
    dump: async () => {
      const { database, dumpPath: path } = state();
      const outcome = await state().dump();
      if (outcome.kind !== 'done') throw new Error(outcome.message);
      return { path, patterns: database.patterns.size, keywords: database.keywords.size };
    },
    nowMs: () => parts.nowMs(),
    record: (text) => {
      const log = parts.consoleLog();
      log.append(text);
      return log.drained();
    },
  };
}

function countOf(database: PatternDatabase, what: Parameters<Listed['count']>[0]): number {
  switch (what) {
    case 'patterns':
      return database.patterns.size;
    case 'learned':
      return database.learning.learnedCount;
    case 'proposals':
      return database.learning.proposals.size;
    case 'keywords':
      return database.keywords.size;
  }
}

function takeSnapshot(parts: ConsoleParts, { database }: PatternState): ScreenSnapshot {
  const { virus } = parts.settings();
  const nowMs = parts.nowMs();
  return {
    noOfPatterns: database.patterns.size,
    patternSize: virus.patternSize,
    patternStartOffset: virus.patternStartOffset,
    refreshInterval: database.tunables.get('RefreshInterval'),
    hitThreshold: database.tunables.get('HitThreshold'),
    autoUpdate: database.tunables.get('EnablePatternAutoUpdate') === 1,
    ...parts.hitRates.figures(nowMs),
    virusSources: parts.virusSources.list(),
    lastPredictedRequest: parts.suspects()?.lastPredicted,
    learnedPatterns: database.learning.learnedCount,
    proposedPatterns: database.learning.proposals.size,
    differences: database.differences(),
    mode: virus.mode,
    atMs: nowMs,
  };
}
