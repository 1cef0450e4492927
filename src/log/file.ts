/**
 * Log files: lines are taken at once and written later, off the request's way, in batches of whole
 * lines with one write at a time. A line is never torn across two files, and one that a full disk
 * cut short is ended before the next line begins.
 *
 * What cannot be written is lost and counted, never waited for: the backlog has a bound, and a
 * failed write gives up its batch. What the lines say is access.ts.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Clock, Timer } from '../clock.ts';
import { describeError } from '../config/fault.ts';
import type { Statistics } from '../statistics.ts';

/** A batch is written as soon as it holds this many bytes. */
const batchBytes = 64 * 1024;

/** A smaller batch is written after this time. */
const flushDelayMs = 100;

/** The owner writes, the group (log shippers) reads. */
const fileMode = 0o640;

const newlineByte = 0x0a;

export interface LogFileOptions {
  /** Absolute, or relative to the working folder. */
  readonly path: string;
  /** Lines beyond this many waiting bytes are lost. */
  readonly backlogBytesMax: number;
  readonly clock: Clock;
  readonly statistics: Statistics;
  /** Takes a sentence for the operator, without a newline; by default it goes to stderr. */
  readonly warn?: (sentence: string) => void;
  /** Opens the file for appending; tests put a failing disk here. */
  readonly openFile?: (path: string) => Promise<LogHandle>;
}

/** What a log file needs of an open file; node:fs/promises' FileHandle has it. */
export type LogHandle = Pick<FileHandle, 'close'> & {
  write(bytes: Buffer, offset: number): Promise<{ bytesWritten: number }>;
  /** True when the file's last byte is not a newline: an earlier line was cut short. */
  endsTorn(): Promise<boolean>;
};

interface Batch {
  text: string;
  bytes: number;
  lineCount: number;
}

/** One log file, shared by all who write to its path. */
export class LogFile {
  readonly path: string;
  readonly #options: LogFileOptions;
  readonly #full: Batch[] = [];
  #filling: Batch = { text: '', bytes: 0, lineCount: 0 };
  #backlogBytes = 0;
  #acceptedCount = 0;
  #settledCount = 0;
  #lostInARow = 0;
  #handle: LogHandle | undefined;
  #torn = false;
  #timer: Timer | undefined;
  #busy: Promise<void> | undefined;
  #closed = false;

  constructor(options: LogFileOptions) {
    this.path = resolve(options.path);
    this.#options = options;
  }

