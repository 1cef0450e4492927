/** What the console sees and does, put together from the running parts. */
import type { ConsoleContext } from './admin/console.ts';
import type { ScreenSnapshot } from './admin/screen.ts';
import type { Settings } from './config/shape.ts';
import type { LogFile } from './log/file.ts';
import type { PatternState } from './pattern-state.ts';
import type { HitRates } from './virus/hit-rates.ts';
import type { VirusSources } from './virus/virus-sources.ts';

export interface ConsoleParts {
  settings(): Settings;
  /** Undefined until the database is read. */
  state(): PatternState | undefined;
  readonly hitRates: HitRates;
  readonly virusSources: VirusSources;
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
    commit: (changes) => state().database.commit(changes),
    snapshot: () => takeSnapshot(parts, state()),
    patterns: () => state().database.patterns.entries(),
    keywords: () => state().database.keywords.entries(),
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
    lastPredictedRequest: undefined,
    differences: database.differences(),
    mode: virus.mode,
    atMs: nowMs,
  };
}
