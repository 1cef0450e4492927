/**
 * The index of the pattern database: an open-addressing hash table from a hash to a row number, in
 * one Uint32Array. A slot holds 8 bits of the hash (the tag) and 24 of the row, so that a window that
 * is in no pattern is answered from one cache line without touching a row, nearly always. Linear
 * probing; a deletion moves the following slots back, so that no markers pile up. Compares no bytes:
 * its owner does, for the slots whose tag agrees.
 */

/** Row numbers must be below this. */
export const rowLimit = 2 ** 24 - 1;

const slotsAtStart = 64;

/** Beyond this share of taken slots the table doubles; a miss then probes 4 slots on average. */
const loadLimit = 5 / 8;

/** A multiset of (hash, row); `hashOf(row)` must give the hash under which the row was put in. */
export class PatternSlots {
  readonly #hashOf: (row: number) => number;
  #slots = new Uint32Array(slotsAtStart);
  #mask = slotsAtStart - 1;
  #shift = 32 - Math.log2(slotsAtStart);
  #size = 0;

  constructor(hashOf: (row: number) => number) {
    this.#hashOf = hashOf;
  }

  /** The first slot at which a row of `hash` may be, its tag agreeing; -1 when there is none. */
  first(hash: number): number {
    return this.#seek(hash, hash >>> this.#shift);
  }

  /** The next such slot after `slot`; -1 when there is none. */
  next(hash: number, slot: number): number {
    return this.#seek(hash, (slot + 1) & this.#mask);
  }

  /** The row in a slot that `first` or `next` gave. */
  row(slot: number): number {
    return ((this.#slots[slot] as number) & 0xffffff) - 1;
  }

  #seek(hash: number, from: number): number {
    const slots = this.#slots;
    const mask = this.#mask;
    const tag = hash & 0xff;
    let slot = from;
    for (;;) {
      const value = slots[slot] as number;
      if (value === 0) return -1;
      if (value >>> 24 === tag) return slot;
      slot = (slot + 1) & mask;
    }
  }

  /** Puts a row in. It must not be in already. */
  insert(hash: number, row: number): void {
    if (this.#size + 1 > this.#slots.length * loadLimit) this.#double();
    this.#place(hash, row);
    this.#size += 1;
  }

  /** Puts `row` into a slot in place of a row with the same hash. */
  replace(slot: number, row: number): void {
    const tag = (this.#slots[slot] as number) & 0xff000000;
    this.#slots[slot] = (tag | (row + 1)) >>> 0;
  }

  /** Empties a slot that `first` or `next` gave. The row must still have its hash. */
  remove(slot: number): void {
    const slots = this.#slots;
    const mask = this.#mask;
    let hole = slot;
    for (let at = (hole + 1) & mask; slots[at] !== 0; at = (at + 1) & mask) {
      const home = this.#hashOf(this.row(at)) >>> this.#shift;
      // A slot may move back into the hole unless its home lies between the hole and itself.
      if (((at - home) & mask) >= ((at - hole) & mask)) {
        slots[hole] = slots[at] as number;
        hole = at;
      }
    }
    slots[hole] = 0;
    this.#size -= 1;
  }

  #place(hash: number, row: number): void {
    const slots = this.#slots;
    let slot = hash >>> this.#shift;
    while (slots[slot] !== 0) slot = (slot + 1) & this.#mask;
    slots[slot] = (((hash & 0xff) << 24) | (row + 1)) >>> 0;
  }

  #double(): void {
    const old = this.#slots;
    this.#slots = new Uint32Array(old.length * 2);
    this.#mask = this.#slots.length - 1;
    this.#shift -= 1;
    for (const value of old) {
      if (value === 0) continue;
      const row = (value & 0xffffff) - 1;
      this.#place(this.#hashOf(row), row);
    }
  }
}
