/**
 * What a log shows of how often windows come, as if there were no patterns, and which of those with a
 * keyword could be learned: what a threshold is chosen by. Pure.
 */
import type { Settings } from '../config/shape.ts';
import { KeywordSearch } from '../virus/keyword-search.ts';
import { meaningOf } from '../virus/learning.ts';
import { ServedMemory } from '../virus/served-memory.ts';
import { canBeSuspect } from '../virus/suspects.ts';
import type { LogClock } from './log-clock.ts';
import type { LogRequest } from './log-line.ts';
import { type KeywordWindow, WindowCounts } from './windows.ts';

/** Counts windows, and remembers what was served, and what there was not, in the whole log. */
export class Survey {
  readonly counts: WindowCounts;
  /** Requests that hold no keyword. */
  humbleCount = 0;
  readonly #offset: number;
  readonly #size: number;
  readonly #keywords: readonly string[];
  readonly #search: KeywordSearch;
  readonly #served: ServedMemory;
  readonly #missing: ServedMemory;

  constructor(settings: Settings, keywords: readonly string[], seconds: readonly number[]) {
    const { patternStartOffset, patternSize } = settings.virus;
    this.#offset = patternStartOffset;
    this.#size = patternSize;
    this.#keywords = keywords;
    this.#search = new KeywordSearch(keywords);
    this.counts = new WindowCounts(seconds);
    const memory = {
      ...{ patternStartOffset, patternSize, seed: 1, nowMs: 0 },
      bytesMax: settings.limits.servedMemoryBytesMax,
      lastsMs: Number.MAX_SAFE_INTEGER,
    };
    this.#served = new ServedMemory(memory);
    this.#missing = new ServedMemory(memory);
  }

  /** `text` is the request string; `mayHoldKeyword` false: it is known to hold none. */
  note(request: LogRequest, text: string, mayHoldKeyword: boolean, { elapsedMs }: LogClock): void {
    const keyword = mayHoldKeyword ? this.#keywordIn(request, text) : undefined;
    if (keyword === undefined) this.humbleCount += 1;
    if (canBeSuspect(text, this.#offset)) {
      const window = text.slice(this.#offset, this.#offset + this.#size);
      this.counts.note(window, text, keyword, elapsedMs);
    }
    const meaning = meaningOf(request.status);
    if (meaning === 'missing') this.#missing.note(text, 0, text.length, 0);
    if (meaning === 'served') this.#served.note(text, 0, text.length, 0);
  }

  /** The windows with a keyword that the log speaks for learning: never served, and found missing. */
  candidates(): ReadonlyMap<number, KeywordWindow> {
    const learnable = [...this.counts.keywordWindows].filter(([, { requestString }]) => {
      const isServed = this.#served.recall(requestString, 0) !== undefined;
      return !isServed && this.#missing.recall(requestString, 0) !== undefined;
    });
    return new Map(learnable);
  }

  #keywordIn(request: LogRequest, text: string): string | undefined {
    const { bytes, requestStart, requestEnd } = request;
    const index = request.mayNormalize
      ? this.#search.findInRequest(text)
      : this.#search.findInBytes(bytes, requestStart, requestEnd, false);
    return this.#keywords[index];
  }
}
