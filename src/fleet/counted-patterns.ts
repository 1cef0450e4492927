/** A worker's copy of the pattern set: which patterns matched how often is kept for the primary, too. */
import { PatternSet } from '../virus/pattern-set.ts';
import type { PatternBatch, PatternHits } from './messages.ts';
import { applyBatch } from './pattern-batch.ts';

interface Hits {
  count: number;
  lastMs: number;
}

/** The primary's bound holds; a copy takes whatever it took. */
const unbounded = 2 ** 31;

export class CountedPatterns extends PatternSet {
  /** By index. */
  readonly #hits = new Map<number, Hits>();
  /** Hits of indexes that are not valid any more. */
  #settled: PatternHits[] = [];

  constructor(patternSize: number, seed: number) {
    super({ patternSize, maxPatterns: unbounded, seed });
  }

  override hit(index: number, nowMs: number): void {
    super.hit(index, nowMs);
    const hits = this.#hits.get(index);
    if (hits === undefined) this.#hits.set(index, { count: 1, lastMs: nowMs });
    else {
      hits.count += 1;
      hits.lastMs = nowMs;
    }
  }

  /** Follows the primary. */
  apply(batch: PatternBatch): void {
    this.#settle();
    applyBatch(this, batch);
  }

  /** The hits since the last call; as many entries as there are patterns that matched. */
  takeHits(): readonly PatternHits[] {
    this.#settle();
    const hits = this.#settled;
    this.#settled = [];
    return hits;
  }

  #settle(): void {
    for (const [index, { count, lastMs }] of this.#hits) {
      const { pattern, origLength } = this.entry(index);
      this.#settled.push({ pattern, origLength, hits: count, lastHitMs: lastMs });
    }
    this.#hits.clear();
  }
}
