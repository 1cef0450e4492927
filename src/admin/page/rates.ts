/** Counters of the last minutes, as rates a second for the charts. Pure. */
import type { Figures } from '../figures.ts';

/** So many seconds are kept. */
const secondsMax = 300;

export interface Rates {
  /** Seconds since the epoch, of each point. */
  readonly times: readonly number[];
  readonly series: readonly (readonly (number | null)[])[];
}

/** The value of a line at one moment, from the figures of then and of the second before; null: a gap. */
type Value = (now: Figures, before: Figures) => number | null;

/** A counter's rate a second. */
export function rateOf(counter: (figures: Figures) => number): Value {
  return (now, before) => {
    const count = counter(now) - counter(before);
    // A counter that went back belongs to another process.
    return count < 0 ? null : (count * 1000) / (now.atMs - before.atMs);
  };
}

export class RateHistory {
  readonly #of: readonly Value[];
  #last: Figures | undefined;
  readonly #times: number[] = [];
  readonly #series: (number | null)[][];

  constructor(of: readonly Value[]) {
    this.#of = of;
    this.#series = of.map(() => []);
  }

  add(figures: Figures): void {
    const last = this.#last;
    this.#last = figures;
    if (last === undefined || figures.atMs <= last.atMs) return;
    this.#times.push(figures.atMs / 1000);
    for (const [index, value] of this.#of.entries()) {
      this.#series[index]?.push(value(figures, last));
    }
    if (this.#times.length <= secondsMax) return;
    this.#times.shift();
    for (const values of this.#series) values.shift();
  }

  get rates(): Rates {
    return { times: this.#times, series: this.#series };
  }
}

/**
 * The bound, in milliseconds, that `part` of the requests between two figures stayed below; null for none. The
 * last bucket has no bound: the one before it stands for it.
 */
export function latencyBetween(
  before: readonly number[],
  now: readonly number[],
  part: number,
  boundsMs: readonly number[],
): number | null {
  const counts = now.map((count, bucket) => count - (before[bucket] ?? 0));
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total <= 0) return null;
  let seen = 0;
  for (const [bucket, count] of counts.entries()) {
    seen += count;
    if (seen >= total * part) return boundsMs[Math.min(bucket, boundsMs.length - 1)] ?? null;
  }
  return null;
}
