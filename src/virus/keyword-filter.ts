/**
 * Tells quickly where in a text no keyword can begin. It knows the groups of three bytes in the first
 * ten bytes of every keyword and how far from the keyword's beginning each stands, and looks at every
 * n-th place of the text only: a keyword of at least n + 2 bytes cannot stand in it without covering
 * one of these places with a group from among its first n. Only where such a group is found the groups
 * around it are looked at, too (after Salmela, Tarhio and Kytöjoki, "Multipattern string matching with
 * q-grams", 2006). May say that a keyword begins somewhere where none does, never the contrary.
 */

/** Bytes in a group. Shorter keywords cannot be filtered. */
export const groupBytes = 3;

/** So many groups of a keyword are noted at most, one for each bit of half an entry. */
const notedMax = 8;

/** Table entries for each noted group, at least; up to twice as many. */
const entriesPerGroup = 2;
const entriesLog2Min = 10;

/** Makes upper and lower case letters the same, and some other bytes, which a filter may do. */
const caseBits = 0x202020;
const multiplier = 0x9e3779b1;

/** The number of the table entry of the group bytes[at, at + 3): the upper bits of its hash. */
function entryOf(bytes: Uint8Array, at: number, shift: number): number {
  const group =
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    caseBits;
  return Math.imul(group, multiplier) >>> shift;
}

/** How many groups of the keyword of rank `rank` are noted. */
function countNoted(starts: Int32Array, rank: number): number {
  const length = (starts[rank + 1] as number) - (starts[rank] as number);
  return Math.min(length - groupBytes + 1, notedMax);
}

/** The filter of a fixed set of keywords, each of `groupBytes` or more. */
export class KeywordFilter {
  /** Every so many bytes a group is looked at. */
  readonly stride: number;
  /**
   * Bit n: such a group stands n bytes from the beginning of a keyword. Bit `notedMax` + n: it is the
   * last one that was noted of that keyword.
   */
  readonly #entries: Uint16Array;
  readonly #shift: number;

  /** Keyword r is bytes[starts[r], starts[r + 1]). */
  constructor(bytes: Uint8Array, starts: Int32Array, shortestBytes: number) {
    const keywordCount = starts.length - 1;
    let notedCount = 0;
    for (let rank = 0; rank < keywordCount; rank += 1) notedCount += countNoted(starts, rank);
    const entriesLog2 = Math.max(
      entriesLog2Min,
      Math.ceil(Math.log2(notedCount * entriesPerGroup)),
    );
    this.stride = Math.min(shortestBytes - groupBytes + 1, notedMax);
    this.#entries = new Uint16Array(2 ** entriesLog2);
    this.#shift = 32 - entriesLog2;
    for (let rank = 0; rank < keywordCount; rank += 1) {
      this.#note(bytes, starts[rank] as number, countNoted(starts, rank));
    }
  }

  /** Memory that the filter takes. */
  get bytes(): number {
    return this.#entries.byteLength;
  }

  #note(bytes: Uint8Array, start: number, count: number): void {
    for (let place = 0; place < count; place += 1) {
      const entry = entryOf(bytes, start + place, this.#shift);
      const bits = place === count - 1 ? (1 << place) | (1 << (notedMax + place)) : 1 << place;
      this.#entries[entry] = (this.#entries[entry] as number) | bits;
    }
  }

  /** The first place of bytes[start, end) where a keyword may begin; -1 when none stands in it. */
  find(bytes: Uint8Array, start: number, end: number): number {
    const entries = this.#entries;
    const shift = this.#shift;
    const stride = this.stride;
    const strideBits = (1 << stride) - 1;
    const groupsEnd = end - groupBytes + 1;
    for (let at = start + stride - 1; at < groupsEnd; at += stride) {
      const places = (entries[entryOf(bytes, at, shift)] as number) & strideBits;
      if (places === 0) continue;
      for (let from = at - stride + 1; from <= at; from += 1) {
        const isNoted = (places & (1 << (at - from))) !== 0;
        if (isNoted && this.#mayBegin(bytes, from, groupsEnd)) return from;
      }
    }
    return -1;
  }

  /** Whether groups stand at `from` and after it as those of a keyword; none begins at `groupsEnd`. */
  #mayBegin(bytes: Uint8Array, from: number, groupsEnd: number): boolean {
    for (let place = 0; from + place < groupsEnd; place += 1) {
      const bits = this.#entries[entryOf(bytes, from + place, this.#shift)] as number;
      if ((bits & (1 << place)) === 0) return false;
      if ((bits & (1 << (notedMax + place))) !== 0) return true;
    }
    return false;
  }
}
