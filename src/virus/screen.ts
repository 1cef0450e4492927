/**
 * Screening: is this a virus request (the paper, "The Proxy Server looks at the specified offset in
 * each incoming request")? Takes the window of the request string and looks it up; when it is in no
 * pattern, takes the window of the normalised request string too, if that can be another one; then asks
 * whether it holds a confirmed keyword. Whether a virus request is slipped, dropped or let pass is
 * decided elsewhere.
 */
import type { KeywordScreen } from './keyword-screen.ts';
import { needsNormalizing, normalizeRequestBytes } from './normalize.ts';
import type { PatternSet } from './pattern-set.ts';

/** Request strings up to this length are normalised in a buffer that is used again and again. */
const scratchBytes = 16_384;

/** The answer for a request that matches nothing. */
export const humble = -1;
/** Answers from here down are keywords. */
const firstKeyword = -2;

/** The index of the keyword that an answer below `humble` stands for. */
export function keywordIndexOf(answer: number): number {
  return firstKeyword - answer;
}

/** The two settings of screening. */
export interface ScreenOptions {
  /** Where the window begins in the request string, in bytes. */
  readonly patternStartOffset: number;
  readonly normalizeRequests: boolean;
}

/**
 * Screens request strings, `TARGET BLANKS VERSION` with the target in origin-form, against a set, and
 * against keywords if there are any. The answer is an index for `entry` and `hit` of that set, `humble`,
 * or less than that for a keyword (`keywordIndexOf`).
 */
export class Screen {
  readonly patternStartOffset: number;
  /** May be changed at any time. */
  normalizeRequests: boolean;
  /** The hash of the window of the request screened last, for whoever counts windows. */
  windowHash = 0;
  readonly #set: PatternSet;
  readonly #scratch = Buffer.alloc(scratchBytes);
  readonly #keywords: KeywordScreen | undefined;

  constructor(
    set: PatternSet,
    { patternStartOffset, normalizeRequests }: ScreenOptions,
    keywords?: KeywordScreen,
  ) {
    this.#set = set;
    this.#keywords = keywords;
    this.patternStartOffset = patternStartOffset;
    this.normalizeRequests = normalizeRequests;
  }

  /** Whether the request screened last, if it is humble, holds a keyword: one that does not block. */
  get holdsKeyword(): boolean {
    return this.#keywords?.isOn === true && this.#keywords.holdsUnconfirmed;
  }

  /** Screens latin1 text, one character a byte. */
  screen(requestString: string): number {
    const index = this.#set.findInString(requestString, this.patternStartOffset);
    this.windowHash = this.#set.lastHash;
    if (index !== humble) return index;
    if (!this.normalizeRequests && this.#keywords === undefined) return humble;
    const bytes = this.#room(requestString.length);
    bytes.write(requestString, 'latin1');
    return this.#lookAgain(bytes, 0, requestString.length, true);
  }

  /**
   * Screens bytes[start, end), which it leaves as they are, with the same answer. `mayNormalize`
   * false: the caller knows that the target holds no `%`, `\\`, `//` or `/.`, and one blank follows it.
   */
  screenBytes(bytes: Uint8Array, start: number, end: number, mayNormalize = true): number {
    const index = this.#set.findInBytes(bytes, start + this.patternStartOffset, end);
    this.windowHash = this.#set.lastHash;
    return index !== humble ? index : this.#lookAgain(bytes, start, end, mayNormalize);
  }

  /** For a request whose window is in no pattern as it stands. */
  #lookAgain(bytes: Uint8Array, start: number, end: number, mayNormalize: boolean): number {
    const keywords = this.#keywords?.isOn === true ? this.#keywords : undefined;
    // Before the normalising, which may overwrite the bytes when they are in our own room.
    let keyword = keywords === undefined ? humble : keywords.find(bytes, start, end, mayNormalize);
    const isNormalized =
      mayNormalize &&
      this.normalizeRequests &&
      needsNormalizing(bytes, start, end, this.#windowEnd(start));
    if (isNormalized) {
      const length = end - start;
      const copy = this.#room(length);
      if (copy !== bytes) copy.set(bytes.subarray(start, end));
      const newEnd = normalizeRequestBytes(copy, length);
      const index = this.#set.findInBytes(copy, this.patternStartOffset, newEnd);
      if (index !== humble) return index;
      if (keyword === humble && keywords !== undefined) keyword = keywords.findAgain(copy, newEnd);
    }
    return keyword === humble ? humble : firstKeyword - keyword;
  }

  #windowEnd(start: number): number {
    return start + this.patternStartOffset + this.#set.patternSize;
  }

  #room(length: number): Buffer {
    return length <= scratchBytes ? this.#scratch : Buffer.alloc(length);
  }
}
