/**
 * The Virus Throttle (HP, "How Virus Throttle works"; Twycross and Williamson, "Implementing and testing
 * a virus throttle", 2003): connections to known hosts pass at once, those to new ones wait in the delay
 * queue, from which the rate limiter lets at most one new host go in an interval. What the queue's length
 * says about the source is told as events. Pure: times are handed in, in milliseconds.
 */

import type { ParameterValues } from '../config/throttle-parameters.ts';
import { DelayQueue } from './delay-queue.ts';
import { WorkingSet } from './working-set.ts';

/** The five parameters of hp-vt.conf. */
export interface ThrottleSettings {
  readonly workingSetSize: number;
  readonly delayMs: number;
  readonly queueSize: number;
  readonly highWaterMark: number;
  readonly lowWaterMark: number;
}

/** The settings that the paper's parameters mean. */
export function settingsOf(values: ParameterValues): ThrottleSettings {
  return {
    workingSetSize: values.host_working_set_size,
    delayMs: values.delay_queue_delay_seconds * 1_000,
    queueSize: values.delay_queue_size,
    highWaterMark: values.delay_queue_high_watermark,
    lowWaterMark: values.delay_queue_low_watermark,
  };
}

/** What happened to the length of the queue. */
export type ThrottleEvent = 'detected' | 'stopped' | 'dropping';

/** What becomes of a request: on its way now, waiting, or refused because the queue is full. */
export type Admission = 'passed' | 'queued' | 'dropped';

/** The statistics of the paper's Figure 3, since the start. */
export interface ThrottleCounts {
  readonly connecting: number;
  readonly passed: number;
  readonly queued: number;
  readonly removed: number;
  readonly waiting: number;
  readonly waitingMax: number;
  readonly detections: number;
  readonly dropped: number;
}

/** `never`: virus-like activity has not occurred; `now`: it does; `past`: it has and is over. */
export type Activity = 'never' | 'now' | 'past';

export interface ThrottleOptions {
  readonly settings: ThrottleSettings;
  /** Hosts that are always known, beside the working set: the configured origins. */
  readonly isAlwaysKnown?: (host: string) => boolean;
  /** Told of each event as it happens. */
  readonly onEvent: (event: ThrottleEvent) => void;
}

/** One source of connections. A `Request` is whatever its caller tells requests apart by. */
export class Throttle<Request> {
  readonly #workingSet: WorkingSet;
  readonly #queue = new DelayQueue<Request>();
  readonly #isAlwaysKnown: (host: string) => boolean;
  readonly #onEvent: (event: ThrottleEvent) => void;
  #settings: ThrottleSettings;
  /** The limiter may let the next new host go from here on. */
  #readyMs = Number.NEGATIVE_INFINITY;
  #isActive = false;
  /** Activity is not over before `hold(false)`, however short the queue is. */
  #isHeld = false;
  /** Told of dropping already; again only once the queue has been down at the low mark. */
  #isDropping = false;
  #connecting = 0;
  #passed = 0;
  #queued = 0;
  #removed = 0;
  #waitingMax = 0;
  #detections = 0;
  #dropped = 0;

  constructor({ settings, isAlwaysKnown, onEvent }: ThrottleOptions) {
    this.#settings = settings;
    this.#workingSet = new WorkingSet(settings.workingSetSize);
    this.#isAlwaysKnown = isAlwaysKnown ?? (() => false);
    this.#onEvent = onEvent;
  }

