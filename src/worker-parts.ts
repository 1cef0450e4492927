/**
 * What a worker's data plane works with: copies of what the control plane has decided, and parts that keep what
 * happens until it is reported. The request path uses them as it uses the control plane's own in a single
 * process.
 */
import { randomBytes } from 'node:crypto';
import type { Clock } from './clock.ts';
import type { Settings } from './config/shape.ts';
import { copyOfKeywords, takeKeywordUses } from './fleet/copied-keywords.ts';
import { CopiedSources } from './fleet/copied-sources.ts';
import { CountedPatterns } from './fleet/counted-patterns.ts';
import { CounterDeltas, takeLatencies } from './fleet/counter-deltas.ts';
import { LineBatch } from './fleet/line-batch.ts';
import type { InitialState, Report, ScreeningChange, ScreeningRules } from './fleet/messages.ts';
import { ServedNotes } from './fleet/served-notes.ts';
import { WatchedWindows } from './fleet/watched-windows.ts';
import { type AccessEntry, formatAccess } from './log/access.ts';
import { Latencies } from './log/latency.ts';
import { screeningFor } from './screening.ts';
import { Statistics } from './statistics.ts';
import { DistributionTable } from './virus/heuristics.ts';
import { HitRates } from './virus/hit-rates.ts';
import { KeywordList } from './virus/keyword-list.ts';
import { KeywordScreen } from './virus/keyword-screen.ts';
import { Suspects } from './virus/suspects.ts';
import { VirusSources } from './virus/virus-sources.ts';

export interface WorkerPartsOptions {
  readonly state: InitialState;
  readonly settings: () => Settings;
  readonly clock: Clock;
  /** Much has gathered for the next report. */
  readonly onMuch: () => void;
}

/** So many candidates, and so many blocked requests for events, are in one report at most. */
const candidatesMax = 1_000;
const blockedMax = 1_000;
/** Changes of an origin beyond this, in a tenth of a second, say nothing new. */
const healthMax = 1_000;
/** With so many bytes of lines a report is made at once. */
const linesBytes = 64 * 1024;

export class WorkerParts {
  readonly statistics = new Statistics();
  readonly latencies = new Latencies();
  readonly virusSources = new VirusSources();
  readonly keywordScreen = new KeywordScreen();
  readonly patterns: CountedPatterns;
  readonly hitRates: HitRates;
  readonly suspects: Suspects;
  readonly sources: CopiedSources;
  readonly served: ServedNotes;
  readonly missing: ServedNotes;
  readonly watched: WatchedWindows;
  readonly lines: LineBatch;
  readonly #options: WorkerPartsOptions;
  readonly #counterDeltas = new CounterDeltas(this.statistics);
  readonly #openings = new Map<string, number>();
  #keywords = new KeywordList(0);
  #blocked: AccessEntry[] = [];
  #unlistedCount = 0;
  #health: [string, 'down' | 'up', string][] = [];
  #virusBefore = 0;
  #nonVirusBefore = 0;

  constructor(options: WorkerPartsOptions) {
    const { state, settings, clock } = options;
    const { patternSize, patternStartOffset } = state.settings.virus;
    const { statistics } = this;
    this.#options = options;
    this.patterns = new CountedPatterns(patternSize, randomBytes(4).readUInt32LE());
    const { intervalSeconds, intervalStartMs } = state.rules;
    this.hitRates = new HitRates(intervalSeconds, intervalStartMs);
    const bytesMax = state.settings.limits.distributionBytesMax;
    const table = new DistributionTable({ patternSize, bytesMax });
    this.watched = new WatchedWindows({
      candidatesMax,
      countOf: (pattern) => {
        this.patterns.findInBytes(pattern, 0, pattern.length);
        return table.countOf(pattern, this.patterns.lastHash);
      },
      startMs: () => this.hitRates.startMs(clock.nowMs()),
    });
    this.suspects = new Suspects({
      table,
      patternStartOffset,
      hitRates: this.hitRates,
      statistics,
      take: (suspect) => {
        if (suspect.isMiss !== true) return this.watched.offer(suspect);
        this.sources.noteSuspect(suspect);
        return true;
      },
    });
    this.sources = new CopiedSources({
      settings: state.settings,
      statistics,
      onMuch: () => options.onMuch(),
    });
    const hashing = { patternStartOffset, patternSize, seed: state.seed };
    this.served = new ServedNotes(hashing, statistics);
    this.missing = new ServedNotes(hashing, statistics);
    this.lines = new LineBatch(statistics, () => settings().limits.logBacklogBytesMax);
    this.#obey(state.rules);
  }

  /** Follows the control plane. */
  change({ patterns, keywords, rules, blocked = [], freed = [] }: ScreeningChange): void {
    this.sources.change(blocked, freed);
    if (patterns !== undefined) this.patterns.apply(patterns);
    if (keywords !== undefined) {
      this.#keywords = copyOfKeywords(keywords, this.#keywords);
      this.keywordScreen.rebuild(this.#keywords);
    }
    if (rules !== undefined) this.#obey(rules);
  }

  #logAccess(entry: AccessEntry): void {
    this.#appendLine(entry);
    this.#noteBlocked(entry);
    if (this.lines.bytes >= linesBytes) this.#options.onMuch();
  }

