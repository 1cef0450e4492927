/**
 * How often each window comes within an interval, for several lengths of the interval at once: the
 * distribution that a threshold is chosen by. Exact, for the windows that there is room for. Pure.
 */

/** How many different windows are told apart; of further ones nothing is known but their number. */
export const windowsMax = 500_000;

/** Of counts above this one it is only known that they are. */
const countMax = 65_535;

/** What is known of a window that holds a keyword. */
export interface KeywordWindow {
  readonly window: string;
  readonly keyword: string;
  /** The request string that it was first seen in. */
  readonly requestString: string;
  total: number;
}

/** The distribution for one length of the interval. */
export class IntervalCounts {
  readonly seconds: number;
  /** How many (window, interval) pairs of humble windows had each count. */
  readonly pairs = new Map<number, number>();
  /** The highest count in an interval of each window that holds a keyword, by its id. */
  readonly peaks = new Map<number, number>();
  readonly #counts = new Uint16Array(windowsMax);
  readonly #intervals = new Int32Array(windowsMax).fill(-1);

  constructor(seconds: number) {
    this.seconds = seconds;
  }

  /** Counts a window at a time since the log's beginning. */
  count(id: number, elapsedMs: number, holdsKeyword: boolean): void {
    const interval = Math.floor(elapsedMs / (this.seconds * 1_000));
    if (this.#intervals[id] !== interval) {
      this.#close(id, holdsKeyword);
      this.#intervals[id] = interval;
      this.#counts[id] = 0;
    }
    if ((this.#counts[id] as number) < countMax)
      this.#counts[id] = (this.#counts[id] as number) + 1;
  }

  /** Closes what still runs. */
  finish(count: number, holdsKeyword: (id: number) => boolean): void {
    for (let id = 0; id < count; id += 1) this.#close(id, holdsKeyword(id));
  }

  /** The highest count of a humble window in one interval. */
  get humbleMax(): number {
    let max = 0;
    for (const count of this.pairs.keys()) max = Math.max(max, count);
    return max;
  }

  /** How many (window, interval) pairs of humble windows were counted more often than `threshold`. */
  pairsAbove(threshold: number): number {
    let sum = 0;
    for (const [count, pairs] of this.pairs) if (count > threshold) sum += pairs;
    return sum;
  }

  /** The count that only `share` of all humble pairs exceed. */
  quantile(share: number): number {
    const total = this.pairsAbove(0);
    const counts = [...this.pairs.keys()].sort((one, other) => one - other);
    return counts.find((count) => this.pairsAbove(count) <= total * share) ?? 0;
  }

  #close(id: number, holdsKeyword: boolean): void {
    const count = this.#counts[id] as number;
    if (count === 0) return;
    if (holdsKeyword) this.peaks.set(id, Math.max(this.peaks.get(id) ?? 0, count));
    else this.pairs.set(count, (this.pairs.get(count) ?? 0) + 1);
  }
}

/** All windows of a log and their counts in each of the intervals. */
export class WindowCounts {
  readonly intervals: readonly IntervalCounts[];
  readonly keywordWindows = new Map<number, KeywordWindow>();
  /** Requests whose window there was no room for. */
  unknownCount = 0;
  requestCount = 0;
  readonly #ids = new Map<string, number>();
  readonly #keywordFlags = new Uint8Array(windowsMax);
  #elapsedMs = 0;
  #lastMs: number | undefined;

  constructor(seconds: readonly number[]) {
    this.intervals = seconds.map((each) => new IntervalCounts(each));
  }

  get distinct(): number {
    return this.#ids.size;
  }

  /** How long the log is, times that step back left out. */
  get elapsedMs(): number {
    return this.#elapsedMs;
  }

  /** Counts a request that matches no pattern; `keyword` is one that it holds. */
  note(window: string, requestString: string, keyword: string | undefined, atMs: number): void {
    this.#elapsedMs += Math.max(0, atMs - (this.#lastMs ?? atMs));
    this.#lastMs = atMs;
    this.requestCount += 1;
    let id = this.#ids.get(window);
    if (id === undefined) {
      if (this.#ids.size === windowsMax) {
        this.unknownCount += 1;
        return;
      }
      id = this.#ids.size;
      this.#ids.set(window, id);
    }
    if (keyword !== undefined) this.#noteKeyword(id, { window, keyword, requestString, total: 0 });
    const holdsKeyword = this.#keywordFlags[id] === 1;
    for (const interval of this.intervals) interval.count(id, this.#elapsedMs, holdsKeyword);
  }

  /** Closes the intervals that run at the end of the log. */
  finish(): void {
    const holdsKeyword = (id: number) => this.#keywordFlags[id] === 1;
    for (const interval of this.intervals) interval.finish(this.#ids.size, holdsKeyword);
  }

  #noteKeyword(id: number, found: KeywordWindow): void {
    this.#keywordFlags[id] = 1;
    const known = this.keywordWindows.get(id);
    if (known === undefined) this.keywordWindows.set(id, { ...found, total: 1 });
    else known.total += 1;
  }
}
