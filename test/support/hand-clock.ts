/** A clock that stands still until it is turned by hand; it may be turned back. */
import type { Clock, Timer } from '../../src/clock.ts';

interface Waiting {
  atMs: number;
  readonly periodMs: number | undefined;
  readonly action: () => void;
}

export class HandClock implements Clock {
  #nowMs: number;
  /** What timers go by: it never goes back. */
  #elapsedMs = 0;
  readonly #waiting = new Set<Waiting>();

  constructor(nowMs = 1_000_000_000_000) {
    this.#nowMs = nowMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, action: () => void): Timer {
    return this.#wait({ atMs: this.#elapsedMs + delayMs, periodMs: undefined, action });
  }

  every(periodMs: number, action: () => void): Timer {
    return this.#wait({ atMs: this.#elapsedMs + periodMs, periodMs, action });
  }

  /** Turns the hands back, or forward without anything happening. */
  set(nowMs: number): void {
    this.#nowMs = nowMs;
  }

  /** Lets `ms` pass, and the timers ring that are due, in their order. */
  pass(ms: number): void {
    const endMs = this.#elapsedMs + ms;
    for (;;) {
      const [next] = [...this.#waiting]
        .filter(({ atMs }) => atMs <= endMs)
        .sort((one, other) => one.atMs - other.atMs);
      if (next === undefined) break;
      this.#nowMs += next.atMs - this.#elapsedMs;
      this.#elapsedMs = next.atMs;
      if (next.periodMs === undefined) this.#waiting.delete(next);
      else next.atMs += next.periodMs;
      next.action();
    }
    this.#nowMs += endMs - this.#elapsedMs;
    this.#elapsedMs = endMs;
  }

  #wait(waiting: Waiting): Timer {
    this.#waiting.add(waiting);
    return { cancel: () => void this.#waiting.delete(waiting) };
  }
}
