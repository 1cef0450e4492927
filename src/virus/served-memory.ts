/**
 * What was lately served: the windows and the paths of the requests that were answered 2xx or 3xx, so
 * that Auto Update learns no pattern that would block them. In bounded memory, as two generations of
 * bits, of which the older one is forgotten as a whole. It may say that something was served which was
 * not, the more often the fuller it is; it never denies what was served within `lastsMs`, so nobody can
 * make it forget by asking for many other things. Its hashes are secret. Pure.
 */
import { normalizedRequestString } from './normalize.ts';
import { stir, WindowHash } from './window-hash.ts';

export interface ServedMemoryOptions {
  /** Where the window begins in the request string, and how long it is, in bytes. */
  readonly patternStartOffset: number;
  readonly patternSize: number;
  readonly bytesMax: number;
  /** How long is lately, in milliseconds. */
  readonly lastsMs: number;
  /** A whole number from 0 to 2^53 - 1, random at every start. */
  readonly seed: number;
  readonly nowMs: number;
}

const blank = 0x20;
const percent = 0x25;
const dot = 0x2e;
const slash = 0x2f;
const questionMark = 0x3f;
const backslash = 0x5c;

/** Paths are hashed in blocks of so many bytes. */
const blockBytes = 64;
/** Keeps windows and paths apart, and the bits of a word from its number. */
const pathSalt = 0x9e3779b9;
const bitSalt = 0x7f4a7c15;

/** What a byte means for where the path ends and whether the request may be normalised. */
const plain = 0;
const ends = 1;
const triggers = 2;
const isSlash = 3;
const isDot = 4;
const meanings = new Uint8Array(256);
meanings[blank] = ends;
meanings[questionMark] = ends;
meanings[percent] = triggers;
meanings[backslash] = triggers;
meanings[slash] = isSlash;
meanings[dot] = isDot;

/** Remembers request strings, latin1, one character a byte. */
export class ServedMemory {
  /** May be changed at any time. */
  lastsMs: number;
  readonly #offset: number;
  readonly #size: number;
  readonly #hash: WindowHash;
  readonly #wordMask: number;
  /** Of the request string noted last: where its path ends, and whether to look at it normalised. */
  #pathEnd = 0;
  #mayNormalize = false;
  #current: Uint32Array;
  #previous: Uint32Array;
  #startMs: number;

  constructor(options: ServedMemoryOptions) {
    this.lastsMs = options.lastsMs;
    this.#offset = options.patternStartOffset;
    this.#size = options.patternSize;
    this.#hash = new WindowHash(blockBytes, options.seed);
    const words = 2 ** Math.floor(Math.log2(options.bytesMax / 8));
    this.#wordMask = words - 1;
    this.#current = new Uint32Array(words);
    this.#previous = new Uint32Array(words);
    this.#startMs = options.nowMs;
  }

  /** Remembers the request string text[start, end). */
  note(text: string, start: number, end: number, nowMs: number): void {
    this.#turnTo(nowMs);
    this.#read(text, start, end);
    this.#set(this.#windowHash(text, start, end));
    this.#set(this.#pathHash(text, start, this.#pathEnd));
    if (!this.#mayNormalize) return;
    const normalized = normalizedRequestString(text.slice(start, end));
    if (normalized === undefined) return;
    this.#read(normalized, 0, normalized.length);
    this.#set(this.#windowHash(normalized, 0, normalized.length));
    this.#set(this.#pathHash(normalized, 0, this.#pathEnd));
  }

  /** What of this request string was served lately: first of all its window, then its path. */
  recall(requestString: string, nowMs: number): 'window' | 'path' | undefined {
    this.#turnTo(nowMs);
    const normalized = normalizedRequestString(requestString);
    const forms = normalized === undefined ? [requestString] : [requestString, normalized];
    if (forms.some((form) => this.#has(this.#windowHash(form, 0, form.length)))) return 'window';
    const isPathServed = forms.some((form) => {
      this.#read(form, 0, form.length);
      return this.#has(this.#pathHash(form, 0, this.#pathEnd));
    });
    return isPathServed ? 'path' : undefined;
  }

  /** Finds the path's end, and what in it or in the window may be normalised. */
  #read(text: string, start: number, end: number): void {
    const windowEnd = start + this.#offset + this.#size;
    let pathEnd = end;
    let mayNormalize = false;
    let previous = plain;
    for (let at = start; at < end; at += 1) {
      const meaning = meanings[text.charCodeAt(at) & 0xff] as number;
      if (meaning !== plain) {
        if (meaning === ends) {
          // Of several blanks before the version one is left.
          if (previous === ends) mayNormalize = true;
          if (pathEnd === end) pathEnd = at;
        } else if (meaning === triggers || previous === isSlash) mayNormalize = true;
      }
      if (pathEnd !== end && at >= windowEnd) break;
      previous = meaning;
    }
    this.#pathEnd = pathEnd;
    this.#mayNormalize = mayNormalize;
  }

  #windowHash(text: string, start: number, end: number): number {
    const windowStart = Math.min(start + this.#offset, end);
    return this.#hash.ofString(text, windowStart, Math.min(end - windowStart, this.#size));
  }

  #pathHash(text: string, start: number, end: number): number {
    let hash = pathSalt ^ (end - start);
    for (let at = start; at < end; at += blockBytes) {
      hash = stir(hash + this.#hash.ofString(text, at, Math.min(end - at, blockBytes)));
    }
    return hash;
  }

  /** Begins a generation when the running one has lasted `lastsMs`. */
  #turnTo(nowMs: number): void {
    const ageMs = nowMs - this.#startMs;
    if (ageMs >= 0 && ageMs < this.lastsMs) return;
    this.#startMs = nowMs;
    // A clock that steps back makes memories last longer.
    if (ageMs < 0) return;
    const oldest = this.#previous;
    this.#previous = this.#current;
    this.#current = oldest.fill(0);
    if (ageMs >= 2 * this.lastsMs) this.#previous.fill(0);
  }

  #set(hash: number): void {
    const word = hash & this.#wordMask;
    this.#current[word] = (this.#current[word] as number) | bitsOf(hash);
  }

  #has(hash: number): boolean {
    const word = hash & this.#wordMask;
    const bits = bitsOf(hash);
    return [this.#current, this.#previous].some((each) => {
      return ((each[word] as number) & bits) === bits;
    });
  }
}

/** Three bits of a word, or fewer when they fall together: one cache line for each memory. */
function bitsOf(hash: number): number {
  const mixed = stir(hash ^ bitSalt);
  return (1 << (mixed & 31)) | (1 << ((mixed >>> 5) & 31)) | (1 << ((mixed >>> 10) & 31));
}
