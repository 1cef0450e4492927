/**
 * Looks for virus keywords in a request (the paper, "Adding New Virus Keywords"), whatever the case of
 * ASCII letters: in its bytes as they are, percent-decoded once, and decoded twice, as a worm may write
 * `cmd%2eexe` or `cmd%252eexe`. Time is linear in the request for any keywords and any request.
 * Most requests hold no keyword; a filter says so for nearly all of their bytes, and the automaton
 * reads only where the filter is not sure. Finding nothing allocates nothing.
 */
import { KeywordAutomaton, type KeywordBytes } from './keyword-automaton.ts';
import { groupBytes, KeywordFilter } from './keyword-filter.ts';
import { foldKeyword, keywordFault } from './keyword-list.ts';
import { decodeOnce, normalizedRequestString } from './normalize.ts';

const percent = 0x25;
/** The first size of the buffer in which requests are decoded; it grows to the longest request's. */
const decodedBytesMin = 1024;

/**
 * A search for a fixed list of keywords, at most a few hundred thousand. Keywords of one or two bytes
 * cost on the hot path: with one of them in the list every byte of every request is read.
 */
export class KeywordSearch {
  /** How many keywords it was given. */
  readonly size: number;
  /** The index of each keyword by its rank in the automaton. */
  readonly #indexes: Int32Array;
  readonly #automaton: KeywordAutomaton;
  /** Absent when a keyword is too short for it; then the automaton reads every byte. */
  readonly #filter: KeywordFilter | undefined;
  #decoded = Buffer.alloc(decodedBytesMin);

  /**
   * Keywords are latin1, A-Z and a-z the same; of equal ones only the first is ever found. Throws a
   * RangeError for a keyword that `keywordFault` finds fault with.
   */
  constructor(keywords: readonly string[]) {
    this.size = keywords.length;
    const { bytes, starts, indexes, shortestBytes } = rank(keywords);
    this.#indexes = indexes;
    this.#automaton = new KeywordAutomaton({ bytes, starts }, groupBytes);
    this.#filter =
      shortestBytes < groupBytes ? undefined : new KeywordFilter(bytes, starts, shortestBytes);
  }

  /**
   * Memory that the search takes: at most 24 bytes for each byte of a keyword, and 8 KiB, or what the
   * longest request that was decoded needs on top.
   */
  get bytes(): number {
    const filterBytes = this.#filter?.bytes ?? 0;
    return this.#automaton.bytes + filterBytes + this.#indexes.byteLength + this.#decoded.length;
  }

  /**
   * The index of a keyword that bytes[start, end) holds, as they are or else decoded once or else
   * twice; -1: none. Of several in one form, the one that ends first, and the longest of those that end
   * there. `mayDecode` false: the caller knows that there is no `%` in them.
   */
  findInBytes(bytes: Uint8Array, start: number, end: number, mayDecode = true): number {
    if (this.size === 0) return -1;
    const index = this.#find(bytes, start, end);
    if (index !== -1 || !mayDecode) return index;
    for (let at = start; at < end; at += 1) {
      if (bytes[at] === percent) return this.#findDecoded(bytes, start, end);
    }
    return -1;
  }

  /**
   * The index of a keyword that a latin1 request string holds, in one of these forms or normalised; -1:
   * none.
   */
  findInRequest(requestString: string): number {
    const bytes = Buffer.from(requestString, 'latin1');
    const index = this.findInBytes(bytes, 0, bytes.length);
    if (index !== -1) return index;
    const normalized = normalizedRequestString(requestString);
    if (normalized === undefined) return -1;
    return this.findInBytes(Buffer.from(normalized, 'latin1'), 0, normalized.length, false);
  }

  /** The indexes, ascending, of all keywords that any of the three forms of bytes[start, end) holds. */
  findAll(bytes: Uint8Array, start: number, end: number): number[] {
    const ranks = new Set<number>();
    this.#automaton.findAll(bytes, start, end, ranks);
    const decoded = this.#copy(bytes, start, end);
    const onceEnd = decodeOnce(decoded, 0, end - start);
    if (onceEnd < end - start) {
      this.#automaton.findAll(decoded, 0, onceEnd, ranks);
      const twiceEnd = decodeOnce(decoded, 0, onceEnd);
      if (twiceEnd < onceEnd) this.#automaton.findAll(decoded, 0, twiceEnd, ranks);
    }
    return Array.from(ranks, (each) => this.#indexes[each] as number).sort((a, b) => a - b);
  }

  #findDecoded(bytes: Uint8Array, start: number, end: number): number {
    const decoded = this.#copy(bytes, start, end);
    const onceEnd = decodeOnce(decoded, 0, end - start);
    if (onceEnd === end - start) return -1;
    const index = this.#find(decoded, 0, onceEnd);
    if (index !== -1) return index;
    const twiceEnd = decodeOnce(decoded, 0, onceEnd);
    return twiceEnd === onceEnd ? -1 : this.#find(decoded, 0, twiceEnd);
  }

  #copy(bytes: Uint8Array, start: number, end: number): Uint8Array {
    const length = end - start;
    if (this.#decoded.length < length)
      this.#decoded = Buffer.alloc(2 ** Math.ceil(Math.log2(length)));
    const decoded = this.#decoded;
    for (let at = 0; at < length; at += 1) decoded[at] = bytes[start + at] as number;
    return decoded;
  }

  #find(bytes: Uint8Array, start: number, end: number): number {
    const filter = this.#filter;
    if (filter === undefined) {
      const rank = this.#automaton.find(bytes, start, end, end);
      return rank < 0 ? -1 : (this.#indexes[rank] as number);
    }
    let from = filter.find(bytes, start, end);
    while (from !== -1) {
      // Past the group that gave the alarm, so that each turn gets on by a stride.
      const found = this.#automaton.find(bytes, from, end, from + filter.stride + groupBytes - 1);
      if (found >= 0) return this.#indexes[found] as number;
      // What begins before the last bytes, which may be the beginning of a keyword, has been read.
      const settled = -1 - found;
      if (settled === end) return -1;
      from = filter.find(bytes, settled - groupBytes + 1, end);
    }
    return -1;
  }
}

interface Ranking extends KeywordBytes {
  readonly indexes: Int32Array;
  readonly shortestBytes: number;
}

/** Folds the keywords, sorts them by their bytes, and leaves out repeated ones. */
function rank(keywords: readonly string[]): Ranking {
  const firstIndexes = new Map<string, number>();
  for (const [index, keyword] of keywords.entries()) {
    const fault = keywordFault(keyword);
    if (fault !== undefined) throw new RangeError(fault);
    const folded = foldKeyword(keyword);
    if (!firstIndexes.has(folded)) firstIndexes.set(folded, index);
  }
  // Strings of latin1 characters compare as their bytes do.
  const sorted = [...firstIndexes.keys()].sort();
  const starts = new Int32Array(sorted.length + 1);
  let shortestBytes = Number.POSITIVE_INFINITY;
  for (const [each, keyword] of sorted.entries()) {
    starts[each + 1] = (starts[each] as number) + keyword.length;
    shortestBytes = Math.min(shortestBytes, keyword.length);
  }
  const bytes = Buffer.from(sorted.join(''), 'latin1');
  const indexes = Int32Array.from(sorted, (keyword) => firstIndexes.get(keyword) as number);
  return { bytes, starts, indexes, shortestBytes };
}
