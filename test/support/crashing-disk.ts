/**
 * A disk in memory that fills up, fails, or loses its power at a chosen operation. It keeps two
 * views apart: what a process that starts again after `kill -9` finds, and the least that is left
 * after a power failure, which is what was synced, files and folders each.
 */
import type { FileSystem } from '../../src/log/durable-file.ts';

interface Inode {
  bytes: Buffer;
  synced: Buffer;
}

function diskError(code: string): Error {
  return Object.assign(new Error(`${code}: simulated`), { code });
}

const folder = Symbol('folder');

export class CrashingDisk implements FileSystem {
  /** Bytes that may still be written; a write beyond it is cut short, the next one fails. */
  freeBytes = Number.POSITIVE_INFINITY;
  /** The operation, counted from 0, at which the power goes; everything after it fails as well. */
  crashAt = Number.POSITIVE_INFINITY;
  /** Operations that fail with EIO, by the method's name. */
  readonly failing = new Set<string>();
  operations = 0;
  syncs = 0;
  openCount = 0;
  #names = new Map<string, Inode>();
  #syncedNames = new Map<string, Inode>();
  readonly #open = new Map<number, Inode | typeof folder>();
  #nextFd = 3;

  /** What a new process finds after the old one was killed: every write that was made. */
  read(path: string): string | undefined {
    return this.#names.get(path)?.bytes.toString('utf8');
  }

  /** The least that is there after a power failure: what was synced. */
  readSynced(path: string): string | undefined {
    return this.#syncedNames.get(path)?.synced.toString('utf8');
  }

  get paths(): string[] {
    return [...this.#names.keys()];
  }

  openSync(path: string, flags: number | string): number {
    this.#step('openSync');
    const fd = this.#nextFd++;
    this.openCount += 1;
    if (flags === 'r') {
      this.#open.set(fd, folder);
      return fd;
    }
    const inode = this.#names.get(path) ?? { bytes: Buffer.alloc(0), synced: Buffer.alloc(0) };
    if (flags === 'w') inode.bytes = Buffer.alloc(0);
    this.#names.set(path, inode);
    this.#open.set(fd, inode);
    return fd;
  }

  closeSync(fd: number): void {
    this.#step('closeSync');
    if (!this.#open.delete(fd)) throw diskError('EBADF');
    this.openCount -= 1;
  }

  writeSync(fd: number, bytes: Uint8Array, offset: number, length: number, at: number): number {
    // A crash can come in the middle of a write, so half of it lands first.
    const dies = this.operations === this.crashAt;
    const count = Math.min(dies ? length >> 1 : length, this.freeBytes);
    const inode = this.#inode(fd);
    if (this.operations <= this.crashAt && !this.failing.has('writeSync')) {
      const end = Math.max(inode.bytes.length, at + count);
      const grown = Buffer.alloc(end);
      inode.bytes.copy(grown);
      grown.set(bytes.subarray(offset, offset + count), at);
      inode.bytes = grown;
    }
    this.#step('writeSync');
    if (count === 0 && length > 0) throw diskError('ENOSPC');
    this.freeBytes -= count;
    return count;
  }

  fstatSync(fd: number): { size: number } {
    return { size: this.#inode(fd).bytes.length };
  }

  ftruncateSync(fd: number, length: number): void {
    this.#step('ftruncateSync');
    const inode = this.#inode(fd);
    inode.bytes = inode.bytes.subarray(0, length);
  }

  fsyncSync(fd: number): void {
    this.#step('fsyncSync');
    if (this.#open.get(fd) === folder) this.#syncedNames = new Map(this.#names);
    else this.#sync(fd);
  }

  fsync(fd: number, done: (error: Error | null) => void): void {
    setImmediate(() => done(this.#trySync('fsync', fd)));
  }

  fdatasync(fd: number, done: (error: Error | null) => void): void {
    this.syncs += 1;
    // What is written while the sync is under way is not covered by it.
    const before = this.#inode(fd).bytes;
    setImmediate(() => {
      const failure = this.#attempt('fdatasync');
      if (failure === null) this.#inode(fd).synced = before;
      done(failure);
    });
  }

  renameSync(from: string, to: string): void {
    this.#step('renameSync');
    const inode = this.#names.get(from);
    if (inode === undefined) throw diskError('ENOENT');
    this.#names.delete(from);
    this.#names.set(to, inode);
  }

  unlinkSync(path: string): void {
    this.#step('unlinkSync');
    this.#names.delete(path);
  }

  #trySync(name: string, fd: number): Error | null {
    const failure = this.#attempt(name);
    if (failure === null) this.#sync(fd);
    return failure;
  }

  #sync(fd: number): void {
    const inode = this.#inode(fd);
    inode.synced = inode.bytes;
  }

  #inode(fd: number): Inode {
    const inode = this.#open.get(fd);
    if (inode === undefined || inode === folder) throw diskError('EBADF');
    return inode;
  }

  #attempt(name: string): Error | null {
    try {
      this.#step(name);
      return null;
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  }

  #step(name: string): void {
    const isDead = this.operations >= this.crashAt;
    this.operations += 1;
    if (isDead) throw diskError('EIO');
    if (this.failing.has(name)) throw diskError('EIO');
  }
}
