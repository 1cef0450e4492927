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

export type DecidingOptions = Pick<
  AutoUpdateOptions,
  'hitRates' | 'settings' | 'clock' | 'statistics' | 'record' | 'onSuspect' | 'onLearned' | 'warn'
> &
  Pick<SourceServiceOptions, 'neverBlock' | 'onBlock' | 'dataFolder' | 'names'> & {
    readonly onFleetState: FleetServiceOptions['onState'];
  };

export class Deciding {
  readonly state: PatternState;
  readonly autoUpdate: AutoUpdate;
  readonly sources: SourceService;
  readonly #options: DecidingOptions;
  readonly #servedFile: ServedFile;

  private constructor(state: PatternState, options: DecidingOptions) {
    this.state = state;
    this.#options = options;
    const { dataFolder, settings, warn } = options;
    const servedSnapshot = readServedFile(dataFolder, settings(), warn);
    this.autoUpdate = new AutoUpdate({
      ...options,
      database: state.database,
      startThread: startKeywordThread,
      seed: servedSnapshot?.seed ?? randomBytes(6).readUIntLE(0, 6),
      servedSnapshot,
    });
    this.#servedFile = new ServedFile(dataFolder, this.autoUpdate.served, options);
    this.sources = new SourceService({ ...options, autoUpdate: this.autoUpdate });
  }

  /** Reads everything; throws DurableFileError when a file is unusable. */
  static async open(options: DecidingOptions): Promise<Deciding> {
    const { settings, dataFolder, statistics, clock, warn } = options;
    const files = { settings: settings(), dataFolder, statistics, warn };
    let opened: Deciding | undefined;
    const fleet = {
      settings: () => settings().fleet,
      counts: () => opened?.autoUpdate.suspects,
      clock,
      onState: options.onFleetState,
    };
    const state = await PatternState.open(
      { ...files, fleet, nowMs: () => clock.nowMs() },
      randomBytes(4).readUInt32LE(),
    );
    const deciding = new Deciding(state, options);
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
