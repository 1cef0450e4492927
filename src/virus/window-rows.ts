/**
 * The rows of the distribution table: windows with their counts, in typed arrays that are allocated
 * once. Pages of memory that no row has used are never touched. Row numbers count from 0.
 */

/** The top bit of a count says that the window was reported. */
const reportedBit = 0x8000_0000;
const countMask = 0x7fff_ffff;

/** Bytes a row takes besides its window. */
export const rowExtraBytes = 8;

export class WindowRows {
  readonly #patternSize: number;
  readonly #bytes: Uint8Array;
  readonly #counts: Uint32Array;
  readonly #hashes: Uint32Array;

  constructor(rowCount: number, patternSize: number) {
    this.#patternSize = patternSize;
    this.#bytes = new Uint8Array(rowCount * patternSize);
    this.#counts = new Uint32Array(rowCount);
    this.#hashes = new Uint32Array(rowCount);
  }

  /** Fills a row with the window bytes[start, start + length), zeros following, seen once. */
  put(row: number, bytes: Uint8Array, start: number, length: number, hash: number): void {
    const own = this.#bytes;
    const base = row * this.#patternSize;
    for (let at = 0; at < length; at += 1) own[base + at] = bytes[start + at] as number;
    for (let at = length; at < this.#patternSize; at += 1) own[base + at] = 0;
    this.#counts[row] = 1;
    this.#hashes[row] = hash;
  }

  /** Whether the row's window is bytes[start, start + length), zeros following. */
  equals(row: number, bytes: Uint8Array, start: number, length: number): boolean {
    const own = this.#bytes;
    const base = row * this.#patternSize;
    for (let at = 0; at < length; at += 1) {
      if (own[base + at] !== bytes[start + at]) return false;
    }
    for (let at = length; at < this.#patternSize; at += 1) if (own[base + at] !== 0) return false;
    return true;
  }

  hash(row: number): number {
    return this.#hashes[row] as number;
  }

  /** Counts the row's window once more, up to 2^31 - 1, and gives its count. */
  countUp(row: number): number {
    const value = this.#counts[row] as number;
    if ((value & countMask) !== countMask) this.#counts[row] = value + 1;
    return (this.#counts[row] as number) & countMask;
  }

  count(row: number): number {
    return (this.#counts[row] as number) & countMask;
  }

  /** Has the row's window counted as seen at least so often. */
  raise(row: number, count: number): void {
    const value = this.#counts[row] as number;
    if ((value & countMask) < count) this.#counts[row] = value - (value & countMask) + count;
  }

  /** A copy of the row's window. */
  window(row: number): Uint8Array {
    const base = row * this.#patternSize;
    return this.#bytes.slice(base, base + this.#patternSize);
  }

  /** How hard a row is to give up: its count, and above all whether it was reported. */
  weight(row: number): number {
    return this.#counts[row] as number;
  }

  isReported(row: number): boolean {
    return (this.#counts[row] as number) >= reportedBit;
  }

  setReported(row: number, isReported: boolean): void {
    const count = (this.#counts[row] as number) & countMask;
    this.#counts[row] = isReported ? count + reportedBit : count;
  }
}
