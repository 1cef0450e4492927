/**
 * What lies under the console's changes: PROXY.CFG's values and patterns, PatternFiles and VIRPAT.NCF, in
 * this order, as changes.
 */
import { existsSync, readFileSync } from 'node:fs';
import { ncfChanges } from './admin/ncf.ts';
import { describeError } from './config/fault.ts';
import type { Settings } from './config/shape.ts';
import type { Change, Provenance } from './virus/change.ts';
import type { LearningBounds } from './virus/learning-state.ts';
import { padPattern } from './virus/pattern.ts';
import type { TunableValues } from './virus/tunables.ts';

/** PROXY.CFG's values of what the console can change. */
export function configuredTunables({ virus }: Settings): TunableValues {
  return {
    HitThreshold: virus.hitThreshold,
    RefreshInterval: virus.refreshIntervalSeconds,
    EnablePatternAutoUpdate: virus.autoUpdate ? 1 : 0,
    MaxVirusPatterns: virus.maxPatterns,
  };
}

/** PROXY.CFG's bounds of what Auto Update keeps. */
export function learningBounds({ virus }: Settings): LearningBounds {
  return { maxLearned: virus.maxLearnedPatterns, maxProposals: virus.maxProposedPatterns };
}

export interface BaseSource {
  /** VIRPAT.NCF, if there is a data folder; it need not exist. */
  readonly dumpPath?: string;
  readonly atMs: number;
  /** Told in a sentence what was found wrong with a file. */
  readonly warn: (sentence: string) => void;
}

/** The patterns and keywords of the settings and their files. */
export function* baseChanges(settings: Settings, source: BaseSource): Generator<Change> {
  const { virus } = settings;
  const { dumpPath, atMs } = source;
  for (const { bytes, origLength } of virus.patterns) {
    const pattern = padPattern(bytes, virus.patternSize);
    if (pattern !== undefined) yield { kind: 'add', pattern, origLength, from: 'shipped', atMs };
  }
  const { patternSize } = virus;
  for (const file of virus.patternFiles) yield* fileChanges(file, patternSize, 'shipped', source);
  if (dumpPath !== undefined && existsSync(dumpPath)) {
    yield* fileChanges(dumpPath, patternSize, 'ncf', source);
  }
}

function fileChanges(
  file: string,
  patternSize: number,
  from: Provenance,
  { atMs, warn }: BaseSource,
): readonly Change[] {
  try {
    const text = readFileSync(file, 'latin1');
    const { changes, faults } = ncfChanges(text, { patternSize, from, atMs });
    for (const { line, message } of faults) warn(`${file}:${line}: ${message}`);
    return changes;
  } catch (error) {
    warn(`${file}: ${describeError(error)}`);
    return [];
  }
}
