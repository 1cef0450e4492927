/**
 * What the server would have done with the requests of a log: the very same screening, counting, learning
 * and watching of sources, on the log's own clock. A suspect is checked at once, as a thread does within
 * a moment. No name is looked up: a search engine's crawler is a client like others.
 */
import type { AddressList } from '../config/address-list.ts';
import { escapeText } from '../config/quoted.ts';
import { Statistics } from '../statistics.ts';
import type { Change } from '../virus/change.ts';
import { DatabaseState } from '../virus/database-state.ts';
import { DistributionTable } from '../virus/heuristics.ts';
import { type HitFigures, HitRates } from '../virus/hit-rates.ts';
import { KeywordScreen } from '../virus/keyword-screen.ts';
import { KeywordSearch } from '../virus/keyword-search.ts';
import { decide, learningChange, meaningOf, reachesKeyword, sampleOf } from '../virus/learning.ts';
import type { MissRules } from '../virus/miss-scope.ts';
import type { MissVerdict } from '../virus/misses.ts';
import type { NeverBlock } from '../virus/never-block.ts';
import { cutWindow, formatPattern } from '../virus/pattern.ts';
import { learnedKeyword } from '../virus/provenance.ts';
import { humble, keywordIndexOf, Screen } from '../virus/screen.ts';
import { ServedMemory } from '../virus/served-memory.ts';
import { sourceKey } from '../virus/source-key.ts';
import { SourceWatch } from '../virus/source-watch.ts';
import type { Source, SourceRules } from '../virus/sources.ts';
import { canBeSuspect, type Suspect, Suspects } from '../virus/suspects.ts';
import type { TunableValues } from '../virus/tunables.ts';
import type { BlockReason, Fate, PassReason } from './fate.ts';
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
  /** SourceBlocking. */
  readonly watchesSources: boolean;
  readonly sourceRules: SourceRules;
  readonly missRules: MissRules;
  /** TrustedProxies of all sites: they are no sources. */
  readonly trustedProxies: AddressList;
  /** The host that a Referer has to name to be of this site. */
  readonly siteHost: (referer: string) => string | undefined;
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

/** What one client sent that would have been blocked. */
export interface BlockedClient {
  requests: number;
  /** How often it was blocked as a source, and why the last time. */
  blocks: number;
  cause: string;
}

/** How many different suspects, and clients of blocked requests, are kept apart. */
const keptMax = 10_000;

const passReasons = {
  miss: 'miss',
  referred: 'referred',
  status: 'humble',
  excepted: 'excepted',
  served: 'once-served',
} as const satisfies Record<MissVerdict, PassReason>;

/** Requests one after the other, then the findings. */
export class Replay {
  readonly statistics = new Statistics();
  readonly state: DatabaseState;
  readonly suspects = new Map<string, SuspectWindow>();
  /** Requests that would have been blocked, by client. */
  readonly clients = new Map<string, BlockedClient>();
  /** The same by reason. */
  readonly blocked: Record<Exclude<BlockReason, 'refused'>, number> = {
    pattern: 0,
    learned: 0,
    keyword: 0,
    source: 0,
  };
  /** Those of them that an origin had served, as the log says. */
  blockedServedCount = 0;
  suspectCount = 0;
  /** Misses that hold a keyword. */
  missSuspectCount = 0;
  /** What was learned or proposed and found no room, because of the settings' bounds. */
  refusedCount = 0;
  /** How many patterns there were before anything was learned. */
  readonly firstPatternCount: number;
  /** What became of the request noted last. */
  fate: Fate = { isBlocked: false, reason: 'humble' };
  readonly #options: ReplayOptions;
  readonly #screen: Screen;
  readonly #keywordScreen = new KeywordScreen();
  readonly #keywords: readonly string[];
  readonly #search: KeywordSearch;
  #hitRates: HitRates | undefined;
  #suspects: Suspects | undefined;
  #served: ServedMemory | undefined;
  #missing: ServedMemory | undefined;
  #watch: SourceWatch | undefined;

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

