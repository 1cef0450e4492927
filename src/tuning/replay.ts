/**
 * What the server would have done with the requests of a log: the very same screening, counting and
 * learning, on the log's own clock. A suspect is checked at once, as a thread does within a moment.
 */
import { Statistics } from '../statistics.ts';
import type { Change } from '../virus/change.ts';
import { DatabaseState } from '../virus/database-state.ts';
import { DistributionTable } from '../virus/heuristics.ts';
import { type HitFigures, HitRates } from '../virus/hit-rates.ts';
import { KeywordScreen } from '../virus/keyword-screen.ts';
import { KeywordSearch } from '../virus/keyword-search.ts';
import { decide, learningChange, meaningOf, sampleOf } from '../virus/learning.ts';
import type { NeverBlock } from '../virus/never-block.ts';
import { cutWindow, formatPattern } from '../virus/pattern.ts';
import { humble, keywordIndexOf, Screen } from '../virus/screen.ts';
import { ServedMemory } from '../virus/served-memory.ts';
import { type Suspect, Suspects } from '../virus/suspects.ts';
import type { TunableValues } from '../virus/tunables.ts';
import type { LogRequest } from './log-line.ts';

/** The settings to replay with. */
export interface ReplayOptions {
  readonly patternSize: number;
  readonly patternStartOffset: number;
  readonly normalizeRequests: boolean;
  readonly blockConfirmedKeywords: boolean;
  readonly action: 'add' | 'propose';
  readonly servedMemoryMs: number;
  readonly tunables: TunableValues;
  readonly maxKeywords: number;
  readonly maxLearned: number;
  readonly maxProposals: number;
  readonly distributionBytesMax: number;
  readonly servedMemoryBytesMax: number;
  readonly neverBlock: NeverBlock;
  /** The patterns and keywords there are at first. */
  readonly base: Iterable<Change>;
}

/** A window that became suspect. */
export interface SuspectWindow {
  readonly window: string;
  /** How many times: at most once an interval. */
  times: number;
  readonly sample: string;
}

/** How many different suspects, and sources of blocked requests, are kept apart. */
const keptMax = 10_000;

/** Requests one after the other, then the findings. */
export class Replay {
  readonly statistics = new Statistics();
  readonly state: DatabaseState;
  readonly suspects = new Map<string, SuspectWindow>();
  /** Requests that would have been blocked, by client. */
  readonly sources = new Map<string, number>();
  blockedCount = 0;
  /** Those of them that an origin had served, as the log says. */
  blockedServedCount = 0;
  suspectCount = 0;
  /** What was learned or proposed and found no room, because of the settings' bounds. */
  refusedCount = 0;
  /** How many patterns there were before anything was learned. */
  readonly firstPatternCount: number;
  readonly #options: ReplayOptions;
  readonly #screen: Screen;
  readonly #keywordScreen = new KeywordScreen();
  readonly #keywords: readonly string[];
  readonly #search: KeywordSearch;
  #hitRates: HitRates | undefined;
  #suspects: Suspects | undefined;
  #served: ServedMemory | undefined;
  #missing: ServedMemory | undefined;

  constructor(options: ReplayOptions) {
    const { patternSize, maxKeywords, maxLearned, maxProposals, tunables } = options;
    this.#options = options;
    this.state = new DatabaseState({
      ...{ patternSize, maxKeywords, tunables, maxDeletions: 0 },
      learning: { maxLearned, maxProposals },
      seed: 1,
    });
    for (const change of options.base) this.state.loadBase(change);
    this.firstPatternCount = this.state.patterns.size;
    this.#keywords = Array.from(this.state.keywords.entries(), ({ keyword }) => keyword);
    this.#search = new KeywordSearch(this.#keywords);
    this.#keywordScreen.rebuild(this.state.keywords);
    this.#keywordScreen.isOn = true;
    this.#keywordScreen.isBlocking = options.blockConfirmedKeywords;
    this.#screen = new Screen(this.state.patterns, options, this.#keywordScreen);
  }

