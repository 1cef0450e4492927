/**
 * The pattern database and its files: PROXY.CFG's patterns, PatternFiles and VIRPAT.NCF as the base,
 * the journal on top. Opens, repairs and writes them; what a change means is the database's business.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ncfChanges } from './admin/ncf.ts';
import type { Settings } from './config/shape.ts';
import { DurableFile, keepCopy, writeAtomically } from './log/durable-file.ts';
import type { Statistics } from './statistics.ts';
import type { Change, Outcome, Provenance } from './virus/change.ts';
import { padPattern } from './virus/pattern.ts';
import { type BaseLoading, PatternDatabase } from './virus/pattern-database.ts';
import type { TunableValues } from './virus/tunables.ts';

export interface PatternStateOptions {
  readonly settings: Settings;
  readonly dataFolder: string;
  readonly statistics: Statistics;
  nowMs(): number;
  /** Told in a sentence what was found wrong with the files. */
  warn(sentence: string): void;
}

/** PROXY.CFG's values of what the console can change. */
export function configuredTunables(settings: Settings): TunableValues {
  const { virus } = settings;
  return {
    HitThreshold: virus.hitThreshold,
    RefreshInterval: virus.refreshIntervalSeconds,
    EnablePatternAutoUpdate: virus.autoUpdate ? 1 : 0,
    MaxVirusPatterns: virus.maxPatterns,
  };
}

export class PatternState {
  readonly database: PatternDatabase;
  /** Where `virus dump` writes. */
  readonly dumpPath: string;
  readonly #journal: DurableFile;
  readonly #options: PatternStateOptions;

  private constructor(options: PatternStateOptions, journal: DurableFile, seed: number) {
    const { settings, statistics, dataFolder } = options;
    this.#options = options;
    this.#journal = journal;
    this.dumpPath = join(dataFolder, 'VIRPAT.NCF');
    this.database = new PatternDatabase({
      patternSize: settings.virus.patternSize,
      maxKeywords: settings.virus.maxKeywords,
      journalBytesMax: settings.limits.journalBytesMax,
      tunables: configuredTunables(settings),
      seed,
      journal,
      statistics,
      warn: options.warn,
    });
  }

  /** Reads everything and readies the journal; throws DurableFileError when the journal is unusable. */
  static async open(options: PatternStateOptions, seed: number): Promise<PatternState> {
    const journalPath = join(options.dataFolder, 'virus.journal');
    const journal = DurableFile.open(journalPath);
    const state = new PatternState(options, journal, seed);
    state.#report(state.database.loadBase(state.#base(options.settings)));
    const reading = state.database.recover(readFileSync(journalPath));
    for (const { line, message } of reading.warnings) {
      options.warn(`${journalPath}:${line}: ${message}`);
    }
    const suffix = reading.setAside ?? (reading.damagedCount > 0 ? 'damaged' : undefined);
    if (suffix !== undefined) {
      options.warn(`${journalPath}: a copy was kept as ${keepCopy(journalPath, suffix)}`);
    }
    await state.database.tidyJournal();
    return state;
  }

  /** Puts the files of new settings under what the console changed. */
  async rebase(settings: Settings): Promise<void> {
    const loading = await this.database.rebase(this.#base(settings), {
      tunables: configuredTunables(settings),
      maxKeywords: settings.virus.maxKeywords,
    });
    this.#report(loading);
  }

  /** `virus dump`. */
  dump(): Promise<Outcome> {
    return this.database.dump(this.#options.nowMs(), (lines) =>
      writeAtomically(this.dumpPath, lines),
    );
  }

  async close(): Promise<void> {
    await this.database.idle();
    await this.#journal.close();
  }

  *#base(settings: Settings): Generator<Change> {
    const { virus } = settings;
    const atMs = this.#options.nowMs();
    for (const { bytes, origLength } of virus.patterns) {
      const pattern = padPattern(bytes, virus.patternSize);
      if (pattern !== undefined) yield { kind: 'add', pattern, origLength, from: 'shipped', atMs };
    }
    for (const file of virus.patternFiles) yield* this.#fileChanges(file, 'shipped', atMs);
    if (existsSync(this.dumpPath)) yield* this.#fileChanges(this.dumpPath, 'ncf', atMs);
  }

  #fileChanges(file: string, from: Provenance, atMs: number): readonly Change[] {
    const { patternSize } = this.#options.settings.virus;
    try {
      const text = readFileSync(file, 'latin1');
      const { changes, faults } = ncfChanges(text, { patternSize, from, atMs });
      for (const { line, message } of faults) this.#options.warn(`${file}:${line}: ${message}`);
      return changes;
    } catch (error) {
      this.#options.warn(`${file}: ${error instanceof Error ? error.message : String(error)}`);
      return [];
    }
  }

  #report(loading: BaseLoading): void {
    const [first] = loading.refusals;
    if (first === undefined) return;
    this.#options.warn(
      `${loading.refusedCount} patterns were not taken; the first: ${first.message}`,
    );
  }
}
