/** Counters of the last minutes, as rates a second for the charts. Pure. */
import type { Figures } from './server.ts';

/** So many seconds are kept. */
const secondsMax = 300;

export interface Rates {
  /** Seconds since the epoch, of each point. */
  readonly times: readonly number[];
  readonly series: readonly (readonly (number | null)[])[];
}

export class RateHistory {
  readonly #of: readonly ((figures: Figures) => number)[];
  /** Whether each is a rate of change, or the value itself. */
  readonly #isRate: boolean;
  #last: Figures | undefined;
  readonly #times: number[] = [];
  readonly #series: (number | null)[][];

  constructor(of: readonly ((figures: Figures) => number)[], isRate: boolean) {
    this.#of = of;
    this.#isRate = isRate;
    this.#series = of.map(() => []);
  }

  add(figures: Figures): void {
    const last = this.#last;
    this.#last = figures;
    const seconds = last === undefined ? 0 : (figures.atMs - last.atMs) / 1000;
    if (this.#isRate && !(seconds > 0)) return;
    this.#times.push(figures.atMs / 1000);
    for (const [index, value] of this.#of.entries()) {
      const now = value(figures);
      const before = last === undefined ? now : value(last);
      // A counter that went back belongs to another process.
      const rate = now < before ? null : (now - before) / seconds;
      this.#series[index]?.push(this.#isRate ? rate : now);
    }
    if (this.#times.length <= secondsMax) return;
    this.#times.shift();
    for (const values of this.#series) values.shift();
  }

  get rates(): Rates {
    return { times: this.#times, series: this.#series };
  }
}
