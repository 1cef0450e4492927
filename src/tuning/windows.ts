/**
 * How often each window comes within an interval, for several lengths of the interval at once: the
 * distribution that a threshold is chosen by. Exact, for the windows that there is room for. Pure.
 */

/** How many different windows are told apart; of further ones nothing is known but their number. */
export const windowsMax = 500_000;

/** How many characters of request strings are kept in all, for the windows that hold a keyword. */
const keptCharactersMax = 64 * 2 ** 20;

/** Of counts above this one it is only known that they are. */
const countMax = 65_535;

/** What is known of a window that holds a keyword. */
export interface KeywordWindow {
  readonly keyword: string;
  /** The request string that it was first seen in. */
  readonly requestString: string;
}

/** The distribution for one length of the interval. */
export class IntervalCounts {
  readonly seconds: number;
  /** How many (window, interval) pairs of humble windows had each count. */
  readonly pairs = new Map<number, number>();
  readonly #peaks = new Uint16Array(windowsMax);
  readonly #counts = new Uint16Array(windowsMax);
  readonly #intervals = new Int32Array(windowsMax).fill(-1);

  constructor(seconds: number) {
    this.seconds = seconds;
  }

  /** Counts a window at a time since the log's beginning. */
  count(id: number, elapsedMs: number, holdsKeyword: boolean): void {
    // The same whole number that the array keeps of it.
    const interval = Math.floor(elapsedMs / (this.seconds * 1_000)) | 0;
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

  /** The highest count in one interval of a window that holds a keyword, by its id. */
  peakOf(id: number): number {
    return this.#peaks[id] as number;
  }

  /** The highest of those. */
  get keywordMax(): number {
    return this.#peaks.reduce((max, peak) => Math.max(max, peak), 0);
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
    const allowed = this.pairsAbove(0) * share;
    let above = 0;
    for (const [count, pairs] of [...this.pairs].sort(([one], [other]) => other - one)) {
      if (above + pairs > allowed) return count;
      above += pairs;
    }
    return 0;
  }

  #close(id: number, holdsKeyword: boolean): void {
    const count = this.#counts[id] as number;
    if (count === 0) return;
    if (holdsKeyword) this.#peaks[id] = Math.max(this.peakOf(id), count);
    else this.pairs.set(count, (this.pairs.get(count) ?? 0) + 1);
  }
}

/** All windows of a log and their counts in each of the intervals. */
export class WindowCounts {
  readonly intervals: readonly IntervalCounts[];
  /** By the windows' ids. */
  readonly keywordWindows = new Map<number, KeywordWindow>();
  /** Requests that are not counted, because there was no room for their windows. */
  unknownCount = 0;
  readonly #ids = new Map<string, number>();
  readonly #keywordFlags = new Uint8Array(windowsMax);
  #keptCharacters = 0;

  constructor(seconds: readonly number[]) {
    this.intervals = seconds.map((each) => new IntervalCounts(each));
  }

  /** Counts a request; `keyword` is one that it holds. */
  note(
    window: string,
    requestString: string,
    keyword: string | undefined,
    elapsedMs: number,
  ): void {
    let id = this.#ids.get(window);
    const isFirst = keyword !== undefined && (id === undefined || this.#keywordFlags[id] === 0);
    const kept = this.#keptCharacters + (isFirst ? requestString.length : 0);
    if (kept > keptCharactersMax || (id === undefined && this.#ids.size === windowsMax)) {
      this.unknownCount += 1;
      return;
    }
    if (id === undefined) {
      id = this.#ids.size;
      // A copy: a part of a string keeps the whole of it alive.
      this.#ids.set(Buffer.from(window, 'latin1').toString('latin1'), id);
    }
    if (isFirst) {
      this.#keptCharacters = kept;
      this.#keywordFlags[id] = 1;
      this.keywordWindows.set(id, { keyword, requestString });
    }
    const holdsKeyword = this.#keywordFlags[id] === 1;
    for (const interval of this.intervals) interval.count(id, elapsedMs, holdsKeyword);
  }

  /** Closes the intervals that run at the end of the log. */
  finish(): void {
    const holdsKeyword = (id: number) => this.#keywordFlags[id] === 1;
    for (const interval of this.intervals) interval.finish(this.#ids.size, holdsKeyword);
  }
}
