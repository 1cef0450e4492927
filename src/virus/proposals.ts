/**
 * Second thoughts: patterns that Auto Update proposed instead of adding, until the operator accepts or
 * rejects them, and the windows that are never to be learned because the operator said no. One proposal
 * a window. Holds them; whether something is proposed or added is learning.ts.
 */
import type { Proposal } from './change.ts';
import { foldKeyword } from './keyword-list.ts';

function keyOf(pattern: Uint8Array): string {
  return Buffer.from(pattern.buffer, pattern.byteOffset, pattern.length).toString('latin1');
}

/** What was rejected: the window, and the keyword that is not to be confirmed because of it. */
export interface Rejection {
  readonly pattern: Uint8Array;
  /** Undefined: no keyword is barred by it. */
  readonly keyword: string | undefined;
}

/** The proposals, at most `max`, and as many rejections, of which the oldest are forgotten. */
export class Proposals {
  /** Lowered below what is there, the proposals stay and no more are taken. */
  max: number;
  readonly #pending = new Map<string, Proposal>();
  readonly #unwritten = new Set<string>();
  readonly #rejected = new Map<string, Rejection>();

  constructor(max: number) {
    this.max = max;
  }

  /** How many wait. */
  get size(): number {
    return this.#pending.size;
  }

  find(pattern: Uint8Array): Proposal | undefined {
    return this.#pending.get(keyOf(pattern));
  }

  /** Puts a proposal that was written down in, in place of an earlier one of the same window. */
  put(proposal: Proposal): void {
    const key = keyOf(proposal.pattern);
    this.#pending.set(key, proposal);
    this.#unwritten.delete(key);
  }

  /** Notes that a waiting proposal was suspect once more; written down by the next review. */
  noteSeen(pattern: Uint8Array, atMs: number): void {
    const key = keyOf(pattern);
    const proposal = this.#pending.get(key);
    if (proposal === undefined) return;
    this.#pending.set(key, { ...proposal, lastSeenMs: atMs, times: proposal.times + 1 });
    this.#unwritten.add(key);
  }

  /** Whether a proposal was seen since it was written down. */
  isUnwritten({ pattern }: Proposal): boolean {
    return this.#unwritten.has(keyOf(pattern));
  }

  /** Takes the window's proposal away, if there is one. */
  take(pattern: Uint8Array): Proposal | undefined {
    const key = keyOf(pattern);
    const proposal = this.#pending.get(key);
    this.#pending.delete(key);
    this.#unwritten.delete(key);
    return proposal;
  }

  /** The proposals, oldest first. */
  pending(): IterableIterator<Proposal> {
    return this.#pending.values();
  }

  isRejected(pattern: Uint8Array): boolean {
    return this.#rejected.has(keyOf(pattern));
  }

  reject(pattern: Uint8Array, keyword: string | undefined): void {
    const key = keyOf(pattern);
    const [oldest] = this.#rejected.keys();
    const isNew = !this.#rejected.has(key);
    if (isNew && this.#rejected.size >= this.max && oldest !== undefined) {
      this.#rejected.delete(oldest);
    }
    this.#rejected.set(key, { pattern, keyword: keyword ?? this.#rejected.get(key)?.keyword });
  }

  /** Takes a rejection back: the operator added the pattern by hand. */
  allow(pattern: Uint8Array): void {
    this.#rejected.delete(keyOf(pattern));
  }

  /** Whether a request that holds the keyword was found to be humble by the operator. */
  bars(keyword: string): boolean {
    const folded = foldKeyword(keyword);
    for (const rejection of this.#rejected.values()) {
      if (rejection.keyword !== undefined && foldKeyword(rejection.keyword) === folded) return true;
    }
    return false;
  }

  /** The keyword was deleted: what was rejected stays so, but bars it no more. */
  unbar(keyword: string): void {
    const folded = foldKeyword(keyword);
    for (const [key, { pattern, keyword: barred }] of this.#rejected) {
      if (barred === undefined || foldKeyword(barred) !== folded) continue;
      this.#rejected.set(key, { pattern, keyword: undefined });
    }
  }

  /** The rejections, oldest first. */
  rejections(): IterableIterator<Rejection> {
    return this.#rejected.values();
  }
}
