/**
 * The file of `wormgate tune --verdicts`: a row for each line of the logs, in their order, though
 * verdicts come in the order of the requests' times. It is written beside its place and renamed at the
 * end, so that nobody finds half of it.
 */
import {
  closeSync,
  openSync,
  realpathSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { describeFileError } from '../config/fault.ts';

const flushBytes = 65_536;

/** A fault of the disk, as a sentence. */
export class VerdictFileError extends Error {}

export class VerdictFile {
  /** Rows whose turn has not come yet, by their lines. */
  readonly #waiting = new Map<number, string>();
  readonly #path: string;
  readonly #besidePath: string;
  readonly #fd: number;
  #nextLine = 1;
  #text = 'line\tverdict\treason\n';

  /** Throws VerdictFileError when it cannot be made, or when it would overwrite one of the logs. */
  constructor(path: string, logs: readonly string[]) {
    this.#path = existing(path) ?? path;
    const status = statSync(path, { throwIfNoEntry: false });
    if (status !== undefined && !status.isFile()) {
      throw new VerdictFileError(`${path}: it is no file that could be replaced`);
    }
    if (status !== undefined && logs.some((log) => existing(log) === this.#path)) {
      throw new VerdictFileError(`${path}: it is one of the logs`);
    }
    const folder = dirname(this.#path);
    if (existing(folder) === undefined) {
      throw new VerdictFileError(`${path}: there is no folder ${folder}`);
    }
    this.#besidePath = `${this.#path}.${process.pid}.tmp`;
    this.#fd = attempt(path, () => openSync(this.#besidePath, 'wx'));
  }

  /** How many rows wait for one before them. */
  get waitingCount(): number {
    return this.#waiting.size;
  }

  /** Takes the row of a line, without its number; each line once. */
  put(line: number, isBlocked: boolean, reason: string): void {
    const row = `${line}\t${isBlocked ? 'block' : 'pass'}\t${reason}\n`;
    if (line !== this.#nextLine) {
      this.#waiting.set(line, row);
      return;
    }
    this.#append(row);
    for (
      let next = this.#waiting.get(this.#nextLine);
      next !== undefined;
      next = this.#waiting.get(this.#nextLine)
    ) {
      this.#waiting.delete(this.#nextLine);
      this.#append(next);
    }
  }

  /** Puts the file into its place; every line has to have its row. */
  finish(): void {
    attempt(this.#path, () => {
      this.#write();
      closeSync(this.#fd);
      renameSync(this.#besidePath, this.#path);
    });
  }

  /** Leaves nothing behind. */
  discard(): void {
    try {
      closeSync(this.#fd);
    } catch {
      // It may be closed already.
    }
    try {
      unlinkSync(this.#besidePath);
    } catch {
      // It may be gone.
    }
  }

  #append(row: string): void {
    this.#nextLine += 1;
    this.#text += row;
    if (this.#text.length >= flushBytes) attempt(this.#path, () => this.#write());
  }

  #write(): void {
    const bytes = Buffer.from(this.#text, 'latin1');
    this.#text = '';
    for (let at = 0; at < bytes.length; ) at += writeSync(this.#fd, bytes, at);
  }
}

function existing(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}

function attempt<T>(path: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw new VerdictFileError(`${path}: cannot be written: ${describeFileError(error)}`);
  }
}
