/**
 * Finds the suspects among the humble requests (the paper, "Enabling and Configuring Auto Update"):
 * the requests whose window came more often than HitThreshold within one refresh interval. The request
 * path tells of every humble request and goes on serving; whoever `take`s the suspects checks them
 * elsewhere. Pure.
 */
import type { Statistics } from '../statistics.ts';
import type { DistributionTable, FrequentWindow } from './heuristics.ts';
import type { HitRates } from './hit-rates.ts';

/** A request that has become suspect. Text is latin1, one character a byte. */
export interface Suspect {
  /** Its window, PatternSize bytes. */
  readonly pattern: Uint8Array;
  readonly requestString: string;
  readonly requestLine: string;
  readonly client: string;
  readonly atMs: number;
  /** It is suspect because it is a miss, and did not come often. */
  readonly isMiss?: boolean;
}

/** Counts windows by refresh interval: DistributionTable, or whoever sums over several of them. */
export type WindowCounts = Pick<
  DistributionTable,
  'displaced' | 'tally' | 'withdraw' | 'reportAgain' | 'interval' | 'frequent' | 'raise'
>;

export interface SuspectsOptions {
  readonly table: WindowCounts;
  readonly patternStartOffset: number;
  readonly hitRates: HitRates;
  readonly statistics: Statistics;
  /** False: there is no room for it. Its next request makes it suspect again. */
  readonly take: (suspect: Suspect) => boolean;
}

/** Counts requests and hands over the suspects, each once a refresh interval. */
export class Suspects {
  /** EnablePatternAutoUpdate: nothing is counted without. */
  isWatching = false;
  /** HitThreshold. */
  threshold = Number.POSITIVE_INFINITY;
  /** "The last request that was made a suspect" (the paper): its request line. */
  lastPredicted: string | undefined;
  readonly #table: WindowCounts;
  readonly #patternStartOffset: number;
  readonly #hitRates: HitRates;
  readonly #statistics: Statistics;
  readonly #take: (suspect: Suspect) => boolean;
  #displaced = 0;

  constructor(options: SuspectsOptions) {
    this.#table = options.table;
    this.#patternStartOffset = options.patternStartOffset;
    this.#hitRates = options.hitRates;
    this.#statistics = options.statistics;
    this.#take = options.take;
  }

  /**
   * Counts the humble request whose request string is bytes[start, end), after `HitRates.note`; `hash`
   * is its window's, from screening. True: it has become suspect, and is to be offered or withdrawn
   * before the next one is counted.
   */
  tally(bytes: Uint8Array, start: number, end: number, hash: number): boolean {
    const from = Math.min(start + this.#patternStartOffset, end);
    const table = this.#table;
    const isSuspect = table.tally(bytes, from, end, hash, this.#hitRates.interval, this.threshold);
    if (table.displaced !== this.#displaced) this.#noteDisplaced();
    return isSuspect;
  }

  /** Hands over the request that `tally` found suspect; false: there is no room for it. */
  offer(suspect: Suspect): boolean {
    if (!canBeSuspect(suspect.requestString, this.#patternStartOffset)) return true;
    if (!this.#take(suspect)) {
      this.withdraw();
      return false;
    }
    this.lastPredicted = suspect.requestLine;
    return true;
  }

  /**
   * Hands over a request that an origin has refused and never served; one that finds no room is lost. It is
   * not the last predicted: of dead links there would be a new one all the time.
   */
  offerMiss(suspect: Suspect): void {
    if (!this.isWatching || !canBeSuspect(suspect.requestString, this.#patternStartOffset)) return;
    this.#take({ ...suspect, isMiss: true });
  }

  /** The request that `tally` found suspect is not to be checked. */
  withdraw(): void {
    this.#table.withdraw();
  }

  /** Has the suspects of the running interval checked again: there is a new keyword. */
  offerAgain(): void {
    this.#table.reportAgain();
  }

  /** The refresh interval whose requests are counted. */
  get interval(): number {
    return this.#table.interval;
  }

  /** The windows that came at least `min` times in it, at most `max`, and how many more there are. */
  frequent(min: number, max: number): { windows: readonly FrequentWindow[]; omitted: number } {
    return this.#table.frequent(min, max);
  }

  /** All nodes together have seen a window more often than HitThreshold: its next request is suspect. */
  raise(window: FrequentWindow): number {
    const count = this.threshold + 1;
    this.#table.raise(window, count);
    return Math.max(count, window.count);
  }

  #noteDisplaced(): void {
    this.#statistics.add('windows_displaced', this.#table.displaced - this.#displaced);
    this.#displaced = this.#table.displaced;
  }
}

/**
 * Whether a request string's target reaches into its window. A pattern of version and zeros would condemn
 * requests that have nothing to do with it.
 */
export function canBeSuspect(requestString: string, patternStartOffset: number): boolean {
  return targetLength(requestString) > patternStartOffset;
}

/** The length of the target of a request string `TARGET BLANKS VERSION`. */
function targetLength(requestString: string): number {
  const version = requestString.lastIndexOf(' ');
  return version === -1 ? requestString.length : requestString.slice(0, version).trimEnd().length;
}
