/**
 * Files that must survive a crash: the journal (append, sync, cut, replace) and the dump (replace).
 * An append lands whole or not at all; a replacement is written beside the file, synced, and
 * renamed over it, so that a reader finds the old content or the new. Knows nothing of what it
 * writes. Faults of the disk are thrown as `DurableFileError`; the file stays usable after each of
 * them.
 */
import * as nodeFs from 'node:fs';
import { dirname } from 'node:path';
import { setImmediate as nextTurnOfLoop } from 'node:timers/promises';
import { describeError } from '../config/fault.ts';

/** The part of node:fs that is used here, so that tests can fill a disk or pull the plug. */
export interface FileSystem {
  openSync(path: string, flags: number | string, mode?: number): number;
  closeSync(fd: number): void;
  writeSync(
    fd: number,
    bytes: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): number;
  fstatSync(fd: number): { readonly size: number };
  ftruncateSync(fd: number, length: number): void;
  fsyncSync(fd: number): void;
  fsync(fd: number, done: (error: Error | null) => void): void;
  fdatasync(fd: number, done: (error: Error | null) => void): void;
  renameSync(from: string, to: string): void;
  unlinkSync(path: string): void;
}

/** A fault of the disk; `code` is the system's (`ENOSPC`, `EIO` …), or empty. */
export class DurableFileError extends Error {
  readonly code: string;
  readonly path: string;

  constructor(action: string, path: string, cause: unknown) {
    const reason = describeError(cause);
    super(`cannot ${action} ${path}: ${reason}`, { cause });
    this.name = 'DurableFileError';
    const isCoded = cause instanceof Error && 'code' in cause && typeof cause.code === 'string';
    this.code = isCoded ? String(cause.code) : '';
    this.path = path;
  }
}

export interface DurableFileOptions {
  /** Permissions of a file that is made; 0600 unless given. */
  readonly mode?: number;
  readonly fileSystem?: FileSystem;
}

const ownerOnly = 0o600;
/** Text is gathered into writes of about this size, with a return to the event loop after each. */
const sliceBytes = 256 * 1024;

/** Runs `action`; whatever it throws becomes a `DurableFileError`. */
function attempt<T>(action: string, path: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw new DurableFileError(action, path, error);
  }
}

/** Writes all of `bytes` at `position`; throws when only a part of it could be written. */
function writeWhole(fs: FileSystem, fd: number, bytes: Uint8Array, position: number): void {
  let written = 0;
  while (written < bytes.length) {
    const count = fs.writeSync(fd, bytes, written, bytes.length - written, position + written);
    if (count === 0) throw new Error('nothing could be written');
    written += count;
  }
}

