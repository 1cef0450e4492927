/** How long a worker's place stays empty: not at all, but longer and longer if workers end soon after they began. Pure. */

const firstDelayMs = 100;
const delayMaxMs = 10_000;
/** One that has lived so long has not ended because it cannot live. */
const soundMs = 10_000;

export class RestartDelay {
  #endsInRow = 0;

  /** A worker has ended that lived for `livedMs`; gives milliseconds. */
  afterEnd(livedMs: number): number {
    if (livedMs >= soundMs) {
      this.#endsInRow = 0;
      return 0;
    }
    this.#endsInRow += 1;
    if (this.#endsInRow === 1) return 0;
    return Math.min(firstDelayMs * 2 ** (this.#endsInRow - 2), delayMaxMs);
  }
}
