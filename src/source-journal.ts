/**
 * The journal of virus sources, `sources.journal` in the data folder: what makes a block outlast the
 * process. Blocks that come by themselves are gathered for a moment, off the request's way; what the
 * operator says is on the disk before he is answered. Written anew at the start, at the stop, and when it
 * has grown. What is in a line is virus/source-record.ts.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock, Timer } from './clock.ts';
import { describeError } from './config/fault.ts';
import { DurableFile, keepCopy } from './log/durable-file.ts';
import { decodeSources, encodeSource, type SourceRecord } from './virus/source-record.ts';
import type { Source } from './virus/sources.ts';

export interface SourceJournalOptions {
  readonly dataFolder: string;
  readonly clock: Clock;
  /** MaxJournalBytes. */
  readonly bytesMax: () => number;
  /** What there is to keep, for writing the file anew. */
  readonly sources: () => Iterable<Source>;
  readonly warn: (sentence: string) => void;
}

const flushDelayMs = 200;
/** Not written anew below this size. */
const grownBytesMin = 1_048_576;

export class SourceJournal {
  readonly #options: SourceJournalOptions;
  readonly #file: DurableFile;
  /** What is to be written, by address: the last record of each counts. */
  readonly #gathered = new Map<string, SourceRecord>();
  #timer: Timer | undefined;
  /** Its size when it was last written anew. */
  #tidyBytes = 0;
  /** What is done to the file, one after the other. */
  #work: Promise<void> = Promise.resolve();
  /** The last writing failed: that is told once. */
  #isFailing = false;

  private constructor(options: SourceJournalOptions, file: DurableFile) {
    this.#options = options;
    this.#file = file;
  }

  /** Hands what is there to `apply`. Throws DurableFileError when the file is unusable. */
  static open(options: SourceJournalOptions, apply: (record: SourceRecord) => void): SourceJournal {
    const path = join(options.dataFolder, 'sources.journal');
    const file = DurableFile.open(path);
    const { goodLength, damagedCount } = decodeSources(readFileSync(path), apply);
    if (goodLength < file.size) {
      options.warn(`${path}: the last record was torn by a crash; it was dropped`);
    }
    if (damagedCount > 0) {
      const copy = keepCopy(path, 'damaged');
      options.warn(`${path}: ${damagedCount} records are damaged; a copy was kept as ${copy}`);
    }
    if (goodLength < file.size) file.truncate(goodLength);
    return new SourceJournal(options, file);
  }

  /** Writes a record within a moment. */
  note(record: SourceRecord): void {
    this.#gather(record);
    this.#timer ??= this.#options.clock.after(flushDelayMs, () => {
      this.#flush().then(
        () => {
          this.#isFailing = false;
        },
        (error: unknown) => this.#tellFailure(error),
      );
    });
  }

  /** Writes a record, and resolves when it is on the disk. Rejects with DurableFileError. */
  async write(record: SourceRecord): Promise<void> {
    this.#gather(record);
    await this.#flush();
  }

  /** Writes the file anew, with what is there now alone. Rejects with DurableFileError. */
  tidy(): Promise<void> {
    return this.#inTurn(async () => {
      this.#gathered.clear();
      await this.#rewrite();
    });
  }

  async close(): Promise<void> {
    this.#timer?.cancel();
    try {
      await this.tidy();
    } catch (error) {
      this.#tellFailure(error);
    }
    await this.#file.close();
  }

  #gather(record: SourceRecord): void {
    const { address } = record.kind === 'forgiven' ? record : record.source;
    this.#gathered.set(address, record);
  }

  #flush(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    return this.#inTurn(async () => {
      const records = [...this.#gathered.values()];
      this.#gathered.clear();
      if (records.length === 0) return;
      const text = records.map(encodeSource).join('');
      if (this.#file.size + text.length > this.#grownBytes()) {
        return this.#rewrite();
      }
      this.#file.append(text);
      await this.#file.sync();
    });
  }

  /** Beyond this size it is written anew; not for every record, when it cannot be as short as it should. */
  #grownBytes(): number {
    const grown = Math.max(grownBytesMin, this.#tidyBytes * 2);
    return Math.max(Math.min(grown, this.#options.bytesMax()), this.#tidyBytes * 1.25);
  }

  async #rewrite(): Promise<void> {
    // All of them at once: while they are written, sources go on being used, which changes their order.
    const sources = [...this.#options.sources()];
    if (sources.length === 0 && this.#file.size === 0) return;
    await this.#file.replace(lines(sources));
    this.#tidyBytes = this.#file.size;
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#work.then(work);
    this.#work = done.catch(() => {});
    return done;
  }

  #tellFailure(error: unknown): void {
    if (this.#isFailing) return;
    this.#isFailing = true;
    const reason = describeError(error);
    this.#options.warn(`Blocks of virus sources may not outlast a restart: ${reason}`);
  }
}

function* lines(sources: Iterable<Source>): Generator<string> {
  for (const source of sources) yield encodeSource({ kind: 'blocked', source });
}
