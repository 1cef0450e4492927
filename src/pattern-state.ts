/**
 * The pattern database and its files: PROXY.CFG's patterns, PatternFiles and VIRPAT.NCF as the base,
 * the journal on top. Opens, repairs and writes them; what a change means is the database's business.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Settings } from './config/shape.ts';
import { FleetService, type FleetServiceOptions } from './fleet-service.ts';
import { DurableFile, keepCopy, writeAtomically } from './log/durable-file.ts';
import { baseChanges, configuredTunables, learningBounds } from './pattern-base.ts';
import type { Statistics } from './statistics.ts';
import type { BaseLoading } from './virus/base-loader.ts';
import type { Change, Outcome } from './virus/change.ts';
import { PatternDatabase } from './virus/pattern-database.ts';

export interface PatternStateOptions {
  readonly settings: Settings;
  readonly dataFolder: string;
  readonly statistics: Statistics;
  nowMs(): number;
  /** What the fleet needs that shares the database's changes. */
  readonly fleet: Pick<
    FleetServiceOptions,
    'settings' | 'counts' | 'clock' | 'onState' | 'onTallyFloor'
  >;
  /** Told in a sentence what was found wrong with the files. */
  warn(sentence: string): void;
}

export class PatternState {
  readonly database: PatternDatabase;
  readonly fleet: FleetService;
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
      learning: learningBounds(settings),
      journalBytesMax: settings.limits.journalBytesMax,
      tunables: configuredTunables(settings),
      seed,
      journal,
      statistics,
      warn: options.warn,
    });
    const { warn } = options;
    this.fleet = new FleetService({ ...options.fleet, database: this.database, statistics, warn });
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
      learning: learningBounds(settings),
    });
    this.#report(loading);
  }

  /** `virus dump`. */
  dump(): Promise<Outcome> {
    const { nowMs } = this.#options;
    // Dumps of a fleet are the same on all its machines, so they have no date.
    return this.database.dump(this.fleet.isOn ? undefined : nowMs(), (lines) =>
      writeAtomically(this.dumpPath, lines),
    );
  }

  async close(): Promise<void> {
    await this.fleet.close();
    await this.database.idle();
    await this.#journal.close();
  }

  #base(settings: Settings): Generator<Change> {
    const { nowMs, warn } = this.#options;
    return baseChanges(settings, { dumpPath: this.dumpPath, atMs: nowMs(), warn });
  }

  #report(loading: BaseLoading): void {
    const [first] = loading.refusals;
    if (first === undefined) return;
    this.#options.warn(
      `${loading.refusedCount} patterns were not taken; the first: ${first.message}`,
    );
  }
}
