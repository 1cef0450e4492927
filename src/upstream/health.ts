/**
 * Whether an origin works: failures in a row take it out for a time, after which one request finds out
 * whether it is back; checks take it out and bring it back; an origin that is back gets its share little
 * by little. A state machine that knows no clock and no socket; times are handed in and never go back.
 */
import type { OriginSettings } from '../config/shape.ts';

/** The settings that the state machine follows. */
export type HealthSettings = Pick<
  OriginSettings,
  'failuresMax' | 'downMs' | 'counts5xx' | 'slowStartMs'
> & { readonly rise: number; readonly fall: number };

/** `down`: left out because of failures; `failed`: left out because of checks. */
export type HealthState = 'up' | 'slow start' | 'down' | 'failed';

/** What an event has changed: the origin is left out from now on, or is back. */
export type HealthChange = 'out' | 'back' | undefined;

/** The smallest part of its weight with which an origin comes back. */
const firstShare = 0.1;

export class Health {
  #settings: HealthSettings;
  /** Failures since the last whole answer. */
  #failures = 0;
  /** Left out because of failures; from `#probeAtMs` on one request may try. */
  #isDown = false;
  #probeAtMs = 0;
  /** Left out because of checks. */
  #isFailed = false;
  /** Checks in a row that contradict `#isFailed`. */
  #contradictions = 0;
  /** When it came back; undefined: too long ago to matter. */
  #backAtMs: number | undefined;

  constructor(settings: HealthSettings) {
    this.#settings = settings;
  }

  /** Applies other settings; what was found out stays. */
  configure(settings: HealthSettings): void {
    this.#settings = settings;
    if (settings.failuresMax === 0) this.#isDown = false;
  }

  state(nowMs: number): HealthState {
    if (this.#isFailed) return 'failed';
    if (this.#isDown) return 'down';
    return this.share(nowMs) < 1 ? 'slow start' : 'up';
  }

  /** Failures since the last whole answer. */
  get failures(): number {
    return this.#failures;
  }

  /** Whether the head of a good answer changes nothing. */
  get isQuiet(): boolean {
    return !this.#isDown;
  }

  /** Which part of its weight counts now; 0: it is not to be asked. */
  share(nowMs: number): number {
    if (this.#isFailed) return 0;
    if (this.#isDown) return nowMs >= this.#probeAtMs ? firstShare : 0;
    if (this.#backAtMs === undefined) return 1;
    const { slowStartMs } = this.#settings;
    const age = nowMs - this.#backAtMs;
    if (age < slowStartMs) return Math.max(firstShare, age / slowStartMs);
    this.#backAtMs = undefined;
    return 1;
  }

  /** A request is about to be sent: if the origin is down, it is the one that tries. */
  noteChosen(nowMs: number): void {
    // Should nothing be heard of it, because its client goes, another tries after as long again.
    if (this.#isDown) this.#probeAtMs = nowMs + this.#settings.downMs;
  }

  /** The head of an answer has come. */
  noteHead(status: number, nowMs: number): HealthChange {
    if (status >= 500 && this.#settings.counts5xx) return this.noteFailure(nowMs);
    if (!this.#isDown) return undefined;
    this.#isDown = false;
    this.#failures = 0;
    return this.#comeBack(nowMs);
  }

  /** An answer has come whole. */
  noteWhole(status: number): void {
    if (status < 500 || !this.#settings.counts5xx) this.#failures = 0;
  }

  /** A request failed because of the origin. */
  noteFailure(nowMs: number): HealthChange {
    const { failuresMax, downMs } = this.#settings;
    this.#failures += 1;
    if (failuresMax === 0 || this.#failures < failuresMax) return undefined;
    this.#probeAtMs = nowMs + downMs;
    if (this.#isDown) return undefined;
    this.#isDown = true;
    return this.#isFailed ? undefined : 'out';
  }

  /** Another process has left the origin out, or has it back; it need not find out by itself. */
  noteElsewhere(isOut: boolean, nowMs: number): void {
    const { failuresMax, downMs } = this.#settings;
    if (!isOut) {
      if (!this.#isDown) return;
      this.#isDown = false;
      this.#failures = 0;
      this.#comeBack(nowMs);
    } else if (!this.#isDown && !this.#isFailed && failuresMax > 0) {
      this.#isDown = true;
      this.#probeAtMs = nowMs + downMs;
    }
  }

  /** A check has ended. */
  noteCheck(hasPassed: boolean, nowMs: number): HealthChange {
    if (hasPassed !== this.#isFailed) {
      this.#contradictions = 0;
      return undefined;
    }
    this.#contradictions += 1;
    const { rise, fall } = this.#settings;
    if (this.#contradictions < (hasPassed ? rise : fall)) return undefined;
    this.#contradictions = 0;
    this.#isFailed = !hasPassed;
    if (!hasPassed) return this.#isDown ? undefined : 'out';
    // It answers what it is asked: its failures are history.
    this.#isDown = false;
    this.#failures = 0;
    return this.#comeBack(nowMs);
  }

  /** Nobody checks any more. */
  forgetChecks(nowMs: number): HealthChange {
    this.#contradictions = 0;
    if (!this.#isFailed) return undefined;
    this.#isFailed = false;
    return this.#comeBack(nowMs);
  }

  #comeBack(nowMs: number): HealthChange {
    if (this.#isDown || this.#isFailed) return undefined;
    this.#backAtMs = nowMs;
    return 'back';
  }
}
