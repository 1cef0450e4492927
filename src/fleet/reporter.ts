/**
 * When a worker reports: ten times a second if there is anything to tell, earlier when much has gathered or the
 * refresh interval ends. One report is under way at a time, so that a slow primary never has more than one
 * before it; meanwhile everything gathers where it is bounded.
 */
import type { Clock, Timer } from '../clock.ts';

export interface ReporterOptions {
  readonly clock: Clock;
  /** Sends a report. */
  readonly send: () => void;
  /** Whether anything has been counted since the last report. */
  readonly hasNews: () => boolean;
  /** Milliseconds until counts are lost that are not told; undefined: there are none. */
  readonly msLeft: () => number | undefined;
}

const periodMs = 100;
/** Without news, every tenth time: how origins and cache are changes by itself. */
const quietTicksMax = 10;
/** So long before the end of an interval what was counted in it is told. */
const aheadMs = 5;

export class Reporter {
  readonly #options: ReporterOptions;
  #timer: Timer | undefined;
  #quietTicks = 0;
  #isUnderWay = false;
  #isWanted = false;
  #isEnded = false;
  #settled: (() => void)[] = [];

  constructor(options: ReporterOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer?.cancel();
    if (this.#isEnded) return;
    const { clock, msLeft } = this.#options;
    const left = msLeft();
    const endsSoon = left !== undefined && left > aheadMs && left < periodMs + aheadMs;
    const delayMs = endsSoon ? left - aheadMs : periodMs;
    this.#timer = clock.after(delayMs, () => this.#tick());
  }

  /** Much has gathered. */
  hurry(): void {
    if (this.#isUnderWay) this.#isWanted = true;
    else this.#report();
  }

  /** Resolves when all that has happened so far is reported. */
  async flush(): Promise<void> {
    if (this.#isUnderWay) await this.#settlement();
    if (!this.#isUnderWay) this.#report();
    await this.#settlement();
  }

  /** The primary has taken the report over. */
  noteTaken(): void {
    this.#isUnderWay = false;
    const settled = this.#settled;
    this.#settled = [];
    for (const resolve of settled) resolve();
    if (!this.#isWanted || this.#isUnderWay) return;
    this.#isWanted = false;
    this.#report();
  }

  close(): void {
    this.#isEnded = true;
    this.#timer?.cancel();
  }

  #tick(): void {
    this.#quietTicks += 1;
    const isDue = this.#quietTicks >= quietTicksMax || this.#options.hasNews();
    if (!this.#isUnderWay && isDue) this.#report();
    this.start();
  }

  #report(): void {
    this.#isUnderWay = true;
    this.#quietTicks = 0;
    this.#options.send();
  }

  #settlement(): Promise<void> {
    return new Promise((resolve) => this.#settled.push(resolve));
  }
}
