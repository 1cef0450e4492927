/**
 * The rows of the pattern database: what is kept of each pattern, in typed arrays, 46 bytes and a
 * little at PatternSize 16 where an object would take several hundred. Rows live in blocks that are
 * added one at a time, so that growing copies nothing and holds at most one block too much; freed
 * rows are used again first. A double chain keeps the order of insertion. Rows of equal bytes
 * ("twins") are chained too, in columns that a block has only once it needs them.
 */

const blockRows = 4096;
const blockShift = 12;
const blockMask = blockRows - 1;

/** The last value that the hit count reaches; it stays there. */
const hitsMax = 2 ** 32 - 1;
const wordRange = 2 ** 32;

// Columns of `words`, by name; a row number is stored plus one, zero meaning none.
const origLengthColumn = 0;
const hitsColumn = 1;
const nextColumn = 2;
const previousColumn = 3;
const addedLowColumn = 4;
const lastHitLowColumn = 5;
const wordColumns = 6;

// Columns of `halves`. The times are milliseconds in 48 bits, which last until the year 10889.
const fromColumn = 0;
const addedHighColumn = 1;
const lastHitHighColumn = 2;
const halfColumns = 3;

interface Block {
  readonly bytes: Uint8Array;
  readonly words: Uint32Array;
  readonly halves: Uint16Array;
  /** Two columns, next and previous twin, each a row number plus one. */
  twins: Uint32Array | undefined;
}

/** What a new row is made of; `from` is an index below 65,536 into a table of its owner's. */
export interface NewRow {
  readonly pattern: Uint8Array;
  readonly origLength: number;
  readonly from: number;
  readonly atMs: number;
}

/** A growing table of rows. Row numbers are stable until the row is freed. */
export class PatternRows {
  readonly #patternSize: number;
  readonly #blocks: Block[] = [];
  #used = 0;
  #freed = 0;
  #head = 0;
  #tail = 0;

  constructor(patternSize: number) {
    this.#patternSize = patternSize;
  }

