/**
 * What was lately served: the windows and the paths of the requests that were answered 2xx or 3xx, so
 * that Auto Update learns no pattern that would block them. In bounded memory, as two generations of
 * bits, of which the older one is forgotten as a whole: after `lastsMs` at least, after twice that at
 * most. It may say that something was served which was not, the more often the fuller it is; it never
 * denies what was served within `lastsMs`, so nobody can make it forget by asking for many other things.
 * Its hashes are secret. Pure.
 */
import { normalizedRequestString } from './normalize.ts';
import { RequestHash } from './request-hash.ts';
import { stir } from './window-hash.ts';

/** All that a memory knows, to be kept over a restart. */
export interface ServedSnapshot {
  readonly patternStartOffset: number;
  readonly patternSize: number;
  readonly seed: number;
  readonly startMs: number;
  readonly notedMs: number;
  readonly current: Uint32Array;
  readonly previous: Uint32Array;
}

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
  /** What a memory with the same windows, size and seed has left. */
  readonly snapshot?: ServedSnapshot | undefined;
}

/** Keeps the bits of a word apart from its number. */
const bitSalt = 0x7f4a7c15;

/** Remembers request strings, latin1, one character a byte. */
export class ServedMemory {
  /** May be changed at any time. */
  lastsMs: number;
  readonly #hash: RequestHash;
  readonly #seed: number;
  readonly #windows: { readonly patternStartOffset: number; readonly patternSize: number };
  readonly #wordMask: number;
  #current: Uint32Array;
  #previous: Uint32Array;
  /** When the current generation began. */
  #startMs: number;
  /** The latest time at which something was noted. */
  #notedMs = Number.NEGATIVE_INFINITY;

  constructor(options: ServedMemoryOptions) {
    this.lastsMs = options.lastsMs;
    const { patternStartOffset, patternSize, seed, bytesMax, snapshot } = options;
    this.#hash = new RequestHash(options);
    this.#seed = seed;
    this.#windows = { patternStartOffset, patternSize };
    const words = servedWords(bytesMax);
    this.#wordMask = words - 1;
    this.#current = snapshot?.current ?? new Uint32Array(words);
    this.#previous = snapshot?.previous ?? new Uint32Array(words);
    this.#startMs = snapshot?.startMs ?? options.nowMs;
    if (snapshot !== undefined) this.#notedMs = snapshot.notedMs;
  }

  /** When something was last noted; -Infinity: never. */
  get notedMs(): number {
    return this.#notedMs;
  }

