/** What was added to counters and histograms since they were last told of, and the adding of it elsewhere. */
import type { Histogram, Latencies } from '../log/latency.ts';
import { counterNames, type Statistics } from '../statistics.ts';
import type { HistogramDelta, Report } from './messages.ts';

type CounterDelta = Pick<Report, 'counters' | 'added'>;
type LatencyDelta = Pick<Report, 'fast' | 'front'>;

/** Follows a worker's own counters. */
export class CounterDeltas {
  readonly #statistics: Statistics;
  readonly #told = new Float64Array(counterNames.length);

  constructor(statistics: Statistics) {
    this.#statistics = statistics;
  }

  /** Whether anything was counted since `take`. */
  get hasNews(): boolean {
    return counterNames.some((name, index) => this.#statistics.totals[name] !== this.#told[index]);
  }

  take(): CounterDelta {
    const counters: number[] = [];
    const added: number[] = [];
    for (const [index, name] of counterNames.entries()) {
      const total = this.#statistics.totals[name];
      const before = this.#told[index] as number;
      if (total === before) continue;
      counters.push(index);
      added.push(total - before);
      this.#told[index] = total;
    }
    return { counters: Uint16Array.from(counters), added: Float64Array.from(added) };
  }
}

/** Adds what a worker has counted to the sum. */
export function addCounters(statistics: Statistics, { counters, added }: CounterDelta): void {
  for (const [at, index] of counters.entries()) {
    const name = counterNames[index];
    if (name !== undefined) statistics.totals[name] += added[at] as number;
  }
}

/** What the histograms have gathered; they are empty afterwards. */
export function takeLatencies({ fast, front }: Latencies): LatencyDelta {
  return { fast: takeHistogram(fast), front: takeHistogram(front) };
}

export function addLatencies(latencies: Latencies, delta: LatencyDelta): void {
  addHistogram(latencies.fast, delta.fast);
  addHistogram(latencies.front, delta.front);
}

function takeHistogram(histogram: Histogram): HistogramDelta | undefined {
  if (histogram.counts.every((count) => count === 0)) return undefined;
  const delta = { counts: histogram.counts.slice(), sumMs: histogram.sumMs };
  histogram.counts.fill(0);
  histogram.sumMs = 0;
  return delta;
}

function addHistogram(histogram: Histogram, delta: HistogramDelta | undefined): void {
  if (delta === undefined) return;
  for (const [bucket, count] of delta.counts.entries()) {
    histogram.counts[bucket] = (histogram.counts[bucket] ?? 0) + count;
  }
  histogram.sumMs += delta.sumMs;
}
