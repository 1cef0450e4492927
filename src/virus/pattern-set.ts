/**
 * The virus pattern database (the paper, "the request is compared against the patterns in the
 * database"). An entry is a pattern and an original length; a request matches on the bytes alone.
 * Looking a window up takes the same time with 100 patterns as with a million, allocates nothing, and
 * an entry takes at most 64 bytes (the paper's figure): docs/decisions/0002-pattern-set.md has the
 * measurements. It decides nothing about requests and keeps nothing on disk.
 */
import type { Provenance } from './change.ts';
import { PatternRows } from './pattern-rows.ts';
import { PatternSlots, rowLimit } from './pattern-slots.ts';
import { WindowHash } from './window-hash.ts';

/** The largest original length, in bytes; the smallest is 1. */
export const origLengthMax = 2 ** 31 - 1;

/** How many different provenances are told apart; see `PatternSet`. */
const provenanceLimit = 65_535;
const unnamedKeyword: Provenance = 'auto()';

/** One pattern of the set, as a copy: changing it changes nothing. */
export interface PatternEntry {
  /** PatternSize bytes. */
  readonly pattern: Uint8Array;
  readonly origLength: number;
  readonly from: Provenance;
  readonly addedAtMs: number;
  /** How many requests it has matched since it was added; stops at 2^32 - 1. */
  readonly hits: number;
  readonly lastHitMs: number | undefined;
}

/** `patternSize` is fixed for the life of a set: all its patterns have that length. */
export interface PatternSetOptions {
  /** Bytes, 4-64. */
  readonly patternSize: number;
  readonly maxPatterns: number;
  /** A whole number from 0 to 2^53 - 1, random at every start, so that nobody can aim collisions. */
  readonly seed: number;
}

/** Told of every change of a set, in order. */
export interface PatternSetWatcher {
  added(pattern: Uint8Array, origLength: number, from: Provenance): void;
  deleted(pattern: Uint8Array, origLength: number): void;
  cleared(): void;
}

/**
 * Patterns in the order of their insertion. Times are whole milliseconds since the epoch. Of the
 * keywords named in `auto(KEYWORD)` 65,531 different ones are remembered until `clear`; a pattern
 * learned by a further one is shown as `auto()`. Memory freed by `del` is kept for later patterns.
 */
export class PatternSet {
  readonly patternSize: number;
  /** The WindowHash, as a signed number, of the window that was looked for last. */
  lastHash = 0;
  /** May be changed at any time; below `size` it keeps what is there and refuses further patterns. */
  maxPatterns: number;
  watcher: PatternSetWatcher | undefined;
  readonly #hash: WindowHash;
  #rows: PatternRows;
  /** The first entry of each pattern, by the pattern's hash. */
  #heads: PatternSlots;
  /** The further entries with equal bytes, by the hash of pattern and original length. */
  #twins: PatternSlots;
  #provenances: Provenance[] = [];
  #provenanceIndexes = new Map<Provenance, number>();
  #size = 0;
  #changes = 0;

  constructor({ patternSize, maxPatterns, seed }: PatternSetOptions) {
    this.patternSize = patternSize;
    this.maxPatterns = maxPatterns;
    this.#hash = new WindowHash(patternSize, seed);
    this.#rows = new PatternRows(patternSize);
    this.#heads = new PatternSlots(this.#hashOfRow);
    this.#twins = new PatternSlots(this.#twinHashOfRow);
    this.#forgetProvenances();
  }

  get size(): number {
    return this.#size;
  }