  /** A copy of what it knows. */
  snapshot(): ServedSnapshot {
    const times = { startMs: this.#startMs, notedMs: this.#notedMs };
    const words = { current: this.#current.slice(), previous: this.#previous.slice() };
    return { ...this.#windows, seed: this.#seed, ...times, ...words };
  }

  /** Remembers the request string text[start, end). */
  note(text: string, start: number, end: number, nowMs: number): void {
    this.#turnTo(nowMs);
    if (nowMs > this.#notedMs) this.#notedMs = nowMs;
    this.#add(text, start, end);
    if (!this.#hash.mayNormalize) return;
    const normalized = normalizedRequestString(text.slice(start, end));
    if (normalized !== undefined) this.#add(normalized, 0, normalized.length);
  }

  /**
   * Remembers its path alone, for as long as nobody asks for windows. `mayNormalize` false: the caller knows
   * that there is nothing to normalise in it.
   */
  notePath(text: string, start: number, end: number, mayNormalize: boolean, nowMs: number): void {
    this.#turnTo(nowMs);
    if (nowMs > this.#notedMs) this.#notedMs = nowMs;
    this.#set(this.#hash.pathOf(text, start, end));
    if (!mayNormalize) return;
    const normalized = normalizedRequestString(text.slice(start, end));
    if (normalized !== undefined) this.#set(this.pathHash(normalized));
  }

  /** Remembers that a request with this keyword was served. */
  noteKeyword(keyword: string, nowMs: number): void {
    this.#turnTo(nowMs);
    this.#set(this.#hash.ofKeyword(keyword));
  }

  /** Whether a request with this keyword was served lately. */
  recallKeyword(keyword: string, nowMs: number): boolean {
    this.#turnTo(nowMs);
    return this.#has(this.#hash.ofKeyword(keyword));
  }

  /** Remembers hashes that another RequestHash under the same seed has made of windows and paths. */
  noteHashes(hashes: Int32Array, nowMs: number): void {
    this.#turnTo(nowMs);
    if (nowMs > this.#notedMs) this.#notedMs = nowMs;
    for (const hash of hashes) this.#set(hash);
  }

  /** What of this request string was served lately: first of all its window, then its path. */
  recall(requestString: string, nowMs: number): 'window' | 'path' | undefined {
    this.#turnTo(nowMs);
    const normalized = normalizedRequestString(requestString);
    const raw = this.#lookUp(requestString);
    if (raw === 'window' || normalized === undefined) return raw;
    return this.#lookUp(normalized) ?? raw;
  }

  /** Whether the path of this request string was served lately, as it is or normalised. */
  recallPath(requestString: string, nowMs: number): boolean {
    this.#turnTo(nowMs);
    if (this.#has(this.pathHash(requestString))) return true;
    const normalized = normalizedRequestString(requestString);
    return normalized !== undefined && this.#has(this.pathHash(normalized));
  }

  /** The hash of the path of a request string, 32 bits; others have the same by chance alone. */
  pathHash(requestString: string): number {
    return this.#hash.pathOf(requestString, 0, requestString.length);
  }

  #add(text: string, start: number, end: number): void {
    const hash = this.#hash;
    hash.read(text, start, end);
    this.#set(hash.window);
    this.#set(hash.path);
  }

  #lookUp(text: string): 'window' | 'path' | undefined {
    const hash = this.#hash;
    hash.read(text, 0, text.length);
    if (this.#has(hash.window)) return 'window';
    return this.#has(hash.path) ? 'path' : undefined;
  }

  /** Begins a generation when the running one has lasted `lastsMs`, and forgets the one before it. */
  #turnTo(nowMs: number): void {
    const { lastsMs } = this;
    const ageMs = nowMs - this.#startMs;
    if (ageMs >= 0 && ageMs < lastsMs) return;
    // A clock that steps back makes memories last longer.
    if (ageMs < 0) {
      this.#startMs = nowMs;
      return;
    }
    const oldest = this.#previous;
    this.#previous = this.#current;
    this.#current = oldest.fill(0);
    if (nowMs - this.#notedMs >= lastsMs) {
      this.#previous.fill(0);
      this.#startMs = nowMs;
      return;
    }
    // Not before the last note, which may have been later while `lastsMs` was longer.
    this.#startMs = Math.min(Math.max(this.#startMs + lastsMs, this.#notedMs), nowMs);
  }

  #set(hash: number): void {
    const word = hash & this.#wordMask;
    this.#current[word] = (this.#current[word] as number) | bitsOf(hash);
  }

  #has(hash: number): boolean {
    const word = hash & this.#wordMask;
    const bits = bitsOf(hash);
    const isIn = (words: Uint32Array) => ((words[word] as number) & bits) === bits;
    return isIn(this.#current) || isIn(this.#previous);
  }
}

/** How many words each of the two generations has. */
export function servedWords(bytesMax: number): number {
  return 2 ** Math.floor(Math.log2(bytesMax / 8));
}

/** Three bits of a word, or fewer when they fall together: one cache line for each memory. */
function bitsOf(hash: number): number {
  const mixed = stir(hash ^ bitSalt);
  return (1 << (mixed & 31)) | (1 << ((mixed >>> 5) & 31)) | (1 << ((mixed >>> 10) & 31));
}
