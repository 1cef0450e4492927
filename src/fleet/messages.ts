/**
 * THE table of messages between the primary, which is the control plane, and its workers, which are data
 * planes. `Down` and `Up` have a row for each; both ends are one program, and refuse another version. What a
 * worker tells of by itself travels in reports, of which one is under way at a time.
 */
import type { ListedAnswer, StoreTotals } from '../cache/store.ts';
import type { Certificate, Settings } from '../config/shape.ts';
import type { AccessEntry } from '../log/access.ts';
import type { SourceAdmission } from '../throttle/sources.ts';
import type { OriginRow } from '../upstream/origins.ts';
import type { Provenance } from '../virus/change.ts';
import type { AnsweredRequest } from '../virus/misses.ts';
import type { BlockCause } from '../virus/sources.ts';
import type { Suspect } from '../virus/suspects.ts';
import type { VirusSource } from '../virus/virus-sources.ts';

/** What becomes of a wish to connect to a new host. */
export type TurnAnswer = Exclude<SourceAdmission, 'queued'> | 'stopping';

/** Raised whenever a row changes its meaning. */
export const messagesVersion = 2;

/** Changes of a pattern set, in order: kinds, and for each the window, original length and provenance. */
export interface PatternBatch {
  /** 0: add, at the end of the order; 1: delete; 2: clear. */
  readonly kinds: Uint8Array;
  readonly windows: Uint8Array;
  readonly lengths: Int32Array;
  /** Indexes into `names`. */
  readonly from: Uint32Array;
  readonly names: readonly Provenance[];
}

export interface KeywordState {
  readonly keyword: string;
  readonly from: Provenance;
  readonly isConfirmed: boolean;
}

/** What Auto Update and BlockConfirmedKeywords make of requests now. */
export interface ScreeningRules {
  readonly isWatching: boolean;
  /** What all workers together have to exceed of a window for the primary to be told: HitThreshold, or less in a fleet. */
  readonly threshold: number;
  readonly intervalSeconds: number;
  /** When the running refresh interval began, the same for all. */
  readonly intervalStartMs: number;
  readonly searchesKeywords: boolean;
  readonly blocksKeywords: boolean;
}

/** A source that is blocked, as much of it as requests need. */
export interface BlockedState {
  /** Its key. */
  readonly address: string;
  readonly cause: BlockCause;
  readonly sinceMs: number;
  readonly lengthMs: number;
  readonly untilMs: number;
  /** How many there are of each. */
  readonly misses: number;
  readonly viruses: number;
}

/** What has changed; what has not is left out. `keywords` is the whole list. */
export interface ScreeningChange {
  readonly blocked?: readonly BlockedState[];
  /** The keys of sources that are blocked no longer. */
  readonly freed?: readonly string[];
  readonly patterns?: PatternBatch;
  readonly keywords?: readonly KeywordState[];
  readonly rules?: ScreeningRules;
}

export interface InitialState {
  readonly version: number;
  /** What holds for one worker. */
  readonly settings: Settings;
  readonly rules: ScreeningRules;
  /** For the hashes of what was served. */
  readonly seed: number;
}

/** A candidate window that every worker is to count for the primary, while the interval lasts. */
export interface WatchedWindow {
  readonly id: number;
  readonly pattern: Uint8Array;
}

/** What the primary asks a worker to do, and what the worker answers when it is done. */
export interface Asks {
  /** Listens; `failure`: a sentence. */
  readonly listen: { readonly body: null; readonly answer: Done };
  readonly change: { readonly body: ScreeningChange; readonly answer: null };
  /** Does what can fail of taking over settings. */
  readonly prepare: { readonly body: Settings; readonly answer: Done };
  readonly abandon: { readonly body: null; readonly answer: null };
  readonly adopt: { readonly body: Settings; readonly answer: null };
  readonly certificates: { readonly body: readonly Certificate[]; readonly answer: null };
  /** Reports now, before it answers. */
  readonly report: { readonly body: null; readonly answer: null };
  readonly list: {
    readonly body: { readonly order: 'most-used' | 'newest'; readonly max: number };
    readonly answer: readonly ListedAnswer[];
  };
  readonly purge: {
    readonly body: { readonly url: string; readonly isPrefix: boolean };
    readonly answer: number;
  };
  /** Stops listening, lets answers finish, reports, and ends. */
  readonly drain: { readonly body: { readonly drainMs: number }; readonly answer: null };
}

export interface Done {
  readonly failure: string | undefined;
}

export type AskKind = keyof Asks;

export type Ask = {
  [K in AskKind]: { readonly kind: K; readonly id: number; readonly body: Asks[K]['body'] };
}[AskKind];

export type Answer = {
  [K in AskKind]: { readonly of: K; readonly value: Asks[K]['answer'] };
}[AskKind];

