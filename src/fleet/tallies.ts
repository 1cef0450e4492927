/**
 * Windows that come often, counted together over all nodes (the paper's hit threshold, for a worm that is
 * spread thinly over many machines). A node tells how much more often it has seen each window that came
 * more often than a part of the threshold, and is answered how often all have seen it in this interval. A
 * window that all together have seen too often is suspect at its next request. Off the request path.
 */
import type { Statistics } from '../statistics.ts';
import type { FrequentWindow } from '../virus/heuristics.ts';
import type { Suspects } from '../virus/suspects.ts';
import type { Connection } from './valkey.ts';
import { keyOf } from './valkey-store.ts';

/** What counts the requests of this node. */
export type NodeCounts = Pick<
  Suspects,
  'interval' | 'threshold' | 'isWatching' | 'frequent' | 'raise'
>;

export interface TallyOptions {
  readonly counts: NodeCounts;
  readonly statistics: Statistics;
  /** MaxTallies. */
  readonly windowsMax: () => number;
  /** The refresh interval. */
  readonly intervalMs: () => number;
}

/** A node tells of windows that it has seen more often than this share of the threshold, by nodes. */
const share = 4;
const leastCount = 2;
/** An interval is told of in so many steps, within these limits. */
const stepsPerInterval = 10;
const periodLeastMs = 250;
const periodMostMs = 2_000;

/** The count from which on a window is told of, with so many nodes. */
export function tallyFloor(threshold: number, nodes: number): number {
  return Math.max(leastCount, Math.ceil(threshold / (share * Math.max(1, nodes))));
}

export class Tallies {
  readonly #options: TallyOptions;
  #interval = Number.NaN;
  /** What was told of each window in the running interval. */
  readonly #told = new Map<string, number>();

  constructor(options: TallyOptions) {
    this.#options = options;
  }

  /** How long to wait until the next `tell`. */
  get periodMs(): number {
    const stepMs = this.#options.intervalMs() / stepsPerInterval;
    return Math.min(periodMostMs, Math.max(periodLeastMs, stepMs));
  }

  /** Tells the engine, whose time is `engineMs`; rejects as the connection does. */
  async tell(
    connection: Connection,
    prefix: string,
    nodes: number,
    engineMs: number,
  ): Promise<void> {
    const { counts, statistics, windowsMax, intervalMs } = this.#options;
    const max = windowsMax();
    if (max === 0 || !counts.isWatching || nodes < 2) return;
    if (counts.interval !== this.#interval) this.#told.clear();
    this.#interval = counts.interval;
    const { windows, omitted } = counts.frequent(tallyFloor(counts.threshold, nodes), max);
    statistics.add('fleet_windows_omitted', omitted);
    const news = windows.filter((each) => each.count > this.#toldOf(each));
    if (news.length === 0) return;
    const number = Math.floor(engineMs / intervalMs());
    const key = keyOf(prefix, `tally:${intervalMs() / 1000}:${number}`);
    const replies = news.map((each) => {
      const more = String(each.count - this.#toldOf(each));
      this.#told.set(nameOf(each), each.count);
      return connection.call(['HINCRBY', key, Buffer.from(each.window), more]);
    });
    const expiry = connection.call(['PEXPIRE', key, String(2 * intervalMs())]);
    const [, ...totals] = await Promise.all([expiry, ...replies]);
    statistics.add('fleet_windows_sent', news.length);
    if (counts.interval !== this.#interval) return;
    for (const [index, each] of news.entries()) {
      if (Number(totals[index]) <= counts.threshold || each.count > counts.threshold) continue;
      this.#told.set(nameOf(each), counts.raise(each));
      statistics.add('fleet_suspects');
    }
  }

  #toldOf(window: FrequentWindow): number {
    return this.#told.get(nameOf(window)) ?? 0;
  }
}

function nameOf({ window }: FrequentWindow): string {
  return Buffer.from(window).toString('latin1');
}
