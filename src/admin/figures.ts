/** What the pages of the web console are sent each second: the state of everything, in one value. */

import type { StoreTotals } from '../cache/store.ts';
import type { Latencies } from '../log/latency.ts';
import type { CounterName, Statistics } from '../statistics.ts';
import type { ThrottleReport } from '../throttle/status.ts';
import type { OriginRow } from '../upstream/origins.ts';
import type { ConsoleContext } from './console.ts';
import type { ScreenSnapshot } from './screen.ts';

/** A source of connections and its throttle. */
export interface SourceFigures extends ThrottleReport {
  readonly source: string;
}

export interface Figures {
  readonly atMs: number;
  /** Since the start. */
  readonly counters: Readonly<Record<CounterName, number>>;
  /** Undefined until the pattern database is read. */
  readonly screen: ScreenSnapshot | undefined;
  readonly cache: StoreTotals;
  /** How many requests took so long, by bucket (latency.ts), both lanes together. */
  readonly latencyCounts: readonly number[];
  readonly origins: readonly OriginRow[];
  /** Those that have waited most lately, at most ten. */
  readonly sources: readonly SourceFigures[];
}

/** The figures of this moment. */
export function takeFigures(
  context: ConsoleContext,
  statistics: Statistics,
  latencies: Latencies,
  sources: readonly SourceFigures[],
): Figures {
  const { fast, front } = latencies;
  return {
    atMs: context.nowMs(),
    counters: statistics.totals,
    screen: context.ready() ? context.snapshot() : undefined,
    cache: context.cache.totals(),
    latencyCounts: Array.from(fast.counts, (count, bucket) => count + (front.counts[bucket] ?? 0)),
    origins: context.origins(),
    sources,
  };
}
