/**
 * The virus keywords (the paper, "Adding New Virus Keywords"): the character strings that tell a
 * suspect request from a humble one. Kept in the order in which they were added; two keywords that
 * differ in the case of ASCII letters are the same keyword. Text is latin1, one character a byte.
 * A keyword that was found in a virus request can be confirmed (BlockConfirmedKeywords). Only holds the
 * words; it does not search requests for them.
 */
import type { Provenance } from './change.ts';

/** The longest keyword, in bytes. */
export const keywordBytesMax = 255;

/** One keyword, spelled as it was added. Times are milliseconds since the epoch. */
export interface KeywordEntry {
  readonly keyword: string;
  readonly from: Provenance;
  readonly addedAtMs: number;
  /** Set while the keyword is confirmed: since when. */
  confirmedAtMs: number | undefined;
  /** How many requests were virus requests because of the confirmed keyword, since the start. */
  hits: number;
  /** When the last of them came, before the start, too. */
  lastHitMs: number | undefined;
  /** When a request that holds it was last served by an origin. */
  servedAtMs: number | undefined;
}

/** What keeps `keyword` from being one, as a sentence; undefined when nothing does. */
export function keywordFault(keyword: string): string | undefined {
  if (keyword.length === 0) return 'A keyword needs at least one character.';
  if (keyword.length > keywordBytesMax) {
    return `The keyword is ${keyword.length} bytes long; at most ${keywordBytesMax} are allowed.`;
  }
  for (let at = 0; at < keyword.length; at++) {
    if (keyword.charCodeAt(at) > 0xff) {
      return 'The keyword holds a character that is not one byte; write its bytes as \\xHH.';
    }
  }
  return undefined;
}

/** `latin1` with A-Z made a-z: what two spellings of one keyword have in common. */
export function foldKeyword(latin1: string): string {
  // String.toLowerCase would fold À and its like too, which are bytes here and not letters.
  return latin1.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/** The list of keywords, bounded by `maxKeywords`. */
export class KeywordList {
  /** The bound on `size`. Lowered below it, the keywords there stay and no more are taken. */
  maxKeywords: number;
  readonly #entries = new Map<string, KeywordEntry>();

  constructor(maxKeywords: number) {
    this.maxKeywords = maxKeywords;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Adds a keyword at the end of the list; one in which `keywordFault` found nothing wrong. */
  add(keyword: string, from: Provenance, atMs: number): 'added' | 'present' | 'full' {
    const folded = foldKeyword(keyword);
    if (this.#entries.has(folded)) return 'present';
    if (this.size >= this.maxKeywords) return 'full';
    this.#entries.set(folded, {
      keyword,
      from,
      addedAtMs: atMs,
      confirmedAtMs: undefined,
      hits: 0,
      lastHitMs: undefined,
      servedAtMs: undefined,
    });
    return 'added';
  }

  /** Takes a keyword off the list; false when it was not there. */
  del(keyword: string): boolean {
    const entry = this.find(keyword);
    // Whoever still holds the entry must not go on blocking by it.
    if (entry !== undefined) entry.confirmedAtMs = undefined;
    return this.#entries.delete(foldKeyword(keyword));
  }

  has(keyword: string): boolean {
    return this.#entries.has(foldKeyword(keyword));
  }

  /** The keyword's entry, whatever the case of `keyword`. */
  find(keyword: string): KeywordEntry | undefined {
    return this.#entries.get(foldKeyword(keyword));
  }

  /** How many keywords are confirmed. */
  get confirmedCount(): number {
    let count = 0;
    for (const { confirmedAtMs } of this.#entries.values())
      if (confirmedAtMs !== undefined) count += 1;
    return count;
  }

  /** Withdraws every confirmation. */
  unconfirmAll(): void {
    for (const entry of this.#entries.values()) entry.confirmedAtMs = undefined;
  }

  /** The keywords in the order in which they were added. */
  *entries(): Generator<KeywordEntry> {
    yield* this.#entries.values();
  }
}
