/**
 * The control plane's truth: takes changes one after the other, writes each into the
 * journal before it is in force, and tells the data plane. An answered change survives `kill -9`; a
 * change that cannot be written is refused and nothing happens. Anything longer than a change (a
 * dump, a reload, the journal's rewriting) takes its turn in the same queue, so that it sees one
 * state. Holds no file and no clock: the journal is handed in, times come with the changes.
 */
import { setImmediate as nextTurnOfLoop } from 'node:timers/promises';
import { describeError } from '../config/fault.ts';
import { escapeText } from '../config/quoted.ts';
import type { Statistics } from '../statistics.ts';
import { BaseLoader, type BaseLoading } from './base-loader.ts';
import type { Change, Outcome } from './change.ts';
import { DatabaseState, type StateOptions } from './database-state.ts';
import {
  decodeJournal,
  encodeHeader,
  encodeNote,
  encodeRecord,
  type JournalReading,
} from './journal.ts';
import type { KeywordList } from './keyword-list.ts';
import type { LearningBounds, LearningState } from './learning-state.ts';
import { formatPattern } from './pattern.ts';
import type { PatternSet } from './pattern-set.ts';
import type { Hands, Sharing } from './sharing.ts';
import type { TunableDifference, Tunables, TunableValues } from './tunables.ts';

/** So many changes are made between two returns to the event loop. */
const sliceLength = 2_000;

/** The file behind the journal. Its methods throw, or reject, with an Error that says why. */
export interface Journal {
  /** Bytes. */
  readonly size: number;
  /** Writes ASCII text at the end, whole or not at all. */
  append(text: string): void;
  /** Resolves when everything appended so far is on the disk. */
  sync(): Promise<void>;
  /** Cuts the file. */
  truncate(size: number): void;
  /** Puts `lines`, each with its line end, in place of the whole content, atomically. */
  replace(lines: Iterable<string>): Promise<void>;
}

export interface PatternDatabaseOptions extends Omit<StateOptions, 'maxDeletions'> {
  readonly maxDeletions?: number;
  readonly journal: Journal;
  /** The journal is rewritten when it grows above this, unless what is needed is as long. */
  readonly journalBytesMax: number;
  /** How many calls of `commit` may wait at once; further ones are refused. */
  readonly maxWaitingCommits?: number;
  readonly statistics: Statistics;
  /** Told, in a sentence, of failures that no command can be blamed for. */
  readonly warn: (message: string) => void;
}

/** What a reload may change under the database. PatternSize is not among it. */
export interface BaseSettings {
  readonly tunables: TunableValues;
  readonly maxKeywords: number;
  readonly learning: LearningBounds;
}

/**
 * The pattern database. At start, in this order: the constructor, `loadBase`, `recover`,
 * `tidyJournal`; then `commit` and the rest.
 */
export class PatternDatabase {
  readonly #options: PatternDatabaseOptions & { readonly maxDeletions: number };
  readonly #state: DatabaseState;
  readonly #journal: Journal;
  readonly #statistics: Statistics;
  readonly #listeners = new Set<(change: Change) => void>();
  #tail: Promise<unknown> = Promise.resolve();
  #waitingCommits = 0;
  #recovered: JournalReading | undefined;
  #rewriteAboveBytes: number;
  #rewriteQueued: Promise<string | undefined> | undefined;
  /** After a failed sync nobody knows what is on the disk, until the journal is written anew. */
  #rewriteOwed = false;
  #sharing: Sharing | undefined;
  readonly #hands: Hands = {
    write: (note) => this.#append(encodeNote(note)),
    apply: (change) => {
      if (this.#state.isUsable(change)) this.#bringIntoForce(change);
    },
  };

  constructor(options: PatternDatabaseOptions) {
    this.#options = { maxDeletions: 100_000, ...options };
    this.#state = new DatabaseState(this.#options);
    this.#journal = options.journal;
    this.#statistics = options.statistics;
    this.#rewriteAboveBytes = options.journalBytesMax;
  }

  /** The pattern set in force: for the data plane to match and for the console to list. */
  get patterns(): PatternSet {
    return this.#state.patterns;
  }

  /** The keywords in force. */
  get keywords(): KeywordList {
    return this.#state.keywords;
  }

  /** What was learned, proposed and confirmed. */
  get learning(): LearningState {
    return this.#state.learning;
  }

  /** The console-settable values in force. */
  get tunables(): Tunables {
    return this.#state.tunables;
  }

  /** What the operator and Auto Update changed over the files, as the shortest list of changes. */
  overlay(): Iterable<Change> {
    return this.#state.overlay();
  }

  /** The tunables whose value in force is not PROXY.CFG's. */
  differences(): TunableDifference[] {
    return this.#state.tunables.differences();
  }

