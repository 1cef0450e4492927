/**
 * Candidate windows, summed over all workers: the primary's part of finding suspects. A worker names a window
 * as a candidate once it has counted it more often than HitThreshold divided by the workers; a window that all
 * together have seen more than HitThreshold times has a candidate in at least one of them. From then on every
 * worker tells what it counts of it, so the sum is exact, and nothing is suspected that did not come often
 * enough. Bounded in windows; keeps the running interval and the one before it, whose last counts may be on
 * their way. Pure.
 */
import type { Statistics } from '../statistics.ts';
import type { FrequentWindow } from '../virus/heuristics.ts';
import type { Suspect, WindowCounts } from '../virus/suspects.ts';
import type { WatchedWindow, WindowTallies } from './messages.ts';

export interface WindowSumsOptions {
  /** So many windows are watched in an interval. */
  readonly windowsMax: number;
  readonly threshold: () => number;
  readonly statistics: Statistics;
  /** All workers are to count these. */
  readonly onWatch: (startMs: number, windows: readonly WatchedWindow[]) => void;
  /** They need not be counted any more. */
  readonly onUnwatch: (startMs: number, ids: readonly number[]) => void;
  /** Hands a suspect over; false: there is no room for it, and it is offered again. */
  readonly offer: (suspect: Suspect) => boolean;
}

interface Watched {
  readonly id: number;
  suspect: Suspect;
  /** By worker. */
  readonly counts: Map<number, number>;
  /** Counted by workers that are gone. */
  gone: number;
  isReported: boolean;
}

interface Interval {
  readonly startMs: number;
  readonly byPattern: Map<string, Watched>;
  readonly byId: Watched[];
}

const intervalsKept = 2;

export class WindowSums implements WindowCounts {
  readonly displaced = 0;
  readonly #options: WindowSumsOptions;
  #intervals: readonly Interval[] = [];

  constructor(options: WindowSumsOptions) {
    this.#options = options;
  }

  /** The primary screens no request itself. */
  tally(): boolean {
    return false;
  }

  withdraw(): void {}

  /** Forgets which windows were reported: their next requests report again. */
  reportAgain(): void {
    for (const { startMs, byId } of this.#intervals) {
      const reported = byId.filter(({ isReported }) => isReported);
      for (const watched of reported) watched.isReported = false;
      if (reported.length > 0) this.#watch(startMs, reported);
    }
  }

  /** The running interval: when it began; -1 without any candidate yet. */
  get interval(): number {
    return this.#intervals[0]?.startMs ?? -1;
  }

  /** Candidates alone: what no worker has named is not counted here. */
  frequent(min: number, max: number): { windows: readonly FrequentWindow[]; omitted: number } {
    const all = (this.#intervals[0]?.byId ?? [])
      .map((watched) => ({ watched, count: sumOf(watched) }))
      .filter(({ count }) => count >= min)
      .sort((one, other) => other.count - one.count);
    const windows = all.slice(0, max).map(({ watched: { id, suspect }, count }) => {
      return { row: id, window: suspect.pattern, count };
    });
    return { windows, omitted: all.length - windows.length };
  }

  /** Its next request, which a worker tells of, makes it suspect. */
  raise({ row, window }: FrequentWindow, count: number): void {
    const watched = this.#intervals[0]?.byId[row];
    if (watched === undefined || Buffer.compare(watched.suspect.pattern, window) !== 0) return;
    watched.gone += Math.max(0, count - sumOf(watched));
  }

  /** Windows that a worker has counted often enough to make them candidates. */
  takeCandidates(startMs: number, suspects: readonly Suspect[]): void {
    if (suspects.length === 0) return;
    const interval = this.#intervalAt(startMs);
    const added: Watched[] = [];
    for (const named of suspects) {
      // It is a part of the whole report, which would stay in memory with it.
      const suspect = { ...named, pattern: Uint8Array.from(named.pattern) };
      const key = Buffer.from(suspect.pattern).toString('latin1');
      const known = interval.byPattern.get(key);
      if (known !== undefined) {
        known.suspect = suspect;
      } else if (interval.byId.length >= this.#options.windowsMax) {
        this.#options.statistics.add('candidates_refused');
      } else {
        const id = interval.byId.length;
        const counts = new Map<number, number>();
        const watched: Watched = { id, suspect, counts, gone: 0, isReported: false };
        interval.byPattern.set(key, watched);
        interval.byId.push(watched);
        added.push(watched);
      }
    }
    if (added.length > 0) this.#watch(startMs, added);
  }

  /** What a worker has counted of watched windows so far. */
  takeTallies(worker: number, { startMs, ids, counts }: WindowTallies): void {
    const interval = this.#intervals.find((each) => each.startMs === startMs);
    if (interval === undefined) return;
    const settled: number[] = [];
    for (const [index, id] of ids.entries()) {
      const watched = interval.byId[id];
      if (watched === undefined) continue;
      watched.counts.set(worker, counts[index] as number);
      if (watched.isReported || sumOf(watched) <= this.#options.threshold()) continue;
      watched.isReported = this.#options.offer(watched.suspect);
      if (watched.isReported) settled.push(id);
    }
    if (settled.length > 0) this.#options.onUnwatch(startMs, settled);
  }

  /** A worker has ended: what it has counted stays. */
  noteEnd(worker: number): void {
    for (const { byId } of this.#intervals) {
      for (const watched of byId) {
        watched.gone += watched.counts.get(worker) ?? 0;
        watched.counts.delete(worker);
      }
    }
  }

  /** What a new worker has to watch. */
  watched(): { readonly startMs: number; readonly windows: readonly WatchedWindow[] }[] {
    return this.#intervals.map(({ startMs, byId }) => ({
      startMs,
      windows: byId.filter(({ isReported }) => !isReported).map(windowOf),
    }));
  }

  #watch(startMs: number, added: readonly Watched[]): void {
    this.#options.onWatch(startMs, added.map(windowOf));
  }

  #intervalAt(startMs: number): Interval {
    const known = this.#intervals.find((each) => each.startMs === startMs);
    if (known !== undefined) return known;
    const made: Interval = { startMs, byPattern: new Map(), byId: [] };
    // A worker's last candidates of an interval may be the first of it, and come when the next has begun.
    this.#intervals = [made, ...this.#intervals]
      .sort((one, other) => other.startMs - one.startMs)
      .slice(0, intervalsKept);
    return made;
  }
}

function windowOf({ id, suspect }: Watched): WatchedWindow {
  return { id, pattern: suspect.pattern };
}

function sumOf({ counts, gone }: Watched): number {
  let sum = gone;
  for (const count of counts.values()) sum += count;
  return sum;
}
