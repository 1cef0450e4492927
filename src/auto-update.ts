/**
 * Auto Update (the paper, "Enabling and Configuring Auto Update"), put together from its parts: the
 * request path hands over suspects, a thread looks for keywords in them, and what it finds is added to
 * the database or proposed to the operator. Also reviews now and then what was learned and not seen
 * since. Decides nothing itself: learning.ts does.
 */
import type { Clock, Timer } from './clock.ts';
import { describeError } from './config/fault.ts';
import type { Settings } from './config/shape.ts';
import { type CheckThread, KeywordChecks } from './keyword-checks.ts';
import { type LearningCause, LearningLines } from './learning-lines.ts';
import type { Statistics } from './statistics.ts';
import type { Change, Outcome, Proposal, TunableName } from './virus/change.ts';
import { DistributionTable } from './virus/heuristics.ts';
import type { HitRates } from './virus/hit-rates.ts';
import type { KeywordEntry } from './virus/keyword-list.ts';
import { KeywordScreen } from './virus/keyword-screen.ts';
import {
  type Decision,
  decide,
  type Learning,
  learningChange,
  reachesKeyword,
} from './virus/learning.ts';
import type { PatternDatabase } from './virus/pattern-database.ts';
import { ServedMemory, type ServedSnapshot } from './virus/served-memory.ts';
import { type Suspect, Suspects, type WindowCounts } from './virus/suspects.ts';

export interface AutoUpdateOptions {
  readonly database: PatternDatabase;
  readonly hitRates: HitRates;
  readonly settings: () => Settings;
  readonly clock: Clock;
  readonly statistics: Statistics;
  readonly startThread: () => CheckThread;
  /** Takes a line for the console's log. */
  readonly record: (line: string) => void;
  /** Told of each suspect that is to be checked. */
  readonly onSuspect?: (suspect: Suspect) => void;
  /** Told of what was added or proposed, and why. */
  readonly onLearned?: (change: Change, cause: LearningCause) => void;
  /** Told, in a sentence, of failures. */
  readonly warn: (sentence: string) => void;
  /** A whole number from 0 to 2^53 - 1, random at every start. */
  readonly seed: number;
  /** What a memory with this seed has left of what was served. */
  readonly servedSnapshot?: ServedSnapshot | undefined;
  /** Counts windows in the place of a table of its own. */
  readonly table?: WindowCounts;
  /** How much longer than ServedMemoryHours memories last, in milliseconds. */
  readonly lastsLonger?: number;
  /** Told when what requests are searched for has changed. */
  readonly onScreening?: () => void;
}

/** How long changed keywords wait for further ones before they are searched for. */
const keywordDelayMs = 20;
const reviewPeriodMs = 3_600_000;
/** What a review does because something was not seen any more. */
const ends: ReadonlySet<Change['kind']> = new Set(['expire', 'lapse', 'unconfirm-keyword']);

/** Follows the database's changes and the settings; `start` it once both are there. */
export class AutoUpdate {
  readonly suspects: Suspects;
  readonly keywordScreen = new KeywordScreen();
  readonly served: ServedMemory;
  /** What origins have lately answered 404 or 410. */
  readonly missing: ServedMemory;
  readonly #options: AutoUpdateOptions;
  readonly #checks: KeywordChecks;
  readonly #lines: LearningLines;
  #keywordTimer: Timer | undefined;
  #reviewTimer: Timer | undefined;

