/**
 * Screening: is this a virus request (the paper, "The Proxy Server looks at the specified offset in
 * each incoming request")? Takes the window of the request string and looks it up; when it is in no
 * pattern, takes the window of the normalised request string too, if that can be another one. Gives
 * the matching entry; whether the request is then slipped, dropped or let pass is decided elsewhere.
 */
import { needsNormalizing, normalizeRequestBytes } from './normalize.ts';
import type { PatternSet } from './pattern-set.ts';

/** Request strings up to this length are normalised in a buffer that is used again and again. */
const scratchBytes = 16_384;

/** The two settings of screening. */
export interface ScreenOptions {
  /** Where the window begins in the request string, in bytes. */
  readonly patternStartOffset: number;
  readonly normalizeRequests: boolean;
}

/**
 * Screens request strings, `TARGET BLANKS VERSION` with the target in origin-form, against a set. The
 * answer is an index for `entry` and `hit` of that set, or -1 for a humble request.
 */
export class Screen {
  readonly patternStartOffset: number;
  /** May be changed at any time. */
  normalizeRequests: boolean;
  readonly #set: PatternSet;
  readonly #scratch = Buffer.alloc(scratchBytes);

  constructor(set: PatternSet, { patternStartOffset, normalizeRequests }: ScreenOptions) {
    this.#set = set;
    this.patternStartOffset = patternStartOffset;
    this.normalizeRequests = normalizeRequests;
  }

  /** Screens latin1 text, one character a byte. */
  screen(requestString: string): number {
    const index = this.#set.findInString(requestString, this.patternStartOffset);
    if (index !== -1 || !this.normalizeRequests) return index;
    const { length } = requestString;
    const bytes = this.#room(length);
    bytes.write(requestString, 'latin1');
    return needsNormalizing(bytes, 0, length, this.#windowEnd(0))
      ? this.#findNormalized(bytes, length)
      : -1;
  }

  /**
   * Screens bytes[start, end), which it leaves as they are, with the same answer. `mayNormalize`
   * false: the caller knows that the target holds no `%`, `\\`, `//` or `/.`, and one blank follows it.
   */
  screenBytes(bytes: Uint8Array, start: number, end: number, mayNormalize = true): number {
    const index = this.#set.findInBytes(bytes, start + this.patternStartOffset, end);
    if (index !== -1 || !mayNormalize || !this.normalizeRequests) return index;
    if (!needsNormalizing(bytes, start, end, this.#windowEnd(start))) return -1;
    const copy = this.#room(end - start);
    copy.set(bytes.subarray(start, end));
    return this.#findNormalized(copy, end - start);
  }

  #windowEnd(start: number): number {
    return start + this.patternStartOffset + this.#set.patternSize;
  }

  #room(length: number): Buffer {
    return length <= scratchBytes ? this.#scratch : Buffer.alloc(length);
  }

  #findNormalized(bytes: Buffer, length: number): number {
    const end = normalizeRequestBytes(bytes, length);
    return this.#set.findInBytes(bytes, this.patternStartOffset, end);
  }
}
