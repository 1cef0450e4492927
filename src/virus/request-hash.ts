/**
 * The hashes of a request string's window and of its path, in one pass over the text: both are sums of
 * bytes, each multiplied by the secret random number of its place (see WindowHash), so the window's is
 * the difference of two sums on the way to the path's. On the way the pass finds out whether the request
 * string could be another one when it is normalised. A path is the request string up to the first `?`
 * or blank. Pure.
 */
import { randomWords, stir } from './window-hash.ts';

const blank = 0x20;
const percent = 0x25;
const dot = 0x2e;
const slash = 0x2f;
const questionMark = 0x3f;
const backslash = 0x5c;

/** What a byte is, in bits; the upper ones say which bits of the byte before it make a pair with it. */
const isSlash = 1;
const isBlank = 2;
const isQuestionMark = 4;
const triggers = 8;
const endsPath = isBlank | isQuestionMark;
const pairShift = 8;
const kinds = new Uint16Array(256);
kinds[percent] = triggers;
kinds[backslash] = triggers;
kinds[questionMark] = isQuestionMark;
kinds[slash] = isSlash | (isSlash << pairShift);
kinds[dot] = isSlash << pairShift;
// Of several blanks before the version one is left.
kinds[blank] = isBlank | (isBlank << pairShift);

/** One blank and a version, such as `HTTP/1.1`. */
const lastBytes = 9;

/** More than any window reaches to. In a longer path, bytes so far apart share a number. */
const factorCount = 2048;
const factorMask = factorCount - 1;

export interface RequestHashOptions {
  /** Where the window begins in the request string, and how long it is, in bytes. */
  readonly patternStartOffset: number;
  readonly patternSize: number;
  /** A whole number from 0 to 2^53 - 1, random at every start. */
  readonly seed: number;
}

/** What `read` found in a latin1 request string, one character a byte, until the next one is read. */
export class RequestHash {
  /** Signed 32-bit numbers. Equal windows have equal hashes, and so have equal paths. */
  window = 0;
  path = 0;
  /** May be true for nothing, is never false wrongly where window or path would be others. */
  mayNormalize = false;
  readonly #offset: number;
  readonly #size: number;
  readonly #factors: Int32Array;
  readonly #windowSalt: number;
  readonly #lengthFactor: number;

  constructor({ patternStartOffset, patternSize, seed }: RequestHashOptions) {
    const next = randomWords(seed);
    this.#offset = patternStartOffset;
    this.#size = patternSize;
    this.#windowSalt = next() | 0;
    this.#lengthFactor = next() | 1;
    this.#factors = Int32Array.from({ length: factorCount }, next);
  }

  /** Reads the request string text[start, end). */
  read(text: string, start: number, end: number): void {
    const factors = this.#factors;
    const windowStart = Math.min(start + this.#offset, end);
    const windowEnd = Math.min(windowStart + this.#size, end);
    const sumBefore = this.#sum(text, start, windowStart);
    let sum = 0;
    let seen = 0;
    let previous = 0;
    let pathEnd = -1;
    let pathSum = 0;
    let at = start;
    for (; at < windowEnd; at += 1) {
      const byte = text.charCodeAt(at);
      const kind = kinds[byte & 0xff] as number;
      if ((kind & endsPath) !== 0 && pathEnd === -1) {
        pathEnd = at;
        pathSum = sum;
      }
      seen |= (kind & triggers) | ((previous << pairShift) & kind);
      previous = kind;
      sum = (sum + Math.imul(factors[(at - start) & factorMask] as number, byte)) | 0;
    }
    this.window = stir((sum - sumBefore) ^ this.#windowSalt) | 0;
    if (pathEnd === -1) {
      for (; at < end; at += 1) {
        const byte = text.charCodeAt(at);
        const kind = kinds[byte & 0xff] as number;
        if ((kind & endsPath) !== 0) break;
        seen |= (kind & triggers) | ((previous << pairShift) & kind);
        previous = kind;
        sum = (sum + Math.imul(factors[(at - start) & factorMask] as number, byte)) | 0;
      }
      pathEnd = at;
      pathSum = sum;
    }
    this.path = stir(pathSum ^ Math.imul(pathEnd - start, this.#lengthFactor)) | 0;
    // A query is decoded only, so what follows it matters not; what follows a blank in the target may.
    const isTargetLonger = end - pathEnd > lastBytes && text.charCodeAt(pathEnd) === blank;
    // A first dot segment without a slash before it goes when anything triggers normalising.
    this.mayNormalize = seen !== 0 || isTargetLonger || text.charCodeAt(start) !== slash;
  }

  /** The hash of the path of the request string text[start, end) alone, as `path` would be. */
  pathOf(text: string, start: number, end: number): number {
    const factors = this.#factors;
    let sum = 0;
    let at = start;
    for (; at < end; at += 1) {
      const byte = text.charCodeAt(at);
      if (byte === questionMark || byte === blank) break;
      sum = (sum + Math.imul(factors[(at - start) & factorMask] as number, byte)) | 0;
    }
    return stir(sum ^ Math.imul(at - start, this.#lengthFactor)) | 0;
  }

  /** The hash of a keyword, as if of a path that no request can have: no slash in front, nothing that ends it. */
  ofKeyword(keyword: string): number {
    const text = `keyword:${encodeURIComponent(keyword)}`;
    return this.pathOf(text, 0, text.length);
  }

  #sum(text: string, start: number, end: number): number {
    let sum = 0;
    for (let at = start; at < end; at += 1) {
      sum =
        (sum + Math.imul(this.#factors[(at - start) & factorMask] as number, text.charCodeAt(at))) |
        0;
    }
    return sum;
  }
}