  /**
   * One request of the log at its clock's time; `text` is its request string, latin1. False: it holds no
   * keyword.
   */
  note(request: LogRequest, text: string, atMs: number): boolean {
    const { bytes, requestStart: start, requestEnd: end, status } = request;
    if (this.#hitRates === undefined) this.#begin(atMs);
    const answer = this.#screen.screenBytes(bytes, start, end, request.mayNormalize);
    const { holdsKeyword, windowHash } = this.#screen;
    this.#hitRates?.note(answer !== humble, atMs);
    if (answer <= humble && this.#suspects?.tally(bytes, start, end, windowHash) === true) {
      this.#offer(request, text, atMs);
    }
    if (answer === humble) {
      const meaning = meaningOf(status);
      const isServed = meaning === 'served';
      if (meaning === 'missing') this.#missing?.note(text, 0, text.length, atMs);
      if (isServed) this.#served?.note(text, 0, text.length, atMs);
      if (isServed && holdsKeyword) this.#keywordScreen.noteServed(text, atMs);
      return holdsKeyword;
    }
    this.#noteMatch(request, text, answer, atMs);
    return true;
  }

  #noteMatch(request: LogRequest, text: string, answer: number, atMs: number): void {
    const client = request.client();
    if (this.#options.neverBlock.covers(client, targetOf(text))) return;
    if (answer > humble) this.state.patterns.hit(answer, atMs);
    else this.#keywordScreen.hit(keywordIndexOf(answer), atMs);
    this.blockedCount += 1;
    if (meaningOf(request.status) === 'served') this.blockedServedCount += 1;
    const isKept = this.sources.has(client) || this.sources.size < keptMax;
    if (isKept) this.sources.set(client, (this.sources.get(client) ?? 0) + 1);
  }

  /** The figures of the screen once the last interval is over. */
  figures(lastMs: number): HitFigures | undefined {
    return this.#hitRates?.figures(lastMs + this.state.tunables.get('RefreshInterval') * 1_000);
  }

  #begin(atMs: number): void {
    const { patternStartOffset, patternSize, ...options } = this.#options;
    const hitRates = new HitRates(this.state.tunables.get('RefreshInterval'), atMs);
    this.#hitRates = hitRates;
    const bytesMax = options.distributionBytesMax;
    this.#suspects = new Suspects({
      table: new DistributionTable({ patternSize, bytesMax }),
      patternStartOffset,
      hitRates,
      statistics: this.statistics,
      take: (suspect) => this.#take(suspect),
    });
    this.#suspects.threshold = this.state.tunables.get('HitThreshold');
    const memory = {
      ...{ patternStartOffset, patternSize, seed: 1, nowMs: atMs },
      bytesMax: options.servedMemoryBytesMax,
      lastsMs: options.servedMemoryMs,
    };
    this.#served = new ServedMemory(memory);
    this.#missing = new ServedMemory(memory);
  }

  #offer(request: LogRequest, requestString: string, atMs: number): void {
    const client = request.client();
    if (this.#options.neverBlock.covers(client, targetOf(requestString))) {
      this.#suspects?.withdraw();
      return;
    }
    const { patternStartOffset, patternSize } = this.#options;
    const pattern = cutWindow(requestString, patternStartOffset, patternSize);
    const requestLine = request.requestLine();
    this.#suspects?.offer({ pattern, requestString, requestLine, client, atMs });
  }

  #take(suspect: Suspect): boolean {
    const window = formatPattern(suspect.pattern);
    const known = this.suspects.get(window);
    this.suspectCount += 1;
    if (known !== undefined) known.times += 1;
    else if (this.suspects.size < keptMax) {
      const sample = sampleOf(suspect).requestLine;
      this.suspects.set(window, { window, times: 1, sample });
    }
    const keyword = this.#keywords[this.#search.findInRequest(suspect.requestString)];
    if (keyword !== undefined) this.#learn(suspect, keyword);
    return true;
  }

  #learn(suspect: Suspect, keyword: string): void {
    const { state } = this;
    const { proposals } = state.learning;
    const { pattern, requestString, atMs } = suspect;
    const servedAtMs = state.keywords.find(keyword)?.servedAtMs;
    const known = proposals.find(pattern);
    const decision = decide({
      isKnown: state.patterns.hasPattern(pattern),
      isRejected: proposals.isRejected(pattern),
      served: this.#served?.recall(requestString, atMs),
      isMissing: this.#missing?.recall(requestString, atMs) !== undefined,
      isKeywordServed: servedAtMs !== undefined && atMs - servedAtMs < this.#options.servedMemoryMs,
      proposal: known,
      action: this.#options.action,
    });
    if (decision.kind === 'leave') return;
    const change = learningChange(decision, suspect, keyword, known);
    if (state.objection(change) === undefined) state.apply(change);
    else this.refusedCount += 1;
  }
}

function targetOf(requestString: string): string {
  const end = requestString.search(/ +[^ ]*$/);
  return end === -1 ? requestString : requestString.slice(0, end);
}