  /**
   * Takes the patterns of PROXY.CFG, then of PatternFiles (both as `shipped`), then of VIRPAT.NCF
   * (as `ncf`), in one call or in several. MaxVirusPatterns of PROXY.CFG applies.
   */
  loadBase(changes: Iterable<Change>): BaseLoading {
    const loader = new BaseLoader(this.#state);
    for (const change of changes) loader.load(change);
    return loader;
  }

  /** Makes the journal's changes again, over the base. `bytes` is the whole file as found. */
  recover(bytes: Buffer): JournalReading {
    let unusable = 0;
    const apply = (change: Change) => {
      if (!this.#state.replay(change)) unusable += 1;
    };
    const reading = decodeJournal(bytes, this.#options.patternSize, apply, (note) => {
      if (this.#sharing?.replay(note, apply) === false) unusable += 1;
    });
    if (unusable > 0) {
      this.#options.warn(`${unusable} records of the journal hold values out of range.`);
    }
    this.#recovered = reading;
    return reading;
  }

  /**
   * Readies the journal for appending: a torn end is cut off, and the file is written anew when it
   * is damaged, of another format, or much longer than needed. Copy a file with `damagedCount` or
   * `setAside` aside before. Rejects when a torn end cannot be cut off.
   */
  async tidyJournal(): Promise<void> {
    const reading = this.#recovered;
    if (reading === undefined) return;
    if (reading.goodLength < this.#journal.size) this.#journal.truncate(reading.goodLength);
    const tooLong = this.#journal.size > this.#rewriteAboveBytes || this.#isWasteful(reading);
    if (tooLong || reading.damagedCount > 0 || reading.setAside !== undefined) {
      const failure = await this.rewriteJournal();
      if (failure !== undefined) this.#options.warn(failure);
    }
  }

  /** Lets the changes be shared with other nodes; before `recover`, because the journal has its notes. */
  share(sharing: Sharing): void {
    this.#sharing = sharing;
  }

  /** Gives whoever shares the changes a turn of its own, in which nothing else alters the database. */
  async alone<T>(work: (hands: Hands) => T | Promise<T>): Promise<T> {
    try {
      return await this.#inTurn(() => work(this.#hands));
    } finally {
      this.#rewriteIfLong();
    }
  }

  /** Calls `listener` after every change that came into force: the data plane's channel. */
  onChange(listener: (change: Change) => void): void {
    this.#listeners.add(listener);
  }

  /**
   * Makes the changes in order and resolves when they are on the disk, with an outcome for each.
   * The state that a change is checked against includes the changes before it.
   */
  async commit(changes: readonly Change[]): Promise<Outcome[]> {
    const { maxWaitingCommits = 1_000 } = this.#options;
    if (this.#waitingCommits >= maxWaitingCommits) {
      const message = `${maxWaitingCommits} commands wait for the journal already; try again.`;
      return changes.map(() => ({ kind: 'refused', message }));
    }
    this.#waitingCommits += 1;
    try {
      const outcomes: Outcome[] = [];
      for (let start = 0; start < changes.length; start += sliceLength) {
        outcomes.push(...(await this.#commitSlice(changes.slice(start, start + sliceLength))));
      }
      return outcomes;
    } finally {
      this.#waitingCommits -= 1;
    }
  }

  /**
   * The database as console commands, each line with its line end. It is not to change before the
   * last line is taken; `dump` sees to that. Without a time no date is in it: so nodes of a fleet that
   * have the same write the same.
   */
  *dumpLines(nowMs: number | undefined): Generator<string> {
    const { patterns, keywords } = this.#state;
    const date = nowMs === undefined ? '' : ` at ${new Date(nowMs).toISOString()}`;
    yield `# Virus patterns and keywords, written by "virus dump"${date}.\n`;
    yield `# ${patterns.size} patterns, ${keywords.size} keywords.\n`;
    for (const entry of patterns.entries()) {
      this.#state.noteDumped(entry);
      yield `virus add -p "${formatPattern(entry.pattern)}" -o ${entry.origLength}\n`;
    }
    for (const entry of keywords.entries()) {
      this.#state.noteDumped(entry);
      yield `virus add -k "${escapeText(entry.keyword)}"\n`;
    }
  }

  /** Hands `dumpLines` to `write`; commits wait meanwhile. Refused when `write` rejects. */
  dump(
    nowMs: number | undefined,
    write: (lines: Iterable<string>) => Promise<void>,
  ): Promise<Outcome> {
    return this.#inTurn(async () => {
      try {
        await write(this.dumpLines(nowMs));
        return { kind: 'done' };
      } catch (error) {
        return { kind: 'refused', message: `The dump failed: ${describeError(error)}.` };
      }
    });
  }

  /**
   * Puts new files under what the operator changed, after a reload: `base` is all of PROXY.CFG's
   * patterns, PatternFiles and VIRPAT.NCF, as for `loadBase`. Commits wait meanwhile, matching goes
   * on.
   */
  rebase(base: Iterable<Change>, settings: BaseSettings): Promise<BaseLoading> {
    return this.#inTurn(async () => {
      const beside = new DatabaseState({ ...this.#options, ...settings });
      const loader = new BaseLoader(beside);
      let steps = 0;
      for (const change of base) {
        loader.load(change);
        if (++steps % sliceLength === 0) await nextTurnOfLoop();
      }
      for (const change of this.#state.adopt(beside)) {
        if (change !== undefined) this.#tell(change);
        if (++steps % sliceLength === 0) await nextTurnOfLoop();
      }
      return loader;
    });
  }

  /** Writes the journal anew, as short as it can be. Returns why it could not be done, if so. */
  rewriteJournal(): Promise<string | undefined> {
    this.#rewriteQueued ??= this.#inTurn(async () => {
      this.#rewriteQueued = undefined;
      let failure: string | undefined;
      try {
        await this.#journal.replace(this.#journalLines());
        this.#rewriteOwed = false;
      } catch (error) {
        failure = `The journal could not be written anew: ${describeError(error)}.`;
      }
      // Twice its length, lest a journal that cannot get shorter be rewritten at every change.
      this.#rewriteAboveBytes = Math.max(this.#options.journalBytesMax, this.#journal.size * 2);
      return failure;
    });
    return this.#rewriteQueued;
  }

  /** Resolves when nothing is under way; close the journal after that. */
  async idle(): Promise<void> {
    let tail: Promise<unknown> | undefined;
    while (tail !== this.#tail) {
      tail = this.#tail;
      await tail;
    }
  }

  /** Runs `action` alone, after everything that came before it. */
  #inTurn<T>(action: () => T | Promise<T>): Promise<T> {
    const turn = this.#tail.then(action);
    this.#tail = turn.then(
      () => undefined,
      () => undefined,
    );
    return turn;
  }

  async #commitSlice(changes: readonly Change[]): Promise<Outcome[]> {
    const outcomes = await this.#inTurn(() => changes.map((change) => this.#commitOne(change)));
    // An `unchanged` waits as well: what it found may not be on the disk yet.
    const failure = await this.#makeDurable();
    this.#rewriteIfLong();
    if (failure === undefined) return outcomes;
    const message = `It is in force, but may not survive a crash. ${failure}`;
    return outcomes.map((outcome) =>
      outcome.kind === 'refused' ? outcome : { kind: 'refused', message },
    );
  }

  #rewriteIfLong(): void {
    if (this.#journal.size <= this.#rewriteAboveBytes || this.#rewriteQueued !== undefined) return;
    void this.rewriteJournal().then((reason) => reason && this.#options.warn(reason));
  }

  #append(line: string): void {
    const header = this.#journal.size === 0 ? encodeHeader(this.#options.patternSize) : '';
    this.#journal.append(header + line);
  }

  #bringIntoForce(change: Change): void {
    if (change.kind === 'clear') this.#statistics.add('patterns_deleted', this.patterns.size);
    this.#state.apply(change);
    this.#tell(change);
  }

  #commitOne(asked: Change): Outcome {
    const change = this.#state.settled(asked);
    const objection = this.#state.objection(change);
    if (objection !== undefined) {
      if (objection.kind === 'refused' && objection.bound !== undefined) {
        this.#statistics.add(objection.bound);
      }
      return objection;
    }
    try {
      const outcome = this.#sharing?.commit(change, this.#hands);
      if (outcome !== undefined) return outcome;
      this.#append(encodeRecord(change));
    } catch (error) {
      this.#statistics.add('journal_failures');
      const message = `The journal cannot be written, so nothing was changed: ${describeError(error)}.`;
      return { kind: 'refused', message };
    }
    this.#bringIntoForce(change);
    return { kind: 'done' };
  }

  /** Resolves when all that was appended is on the disk, or with the reason why it is not. */
  async #makeDurable(): Promise<string | undefined> {
    if (!this.#rewriteOwed) {
      try {
        await this.#journal.sync();
        return undefined;
      } catch (error) {
        // Linux drops the pages that a sync could not write, so that the next sync succeeds without
        // them. A new file is the way to know.
        this.#rewriteOwed = true;
        this.#options.warn(`The journal could not be synced: ${describeError(error)}.`);
      }
    }
    const failure = await this.rewriteJournal();
    if (failure !== undefined) this.#statistics.add('journal_failures');
    return failure;
  }

  #tell(change: Change): void {
    const { kind } = change;
    if (kind === 'add' || kind === 'accept') this.#statistics.add('patterns_added');
    if (kind === 'del' || kind === 'expire') this.#statistics.add('patterns_deleted');
    for (const listener of this.#listeners) listener(change);
  }

  *#journalLines(): Generator<string> {
    yield encodeHeader(this.#options.patternSize);
    for (const change of this.#state.overlay()) yield encodeRecord(change);
    for (const note of this.#sharing?.notes() ?? []) yield encodeNote(note);
  }

  #isWasteful({ recordCount }: JournalReading): boolean {
    // Counting what is needed takes as long as the database is large.
    if (recordCount <= 1_000) return false;
    let needed = 0;
    for (const _ of this.#state.overlay()) needed += 1;
    for (const _ of this.#sharing?.notes() ?? []) needed += 1;
    return recordCount > needed * 2 + 1_000;
  }
}