  /**
   * A request to connect to `host`, a resolved address. One to a new host goes through the queue even
   * when it need not wait there (Figure 3: two packets, one passed, one queued).
   */
  admit(host: string, request: Request, nowMs: number): Admission {
    this.#connecting += 1;
    if (this.knows(host)) {
      this.#passed += 1;
      return 'passed';
    }
    this.#minding(nowMs);
    if (this.#queue.size >= this.#settings.queueSize) return this.#drop();
    this.#queued += 1;
    this.#waitingMax = Math.max(this.#waitingMax, this.#queue.size + 1);
    if (this.#queue.size === 0 && nowMs >= this.#readyMs) {
      this.#removed += 1;
      this.#letGo(host, nowMs);
      return 'passed';
    }
    this.#queue.add(host, request);
    this.#watchRise();
    return 'queued';
  }

  /** Whether connections to the host pass without delay. */
  knows(host: string): boolean {
    return this.#isAlwaysKnown(host) || this.#workingSet.has(host);
  }

  /** When `release` has something to do; undefined while nothing waits. */
  get nextReleaseMs(): number | undefined {
    return this.#queue.size === 0 ? undefined : this.#readyMs;
  }

  /** Lets the host go that has waited longest, if it is time: the requests that are on their way now. */
  release(nowMs: number): readonly Request[] {
    this.#minding(nowMs);
    if (nowMs < this.#readyMs) return [];
    const oldest = this.#queue.takeOldest();
    if (oldest === undefined) return [];
    this.#removed += oldest.requests.length;
    this.#letGo(oldest.host, nowMs);
    this.#watchFall();
    return oldest.requests;
  }

  /** Keeps the activity from ending, or lets it end; the queue is looked at then. */
  hold(isHeld: boolean): void {
    this.#isHeld = isHeld;
    this.#watchFall();
  }

  /** Takes everything out of the queue: what the caller does with it, let it go or refuse it. */
  takeAll(): readonly Request[] {
    const requests: Request[] = [];
    for (let oldest = this.#queue.takeOldest(); oldest; oldest = this.#queue.takeOldest()) {
      this.#removed += oldest.requests.length;
      requests.push(...oldest.requests);
    }
    this.#watchFall();
    return requests;
  }

  /** A request whose client has gone leaves the queue; false when it does not wait. */
  abandon(request: Request): boolean {
    if (!this.#queue.remove(request)) return false;
    this.#removed += 1;
    this.#watchFall();
    return true;
  }

  /** Takes over other settings; what waits beyond a smaller queue goes on waiting. */
  configure(settings: ThrottleSettings, nowMs: number): void {
    const lastMs = this.#readyMs - this.#settings.delayMs;
    this.#settings = settings;
    this.#readyMs = lastMs + settings.delayMs;
    this.#minding(nowMs);
    this.#workingSet.resize(settings.workingSetSize);
    this.#watchRise();
    this.#watchFall();
  }

  get settings(): ThrottleSettings {
    return this.#settings;
  }

  get activity(): Activity {
    if (this.#isActive) return 'now';
    return this.#detections > 0 ? 'past' : 'never';
  }

  get counts(): ThrottleCounts {
    return {
      connecting: this.#connecting,
      passed: this.#passed,
      queued: this.#queued,
      removed: this.#removed,
      waiting: this.#queue.size,
      waitingMax: this.#waitingMax,
      detections: this.#detections,
      dropped: this.#dropped,
    };
  }

  /** The known hosts, oldest first, without those that are always known. */
  knownHosts(): string[] {
    return this.#workingSet.hosts();
  }

  #letGo(host: string, nowMs: number): void {
    this.#workingSet.add(host);
    this.#readyMs = nowMs + this.#settings.delayMs;
  }

  /** A clock that steps back must not hold the limiter longer than an interval. */
  #minding(nowMs: number): void {
    this.#readyMs = Math.min(this.#readyMs, nowMs + this.#settings.delayMs);
  }

  #drop(): 'dropped' {
    this.#dropped += 1;
    if (!this.#isDropping) {
      this.#isDropping = true;
      this.#onEvent('dropping');
    }
    return 'dropped';
  }

  #watchRise(): void {
    if (this.#isActive || this.#queue.size < this.#settings.highWaterMark) return;
    this.#isActive = true;
    this.#detections += 1;
    this.#onEvent('detected');
  }

  #watchFall(): void {
    const { lowWaterMark } = this.#settings;
    if (this.#queue.size <= lowWaterMark) this.#isDropping = false;
    if (!this.#isActive || this.#isHeld || this.#queue.size >= lowWaterMark) return;
    this.#isActive = false;
    this.#onEvent('stopped');
  }
}