  /**
   * Opens the file now rather than at the first line, so that a start can fail early.
   * `message` names the path and the system's error.
   */
  async open(): Promise<{ ok: true } | { ok: false; message: string }> {
    while (this.#busy) await this.#busy;
    let message: string | undefined;
    await this.#occupy(async () => {
      try {
        await this.#handleInUse();
      } catch (error) {
        message = `cannot open the log file ${this.path}: ${describeError(error)}`;
      }
    });
    return message === undefined ? { ok: true } : { ok: false, message };
  }

  /**
   * Takes one line, without its newline; a line break inside it is written as %0A or %0D. False when
   * the line is lost because the backlog is full or the file was closed; that is counted.
   */
  append(line: string): boolean {
    return this.appendWhole(`${withoutLineEnds(line)}\n`, 1);
  }

  /** The same for several lines at once, each with its newline; they are taken all or none. */
  appendWhole(text: string, lineCount: number): boolean {
    const bytes = Buffer.byteLength(text);
    if (this.#closed || this.#backlogBytes + bytes > this.#options.backlogBytesMax) {
      this.#options.statistics.add('log_lines_lost', lineCount);
      return false;
    }
    this.#options.statistics.add('log_lines', lineCount);
    this.#backlogBytes += bytes;
    this.#acceptedCount += lineCount;
    this.#filling.text += text;
    this.#filling.bytes += bytes;
    this.#filling.lineCount += lineCount;
    if (this.#filling.bytes >= batchBytes) this.#seal();
    this.#schedule();
    return true;
  }

  /** Resolves when every line accepted so far is written or, the disk refusing it, lost. */
  async flush(): Promise<void> {
    const target = this.#acceptedCount;
    while (this.#settledCount < target) await this.#writeBatch();
  }

  /** Resolves when the backlog is below half of its bound, for writers that can wait. */
  async drained(): Promise<void> {
    while (this.#backlogBytes >= this.#options.backlogBytesMax / 2) await this.#writeBatch();
  }

  /**
   * Opens the path afresh, after logrotate has moved the file away. Lines already accepted go whole
   * to the old file or the new one. When the path cannot be opened the old file stays in use.
   */
  async reopen(): Promise<void> {
    while (this.#busy) await this.#busy;
    if (this.#closed) return;
    await this.#occupy(() => this.#exchangeHandle());
  }

  /** Writes every accepted line and closes the file; lines appended afterwards are lost. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.flush();
    while (this.#busy) await this.#busy;
    this.#timer?.cancel();
    const handle = this.#handle;
    this.#handle = undefined;
    await handle?.close().catch((error: unknown) => this.#warn(`closing: ${describeError(error)}`));
  }

  #seal(): void {
    if (this.#filling.lineCount === 0) return;
    this.#full.push(this.#filling);
    this.#filling = { text: '', bytes: 0, lineCount: 0 };
  }

  #schedule(): void {
    if (this.#busy) return;
    if (this.#full.length > 0) {
      void this.#writeBatch();
    } else if (this.#filling.lineCount > 0 && !this.#timer) {
      this.#timer = this.#options.clock.after(flushDelayMs, () => {
        this.#timer = undefined;
        void this.#writeBatch();
      });
    }
  }

  /** Writes the oldest batch, or waits for what is being done to the file already. */
  #writeBatch(): Promise<void> {
    if (this.#busy) return this.#busy;
    if (this.#full.length === 0) this.#seal();
    const batch = this.#full.shift();
    return batch ? this.#occupy(() => this.#write(batch)) : Promise.resolve();
  }

  /** Runs the one piece of work that may touch the file at a time; `work` never rejects. */
  #occupy(work: () => Promise<void>): Promise<void> {
    const busy = work().finally(() => {
      this.#busy = undefined;
      this.#schedule();
    });
    this.#busy = busy;
    return busy;
  }

  async #write(batch: Batch): Promise<void> {
    const bytes = Buffer.from(batch.text);
    let written = 0;
    try {
      const handle = await this.#handleInUse();
      if (this.#torn) {
        await handle.write(Buffer.from('\n'), 0);
        this.#torn = false;
      }
      while (written < bytes.length) written += await writeSome(handle, bytes, written);
      this.#reportRecovery();
    } catch (error) {
      this.#torn ||= written > 0 && bytes[written - 1] !== newlineByte;
      this.#reportLoss(batch.lineCount - countLines(bytes.subarray(0, written)), error);
    }
    this.#backlogBytes -= batch.bytes;
    this.#settledCount += batch.lineCount;
  }

  async #handleInUse(): Promise<LogHandle> {
    if (this.#handle) return this.#handle;
    const handle = await (this.#options.openFile ?? openForAppending)(this.path);
    this.#torn = await handle.endsTorn();
    this.#handle = handle;
    return handle;
  }

  async #exchangeHandle(): Promise<void> {
    const old = this.#handle;
    this.#handle = undefined;
    try {
      await this.#handleInUse();
    } catch (error) {
      this.#handle = old;
      this.#warn(`reopening: ${describeError(error)}`);
      return;
    }
    await old?.close().catch((error: unknown) => this.#warn(`closing: ${describeError(error)}`));
  }

  #reportLoss(lineCount: number, error: unknown): void {
    this.#options.statistics.add('log_lines_lost', lineCount);
    if (this.#lostInARow === 0) this.#warn(`lines are being lost: ${describeError(error)}`);
    this.#lostInARow += lineCount;
  }

  #reportRecovery(): void {
    if (this.#lostInARow === 0) return;
    this.#warn(`written again; ${this.#lostInARow} lines were lost`);
    this.#lostInARow = 0;
  }

  #warn(what: string): void {
    const sentence = `wormgate: log file ${this.path}: ${what}`;
    if (this.#options.warn) this.#options.warn(sentence);
    else process.stderr.write(`${sentence}\n`);
  }
}

/** The log files in use, one for each absolute path, so that two logs may share a file. */
export class LogFiles {
  readonly #options: Omit<LogFileOptions, 'path'>;
  readonly #files = new Map<string, LogFile>();

  constructor(options: Omit<LogFileOptions, 'path'>) {
    this.#options = options;
  }

  /** The log file of a path, made at the first call; nothing is opened yet. */
  get(path: string): LogFile {
    const absolute = resolve(path);
    const known = this.#files.get(absolute);
    if (known) return known;
    const file = new LogFile({ ...this.#options, path: absolute });
    this.#files.set(absolute, file);
    return file;
  }

  /** Reopens every file, as SIGHUP asks. */
  async reopenAll(): Promise<void> {
    await Promise.all(Array.from(this.#files.values(), (file) => file.reopen()));
  }

  /** Closes all files but those of `paths`, once their lines are written, and forgets them. */
  async keepOnly(paths: readonly string[]): Promise<void> {
    const kept = new Set(paths.map((path) => resolve(path)));
    const others = [...this.#files].filter(([path]) => !kept.has(path));
    for (const [path] of others) this.#files.delete(path);
    await Promise.all(others.map(([, file]) => file.close()));
  }

  /** Writes and closes every file, at exit. */
  async closeAll(): Promise<void> {
    await Promise.all(Array.from(this.#files.values(), (file) => file.close()));
  }
}

async function openForAppending(path: string): Promise<LogHandle> {
  const handle = await open(path, 'a', fileMode);
  return {
    write: (bytes, offset) => handle.write(bytes, offset),
    close: () => handle.close(),
    endsTorn: () => endsTorn(handle, path),
  };
}

/** A file that we may not read back is taken to end whole. */
async function endsTorn(handle: FileHandle, path: string): Promise<boolean> {
  try {
    const { size } = await handle.stat();
    if (size === 0) return false;
    const reader = await open(path, 'r');
    try {
      const last = await reader.read(Buffer.alloc(1), 0, 1, size - 1);
      return last.bytesRead === 1 && last.buffer[0] !== newlineByte;
    } finally {
      await reader.close();
    }
  } catch {
    return false;
  }
}

async function writeSome(handle: LogHandle, bytes: Buffer, offset: number): Promise<number> {
  const { bytesWritten } = await handle.write(bytes, offset);
  if (bytesWritten === 0) throw new Error('nothing could be written');
  return bytesWritten;
}

function withoutLineEnds(line: string): string {
  if (!line.includes('\n') && !line.includes('\r')) return line;
  return line.replaceAll('\n', '%0A').replaceAll('\r', '%0D');
}

function countLines(bytes: Uint8Array): number {
  let count = 0;
  for (const byte of bytes) if (byte === newlineByte) count += 1;
  return count;
}