/** Makes the names in the folder of `path` durable: a rename is not on the disk before that. */
function syncFolder(fs: FileSystem, path: string): void {
  const fd = fs.openSync(dirname(path), 'r');
  try {
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}

/** Tries to undo something after a failure, whose own error matters more than this one's. */
function quietly(run: () => void): void {
  try {
    run();
  } catch {
    // The first error is the one to report.
  }
}

async function writeAll(fs: FileSystem, fd: number, texts: Iterable<string>): Promise<number> {
  let size = 0;
  let gathered: string[] = [];
  let length = 0;
  const flush = () => {
    const bytes = Buffer.from(gathered.join(''), 'utf8');
    writeWhole(fs, fd, bytes, size);
    size += bytes.length;
    gathered = [];
    length = 0;
  };
  for (const text of texts) {
    gathered.push(text);
    length += text.length;
    if (length < sliceBytes) continue;
    flush();
    await nextTurnOfLoop();
  }
  flush();
  await new Promise<void>((resolve, reject) => {
    fs.fsync(fd, (error) => (error === null || error === undefined ? resolve() : reject(error)));
  });
  return size;
}

/** Writes a new file over `path` and returns it open; the old file is untouched on any failure. */
async function replaceFile(
  path: string,
  texts: Iterable<string>,
  fs: FileSystem,
  mode: number,
): Promise<{ fd: number; size: number }> {
  const beside = `${path}.new`;
  const fd = attempt('create', beside, () => fs.openSync(beside, 'w', mode));
  try {
    const size = await writeAll(fs, fd, texts);
    fs.renameSync(beside, path);
    return { fd, size };
  } catch (error) {
    quietly(() => fs.closeSync(fd));
    quietly(() => fs.unlinkSync(beside));
    throw new DurableFileError('replace', path, error);
  }
}

/**
 * Puts `texts`, each with its own line end, in place of the content of `path`, which need not
 * exist. Whoever reads it, also after a crash, finds all of the old content or all of the new. Goes
 * through `path` + `.new`, so that one path is written by one caller at a time. Rejects with
 * DurableFileError.
 */
export async function writeAtomically(
  path: string,
  texts: Iterable<string>,
  { mode = ownerOnly, fileSystem = nodeFs }: DurableFileOptions = {},
): Promise<void> {
  const { fd } = await replaceFile(path, texts, fileSystem, mode);
  attempt('close', path, () => fileSystem.closeSync(fd));
  attempt('sync the folder of', path, () => syncFolder(fileSystem, path));
}

/**
 * Copies the file at `path` to `path.SUFFIX` (`path.SUFFIX.2` and so on when that is taken) and
 * returns the copy's path. Throws DurableFileError.
 */
export function keepCopy(path: string, suffix: string): string {
  for (let number = 1; ; number++) {
    const copy = number === 1 ? `${path}.${suffix}` : `${path}.${suffix}.${number}`;
    try {
      nodeFs.copyFileSync(path, copy, nodeFs.constants.COPYFILE_EXCL);
      const fd = nodeFs.openSync(copy, 'r+');
      nodeFs.fsyncSync(fd);
      nodeFs.closeSync(fd);
      return copy;
    } catch (error) {
      const isTaken = error instanceof Error && 'code' in error && error.code === 'EEXIST';
      if (!isTaken || number === 1_000) throw new DurableFileError('copy', path, error);
    }
  }
}

/** A file that is appended to. One process at a time may have it open. */
export class DurableFile {
  readonly path: string;
  readonly #fs: FileSystem;
  readonly #mode: number;
  #fd: number;
  #size: number;
  /** Bytes of a failed append may lie behind `#size`, because cutting them off failed too. */
  #hasRemains = false;
  #isReplacing = false;
  /** False after a rename that is not known to be on the disk. */
  #isFolderSynced = true;
  #appended = 0;
  #syncedUpTo = 0;
  #syncing: Promise<void> | undefined;
  #nextSync: Promise<void> | undefined;

  private constructor(path: string, fd: number, size: number, fs: FileSystem, mode: number) {
    this.path = path;
    this.#fd = fd;
    this.#size = size;
    this.#fs = fs;
    this.#mode = mode;
  }

  /** Opens `path`, making it when it is not there. Throws DurableFileError. */
  static open(
    path: string,
    { mode = ownerOnly, fileSystem = nodeFs }: DurableFileOptions = {},
  ): DurableFile {
    return attempt('open', path, () => {
      const { O_RDWR, O_CREAT } = nodeFs.constants;
      const fd = fileSystem.openSync(path, O_RDWR | O_CREAT, mode);
      try {
        const { size } = fileSystem.fstatSync(fd);
        syncFolder(fileSystem, path);
        return new DurableFile(path, fd, size, fileSystem, mode);
      } catch (error) {
        quietly(() => fileSystem.closeSync(fd));
        throw error;
      }
    });
  }

  /** Bytes. */
  get size(): number {
    return this.#size;
  }

  /** Writes `text` at the end; if it cannot, leaves the file as it was and throws DurableFileError. */
  append(text: string): void {
    if (this.#isReplacing)
      throw new DurableFileError('append to', this.path, 'it is being replaced');
    const bytes = Buffer.from(text, 'utf8');
    try {
      if (this.#hasRemains) this.#cut(this.#size);
      writeWhole(this.#fs, this.#fd, bytes, this.#size);
    } catch (error) {
      this.#hasRemains = true;
      quietly(() => this.#cut(this.#size));
      throw new DurableFileError('append to', this.path, error);
    }
    this.#size += bytes.length;
    this.#appended += 1;
  }

  /** Cuts the file to `size` bytes. Throws DurableFileError. */
  truncate(size: number): void {
    attempt('cut', this.path, () => this.#cut(size));
    this.#size = size;
    this.#appended += 1;
  }

  /**
   * Resolves when everything appended so far is on the disk; callers that wait at the same time
   * share one sync. Rejects with DurableFileError; what is on the disk is then unknown.
   */
  sync(): Promise<void> {
    if (this.#syncedUpTo === this.#appended) return Promise.resolve();
    if (this.#nextSync !== undefined) return this.#nextSync;
    if (this.#syncing === undefined) return this.#startSync();
    // The one under way began before the caller's last append and may miss it.
    this.#nextSync = this.#syncing.then(
      () => this.#startSync(),
      () => this.#startSync(),
    );
    return this.#nextSync;
  }

  /**
   * Puts `texts`, each with its own line end, in place of the content, atomically and durably. No
   * append is allowed before it settles. On rejection with DurableFileError the old content is
   * there, or, when only the folder's sync failed, the new.
   */
  async replace(texts: Iterable<string>): Promise<void> {
    if (this.#isReplacing) throw new DurableFileError('replace', this.path, 'it is being replaced');
    this.#isReplacing = true;
    try {
      const { fd, size } = await replaceFile(this.path, texts, this.#fs, this.#mode);
      await this.#syncsDone();
      const old = this.#fd;
      this.#fd = fd;
      this.#size = size;
      this.#hasRemains = false;
      quietly(() => this.#fs.closeSync(old));
      this.#isFolderSynced = false;
      this.#appended += 1;
      await this.sync();
    } finally {
      this.#isReplacing = false;
    }
  }

  /** Syncs and closes the file, which is of no use afterwards. Rejects with DurableFileError. */
  async close(): Promise<void> {
    try {
      await this.sync();
    } finally {
      await this.#syncsDone();
      attempt('close', this.path, () => this.#fs.closeSync(this.#fd));
    }
  }

  #cut(size: number): void {
    this.#fs.ftruncateSync(this.#fd, size);
    this.#hasRemains = false;
  }

  #startSync(): Promise<void> {
    this.#nextSync = undefined;
    const upTo = this.#appended;
    if (!this.#isFolderSynced) {
      try {
        syncFolder(this.#fs, this.path);
        this.#isFolderSynced = true;
      } catch (error) {
        return Promise.reject(new DurableFileError('sync the folder of', this.path, error));
      }
    }
    const sync = new Promise<void>((resolve, reject) => {
      this.#fs.fdatasync(this.#fd, (error) => {
        this.#syncing = undefined;
        if (error !== null && error !== undefined) {
          reject(new DurableFileError('sync', this.path, error));
          return;
        }
        this.#syncedUpTo = Math.max(this.#syncedUpTo, upTo);
        resolve();
      });
    });
    this.#syncing = sync;
    return sync;
  }

  /** Resolves when no sync holds the file descriptor any more. */
  async #syncsDone(): Promise<void> {
    for (let sync = this.#nextSync ?? this.#syncing; sync !== undefined; ) {
      await sync.catch(() => {});
      sync = this.#nextSync ?? this.#syncing;
    }
  }
}
