/**
 * Screening by keywords (BlockConfirmedKeywords; the paper: "Any future requests containing that
 * keyword will automatically be blocked"): does a request that matches no pattern hold a confirmed
 * keyword? Also tells which keywords served requests hold, because those are not to be confirmed. A new
 * list of keywords is searched for from the next `rebuild` on; an entry that was deleted or is no
 * longer confirmed blocks nothing at once.
 */
import type { KeywordEntry, KeywordList } from './keyword-list.ts';
import { KeywordSearch } from './keyword-search.ts';
import { normalizedRequestString } from './normalize.ts';

/** Searches requests for all keywords, and blocks by the confirmed ones. */
export class KeywordScreen {
  /** Whether requests are searched at all. */
  isOn = false;
  /** Whether those that hold a confirmed keyword are virus requests. */
  isBlocking = false;
  /** Whether the request searched last holds a keyword, none of them one that blocks. */
  holdsUnconfirmed = false;
  #search = new KeywordSearch([]);
  #entries: readonly KeywordEntry[] = [];

  /** Takes over the keywords that are on the list now. */
  rebuild(list: KeywordList): void {
    this.#entries = [...list.entries()];
    this.#search = new KeywordSearch(this.#entries.map(({ keyword }) => keyword));
  }

  /**
   * The index, for `hit`, of a confirmed keyword that the request string bytes[start, end) holds as
   * it is or percent-decoded; -1: none. `mayDecode` false: the caller knows that it holds no `%`.
   */
  find(bytes: Uint8Array, start: number, end: number, mayDecode: boolean): number {
    this.holdsUnconfirmed = false;
    const index = this.#search.findInBytes(bytes, start, end, mayDecode);
    return index === -1 ? -1 : this.#confirmed(index, bytes, start, end);
  }

  /** The same for the normalised form bytes[0, end) of the request in which `find` found none. */
  findAgain(bytes: Uint8Array, end: number): number {
    const index = this.#search.findInBytes(bytes, 0, end, false);
    return index === -1 ? -1 : this.#confirmed(index, bytes, 0, end);
  }

  /** Whether a request string holds any keyword, in any of its forms. */
  holdsAny(requestString: string): boolean {
    return this.#search.findInRequest(requestString) !== -1;
  }

  /** Counts a request that is a virus request by the keyword at an index that `find` gave. */
  hit(index: number, nowMs: number): KeywordEntry {
    const entry = this.#entries[index];
    if (entry === undefined) throw new RangeError('no such keyword');
    entry.hits += 1;
    entry.lastHitMs = nowMs;
    return entry;
  }

  /** The keyword at an index that `find` gave; nothing is counted. */
  keywordAt(index: number): string {
    return this.#entries[index]?.keyword ?? '';
  }

  /** Notes that a request which holds keywords was served; gives the keywords. */
  noteServed(requestString: string, nowMs: number): readonly string[] {
    const served: string[] = [];
    for (const form of [requestString, normalizedRequestString(requestString) ?? '']) {
      const bytes = Buffer.from(form, 'latin1');
      for (const index of this.#search.findAll(bytes, 0, bytes.length)) {
        const entry = this.#entries[index];
        if (entry === undefined) continue;
        entry.servedAtMs = nowMs;
        served.push(entry.keyword);
      }
    }
    return served;
  }

  /** Of the keywords there, of which `found` is one, a confirmed one; -1, and noted: none is. */
  #confirmed(found: number, bytes: Uint8Array, start: number, end: number): number {
    const isConfirmed = (at: number) =>
      this.isBlocking && this.#entries[at]?.confirmedAtMs !== undefined;
    const confirmed = isConfirmed(found)
      ? found
      : (this.#search.findAll(bytes, start, end).find(isConfirmed) ?? -1);
    if (confirmed === -1) this.holdsUnconfirmed = true;
    return confirmed;
  }
}