/** From the primary to a worker. */
export type Down =
  | ({ readonly kind: 'state' } & InitialState)
  | { readonly kind: 'ask'; readonly ask: Ask }
  /** The report was taken over. The running interval has begun at `intervalStartMs`. */
  | { readonly kind: 'taken'; readonly intervalStartMs: number }
  | {
      readonly kind: 'watch';
      readonly startMs: number;
      readonly windows: readonly WatchedWindow[];
    }
  | { readonly kind: 'unwatch'; readonly startMs: number; readonly ids: Uint32Array }
  /** Stored answers that may be wrong since a request that another worker was sent. */
  | { readonly kind: 'forget'; readonly keys: readonly string[] }
  /** What became of a wish to connect to a new host. */
  | { readonly kind: 'turn'; readonly id: number; readonly outcome: TurnAnswer }
  /** The hosts that the accelerator's throttle knows. */
  | { readonly kind: 'known'; readonly hosts: readonly string[] }
  /** For the tickets with which clients take up TLS sessions again, on whichever worker. */
  | { readonly kind: 'tickets'; readonly keys: Buffer }
  /** What others have found out about origins. */
  | { readonly kind: 'origins'; readonly changes: readonly OriginChange[] }
  | { readonly kind: 'draining' };

/** From a worker to the primary. */
export type Up =
  /** It listens to messages. */
  | { readonly kind: 'hello'; readonly version: number }
  | { readonly kind: 'answer'; readonly id: number; readonly answer: Answer }
  | { readonly kind: 'report'; readonly report: Report }
  | { readonly kind: 'forgotten'; readonly keys: readonly string[] }
  | { readonly kind: 'admit'; readonly id: number; readonly host: string }
  | { readonly kind: 'leave'; readonly id: number }
  | { readonly kind: 'warn'; readonly sentence: string };

/** An origin that is left out, because of `why`, or that is back. */
export type OriginChange = readonly [origin: string, state: 'down' | 'up', why: string];

/** What was added to each bucket of a histogram. */
export interface HistogramDelta {
  readonly counts: Float64Array;
  readonly sumMs: number;
}

export interface PatternHits {
  readonly pattern: Uint8Array;
  readonly origLength: number;
  readonly hits: number;
  readonly lastHitMs: number;
}

export interface KeywordUse {
  readonly keyword: string;
  readonly hits: number;
  readonly lastHitMs: number | undefined;
  readonly servedAtMs: number | undefined;
}

/** Counts of watched windows in the interval that began at `startMs`, since it began. */
export interface WindowTallies {
  readonly startMs: number;
  readonly ids: Uint32Array;
  readonly counts: Uint32Array;
}

/** What an origin has refused and what may be a miss: whether it was ever served, the primary knows. */
export interface MissNote extends AnsweredRequest {
  readonly client: string;
  readonly target: string;
  readonly requestId: string;
  /** For the keyword check; undefined: it is not wanted. */
  requestLine: string | undefined;
  /** What marks its line as a miss, and where in `lines` that belongs; undefined: there is no line. */
  mark: { readonly at: number; readonly text: string } | undefined;
}

/** A virus request, for its source. */
export interface VirusNote {
  /** The key of the source. */
  readonly address: string;
  readonly matched: string;
  readonly requestId: string;
  readonly atMs: number;
}

/** Requests that were blocked because of their source, the last one at `atMs`. */
export interface SourceUse {
  readonly address: string;
  readonly count: number;
  readonly atMs: number;
}

/** What sources have done. */
export interface SourceNotes {
  /** In the order of their lines. */
  readonly misses: readonly MissNote[];
  readonly viruses: readonly VirusNote[];
  readonly sourceUses: readonly SourceUse[];
}

/** Everything that has happened in a worker since its last report. */
export interface Report extends SourceNotes {
  /** Rows of the table of counters by their index, and what to add to them. */
  readonly counters: Uint16Array;
  readonly added: Float64Array;
  readonly fast: HistogramDelta | undefined;
  readonly front: HistogramDelta | undefined;
  readonly virusRequests: number;
  readonly nonVirusRequests: number;
  readonly patternHits: readonly PatternHits[];
  readonly keywordUses: readonly KeywordUse[];
  readonly virusSources: readonly VirusSource[];
  /** Whole lines for PROXY.LOG, each with its line end. */
  readonly lines: string;
  readonly lineCount: number;
  /** Blocked requests, for events, and how many more there were. */
  readonly blocked: readonly AccessEntry[];
  readonly unlistedCount: number;
  /** New connections to configured origins, by host. */
  readonly openings: readonly (readonly [host: string, count: number])[];
  /** Hashes of what was served, and of what no origin has. */
  readonly served: Int32Array;
  readonly missing: Int32Array;
  readonly candidatesStartMs: number;
  readonly candidates: readonly Suspect[];
  readonly tallies: WindowTallies | undefined;
  readonly health: readonly OriginChange[];
  readonly cache: StoreTotals;
  readonly origins: readonly OriginRow[];
}