  constructor(options: AutoUpdateOptions) {
    const { database, hitRates, settings, clock, statistics, seed } = options;
    const { virus, limits } = settings();
    this.#options = options;
    this.#lines = new LearningLines(options.record);
    this.#checks = new KeywordChecks({
      startThread: options.startThread,
      clock,
      statistics,
      limits: () => settings().limits,
      onChecked: (suspect, keyword) => this.#learn(suspect, keyword),
      warn: (sentence) => {
        options.warn(sentence);
        this.#lines.fault(sentence, clock.nowMs());
      },
    });
    const { patternSize, patternStartOffset } = virus;
    const bytesMax = limits.distributionBytesMax;
    this.suspects = new Suspects({
      table: options.table ?? new DistributionTable({ patternSize, bytesMax }),
      patternStartOffset,
      hitRates,
      statistics,
      take: (suspect) => this.#take(suspect),
    });
    const memory = {
      patternStartOffset,
      patternSize,
      bytesMax: limits.servedMemoryBytesMax,
      lastsMs: virus.servedMemoryMs + (options.lastsLonger ?? 0),
      seed,
      nowMs: clock.nowMs(),
    };
    this.served = new ServedMemory({ ...memory, snapshot: options.servedSnapshot });
    this.missing = new ServedMemory(memory);
    database.onChange((change) => this.#follow(change));
  }

  start(): void {
    this.#takeKeywords();
    this.applySettings();
    this.#reviewTimer = this.#options.clock.every(reviewPeriodMs, () => this.#reviewAlone());
  }

  /** Takes over the settings and tunables in force. */
  applySettings(): void {
    const { database, settings, hitRates, clock } = this.#options;
    const { virus, scanVirusPatterns } = settings();
    const tunable = (name: TunableName) => database.tunables.get(name);
    hitRates.changeInterval(tunable('RefreshInterval'), clock.nowMs());
    this.suspects.threshold = tunable('HitThreshold');
    this.suspects.isWatching = scanVirusPatterns && tunable('EnablePatternAutoUpdate') === 1;
    const lastsMs = virus.servedMemoryMs + (this.#options.lastsLonger ?? 0);
    this.served.lastsMs = lastsMs;
    this.missing.lastsMs = lastsMs;
    if (this.suspects.isWatching) this.#checks.start();
    else void this.#checks.stop();
    this.#switchScreen();
  }

  /** Writes down what was seen of the learned, and deletes what was not seen for too long. */
  async review(): Promise<void> {
    const { database, settings, clock, statistics } = this.#options;
    const nowMs = clock.nowMs();
    const changes = database.learning.review(nowMs, settings().virus.learnedPatternMs);
    const outcomes = await database.commit(changes);
    for (const [index, change] of changes.entries()) {
      if (!ends.has(change.kind) || outcomes[index]?.kind !== 'done') continue;
      if (change.kind === 'expire') statistics.add('patterns_expired');
      this.#lines.expired(change, nowMs);
    }
  }

  #reviewAlone(): void {
    this.review().catch((error: unknown) => {
      const reason = describeError(error);
      this.#options.warn(`The review of what was learned failed: ${reason}.`);
    });
  }

  /** Stops checking, and writes down what was seen. */
  async close(): Promise<void> {
    this.#keywordTimer?.cancel();
    this.#reviewTimer?.cancel();
    await this.#checks.stop();
    await this.review();
  }

  #follow(change: Change): void {
    switch (change.kind) {
      case 'set':
        this.applySettings();
        return;
      case 'add-keyword':
      case 'del-keyword':
        this.#awaitKeywords();
        return;
      case 'confirm-keyword':
      case 'unconfirm-keyword':
      case 'accept':
      case 'reject':
      case 'clear':
        return this.#switchScreen();
      case 'add':
        if (change.confirms === true) this.#switchScreen();
    }
  }

  /** Waits for the end of a script that changes many keywords. */
  #awaitKeywords(): void {
    if (this.#keywordTimer !== undefined) return;
    this.#keywordTimer = this.#options.clock.after(keywordDelayMs, () => {
      this.#keywordTimer = undefined;
      this.#takeKeywords();
      this.#switchScreen();
    });
  }

  #takeKeywords(): void {
    const { keywords } = this.#options.database;
    this.keywordScreen.rebuild(keywords);
    this.#checks.setKeywords(Array.from(keywords.entries(), ({ keyword }) => keyword));
    this.suspects.offerAgain();
  }

  /**
   * Requests are searched for keywords only while that can matter: while keywords are confirmed, those
   * that are served have to be known, whether confirmed ones block or not.
   */
  #switchScreen(): void {
    const { database, settings } = this.#options;
    const { scanVirusPatterns, virus } = settings();
    const { keywordScreen } = this;
    const canBlock = virus.blockConfirmedKeywords && database.keywords.confirmedCount > 0;
    keywordScreen.isBlocking = virus.blockConfirmedKeywords;
    keywordScreen.isOn = scanVirusPatterns && (this.suspects.isWatching || canBlock);
    this.#options.onScreening?.();
  }

  #take(suspect: Suspect): boolean {
    const isTaken = this.#checks.offer(suspect);
    // A miss is no news: there are as many as there are dead links.
    if (isTaken && suspect.isMiss !== true) this.#options.onSuspect?.(suspect);
    return isTaken;
  }

  #learn(suspect: Suspect, keyword: string | undefined): void {
    const { database } = this.#options;
    const entry = keyword === undefined ? undefined : database.keywords.find(keyword);
    // Deleted while it was looked for: as if it had not been found.
    if (entry === undefined || !this.suspects.isWatching) return;
    const decision = this.#decide(suspect, entry);
    if (decision.kind !== 'leave') void this.#carryOut(decision, suspect, entry.keyword);
    else if (decision.why === 'rejected') this.#lines.rejected(suspect, entry.keyword);
  }

  #decide(suspect: Suspect, { keyword, servedAtMs }: KeywordEntry): Decision {
    const { pattern, requestString } = suspect;
    const { database, settings, clock } = this.#options;
    const { served } = this;
    const { proposals } = database.learning;
    const nowMs = clock.nowMs();
    const { patternStartOffset, patternSize, autoUpdateAction } = settings().virus;
    return decide({
      isKnown: database.patterns.hasPattern(pattern),
      isRejected: proposals.isRejected(pattern),
      served: served.recall(requestString, nowMs),
      reachesKeyword: reachesKeyword(suspect, keyword, patternStartOffset + patternSize),
      isMissing: this.missing.recall(requestString, nowMs) !== undefined,
      // The list's moment is lost with a restart.
      isKeywordServed:
        (servedAtMs !== undefined && nowMs - servedAtMs < served.lastsMs) ||
        served.recallKeyword(keyword, nowMs),
      proposal: proposals.find(pattern),
      action: autoUpdateAction,
    });
  }

  async #carryOut(decision: Learning, suspect: Suspect, keyword: string): Promise<void> {
    const { database, statistics, hitRates } = this.#options;
    const { proposals } = database.learning;
    const known = proposals.find(suspect.pattern);
    if (decision.kind === 'propose' && isSame(decision, known)) {
      return proposals.noteSeen(suspect.pattern, suspect.atMs);
    }
    const change = learningChange(decision, suspect, keyword, known);
    const before = database.keywords.find(keyword)?.confirmedAtMs;
    const outcome = await this.#commit(change);
    if (outcome.kind === 'done' && decision.kind === 'add') statistics.add('patterns_learned');
    if (outcome.kind === 'done' && decision.kind === 'propose') {
      statistics.add('patterns_proposed', known === undefined ? 1 : 0);
    }
    const isConfirmed = before === undefined && database.keywords.find(keyword)?.confirmedAtMs;
    if (isConfirmed) statistics.add('keywords_confirmed');
    const frequency =
      suspect.isMiss === true
        ? { count: 0, seconds: 0 }
        : { count: this.suspects.threshold, seconds: hitRates.intervalSeconds };
    const cause = { suspect, keyword, frequency };
    this.#lines.learned(change, outcome, cause);
    if (outcome.kind === 'done') this.#options.onLearned?.(change, cause);
  }

  async #commit(change: Change): Promise<Outcome> {
    try {
      const [outcome] = await this.#options.database.commit([change]);
      return outcome ?? { kind: 'refused', message: 'Nothing came of it.' };
    } catch (error) {
      const message = describeError(error);
      return { kind: 'refused', message };
    }
  }
}

/** Whether a proposal that waits already says what is decided anew. */
function isSame(decision: Extract<Learning, { kind: 'propose' }>, known: Proposal | undefined) {
  return known?.reason === decision.reason && known.confirms === decision.confirms;
}
