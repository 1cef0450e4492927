/**
 * How many requests a client has taken back lately: HTTP/2 lets it open and reset streams at a rate that
 * costs the server far more than the client. Counted in spans of ten seconds.
 */

const spanMs = 10_000;

export class ResetBudget {
  #spanStart = Number.NEGATIVE_INFINITY;
  #count = 0;

  /** Counts a reset at `nowMs`, a clock that never goes back; true when there are more than `max`. */
  note(nowMs: number, max: number): boolean {
    if (nowMs - this.#spanStart >= spanMs) {
      this.#spanStart = nowMs;
      this.#count = 0;
    }
    this.#count += 1;
    return this.#count > max;
  }
}
