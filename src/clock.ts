/**
 * The only source of time and timers. Decisions never read a clock: they are handed a `nowMs`.
 * The edges take a `Clock`, so that tests can turn time by hand.
 */

/** A timer that can be cancelled; cancelling one that has fired does nothing. */
export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Wall-clock time in milliseconds since the epoch; may step backwards. */
  nowMs(): number;
  /** Calls `action` once after `delayMs`. The timer does not keep the process alive. */
  after(delayMs: number, action: () => void): Timer;
  /** Calls `action` every `periodMs` until cancelled. The timer does not keep the process alive. */
  every(periodMs: number, action: () => void): Timer;
}

/** How long this process has been running; never goes back. */
export function processUpMs(): number {
  return performance.now();
}

/** The machine's own clock. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  after(delayMs, action) {
    const handle = setTimeout(action, delayMs);
    handle.unref();
    return { cancel: () => clearTimeout(handle) };
  },
  every(periodMs, action) {
    const handle = setInterval(action, periodMs);
    handle.unref();
    return { cancel: () => clearInterval(handle) };
  },
};
