/**
 * The worm of throttled-worm.ts with OnVirusLikeActivity=block, where nobody ends it: it goes through
 * `ThrottledSources`, on virtual time, and tries on and on. Pure.
 */
import type { Clock, Timer } from '../../../src/clock.ts';
import { ThrottledSources, type Turn } from '../../../src/throttle/sources.ts';
import type { WormOptions } from './throttled-worm.ts';

/** The default of BlockSeconds. */
const blockMs = 60_000;
/** The times of a server are never near 0. */
const startMs = 1_000_000_000;

interface Alarm {
  readonly atMs: number;
  readonly action: () => void;
}

/** A clock that is turned by hand; a source has two alarms at most. */
class WormClock implements Clock {
  #nowMs = startMs;
  readonly #alarms = new Set<Alarm>();

  nowMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, action: () => void): Timer {
    const alarm = { atMs: this.#nowMs + delayMs, action };
    this.#alarms.add(alarm);
    return { cancel: () => this.#alarms.delete(alarm) };
  }

  every(): Timer {
    throw new Error('a throttle repeats nothing');
  }

  /** Turns to a later moment; what is due until then happens. */
  turnTo(untilMs: number): void {
    for (let due = this.#next(); due !== undefined && due.atMs <= untilMs; due = this.#next()) {
      this.#alarms.delete(due);
      this.#nowMs = due.atMs;
      due.action();
    }
    this.#nowMs = untilMs;
  }

  #next(): Alarm | undefined {
    let next: Alarm | undefined;
    for (const alarm of this.#alarms) {
      if (next === undefined || alarm.atMs < next.atMs) next = alarm;
    }
    return next;
  }
}

/** Runs until the end. */
export function runBlockedWorm(options: Omit<WormOptions, 'reaction'>): void {
  const { settings, perSecond, idleMs, endMs, nextAddress, onReached } = options;
  const clock = new WormClock();
  const sources = new ThrottledSources({
    clock,
    onFull: () => {},
    isOn: () => true,
    isOrigin: () => false,
    settings: () => settings,
    blockMs: () => blockMs,
    sourcesMax: () => 1,
    onEvent: () => {},
  });
  const admit = (host: string, turn: Turn) => sources.admit('worm', host, turn);
  const ownersMs = settings.workingSetSize * settings.delayMs + idleMs;
  for (let host = 1; host <= settings.workingSetSize; host += 1) {
    clock.turnTo(startMs + host * settings.delayMs);
    admit(`owner's ${host}`, { go: () => {}, refuse: () => {} });
  }
  const wormMs = startMs + ownersMs;
  for (let tried = 1; (tried * 1_000) / perSecond <= endMs; tried += 1) {
    clock.turnTo(wormMs + (tried * 1_000) / perSecond);
    const address = nextAddress();
    const go = () => onReached(address, clock.nowMs() - wormMs);
    if (admit(String(address), { go, refuse: () => {} }) === 'passed') go();
  }
}
