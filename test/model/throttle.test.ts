/**
 * The throttle against a naive one: an array of waiting requests that is searched from the front, a list
 * of known hosts, and the paper's rules written down as they are read.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type Admission,
  Throttle,
  type ThrottleEvent,
  type ThrottleSettings,
} from '../../src/throttle/throttle.ts';

interface Waiting {
  readonly host: string;
  readonly request: number;
}

class NaiveThrottle {
  settings: ThrottleSettings;
  known: string[] = [];
  waiting: Waiting[] = [];
  lastMs = Number.NEGATIVE_INFINITY;
  isActive = false;
  isDropping = false;
  readonly events: ThrottleEvent[] = [];
  readonly counts = {
    ...{ connecting: 0, passed: 0, queued: 0, removed: 0, waiting: 0 },
    ...{ waitingMax: 0, detections: 0, dropped: 0 },
  };

  constructor(settings: ThrottleSettings) {
    this.settings = settings;
  }

  admit(host: string, request: number, nowMs: number): Admission {
    this.counts.connecting += 1;
    if (host === 'origin' || this.known.includes(host)) {
      this.counts.passed += 1;
      return 'passed';
    }
    this.#mindClock(nowMs);
    if (this.waiting.length >= this.settings.queueSize) {
      this.counts.dropped += 1;
      if (!this.isDropping) this.events.push('dropping');
      this.isDropping = true;
      return 'dropped';
    }
    this.counts.queued += 1;
    this.waiting.push({ host, request });
    this.counts.waitingMax = Math.max(this.counts.waitingMax, this.waiting.length);
    const [only] = this.waiting;
    if (this.waiting.length === 1 && only !== undefined && this.#isTime(nowMs)) {
      this.#letGo(host, nowMs);
      return 'passed';
    }
    this.#look();
    return 'queued';
  }

  release(nowMs: number): number[] {
    this.#mindClock(nowMs);
    const [oldest] = this.waiting;
    if (oldest === undefined || !this.#isTime(nowMs)) return [];
    return this.#letGo(oldest.host, nowMs);
  }

  abandon(request: number): boolean {
    const isWaiting = this.waiting.some((each) => each.request === request);
    if (!isWaiting) return false;
    this.waiting = this.waiting.filter((each) => each.request !== request);
    this.counts.removed += 1;
    this.#look();
    return true;
  }

  #isTime(nowMs: number): boolean {
    return nowMs - this.lastMs >= this.settings.delayMs;
  }

  #mindClock(nowMs: number): void {
    this.lastMs = Math.min(this.lastMs, nowMs);
  }

  #letGo(host: string, nowMs: number): number[] {
    const going = this.waiting.filter((each) => each.host === host);
    this.waiting = this.waiting.filter((each) => each.host !== host);
    this.counts.removed += going.length;
    this.known = [...this.known, host].slice(-this.settings.workingSetSize);
    this.lastMs = nowMs;
    this.#look();
    return going.map(({ request }) => request);
  }

  #look(): void {
    const { length } = this.waiting;
    if (!this.isActive && length >= this.settings.highWaterMark) {
      this.isActive = true;
      this.counts.detections += 1;
      this.events.push('detected');
    }
    if (length <= this.settings.lowWaterMark) this.isDropping = false;
    if (this.isActive && length < this.settings.lowWaterMark) {
      this.isActive = false;
      this.events.push('stopped');
    }
  }
}

type Step =
  | { readonly kind: 'admit'; readonly host: string }
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'release' }
  | { readonly kind: 'abandon'; readonly nth: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc
      .constantFrom('origin', ...'abcdefghijklmnop')
      .map((host): Step => ({ kind: 'admit', host })),
  },
  {
    weight: 4,
    arbitrary: fc
      .constantFrom(0, 1, 400, 1_000, 3_000, -2_000)
      .map((ms): Step => ({ kind: 'pass', ms })),
  },
  { weight: 4, arbitrary: fc.constant<Step>({ kind: 'release' }) },
  { weight: 2, arbitrary: fc.nat(30).map((nth): Step => ({ kind: 'abandon', nth })) },
);

const settings = fc
  .record({
    workingSetSize: fc.integer({ min: 1, max: 4 }),
    queueSize: fc.integer({ min: 3, max: 12 }),
  })
  .chain(({ workingSetSize, queueSize }) =>
    fc.integer({ min: 2, max: queueSize }).chain((highWaterMark) =>
      fc.integer({ min: 1, max: highWaterMark - 1 }).map(
        (lowWaterMark): ThrottleSettings => ({
          ...{ workingSetSize, queueSize, highWaterMark, lowWaterMark, delayMs: 1_000 },
        }),
      ),
    ),
  );

test('whatever is asked of it, the throttle does what the naive one does', () => {
  fc.assert(
    fc.property(settings, fc.array(step, { maxLength: 150, size: 'max' }), (chosen, steps) => {
      const events: ThrottleEvent[] = [];
      const throttle = new Throttle<number>({
        settings: chosen,
        isAlwaysKnown: (host) => host === 'origin',
        onEvent: (event) => events.push(event),
      });
      const naive = new NaiveThrottle(chosen);
      let nowMs = 1_000_000;
      let nextRequest = 1;
      for (const each of steps) {
        if (each.kind === 'pass') nowMs += each.ms;
        else if (each.kind === 'admit') {
          const request = nextRequest++;
          assert.equal(
            throttle.admit(each.host, request, nowMs),
            naive.admit(each.host, request, nowMs),
          );
        } else if (each.kind === 'release') {
          assert.deepEqual(throttle.release(nowMs), naive.release(nowMs));
        } else {
          const request = nextRequest - each.nth;
          assert.equal(throttle.abandon(request), naive.abandon(request));
        }
        assert.deepEqual(throttle.counts, { ...naive.counts, waiting: naive.waiting.length });
        assert.deepEqual(throttle.knownHosts(), naive.known);
        assert.deepEqual(events, naive.events);
        assert.equal(throttle.activity === 'now', naive.isActive);
        assert.equal(throttle.nextReleaseMs === undefined, naive.waiting.length === 0);
      }
    }),
    { numRuns: 2_000, seed: 20050210 },
  );
});
