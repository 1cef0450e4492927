/** What the control plane has besides when there are workers, put together. Loaded when there are any. */
import type { Clock } from './clock.ts';
import type { Settings } from './config/shape.ts';
import type { CurrentCertificate } from './data-plane.ts';
import type { Deciding, FleetParts } from './deciding.ts';
import type { EgressService } from './egress-service.ts';
import type { EventService } from './event-service.ts';
import { lastsLonger } from './fleet/served-notes.ts';
import { WindowSums } from './fleet/window-sums.ts';
import type { LogFile } from './log/file.ts';
import type { Latencies } from './log/latency.ts';
import { ReportIntake } from './report-intake.ts';
import { ScreeningFeed } from './screening-feed.ts';
import type { Statistics } from './statistics.ts';
import { ThrottleDesk } from './throttle-desk.ts';
import type { HitRates } from './virus/hit-rates.ts';
import type { PatternDatabase } from './virus/pattern-database.ts';
import type { VirusSources } from './virus/virus-sources.ts';
import { Workers } from './workers.ts';

export interface FleetControlOptions {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly statistics: Statistics;
  readonly latencies: Latencies;
  readonly hitRates: HitRates;
  readonly virusSources: VirusSources;
  readonly events: EventService;
  readonly database: PatternDatabase;
  readonly deciding: () => Deciding | undefined;
  readonly egress: () => EgressService | undefined;
  readonly proxyLog: () => LogFile | undefined;
  readonly currentCertificate: CurrentCertificate;
  /** For the hashes of what was served. */
  readonly seed: number;
  readonly warn: (sentence: string) => void;
}

/** Windows that are counted over all workers, in an interval. */
const windowsMax = 10_000;

export class FleetControl {
  /** What the parts that decide have otherwise. */
  readonly parts: FleetParts;
  readonly workers: Workers;

  constructor(options: FleetControlOptions) {
    const { database, statistics } = options;
    const sums = new WindowSums({
      windowsMax,
      statistics,
      threshold: () => database.tunables.get('HitThreshold'),
      onWatch: (startMs, windows) => this.workers.watch(startMs, windows),
      onUnwatch: (startMs, ids) => this.workers.unwatch(startMs, ids),
      offer: (suspect) => options.deciding()?.autoUpdate.suspects.offer(suspect) === true,
    });
    const feed = new ScreeningFeed(options);
    const throttle = new ThrottleDesk(options);
    const intake = new ReportIntake({
      ...options,
      sums,
      window: options.settings.virus,
      onOpening: (host) => throttle.notePassed(host),
    });
    this.workers = new Workers(options.settings, {
      ...options,
      feed,
      intake,
      throttle,
    });
    this.parts = {
      table: sums,
      lastsLonger,
      onScreening: () => feed.onChange(),
      onSource: (address) => feed.noteSource(address),
    };
  }
}
