/** What the control plane has besides when there are workers, put together. Loaded when there are any. */
import type { Settings } from './config/shape.ts';
import type { CurrentCertificate } from './data-plane.ts';
import type { Deciding, FleetParts } from './deciding.ts';
import type { EgressService } from './egress-service.ts';
import { lastsLonger } from './fleet/served-notes.ts';
import { WindowSums } from './fleet/window-sums.ts';
import { ReportIntake, type ReportIntakeOptions } from './report-intake.ts';
import { ScreeningFeed } from './screening-feed.ts';
import { ThrottleDesk } from './throttle-desk.ts';
import { Workers } from './workers.ts';

export interface FleetControlOptions
  extends Omit<ReportIntakeOptions, 'deciding' | 'sums' | 'window' | 'onOpening'> {
  readonly settings: Settings;
  readonly deciding: () => Deciding | undefined;
  readonly egress: () => EgressService | undefined;
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
