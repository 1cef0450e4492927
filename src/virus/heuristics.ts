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
/** A window that came often in the running interval, and how often. */
export interface FrequentWindow {
  readonly row: number;
  /** PatternSize bytes. */
  readonly window: Uint8Array;
  readonly count: number;
}

/** Slots a row: at most half of the slots are taken. */
const slotsPerRow = 2;
/**
 * The slots in use at first, and how many times more they become when they fill. Few steps: each moves
 * all rows, so the last one should come while there are few.
 */
const slotsAtFirst = 4096;
const growth = 16;
/** So many rows are looked at to find one that can be given up: on average, and at most at a time. */
const looksEach = 8;
const looksMax = 4096;

/** The most rows that fit into `bytesMax` together with at least twice as many slots, a power of two. */
function countsFor({ patternSize, bytesMax }: DistributionTableOptions) {
  let best = { slotCount: slotsPerRow, rowCount: 1 };
  for (let slotCount = 4; slotCount * slotBytes < bytesMax; slotCount *= 2) {
    const rowsLeftFor = Math.floor(
      (bytesMax - slotCount * slotBytes) / (patternSize + rowExtraBytes),
    );
    const rowCount = Math.min(slotCount / slotsPerRow, rowsLeftFor);
    if (rowCount > best.rowCount) best = { slotCount, rowCount };
  }
  return best;
}

/** The numbers of slots that are used one after the other as the table fills; the last one is `slotCount`. */
function sizesFor(slotCount: number): number[] {
  const sizes: number[] = [];
  for (let size = slotsAtFirst; size * growth <= slotCount; size *= growth) sizes.push(size);
  return [...sizes, slotCount];
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
  /** Numbers of slots, ascending, and which of them is in use. */
  readonly #sizes: readonly number[];
  #sizeIndex = 0;
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
  /** Where the search for a row that can be given up goes on. */
  #hand = 0;
  /** So many rows fewer were looked at so far than might have been. */
  #looksSaved = looksMax;
  /** The weight of the row that was given up last. */
  #lastWeight = 1;
  #lastRow = -1;

  constructor(options: DistributionTableOptions) {
    const { patternSize } = options;
    const { slotCount, rowCount } = countsFor(options);
    this.#patternSize = patternSize;
    this.distinctMax = rowCount;
    this.bytes = slotCount * slotBytes + rowCount * (patternSize + rowExtraBytes);
    this.#rows = new WindowRows(rowCount, patternSize);
    this.#slots = new Uint32Array(slotCount);
    this.#sizes = sizesFor(slotCount);
    this.#slotMask = 0;
    this.#slotShift = 0;
    this.#rowsMax = 0;
    this.#useSlots(0);
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

  /** How often a window of PatternSize bytes came in the interval that was tallied last; `hash` as for `tally`. */
  countOf(window: Uint8Array, hash: number): number {
    const tag = hash << this.#rowBits;
    for (let slot = hash >>> this.#slotShift; this.#slots[slot] !== 0; ) {
      const value = this.#slots[slot] as number;
      const row = (value & this.#rowMask) - 1;
      const isIt = ((value ^ tag) & ~this.#rowMask) === 0;
      if (isIt && this.#rows.equals(row, window, 0, window.length)) return this.#rows.count(row);
      slot = (slot + 1) & this.#slotMask;
    }
    return 0;
  }

  /** Takes the last report back: the window's next request reports again. */
  withdraw(): void {
    if (this.#lastRow !== -1) this.#rows.setReported(this.#lastRow, false);
  }

  /** Forgets which windows were reported: their next requests report again. */
  reportAgain(): void {
    for (let row = 0; row < this.#distinct; row += 1) this.#rows.setReported(row, false);
  }

  /** The running interval, as `tally` was told it last. */
  get interval(): number {
    return this.#interval;
  }

  /**
   * The windows seen at least `min` times in the running interval, those seen most first, at most `max`;
   * and how many more there are.
   */
  frequent(min: number, max: number): { windows: readonly FrequentWindow[]; omitted: number } {
    const rows: number[] = [];
    for (let row = 0; row < this.#distinct; row += 1) {
      if (this.#rows.count(row) >= min) rows.push(row);
    }
    if (rows.length > max) rows.sort((a, b) => this.#rows.count(b) - this.#rows.count(a));
    const windows = rows.slice(0, max).map((row) => {
      return { row, window: this.#rows.window(row), count: this.#rows.count(row) };
    });
    return { windows, omitted: rows.length - windows.length };
  }

  /** Has a frequent window counted as seen at least `count` times, if its row is still its own. */
  raise({ row, window }: FrequentWindow, count: number): void {
    if (row >= this.#distinct || !this.#rows.equals(row, window, 0, window.length)) return;
    this.#rows.raise(row, Math.min(count, 0x7fff_ffff));
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
    const needed = this.#distinct * slotsPerRow;
    this.#useSlots(this.#sizes.findIndex((size) => size >= needed));
    this.#distinct = 0;
    this.#looksSaved = looksMax;
    this.#lastWeight = 1;
  }

  #useSlots(sizeIndex: number): void {
    const count = this.#sizes[sizeIndex] as number;
    this.#sizeIndex = sizeIndex;
    this.#slotMask = count - 1;
    this.#slotShift = 32 - Math.log2(count);
    this.#rowsMax = Math.min(count / slotsPerRow, this.distinctMax);
  }

  /** Spreads the rows over more slots. */
  #grow(): void {
    this.#slots.fill(0, 0, this.#slotMask + 1);
    this.#useSlots(this.#sizeIndex + 1);
    for (let row = 0; row < this.#distinct; row += 1) this.#insert(this.#rows.hash(row), row);
  }

  /** A row that is free; when there is none, one that is missed less than others. */
  #takeRow(): number {
    if (this.#distinct === this.distinctMax) return this.#giveUpRow();
    this.#grow();
    this.#distinct += 1;
    return this.#distinct - 1;
  }

  /**
   * The next row that weighs no more than the one given up last, or the lightest seen until there have
   * been enough looks. In a flood the next row will do, so that one put in now is left alone until all
   * others had their turn; and the looks saved lead past the rows that came first in the interval, all of
   * which may be busy.
   */
  #giveUpRow(): number {
    const rows = this.#rows;
    let looks = Math.min(this.#looksSaved + looksEach, looksMax, this.distinctMax);
    let lightest = this.#hand;
    do {
      if (rows.weight(this.#hand) < rows.weight(lightest)) lightest = this.#hand;
      this.#hand = this.#hand + 1 === this.distinctMax ? 0 : this.#hand + 1;
      looks -= 1;
    } while (looks > 0 && rows.weight(lightest) > this.#lastWeight);
    this.#looksSaved = looks;
    this.#lastWeight = rows.weight(lightest);
    this.#remove(lightest);
    this.#displaced += 1;
    return lightest;
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