  /** Takes a row at the end of the order and fills it in; gives its number. */
  append({ pattern, origLength, from, atMs }: NewRow): number {
    const row = this.#take();
    const block = this.#block(row);
    block.bytes.set(pattern, (row & blockMask) * this.#patternSize);
    this.#setWord(row, origLengthColumn, origLength);
    this.#setWord(row, hitsColumn, 0);
    this.#setWord(row, addedLowColumn, atMs % wordRange);
    this.#setHalf(row, addedHighColumn, atMs / wordRange);
    this.#setHalf(row, fromColumn, from);
    this.#setWord(row, nextColumn, 0);
    this.#setWord(row, previousColumn, this.#tail);
    if (this.#tail === 0) this.#head = row + 1;
    else this.#setWord(this.#tail - 1, nextColumn, row + 1);
    this.#tail = row + 1;
    return row;
  }

  /** Takes a row out of the order; its number may be used again. It must have no twin. */
  free(row: number): void {
    const next = this.#word(row, nextColumn);
    const previous = this.#word(row, previousColumn);
    if (previous === 0) this.#head = next;
    else this.#setWord(previous - 1, nextColumn, next);
    if (next === 0) this.#tail = previous;
    else this.#setWord(next - 1, previousColumn, previous);
    this.#setWord(row, nextColumn, this.#freed);
    this.#freed = row + 1;
  }

  /** The row inserted first, -1 when there is none. */
  get firstRow(): number {
    return this.#head - 1;
  }

  /** The row inserted after `row`, -1 when it is the last. */
  rowAfter(row: number): number {
    return this.#word(row, nextColumn) - 1;
  }

  /** Whether the row's pattern is bytes[start, start + length), zeros following. */
  equalsBytes(row: number, bytes: Uint8Array, start: number, length: number): boolean {
    const own = (this.#blocks[row >>> blockShift] as Block).bytes;
    const base = (row & blockMask) * this.#patternSize;
    for (let at = 0; at < length; at += 1) {
      if (own[base + at] !== bytes[start + at]) return false;
    }
    return this.#zerosFrom(own, base, length);
  }

  /** The same for a latin1 string. */
  equalsString(row: number, text: string, start: number, length: number): boolean {
    const own = (this.#blocks[row >>> blockShift] as Block).bytes;
    const base = (row & blockMask) * this.#patternSize;
    for (let at = 0; at < length; at += 1) {
      if (own[base + at] !== text.charCodeAt(start + at)) return false;
    }
    return this.#zerosFrom(own, base, length);
  }

  #zerosFrom(own: Uint8Array, base: number, length: number): boolean {
    for (let at = Math.max(length, 0); at < this.#patternSize; at += 1) {
      if (own[base + at] !== 0) return false;
    }
    return true;
  }

  /** The row's hash under a function over bytes, a start and a length. */
  hash(row: number, ofBytes: (bytes: Uint8Array, start: number, length: number) => number): number {
    const start = (row & blockMask) * this.#patternSize;
    return ofBytes(this.#block(row).bytes, start, this.#patternSize);
  }

  /** A copy of the row's pattern. */
  pattern(row: number): Uint8Array {
    const start = (row & blockMask) * this.#patternSize;
    return this.#block(row).bytes.slice(start, start + this.#patternSize);
  }

  origLength(row: number): number {
    return this.#word(row, origLengthColumn);
  }

  from(row: number): number {
    return this.#half(row, fromColumn);
  }

  addedAtMs(row: number): number {
    return this.#half(row, addedHighColumn) * wordRange + this.#word(row, addedLowColumn);
  }

  hits(row: number): number {
    return this.#word(row, hitsColumn);
  }

  /** Undefined until the first hit. */
  lastHitMs(row: number): number | undefined {
    if (this.hits(row) === 0) return undefined;
    return this.#half(row, lastHitHighColumn) * wordRange + this.#word(row, lastHitLowColumn);
  }

  /** Counts a hit, up to 2^32 - 1 in all. */
  countHit(row: number, nowMs: number): void {
    this.#setWord(row, hitsColumn, Math.min(this.hits(row) + 1, hitsMax));
    this.#setWord(row, lastHitLowColumn, nowMs % wordRange);
    this.#setHalf(row, lastHitHighColumn, nowMs / wordRange);
  }

  /** Raises the hits to at least `hits`, the last of them at `lastHitMs` if not later. */
  noteHits(row: number, hits: number, lastHitMs: number): void {
    const lastMs = Math.max(this.lastHitMs(row) ?? 0, lastHitMs);
    this.#setWord(row, hitsColumn, Math.min(Math.max(this.hits(row), hits), hitsMax));
    this.#setWord(row, lastHitLowColumn, lastMs % wordRange);
    this.#setHalf(row, lastHitHighColumn, lastMs / wordRange);
  }

  /** The twin added after `row`, -1 when there is none. */
  twinAfter(row: number): number {
    return this.#twin(row, 0) - 1;
  }

  /** Chains `row` behind the other twins of `head`, the twin added first. */
  addTwin(head: number, row: number): void {
    // The head has no previous twin; it keeps the last one there, perhaps itself, or nothing yet.
    const last = this.#twin(head, 1) || head + 1;
    this.#setTwin(last - 1, 0, row + 1);
    this.#setTwin(row, 1, last);
    this.#setTwin(row, 0, 0);
    this.#setTwin(head, 1, row + 1);
  }

  /** Unchains `row`, which is not `head`. */
  removeTwin(head: number, row: number): void {
    const next = this.#twin(row, 0);
    const previous = this.#twin(row, 1);
    this.#setTwin(previous - 1, 0, next);
    if (next !== 0) this.#setTwin(next - 1, 1, previous);
    else this.#setTwin(head, 1, previous);
    this.#clearTwins(row);
  }

  /** Unchains `head` itself, which has twins; the one after it becomes the head and is given. */
  removeHeadTwin(head: number): number {
    const next = this.twinAfter(head);
    this.#setTwin(next, 1, this.#twin(head, 1));
    this.#clearTwins(head);
    return next;
  }

  #clearTwins(row: number): void {
    this.#setTwin(row, 0, 0);
    this.#setTwin(row, 1, 0);
  }

  #take(): number {
    if (this.#freed !== 0) {
      const row = this.#freed - 1;
      this.#freed = this.#word(row, nextColumn);
      return row;
    }
    if (this.#used === this.#blocks.length * blockRows) {
      this.#blocks.push({
        bytes: new Uint8Array(blockRows * this.#patternSize),
        words: new Uint32Array(blockRows * wordColumns),
        halves: new Uint16Array(blockRows * halfColumns),
        twins: undefined,
      });
    }
    this.#used += 1;
    return this.#used - 1;
  }

  #block(row: number): Block {
    return this.#blocks[row >>> blockShift] as Block;
  }

  #word(row: number, column: number): number {
    return this.#block(row).words[(row & blockMask) * wordColumns + column] as number;
  }

  #setWord(row: number, column: number, value: number): void {
    this.#block(row).words[(row & blockMask) * wordColumns + column] = value;
  }

  #half(row: number, column: number): number {
    return this.#block(row).halves[(row & blockMask) * halfColumns + column] as number;
  }

  #setHalf(row: number, column: number, value: number): void {
    this.#block(row).halves[(row & blockMask) * halfColumns + column] = value;
  }

  #twin(row: number, column: 0 | 1): number {
    return this.#block(row).twins?.[(row & blockMask) * 2 + column] ?? 0;
  }

  #setTwin(row: number, column: 0 | 1, value: number): void {
    const block = this.#block(row);
    if (block.twins === undefined && value === 0) return;
    block.twins ??= new Uint32Array(blockRows * 2);
    block.twins[(row & blockMask) * 2 + column] = value;
  }
}
