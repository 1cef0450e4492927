/**
 * The distribution of requests within a refresh interval (the paper, "Enabling and Configuring Auto
 * Update": "the number of new requests that hash to the same value"): how often each window came. In
 * bounded memory, whatever is sent. Windows are compared by their bytes and not by their hash alone, so
 * no window is ever reported that did not come often enough; and none is missed while not more than
 * `distinctMax` different ones come in an interval. Of more, the least seen are forgotten. Pure.
 */
import { rowExtraBytes, WindowRows } from './window-rows.ts';

export interface DistributionTableOptions {
  /** Bytes. */
  readonly patternSize: number;
  /** The memory that the table may take. */
  readonly bytesMax: number;
}

const slotBytes = 4;
/** Slots a row: at most half of the slots are taken. */
const slotsPerRow = 2;
/** The slots in use at first, and how much more they become when they fill. */
const slotsAtFirst = 4096;
const growth = 4;
/** So many rows are compared to find one that can be given up. */
const candidates = 8;

/** The largest power of two rows of which everything fits into `bytesMax`, or all rows that fit. */
function rowCountFor({ patternSize, bytesMax }: DistributionTableOptions): number {
  const rowBytes = patternSize + rowExtraBytes;
  let slots = 2;
  // As many slots as leave room for half as many rows, or for the rows that are left room for.
  while (slots * 2 * slotBytes + (slots * 2 * rowBytes) / slotsPerRow <= bytesMax) slots *= 2;
  return slots;
}

/** Counts windows; an interval at a time. */
export class DistributionTable {
  /** So many different windows are counted exactly in one interval. */
  readonly distinctMax: number;
  /** The memory that the table takes once it is full. */
  readonly bytes: number;
  readonly #patternSize: number;
  readonly #rows: WindowRows;
  /** Row numbers plus one, in the low bits, below the low bits of the hash; 0 where there is none. */
  readonly #slots: Uint32Array;
  /** Of the slots so many are in use, less one: few windows should stay in few cache lines. */
  #slotMask: number;
  #slotShift: number;
  /** With more rows than this the slots in use are too full. */
  #rowsMax: number;
  readonly #rowBits: number;
  readonly #rowMask: number;
  #interval = Number.NaN;
  #distinct = 0;
  #displaced = 0;
  #hand = 0;
  #lastRow = -1;

  constructor(options: DistributionTableOptions) {
    const { patternSize } = options;
    const slotCount = rowCountFor(options);
    this.#patternSize = patternSize;
    this.distinctMax = slotCount / slotsPerRow;
    this.bytes = slotCount * slotBytes + this.distinctMax * (patternSize + rowExtraBytes);
    this.#rows = new WindowRows(this.distinctMax, patternSize);
    this.#slots = new Uint32Array(slotCount);
    this.#slotMask = 0;
    this.#slotShift = 0;
    this.#rowsMax = 0;
    this.#useSlots(slotsAtFirst);
    this.#rowBits = Math.log2(slotCount);
    this.#rowMask = slotCount - 1;
  }

  /** How many different windows are counted in the running interval. */
  get distinct(): number {
    return this.#distinct;
  }

  /** How many windows were forgotten within their interval so far. */
  get displaced(): number {
    return this.#displaced;
  }

