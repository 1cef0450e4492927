/**
 * How a worm spreads among hosts some of which are throttled: an event simulation on virtual time. Each
 * infected host connects to random addresses at a constant rate; a connection that arrives at a host
 * infects it at once. A throttled host's connections go through a `Throttle` of its own. Pure.
 */
import type { ThrottleSettings } from '../../../src/throttle/throttle.ts';
import { runBlockedWorm } from './blocked-worm.ts';
import { EventQueue } from './event-queue.ts';
import { type Random, triesUntil } from './random.ts';
import { type Reaction, runThrottledWorm } from './throttled-worm.ts';

export interface SpreadOptions {
  readonly hostCount: number;
  /** The first host that is infected is one of the others while there is one. */
  readonly throttledCount: number;
  /** The worm picks among so many; the hosts have the first of them. */
  readonly addressCount: number;
  readonly perSecond: number;
  readonly settings: ThrottleSettings;
  readonly reaction: Reaction;
  readonly endMs: number;
}

/**
 * The size of the address space in which the worm, with nothing throttled, infects the last host after
 * `seconds` on average. With `i` of `n` infected the next follows after `a / (rate * i * (n - i))`, and
 * the sum of these over all `i` is `a / rate * 2 / n * (1 + 1/2 + ... + 1/(n-1))`.
 */
export function calibratedAddressCount(
  hostCount: number,
  perSecond: number,
  seconds: number,
): number {
  let harmonic = 0;
  for (let each = 1; each < hostCount; each += 1) harmonic += 1 / each;
  return Math.round((seconds * perSecond * hostCount) / (2 * harmonic));
}

/** The owner of an infected host was away for so long that the limiter is free. */
const ownerIdleMs = 60_000;

class Spread {
  readonly #options: SpreadOptions;
  readonly #random: Random;
  readonly #queue = new EventQueue();
  readonly #infected: Uint8Array;
  readonly #timesMs: number[] = [];

  constructor(options: SpreadOptions, random: Random) {
    this.#options = options;
    this.#random = random;
    this.#infected = new Uint8Array(options.hostCount);
  }

  run(): number[] {
    const { hostCount, endMs } = this.#options;
    this.#infect(0, 0);
    while (this.#timesMs.length < hostCount) {
      const scan = this.#queue.take();
      if (scan === undefined || scan.atMs > endMs) break;
      if (this.#infected[scan.target] === 0) this.#infect(scan.target, scan.atMs);
      if (scan.source >= 0) this.#scanOn(scan.source, scan.atMs);
    }
    return this.#timesMs;
  }

  #infect(host: number, nowMs: number): void {
    const { hostCount, throttledCount } = this.#options;
    this.#infected[host] = 1;
    this.#timesMs.push(nowMs);
    if (host < hostCount - throttledCount) this.#scanOn(host, nowMs);
    else this.#runThrottled(nowMs);
  }

  /**
   * The next host that the source, which is not throttled, hits. The tries in between hit nothing: how
   * many they are is drawn. Hits on hosts that are infected already change nothing and are passed over.
   */
  #scanOn(source: number, fromMs: number): void {
    const { hostCount, addressCount, perSecond, endMs } = this.#options;
    const chance = hostCount / addressCount;
    let atMs = fromMs;
    for (;;) {
      atMs += (triesUntil(chance, this.#random) * 1_000) / perSecond;
      if (atMs > endMs) return;
      const target = Math.floor(this.#random() * hostCount);
      if (this.#infected[target] === 1) continue;
      this.#queue.add(atMs, target, source);
      return;
    }
  }

  /** What happens elsewhere does not change what a throttle does: all of its time is run at once. */
  #runThrottled(fromMs: number): void {
    const { hostCount, addressCount, perSecond, settings, reaction, endMs } = this.#options;
    const run = reaction === 'blocked' ? runBlockedWorm : runThrottledWorm;
    run({
      settings,
      perSecond,
      idleMs: ownerIdleMs,
      reaction,
      endMs: endMs - fromMs,
      nextAddress: () => Math.floor(this.#random() * addressCount),
      onReached: (address, atMs) => {
        if (address < hostCount) this.#queue.add(fromMs + atMs, address, -1);
      },
    });
  }
}

/** When each host was infected that was, in milliseconds, earliest first; the first at 0. */
export function simulateSpread(options: SpreadOptions, random: Random): number[] {
  return new Spread(options, random).run();
}