  /**
   * Adds an entry; one that is present stays as it was. `pattern` has PatternSize bytes and
   * `origLength` is 1 to `origLengthMax`: anything else is a mistake of the caller and throws.
   */
  add(
    pattern: Uint8Array,
    origLength: number,
    from: Provenance,
    atMs: number,
  ): 'added' | 'present' | 'full' {
    this.#check(pattern, origLength);
    const hash = this.#hash.ofBytes(pattern, 0, this.patternSize);
    const headSlot = this.#headSlot(hash, pattern);
    const head = headSlot === -1 ? -1 : this.#heads.row(headSlot);
    if (head !== -1 && this.#rows.origLength(head) === origLength) return 'present';
    if (head !== -1 && this.#twinSlot(hash, pattern, origLength) !== -1) return 'present';
    if (this.#size >= Math.min(this.maxPatterns, rowLimit)) return 'full';
    const row = this.#rows.append({ pattern, origLength, from: this.#intern(from), atMs });
    if (head === -1) {
      this.#heads.insert(hash, row);
    } else {
      this.#rows.addTwin(head, row);
      this.#twins.insert(this.#hash.withLength(hash, origLength), row);
    }
    this.#size += 1;
    this.#changes += 1;
    this.watcher?.added(pattern, origLength, from);
    return 'added';
  }

  /** Deletes the entry with these bytes and this original length; false when there is none. */
  del(pattern: Uint8Array, origLength: number): boolean {
    if (pattern.length !== this.patternSize) return false;
    const hash = this.#hash.ofBytes(pattern, 0, this.patternSize);
    const headSlot = this.#headSlot(hash, pattern);
    if (headSlot === -1) return false;
    const head = this.#heads.row(headSlot);
    const isHead = this.#rows.origLength(head) === origLength;
    if (isHead) this.#delHead(hash, headSlot);
    else if (!this.#delTwin(hash, head, pattern, origLength)) return false;
    this.#size -= 1;
    this.#changes += 1;
    this.watcher?.deleted(pattern, origLength);
    return true;
  }

  /** Whether the entry with these bytes and this original length is there. */
  has(pattern: Uint8Array, origLength: number): boolean {
    return this.#rowOf(pattern, origLength) !== -1;
  }

  /** Whether any entry has these bytes. */
  hasPattern(pattern: Uint8Array): boolean {
    return this.findInBytes(pattern, 0, pattern.length) !== -1;
  }

  /** The entry with these bytes and this original length. */
  find(pattern: Uint8Array, origLength: number): PatternEntry | undefined {
    const row = this.#rowOf(pattern, origLength);
    return row === -1 ? undefined : this.entry(row);
  }

  /** Raises an entry's hits to what an earlier run has counted; does nothing when there is no entry. */
  noteSeen(pattern: Uint8Array, origLength: number, hits: number, lastHitMs: number): void {
    const row = this.#rowOf(pattern, origLength);
    if (row !== -1) this.#rows.noteHits(row, hits, lastHitMs);
  }

  /** Deletes every entry and gives the memory back. */
  clear(): void {
    this.#rows = new PatternRows(this.patternSize);
    this.#heads = new PatternSlots(this.#hashOfRow);
    this.#twins = new PatternSlots(this.#twinHashOfRow);
    this.#forgetProvenances();
    this.#size = 0;
    this.#changes += 1;
    this.watcher?.cleared();
  }

  /**
   * The index of the entry whose pattern is the window that begins at `start` and ends at `end` or
   * after PatternSize bytes, zero-padded; of several the one added first; -1 when there is none. An
   * index is valid until the next change of the set. 0 <= start; end <= bytes.length.
   */
  findInBytes(bytes: Uint8Array, start: number, end: number): number {
    const length = Math.min(end - start, this.patternSize);
    const hash = this.#hash.ofBytes(bytes, start, length);
    this.lastHash = hash | 0;
    const heads = this.#heads;
    for (let slot = heads.first(hash); slot !== -1; slot = heads.next(hash, slot)) {
      const row = heads.row(slot);
      if (this.#rows.equalsBytes(row, bytes, start, length)) return row;
    }
    return -1;
  }

  /** The same for the window that begins at `start` of a latin1 string, one character a byte. */
  findInString(text: string, start: number): number {
    const length = Math.min(text.length - start, this.patternSize);
    const hash = this.#hash.ofString(text, start, length);
    this.lastHash = hash | 0;
    const heads = this.#heads;
    for (let slot = heads.first(hash); slot !== -1; slot = heads.next(hash, slot)) {
      const row = heads.row(slot);
      if (this.#rows.equalsString(row, text, start, length)) return row;
    }
    return -1;
  }

  /** Counts a hit of the entry at a found index. */
  hit(index: number, nowMs: number): void {
    this.#rows.countHit(index, nowMs);
  }

  /** The entry at a found index. */
  entry(index: number): PatternEntry {
    const rows = this.#rows;
    return {
      pattern: rows.pattern(index),
      origLength: rows.origLength(index),
      from: this.#provenances[rows.from(index)] ?? unnamedKeyword,
      addedAtMs: rows.addedAtMs(index),
      hits: rows.hits(index),
      lastHitMs: rows.lastHitMs(index),
    };
  }

  /** The entries in the order of their insertion. Throws when the set is changed meanwhile. */
  *entries(): Generator<PatternEntry> {
    const changes = this.#changes;
    for (let row = this.#rows.firstRow; row !== -1; row = this.#rows.rowAfter(row)) {
      yield this.entry(row);
      if (changes !== this.#changes) throw new Error('the pattern set changed while it was listed');
    }
  }

  #delHead(hash: number, headSlot: number): void {
    const head = this.#heads.row(headSlot);
    if (this.#rows.twinAfter(head) === -1) {
      this.#heads.remove(headSlot);
    } else {
      const heir = this.#rows.removeHeadTwin(head);
      const pattern = this.#rows.pattern(heir);
      this.#twins.remove(this.#twinSlot(hash, pattern, this.#rows.origLength(heir)));
      this.#heads.replace(headSlot, heir);
    }
    this.#rows.free(head);
  }

  #delTwin(hash: number, head: number, pattern: Uint8Array, origLength: number): boolean {
    const slot = this.#twinSlot(hash, pattern, origLength);
    if (slot === -1) return false;
    const row = this.#twins.row(slot);
    this.#twins.remove(slot);
    this.#rows.removeTwin(head, row);
    this.#rows.free(row);
    return true;
  }

  /** The row with these bytes and this original length, -1 when there is none. */
  #rowOf(pattern: Uint8Array, origLength: number): number {
    if (pattern.length !== this.patternSize) return -1;
    const hash = this.#hash.ofBytes(pattern, 0, this.patternSize);
    const headSlot = this.#headSlot(hash, pattern);
    if (headSlot === -1) return -1;
    const head = this.#heads.row(headSlot);
    if (this.#rows.origLength(head) === origLength) return head;
    const twinSlot = this.#twinSlot(hash, pattern, origLength);
    return twinSlot === -1 ? -1 : this.#twins.row(twinSlot);
  }

  #headSlot(hash: number, pattern: Uint8Array): number {
    const heads = this.#heads;
    let slot = heads.first(hash);
    while (slot !== -1) {
      if (this.#rows.equalsBytes(heads.row(slot), pattern, 0, this.patternSize)) break;
      slot = heads.next(hash, slot);
    }
    return slot;
  }

  #twinSlot(patternHash: number, pattern: Uint8Array, origLength: number): number {
    const twins = this.#twins;
    const hash = this.#hash.withLength(patternHash, origLength);
    let slot = twins.first(hash);
    while (slot !== -1) {
      const row = twins.row(slot);
      const sameLength = this.#rows.origLength(row) === origLength;
      if (sameLength && this.#rows.equalsBytes(row, pattern, 0, this.patternSize)) break;
      slot = twins.next(hash, slot);
    }
    return slot;
  }

  readonly #ofBytes = (bytes: Uint8Array, start: number, length: number) =>
    this.#hash.ofBytes(bytes, start, length);

  readonly #hashOfRow = (row: number) => this.#rows.hash(row, this.#ofBytes);

  readonly #twinHashOfRow = (row: number) =>
    this.#hash.withLength(this.#hashOfRow(row), this.#rows.origLength(row));

  #intern(from: Provenance): number {
    const known = this.#provenanceIndexes.get(from);
    if (known !== undefined) return known;
    if (this.#provenances.length >= provenanceLimit) return 0;
    this.#provenanceIndexes.set(from, this.#provenances.length);
    return this.#provenances.push(from) - 1;
  }

  #forgetProvenances(): void {
    this.#provenances = [];
    this.#provenanceIndexes = new Map();
    for (const plain of [unnamedKeyword, 'shipped', 'ncf', 'console'] as const) {
      this.#intern(plain);
    }
  }

  #check(pattern: Uint8Array, origLength: number): void {
    if (pattern.length !== this.patternSize) {
      throw new RangeError(`a pattern of this set has ${this.patternSize} bytes`);
    }
    if (!Number.isInteger(origLength) || origLength < 1 || origLength > origLengthMax) {
      throw new RangeError(`the original length must be 1 to ${origLengthMax}`);
    }
  }
}
