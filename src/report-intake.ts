/** Takes workers' reports over into the control plane's own parts, which hold the sums. */
import type { Clock } from './clock.ts';
import type { Deciding } from './deciding.ts';
import type { EventService } from './event-service.ts';
import { addKeywordUse } from './fleet/copied-keywords.ts';
import { addCounters, addLatencies } from './fleet/counter-deltas.ts';
import { HeldNotes } from './fleet/held-notes.ts';
import type { Report, SourceNotes } from './fleet/messages.ts';
import { OriginNews } from './fleet/origin-views.ts';
import type { WindowSums } from './fleet/window-sums.ts';
import type { LogFile } from './log/file.ts';
import type { Latencies } from './log/latency.ts';
import { type PatternWindow, takeSourceNotes } from './source-notes.ts';
import type { Statistics } from './statistics.ts';
import type { HitRates } from './virus/hit-rates.ts';
import type { PatternDatabase } from './virus/pattern-database.ts';
import type { VirusSources } from './virus/virus-sources.ts';

export interface ReportIntakeOptions {
  readonly clock: Clock;
  readonly statistics: Statistics;
  readonly latencies: Latencies;
  readonly hitRates: HitRates;
  readonly virusSources: VirusSources;
  readonly events: EventService;
  readonly database: PatternDatabase;
  readonly deciding: () => Pick<Deciding, 'autoUpdate' | 'sources'> | undefined;
  readonly sums: WindowSums;
  readonly window: PatternWindow;
  readonly proxyLog: () => LogFile | undefined;
  /** The accelerator has made a connection to a host that it knows. */
  readonly onOpening: (host: string) => void;
}

/** What sources have done, and the lines of it. */
type LoggedNotes = SourceNotes & Pick<Report, 'lines' | 'lineCount'>;

export class ReportIntake {
  readonly #options: ReportIntakeOptions;
  readonly #originNews: OriginNews;
  readonly #held: HeldNotes<LoggedNotes>;
  /** Connections that a worker has open, by worker. */
  readonly #open = new Map<number, number>();

  constructor(options: ReportIntakeOptions) {
    this.#options = options;
    this.#originNews = new OriginNews((origin, state, why) =>
      options.events.noteOrigin(origin, state, why),
    );
    this.#held = new HeldNotes({
      clock: options.clock,
      isDoubtful: ({ misses: told }) => {
        const misses = options.deciding()?.sources.watch.misses;
        return misses !== undefined && told.some((miss) => misses.isDoubtful(miss));
      },
      judge: (notes) => this.#takeSources(notes),
    });
  }

  take(worker: number, report: Report): void {
    const { statistics, latencies, virusSources, events, sums } = this.#options;
    const { connections, connections_closed: closed } = statistics.totals;
    addCounters(statistics, report);
    const opened = statistics.totals.connections - connections;
    const ended = statistics.totals.connections_closed - closed;
    this.#open.set(worker, (this.#open.get(worker) ?? 0) + opened - ended);
    addLatencies(latencies, report);
    this.#takeUses(report);
    virusSources.merge(report.virusSources);
    // After what was served: a target may have been both in one report, and is no miss then.
    const { misses, viruses, sourceUses, lines, lineCount } = report;
    this.#held.take(worker, { misses, viruses, sourceUses, lines, lineCount });
    for (const entry of report.blocked) events.noteAccess(entry);
    events.noteUnlisted(report.unlistedCount);
    for (const [host, count] of report.openings) {
      for (let each = 0; each < count; each += 1) this.#options.onOpening(host);
    }
    for (const change of report.health) this.#originNews.note(change);
    if (report.tallies !== undefined) sums.takeTallies(worker, report.tallies);
    sums.takeCandidates(report.candidatesStartMs, report.candidates);
  }

  /** The windows that a new worker has to count. */
  watched() {
    return this.#options.sums.watched();
  }

  /** Other settings are in force: `origins` is all that there are. */
  keepOrigins(origins: ReadonlySet<string>): void {
    this.#originNews.keep(origins);
  }

  /** The origins that a new worker has to leave out. */
  downOrigins() {
    return this.#originNews.down();
  }

  /** A worker has ended. */
  noteEnd(worker: number): void {
    this.#options.statistics.add('connections_closed', this.#open.get(worker) ?? 0);
    this.#open.delete(worker);
    this.#options.sums.noteEnd(worker);
  }

  /** All workers have reported. */
  settle(): void {
    this.#held.settle();
  }

  #takeSources(notes: LoggedNotes): void {
    const { window, proxyLog } = this.#options;
    const deciding = this.#options.deciding();
    if (deciding === undefined) return;
    const { autoUpdate, sources } = deciding;
    const lines = takeSourceNotes(notes, autoUpdate.suspects, sources.watch, window);
    if (notes.lineCount > 0) proxyLog()?.appendWhole(lines, notes.lineCount);
  }

  #takeUses(report: Report): void {
    const { clock, hitRates, database } = this.#options;
    const nowMs = clock.nowMs();
    hitRates.noteMany(report.virusRequests, report.nonVirusRequests, nowMs);
    const { patterns, keywords } = database;
    for (const { pattern, origLength, hits, lastHitMs } of report.patternHits) {
      const known = patterns.find(pattern, origLength);
      if (known !== undefined) {
        patterns.noteSeen(pattern, origLength, known.hits + hits, lastHitMs);
      }
    }
    for (const use of report.keywordUses) addKeywordUse(keywords.find(use.keyword), use);
    const autoUpdate = this.#options.deciding()?.autoUpdate;
    if (report.served.length > 0) autoUpdate?.served.noteHashes(report.served, nowMs);
    if (report.missing.length > 0) autoUpdate?.missing.noteHashes(report.missing, nowMs);
  }
}
