/** A journal in memory, whose writes and syncs can be made to fail. */
import type { Journal } from '../../src/virus/pattern-database.ts';

export class MemoryJournal implements Journal {
  text: string;
  /** Bytes that may still be appended. */
  freeBytes = Number.POSITIVE_INFINITY;
  failSync = false;
  failReplace = false;
  syncs = 0;
  replacements = 0;

  constructor(text = '') {
    this.text = text;
  }

  get size(): number {
    return this.text.length;
  }

  append(text: string): void {
    if (text.length > this.freeBytes) throw new Error('cannot append to virus.journal: ENOSPC');
    this.freeBytes -= text.length;
    this.text += text;
  }

  async sync(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    this.syncs += 1;
    if (this.failSync) throw new Error('cannot sync virus.journal: EIO');
  }

  truncate(size: number): void {
    this.text = this.text.slice(0, size);
  }

  async replace(lines: Iterable<string>): Promise<void> {
    const text = [...lines].join('');
    await new Promise((resolve) => setImmediate(resolve));
    if (this.failReplace) throw new Error('cannot replace virus.journal: ENOSPC');
    this.text = text;
    this.replacements += 1;
  }
}
