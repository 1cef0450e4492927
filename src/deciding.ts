/**
 * What decides about requests and remembers over restarts: the pattern database, Auto Update and the
 * virus sources, opened together and closed in the order that their files need.
 */
import { randomBytes } from 'node:crypto';
import { AutoUpdate, type AutoUpdateOptions } from './auto-update.ts';
import type { FleetServiceOptions } from './fleet-service.ts';
import { startKeywordThread } from './keyword-checks.ts';
import { PatternState } from './pattern-state.ts';
import { readServedFile, ServedFile } from './served-file.ts';
import { SourceService, type SourceServiceOptions } from './source-service.ts';
import type { PatternDatabase } from './virus/pattern-database.ts';
import type { ServedSnapshot } from './virus/served-memory.ts';

/** What is otherwise when workers serve, and this process has only the sums. */
export interface FleetParts
  extends Pick<AutoUpdateOptions, 'table' | 'lastsLonger' | 'onScreening'>,
    Pick<SourceServiceOptions, 'onSource'> {}

export type DecidingOptions = Pick<
  AutoUpdateOptions,
  'hitRates' | 'settings' | 'clock' | 'statistics' | 'record' | 'onSuspect' | 'onLearned' | 'warn'
> &
  Pick<SourceServiceOptions, 'neverBlock' | 'onBlock' | 'dataFolder' | 'names'> & {
    /** Prepares for workers; undefined: there are none. `seed` is that of the memory of what was served. */
    readonly openFleet: (
      database: PatternDatabase,
      seed: number,
    ) => Promise<FleetParts | undefined>;
    readonly onFleetState: FleetServiceOptions['onState'];
  };

/** What has to be known before the parts are made. */
interface Opened {
  readonly state: PatternState;
  readonly seed: number;
  readonly servedSnapshot: ServedSnapshot | undefined;
  readonly fleet: FleetParts | undefined;
}

export class Deciding {
  readonly state: PatternState;
  readonly autoUpdate: AutoUpdate;
  readonly sources: SourceService;
  readonly #options: DecidingOptions;
  readonly #servedFile: ServedFile;

  private constructor({ state, seed, servedSnapshot, fleet }: Opened, options: DecidingOptions) {
    this.state = state;
    this.#options = options;
    this.autoUpdate = new AutoUpdate({
      ...options,
      ...fleet,
      database: state.database,
      startThread: startKeywordThread,
      seed,
      servedSnapshot,
    });
    this.#servedFile = new ServedFile(options.dataFolder, this.autoUpdate.served, options);
    this.sources = new SourceService({
      ...options,
      autoUpdate: this.autoUpdate,
      onSource: fleet?.onSource,
    });
  }

  /** Reads everything; throws DurableFileError when a file is unusable. */
  static async open(options: DecidingOptions): Promise<Deciding> {
    const { settings, dataFolder, statistics, clock, warn } = options;
    const files = { settings: settings(), dataFolder, statistics, warn };
    let opened: Deciding | undefined;
    let workers: FleetParts | undefined;
    const fleet = {
      settings: () => settings().fleet,
      counts: () => opened?.autoUpdate.suspects,
      clock,
      onState: options.onFleetState,
      onTallyFloor: () => workers?.onScreening?.(),
    };
    const state = await PatternState.open(
      { ...files, fleet, nowMs: () => clock.nowMs() },
      randomBytes(4).readUInt32LE(),
    );
    const servedSnapshot = readServedFile(dataFolder, settings(), warn);
    const seed = servedSnapshot?.seed ?? randomBytes(6).readUIntLE(0, 6);
    workers = await options.openFleet(state.database, seed);
    const deciding = new Deciding({ state, seed, servedSnapshot, fleet: workers }, options);
    opened = deciding;
    deciding.autoUpdate.start();
    await deciding.sources.start();
    await state.fleet.applySettings();
    return deciding;
  }

  /** Takes over the settings in force. */
  async applySettings(): Promise<void> {
    await this.state.rebase(this.#options.settings());
    this.autoUpdate.applySettings();
    this.sources.applySettings();
    await this.state.fleet.applySettings();
  }

  async close(): Promise<void> {
    await this.sources.close();
    await this.#servedFile.close();
    await this.autoUpdate.close();
    await this.state.close();
  }
}