  /** How many requests would have been blocked. */
  get blockedCount(): number {
    return Object.values(this.blocked).reduce((sum, count) => sum + count, 0);
  }

  /**
   * One request of the log at its clock's time; `text` is its request string, latin1. False: it holds no
   * keyword.
   */
  note(request: LogRequest, text: string, atMs: number): boolean {
    const { bytes, requestStart: start, requestEnd: end } = request;
    if (this.#hitRates === undefined) this.#begin(atMs);
    const answer = this.#screen.screenBytes(bytes, start, end, request.mayNormalize);
    const { holdsKeyword, windowHash } = this.#screen;
    const source = answer === humble ? this.#blockedSource(request, text, atMs) : undefined;
    if (source !== undefined) {
      this.#noteSource(source, request, atMs);
      return holdsKeyword;
    }
    this.#hitRates?.note(answer !== humble, atMs);
    if (answer <= humble && this.#suspects?.tally(bytes, start, end, windowHash) === true) {
      this.#offer(request, text, atMs);
    }
    if (answer === humble) {
      this.#noteHumble(request, text, holdsKeyword, atMs);
      return holdsKeyword;
    }
    this.#noteMatch(request, text, answer, atMs);
    return true;
  }

  /** The figures of the screen once the last interval is over. */
  figures(lastMs: number): HitFigures | undefined {
    return this.#hitRates?.figures(lastMs + this.state.tunables.get('RefreshInterval') * 1_000);
  }

  #blockedSource(request: LogRequest, text: string, atMs: number): Source | undefined {
    const watch = this.#watch;
    if (watch === undefined || watch.isQuiet) return undefined;
    const client = request.client();
    const source = watch.find(client, atMs);
    const isCovered = source !== undefined && this.#isFree(client, targetOf(text));
    return isCovered ? undefined : source;
  }

