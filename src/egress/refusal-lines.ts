/**
 * How many refused requests of a source have a line of their own in PROXY.LOG, and how many are told of
 * together: an infected server is refused thousands of times a second, and its lines must not displace
 * those of others. Pure: counts seconds of a time that is handed in.
 */

/** All sources together have so many times the lines of one. */
const sharesMax = 10;

const secondMs = 1_000;

/** So many sources are counted apart; further ones are counted together, under `others`. */
export const countedSourcesMax = 1_000;

export class RefusalLines {
  readonly #linesMax: () => number;
  /** The second that is counted, and the lines in it. */
  #second = -1;
  #lineCount = 0;
  readonly #bySource = new Map<string, number>();
  /** What had no line, and was not told of yet. */
  readonly #untold = new Map<string, number>();

  /** `linesMax`: of one source in a second. */
  constructor(linesMax: () => number) {
    this.#linesMax = linesMax;
  }

  /** Whether a refused request of `source` has a line; if not, it is counted. */
  mayTell(source: string, nowMs: number): boolean {
    const second = Math.floor(nowMs / secondMs);
    if (second !== this.#second) {
      this.#second = second;
      this.#lineCount = 0;
      this.#bySource.clear();
    }
    const max = this.#linesMax();
    const count = this.#bySource.get(source) ?? 0;
    if (count >= max || this.#lineCount >= max * sharesMax) {
      const isApart = this.#untold.has(source) || this.#untold.size < countedSourcesMax;
      const key = isApart ? source : 'others';
      this.#untold.set(key, (this.#untold.get(key) ?? 0) + 1);
      return false;
    }
    this.#lineCount += 1;
    this.#bySource.set(source, count + 1);
    return true;
  }

  /** The sources whose requests had no line, and how many; they count as told from now on. */
  takeUntold(): ReadonlyMap<string, number> {
    const untold = new Map(this.#untold);
    this.#untold.clear();
    return untold;
  }
}