  /** Whether it was a miss, the primary finds out: until then its line has no mark. */
  #appendLine(entry: AccessEntry): void {
    const { outcome } = entry;
    if (outcome.kind !== 'answered' || outcome.missId === undefined) {
      this.lines.append(formatAccess(entry));
      return;
    }
    const { missId, ...unmarked } = outcome;
    const line = formatAccess({ ...entry, outcome: unmarked });
    const marked = formatAccess(entry);
    const lineStart = this.lines.bytes;
    if (!this.lines.append(line)) return;
    let at = 0;
    while (at < line.length && line.charCodeAt(at) === marked.charCodeAt(at)) at += 1;
    const text = marked.slice(at, at + marked.length - line.length);
    this.sources.noteMark(missId, lineStart + at, text);
  }

  noteOpening(host: string): void {
    this.#openings.set(host, (this.#openings.get(host) ?? 0) + 1);
  }

  #noteHealth(origin: string, state: 'down' | 'up', why: string): void {
    if (this.#health.length < healthMax) this.#health.push([origin, state, why]);
  }

  /** What the data plane works with. */
  forPlane() {
    const { statistics, latencies, virusSources, keywordScreen, patterns } = this;
    const { hitRates, suspects, sources, served, missing } = this;
    return {
      ...{ statistics, latencies, virusSources, keywordScreen, patterns },
      ...{ hitRates, suspects, sources, served, missing },
      screeningFor: (settings: Settings) => {
        const screening = screeningFor(settings, this.patterns, this.keywordScreen);
        this.sources.adopt(settings, screening.neverBlock);
        return screening;
      },
      onOpening: (host: string) => this.noteOpening(host),
      onHealth: (origin: string, state: 'down' | 'up', why: string) =>
        this.#noteHealth(origin, state, why),
      logAccess: (entry: AccessEntry) => this.#logAccess(entry),
    };
  }

  /** Whether anything has happened since the last report: whatever does is counted. */
  get hasNews(): boolean {
    return this.#counterDeltas.hasNews || this.lines.bytes > 0 || this.watched.isBusy;
  }

  /** Milliseconds until the counts of the running interval are gone; undefined: nobody wants them. */
  msLeft(): number | undefined {
    if (!this.suspects.isWatching || !this.watched.isBusy) return undefined;
    const nowMs = this.#options.clock.nowMs();
    return this.hitRates.startMs(nowMs) + this.hitRates.intervalSeconds * 1000 - nowMs;
  }

  /** What has happened since the last report. */
  report(state: Pick<Report, 'cache' | 'origins'>): Report {
    const { virus_requests: virus, non_virus_requests: nonVirus } = this.statistics.totals;
    const virusRequests = virus - this.#virusBefore;
    const nonVirusRequests = nonVirus - this.#nonVirusBefore;
    this.#virusBefore = virus;
    this.#nonVirusBefore = nonVirus;
    // Before the candidates: a window that is one now is watched from the answer on.
    const tallies = this.watched.takeTallies();
    const { startMs: candidatesStartMs, candidates } = this.watched.takeCandidates();
    const report = {
      ...state,
      ...this.#counterDeltas.take(),
      ...takeLatencies(this.latencies),
      virusRequests,
      nonVirusRequests,
      patternHits: this.patterns.takeHits(),
      keywordUses: takeKeywordUses(this.#keywords),
      virusSources: this.virusSources.take(),
      ...this.sources.take(),
      ...this.lines.take(),
      blocked: this.#blocked,
      unlistedCount: this.#unlistedCount,
      openings: [...this.#openings],
      served: this.served.take(),
      missing: this.missing.take(),
      candidatesStartMs,
      candidates,
      tallies,
      health: this.#health,
    };
    this.#blocked = [];
    this.#unlistedCount = 0;
    this.#openings.clear();
    this.#health = [];
    return report;
  }

  #noteBlocked(entry: AccessEntry): void {
    const { kind } = entry.outcome;
    if (kind !== 'slipped' && kind !== 'dropped') return;
    const { logFile, webhook } = this.#options.settings().events;
    if (logFile === '' && webhook.url === '') return;
    if (this.#blocked.length < blockedMax) this.#blocked.push(entry);
    else this.#unlistedCount += 1;
  }

  #obey(rules: ScreeningRules): void {
    const { workers } = this.#options.settings().fleet;
    // The same length again changes nothing, so the beginning is looked at by itself.
    this.hitRates.changeInterval(rules.intervalSeconds, rules.intervalStartMs);
    this.hitRates.align(rules.intervalStartMs);
    this.suspects.isWatching = rules.isWatching;
    this.suspects.threshold = Math.floor(rules.threshold / workers);
    this.keywordScreen.isOn = rules.searchesKeywords;
    this.keywordScreen.isBlocking = rules.blocksKeywords;
  }
}
