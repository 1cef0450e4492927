/**
 * The hit rates of the Virus Pattern Configuration screen (the paper, "Monitoring Section" and
 * Figure 2): how many virus and humble requests came in one refresh interval, at most and on average
 * over the intervals crossed so far, idle ones included. The running interval counts once it is over;
 * until the first one is, the rates are 0, which says that there is nothing to recommend yet. A clock
 * that steps back begins the running interval anew and loses none of its requests.
 */

/** The totals since the start and the rates per refresh interval; averages are not rounded. */
export interface HitFigures {
  readonly virusRequests: number;
  readonly nonVirusRequests: number;
  readonly maxNonVirusHitRate: number;
  readonly aveVirusHitRate: number;
  readonly aveNonVirusHitRate: number;
  /** A lower limit for the hit threshold: half of the two non-virus rates together, rounded up. */
  readonly recommendThreshold: number;
}

/** Counts requests by refresh interval. Times are milliseconds since the epoch. */
export class HitRates {
  #intervalMs: number;
  #intervalStartMs: number;
  #intervalEndMs: number;
  #crossedCount = 0;
  #virusRequests = 0;
  #nonVirusRequests = 0;
  /** The totals as they were when the running interval began. */
  #virusBefore = 0;
  #nonVirusBefore = 0;
  #maxNonVirusHitRate = 0;
  #interval = 0;

  constructor(refreshIntervalSeconds: number, nowMs: number) {
    this.#intervalMs = refreshIntervalSeconds * 1000;
    this.#intervalStartMs = nowMs;
    this.#intervalEndMs = nowMs + this.#intervalMs;
  }

  /** The number of the running interval, as of the last call of a method with a time. */
  get interval(): number {
    return this.#interval;
  }

  /** How long an interval is. */
  get intervalSeconds(): number {
    return this.#intervalMs / 1000;
  }

  /** Counts one screened request. */
  note(isVirus: boolean, nowMs: number): void {
    this.#turnTo(nowMs);
    if (isVirus) this.#virusRequests += 1;
    else this.#nonVirusRequests += 1;
  }

  /** Counts requests that others have screened. */
  noteMany(virusRequests: number, nonVirusRequests: number, nowMs: number): void {
    this.#turnTo(nowMs);
    this.#virusRequests += virusRequests;
    this.#nonVirusRequests += nonVirusRequests;
  }

  /** When the interval began that runs at `nowMs`. */
  startMs(nowMs: number): number {
    this.#turnTo(nowMs);
    return this.#intervalStartMs;
  }

  /** Lets the intervals begin when others' do, one of which began at `startMs`. */
  align(startMs: number): void {
    if ((startMs - this.#intervalStartMs) % this.#intervalMs !== 0) this.#begin(startMs);
  }

  /**
   * Changes the interval's length. The running interval ends here and counts as crossed, unless it
   * has begun only now; the figures gathered so far stay. The same length again changes nothing.
   */
  changeInterval(refreshIntervalSeconds: number, nowMs: number): void {
    const intervalMs = refreshIntervalSeconds * 1000;
    if (intervalMs === this.#intervalMs) return;
    this.#turnTo(nowMs);
    if (nowMs > this.#intervalStartMs || this.#hasRequests()) this.#cross(1);
    this.#intervalMs = intervalMs;
    this.#begin(nowMs);
  }

  /** The figures at `nowMs`. */
  figures(nowMs: number): HitFigures {
    this.#turnTo(nowMs);
    const crossed = Math.max(this.#crossedCount, 1);
    const aveNonVirusHitRate = this.#nonVirusBefore / crossed;
    return {
      virusRequests: this.#virusRequests,
      nonVirusRequests: this.#nonVirusRequests,
      maxNonVirusHitRate: this.#maxNonVirusHitRate,
      aveVirusHitRate: this.#virusBefore / crossed,
      aveNonVirusHitRate,
      recommendThreshold: Math.ceil((this.#maxNonVirusHitRate + aveNonVirusHitRate) / 2),
    };
  }

  /** Crosses the intervals that are over at `nowMs`, however many. */
  #turnTo(nowMs: number): void {
    if (nowMs < this.#intervalStartMs) this.#begin(nowMs);
    if (nowMs < this.#intervalEndMs) return;
    const count = Math.floor((nowMs - this.#intervalStartMs) / this.#intervalMs);
    this.#cross(count);
    this.#begin(this.#intervalStartMs + count * this.#intervalMs);
  }

  /** Counts the running interval as crossed, and `count - 1` idle ones after it. */
  #cross(count: number): void {
    const nonVirusHitRate = this.#nonVirusRequests - this.#nonVirusBefore;
    this.#maxNonVirusHitRate = Math.max(this.#maxNonVirusHitRate, nonVirusHitRate);
    this.#virusBefore = this.#virusRequests;
    this.#nonVirusBefore = this.#nonVirusRequests;
    this.#crossedCount += count;
    this.#interval += 1;
  }

  #begin(startMs: number): void {
    this.#intervalStartMs = startMs;
    this.#intervalEndMs = startMs + this.#intervalMs;
  }

  #hasRequests(): boolean {
    return this.#virusRequests > this.#virusBefore || this.#nonVirusRequests > this.#nonVirusBefore;
  }
}
