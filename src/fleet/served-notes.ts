/**
 * What a worker has served, or what no origin had, on its way to the primary's memory of it: as the hashes that
 * the memory is made of. What came a moment ago is not told again; `lastsLonger` is how much longer the memory
 * has to last because of that. Bounded and pure.
 */
import type { Statistics } from '../statistics.ts';
import { normalizedRequestString } from '../virus/normalize.ts';
import { RequestHash, type RequestHashOptions } from '../virus/request-hash.ts';

/** What was told is not told again for so long, in milliseconds. */
export const lastsLonger = 1_000;

const recentSlots = 16_384;
const waitingMax = 1_048_576;

export class ServedNotes {
  readonly #hash: RequestHash;
  readonly #statistics: Statistics;
  /** What was told lately, each at a place that its own bits name. */
  readonly #recent = new Int32Array(recentSlots);
  #recentSinceMs = Number.NEGATIVE_INFINITY;
  #waiting: number[] = [];

  constructor(options: RequestHashOptions, statistics: Statistics) {
    this.#hash = new RequestHash(options);
    this.#statistics = statistics;
  }

  /** Notes the request string text[start, end). */
  note(text: string, start: number, end: number, nowMs: number): void {
    this.#turnTo(nowMs);
    this.#add(text, start, end);
    if (!this.#hash.mayNormalize) return;
    const normalized = normalizedRequestString(text.slice(start, end));
    if (normalized !== undefined) this.#add(normalized, 0, normalized.length);
  }

  /** Notes its path alone; `mayNormalize` false: there is nothing to normalise in it. */
  notePath(text: string, start: number, end: number, mayNormalize: boolean, nowMs: number): void {
    this.#turnTo(nowMs);
    this.#tell(this.#hash.pathOf(text, start, end));
    if (!mayNormalize) return;
    const normalized = normalizedRequestString(text.slice(start, end));
    if (normalized !== undefined) this.#tell(this.#hash.pathOf(normalized, 0, normalized.length));
  }

  /** Notes that a request with this keyword was served. */
  noteKeyword(keyword: string, nowMs: number): void {
    this.#turnTo(nowMs);
    this.#tell(this.#hash.ofKeyword(keyword));
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  /** The hashes since the last call. */
  take(): Int32Array {
    const hashes = Int32Array.from(this.#waiting);
    this.#waiting = [];
    return hashes;
  }

  #turnTo(nowMs: number): void {
    const age = nowMs - this.#recentSinceMs;
    if (age >= 0 && age < lastsLonger) return;
    this.#recent.fill(0);
    this.#recentSinceMs = nowMs;
  }

  #add(text: string, start: number, end: number): void {
    const hash = this.#hash;
    hash.read(text, start, end);
    this.#tell(hash.window);
    this.#tell(hash.path);
  }

  #tell(hash: number): void {
    const slot = hash & (recentSlots - 1);
    // An empty place looks like the hash 0, which is told each time.
    if (hash !== 0 && this.#recent[slot] === hash) return;
    if (this.#waiting.length >= waitingMax) {
      this.#statistics.add('served_notes_lost');
      return;
    }
    this.#recent[slot] = hash;
    this.#waiting.push(hash);
  }
}