  /**
   * Counts the window that begins at `start` and ends at `end` or after PatternSize bytes, zero-padded.
   * `hash` is its WindowHash under a secret seed, always the same one. `interval` is the number of the
   * running refresh interval; another one than last time begins anew.
   * True: the window came more than `threshold` times in the interval and was not reported in it yet; it
   * counts as reported now. 0 <= start <= end <= bytes.length.
   */
  tally(
    bytes: Uint8Array,
    start: number,
    end: number,
    hash: number,
    interval: number,
    threshold: number,
  ): boolean {
    if (interval !== this.#interval) this.#begin(interval);
    const length = Math.min(end - start, this.#patternSize);
    const slots = this.#slots;
    const rowMask = this.#rowMask;
    const rows = this.#rows;
    const tag = hash << this.#rowBits;
    let slot = hash >>> this.#slotShift;
    for (let value = slots[slot] as number; value !== 0; value = slots[slot] as number) {
      if (((value ^ tag) & ~rowMask) === 0) {
        const row = (value & rowMask) - 1;
        if (rows.equals(row, bytes, start, length)) return this.#countUp(row, threshold);
      }
      slot = (slot + 1) & this.#slotMask;
    }
    const row = this.#distinct;
    if (row >= this.#rowsMax) return this.#tallyInFull(bytes, start, length, hash, threshold);
    this.#distinct = row + 1;
    slots[slot] = (tag | (row + 1)) >>> 0;
    rows.put(row, bytes, start, length, hash);
    return threshold < 1 && this.#report(row);
  }

  /** Takes the last report back: the window's next request reports again. */
  withdraw(): void {
    if (this.#lastRow !== -1) this.#rows.setReported(this.#lastRow, false);
  }

  /** Forgets which windows were reported: their next requests report again. */
  reportAgain(): void {
    for (let row = 0; row < this.#distinct; row += 1) this.#rows.setReported(row, false);
  }

  #countUp(row: number, threshold: number): boolean {
    const rows = this.#rows;
    if (rows.countUp(row) <= threshold || rows.isReported(row)) return false;
    return this.#report(row);
  }

  #report(row: number): true {
    this.#rows.setReported(row, true);
    this.#lastRow = row;
    return true;
  }

  /** Puts in a window for which there is no slot or no row. */
  #tallyInFull(
    bytes: Uint8Array,
    start: number,
    length: number,
    hash: number,
    threshold: number,
  ): boolean {
    const row = this.#takeRow();
    this.#rows.put(row, bytes, start, length, hash);
    this.#insert(hash, row);
    return threshold < 1 && this.#report(row);
  }

  #begin(interval: number): void {
    this.#interval = interval;
    this.#lastRow = -1;
    this.#slots.fill(0, 0, this.#slotMask + 1);
    // An interval is much like the one before it.
    let wanted = slotsAtFirst;
    while (wanted < this.#distinct * slotsPerRow) wanted *= growth;
    this.#useSlots(wanted);
    this.#distinct = 0;
  }

  #useSlots(wanted: number): void {
    const count = Math.min(wanted, this.#slots.length);
    this.#slotMask = count - 1;
    this.#slotShift = 32 - Math.log2(count);
    this.#rowsMax = count / slotsPerRow;
  }

  /** Spreads the rows over more slots. */
  #grow(): void {
    this.#slots.fill(0, 0, this.#slotMask + 1);
    this.#useSlots((this.#slotMask + 1) * growth);
    for (let row = 0; row < this.#distinct; row += 1) this.#insert(this.#rows.hash(row), row);
  }

  /** A row that is free; when there is none, the one that is missed least of the next few. */
  #takeRow(): number {
    if (this.#distinct < this.distinctMax) {
      this.#grow();
      this.#distinct += 1;
      return this.#distinct - 1;
    }
    let least = this.#hand;
    for (let step = 0; step < candidates; step += 1) {
      const row = this.#hand;
      this.#hand = row + 1 === this.distinctMax ? 0 : row + 1;
      if (this.#rows.weight(row) < this.#rows.weight(least)) least = row;
    }
    this.#remove(least);
    this.#displaced += 1;
    return least;
  }

  #insert(hash: number, row: number): void {
    const slots = this.#slots;
    let slot = hash >>> this.#slotShift;
    while (slots[slot] !== 0) slot = (slot + 1) & this.#slotMask;
    slots[slot] = ((hash << this.#rowBits) | (row + 1)) >>> 0;
  }

  /** Takes a row's slot away, and moves those back that stand behind where they belong. */
  #remove(row: number): void {
    const slots = this.#slots;
    const mask = this.#slotMask;
    let hole = this.#rows.hash(row) >>> this.#slotShift;
    while (((slots[hole] as number) & this.#rowMask) !== row + 1) hole = (hole + 1) & mask;
    for (let at = (hole + 1) & mask; slots[at] !== 0; at = (at + 1) & mask) {
      const value = slots[at] as number;
      const home = this.#rows.hash((value & this.#rowMask) - 1) >>> this.#slotShift;
      // A slot may move back into the hole unless its home lies between the hole and itself.
      if (((at - home) & mask) >= ((at - hole) & mask)) {
        slots[hole] = value;
        hole = at;
      }
    }
    slots[hole] = 0;
  }
}