  /** Whether nothing of this client or target is ever blocked for its source. */
  #isFree(client: string, target: string): boolean {
    const { neverBlock, trustedProxies } = this.#options;
    return trustedProxies.has(client) || neverBlock.covers(client, target);
  }

  #noteSource(source: Source, request: LogRequest, atMs: number): void {
    const { misses, viruses } = source;
    const detail = `misses=${misses.length} viruses=${viruses.length}`;
    this.#watch?.sources.renew(source.address, atMs);
    this.#noteBlocked(request, 'source', detail);
  }

  #noteHumble(request: LogRequest, text: string, holdsKeyword: boolean, atMs: number): void {
    const meaning = meaningOf(request.status);
    if (meaning === 'missing') this.#missing?.note(text, 0, text.length, atMs);
    if (meaning === 'served') {
      this.#served?.note(text, 0, text.length, atMs);
      if (holdsKeyword) this.#keywordScreen.noteServed(text, atMs);
      this.fate = { isBlocked: false, reason: 'served' };
    } else this.fate = { isBlocked: false, reason: this.#noteAnswer(request, text, atMs) };
  }

  /** A request that was not served: a miss counts for its source, and is searched for keywords. */
  #noteAnswer(request: LogRequest, text: string, atMs: number): PassReason {
    const watch = this.#watch;
    if (watch === undefined || !watch.misses.isRefusal(request.status)) return 'humble';
    const client = request.client();
    if (this.#options.trustedProxies.has(client)) return 'humble';
    const referer = request.referer();
    const verdict = watch.noteAnswer(
      { client, target: targetOf(text), requestId: '' },
      {
        ...{ requestString: text, status: request.status, referer, atMs },
        host: referer === undefined ? undefined : this.#options.siteHost(referer),
      },
    );
    if (verdict === 'miss' || verdict === 'referred') this.#checkMiss(request, text, atMs);
    return passReasons[verdict];
  }

  #checkMiss(request: LogRequest, text: string, atMs: number): void {
    if (!canBeSuspect(text, this.#options.patternStartOffset)) return;
    const keyword = this.#keywords[this.#search.findInRequest(text)];
    if (keyword === undefined) return;
    this.missSuspectCount += 1;
    this.#learn({ ...this.#suspectOf(request, text, atMs), isMiss: true }, keyword);
  }

  #noteMatch(request: LogRequest, text: string, answer: number, atMs: number): void {
    const client = request.client();
    const target = targetOf(text);
    if (this.#options.neverBlock.covers(client, target)) {
      this.fate = { isBlocked: false, reason: 'never-block' };
      return;
    }
    let matched: string;
    if (answer > humble) {
      const { pattern, from } = this.state.patterns.entry(answer);
      this.state.patterns.hit(answer, atMs);
      matched = formatPattern(pattern);
      const isLearned = learnedKeyword(from) !== undefined;
      const detail = `"${matched}" from=${escapeText(from)}`;
      this.#noteBlocked(request, isLearned ? 'learned' : 'pattern', detail);
    } else {
      const entry = this.#keywordScreen.hit(keywordIndexOf(answer), atMs);
      matched = entry.keyword;
      this.#noteBlocked(request, 'keyword', `"${escapeText(matched)}"`);
    }
    if (this.#options.trustedProxies.has(client)) return;
    this.#watch?.noteVirus({ client, target, requestId: '' }, matched, atMs);
  }

  #noteBlocked(request: LogRequest, reason: Exclude<BlockReason, 'refused'>, detail: string): void {
    this.fate = { isBlocked: true, reason, detail };
    this.blocked[reason] += 1;
    if (meaningOf(request.status) === 'served') this.blockedServedCount += 1;
    const client = this.#clientOf(sourceKey(request.client()));
    if (client !== undefined) client.requests += 1;
  }

  #clientOf(address: string): BlockedClient | undefined {
    const known = this.clients.get(address);
    if (known !== undefined || this.clients.size === keptMax) return known;
    const client = { requests: 0, blocks: 0, cause: '' };
    this.clients.set(address, client);
    return client;
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
    if (options.watchesSources) this.#watch = this.#makeWatch(this.#served);
  }

  #makeWatch(served: ServedMemory): SourceWatch {
    const { sourceRules, missRules, neverBlock } = this.#options;
    return new SourceWatch({
      ...{ sourceRules, served, rules: missRules, statistics: this.statistics },
      holdsKeyword: (requestString) => this.#search.findInRequest(requestString) !== -1,
      neverBlock: () => neverBlock,
      onBlock: ({ address, cause }) => {
        const client = this.#clientOf(address);
        if (client === undefined) return;
        client.blocks += 1;
        client.cause = cause;
      },
    });
  }

  #offer(request: LogRequest, requestString: string, atMs: number): void {
    if (this.#options.neverBlock.covers(request.client(), targetOf(requestString))) {
      this.#suspects?.withdraw();
      return;
    }
    this.#suspects?.offer(this.#suspectOf(request, requestString, atMs));
  }

  #suspectOf(request: LogRequest, requestString: string, atMs: number): Suspect {
    const { patternStartOffset, patternSize } = this.#options;
    const pattern = cutWindow(requestString, patternStartOffset, patternSize);
    const requestLine = request.requestLine();
    return { pattern, requestString, requestLine, client: request.client(), atMs };
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
    const { patternStartOffset, patternSize } = this.#options;
    const servedAtMs = state.keywords.find(keyword)?.servedAtMs;
    const known = proposals.find(pattern);
    const decision = decide({
      isKnown: state.patterns.hasPattern(pattern),
      isRejected: proposals.isRejected(pattern),
      served: this.#served?.recall(requestString, atMs),
      reachesKeyword: reachesKeyword(suspect, keyword, patternStartOffset + patternSize),
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
