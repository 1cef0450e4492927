/**
 * The clock that a log is replayed on. A line may lie behind its neighbours even after log-order.ts, as a
 * long download's does, and time must neither step back nor pass twice for it. Pure.
 */

/** A line may lie so far behind; one that lies further behind begins another log. */
export const tardyMsMax = 3_600_000;
/** A longer gap is no quiet time: there is no log of it, or a clock was set. */
const gapMsMax = 31 * 86_400_000;
/** For how much such a gap counts: every refresh interval is over. */
const gapTakenMs = 3_600_000;

/** Turned by the time of each request; never runs backwards, as HitRates loses no request to a step. */
export class LogClock {
  /** Milliseconds since the epoch at first, and from there on as time passed in the log. */
  nowMs = 0;
  /** How much time passed in all. */
  elapsedMs = 0;
  /** Gaps that were not counted. */
  gapCount = 0;
  /** How often the log's time stepped back further than a tardy line's does. */
  stepBackCount = 0;
  #latestMs: number | undefined;
  #isFileNew = false;

  /** The next time is the first of a file, which may lie anywhere. */
  beginFile(): void {
    this.#isFileNew = true;
  }

  /** Turns the clock by a request's time; gives the time to replay it at. */
  turnTo(atMs: number): number {
    const latestMs = this.#latestMs;
    if (latestMs === undefined) {
      this.nowMs = atMs;
      this.#latestMs = atMs;
    } else if (atMs > latestMs) {
      this.#pass(atMs - latestMs);
      this.#latestMs = atMs;
    } else if (latestMs - atMs > tardyMsMax || (this.#isFileNew && atMs < latestMs)) {
      this.stepBackCount += 1;
      this.#latestMs = atMs;
    }
    this.#isFileNew = false;
    return this.nowMs;
  }

  #pass(stepMs: number): void {
    const isGap = stepMs > gapMsMax;
    if (isGap) this.gapCount += 1;
    const passedMs = isGap ? gapTakenMs : stepMs;
    this.nowMs += passedMs;
    this.elapsedMs += passedMs;
  }
}
