/**
 * The composition root: settings in, running parts out. Starts everything in an order in which a
 * failure leaves nothing behind, reloads on SIGHUP, drains on SIGTERM and SIGINT.
 */
import { join } from 'node:path';
import type { ConsoleContext } from './admin/console.ts';
import { socketName } from './admin/console-protocol.ts';
import { type ConsoleServer, startConsoleServer } from './admin/console-server.ts';
import { bindAdmin, type RunningAdmin } from './admin-listener.ts';
import { Certificates } from './certificates.ts';
import { systemClock } from './clock.ts';
import { describeError } from './config/fault.ts';
import {
  type Configuration,
  formatFault,
  formatWarning,
  loadSettings,
  restartOnlyDifferences,
} from './config/load.ts';
import type { Settings } from './config/shape.ts';
import { consoleContext } from './console-context.ts';
import { makeDataFolder } from './data-folder.ts';
import { type CurrentCertificate, DataPlane } from './data-plane.ts';
import { type DataPlanes, inThisProcess } from './data-planes.ts';
import { Deciding, type FleetParts } from './deciding.ts';
import { NameServers } from './egress/name-servers.ts';
import { EventService } from './event-service.ts';
import type { FleetControl } from './fleet-control.ts';
import type { Screening } from './http/policy.ts';
import { isSameAddress } from './listen-addresses.ts';
import { formatAccess } from './log/access.ts';
import type { LogFile } from './log/file.ts';
import { Latencies } from './log/latency.ts';
import { LogSet } from './log-set.ts';
import { Outbound } from './outbound.ts';
import type { InspectorParts } from './request-inspector.ts';
import { screeningFor } from './screening.ts';
import { Statistics } from './statistics.ts';
import { HitRates } from './virus/hit-rates.ts';
import type { PatternDatabase } from './virus/pattern-database.ts';
import { VirusSources } from './virus/virus-sources.ts';

export interface RunOptions {
  readonly configFile: string;
  readonly dataFolder: string;
}

/** Tells the operator. */
export function warn(sentence: string): void {
  process.stderr.write(`wormgate: ${sentence}\n`);
}

export class WormgateServer {
  readonly #options: RunOptions;
  readonly #statistics = new Statistics();
  readonly #latencies = new Latencies();
  readonly #clock = systemClock;
  readonly #virusSources = new VirusSources();
  readonly #nameServers = new NameServers();
  readonly #certificates: Certificates;
  readonly #logs: LogSet;
  readonly #events: EventService;
  readonly #hitRates: HitRates;
  readonly #context: ConsoleContext;
  #settings: Settings;
  #written: Configuration['written'];
  #screening: Screening | undefined;
  #proxyLog: LogFile | undefined;
  #deciding: Deciding | undefined;
  #fleet: FleetControl | undefined;
  #outbound: Outbound | undefined;
  #planes: DataPlanes | undefined;
  #admin: RunningAdmin | undefined;
  #console: ConsoleServer | undefined;
  #draining = false;
  /** The start and the reloads so far, one after the other. */
  #reloading: Promise<void> = Promise.resolve();
  #reloadIsWaiting = false;

  constructor(options: RunOptions, { settings, written }: Configuration) {
    this.#options = options;
    this.#written = written;
    this.#settings = settings;
    this.#logs = new LogSet({
      dataFolder: options.dataFolder,
      settings: () => this.#settings,
      backlogBytesMax: settings.limits.logBacklogBytesMax,
      clock: this.#clock,
      statistics: this.#statistics,
    });
    this.#events = new EventService({
      settings: () => this.#settings.events,
      file: () => this.#logs.events,
      clock: this.#clock,
      statistics: this.#statistics,
      lookUp: (host) => this.#nameServers.addressesOfOrigin(host),
      warn,
    });
    this.#certificates = new Certificates({
      clock: this.#clock,
      statistics: this.#statistics,
      warn,
      onChange: () => this.#planes?.renewCertificates(this.#currentCertificate),
    });
    this.#hitRates = new HitRates(settings.virus.refreshIntervalSeconds, this.#clock.nowMs());
    this.#context = consoleContext({
      settings: () => this.#settings,
      state: () => this.#deciding?.state,
      hitRates: this.#hitRates,
      virusSources: this.#virusSources,
      suspects: () => this.#deciding?.autoUpdate.suspects,
      sources: () => this.#deciding?.sources,
      throttleStatus: (source, isAdvice) => this.#outbound?.egress.status(source, isAdvice),
      planes: () => this.#planes,
      fleet: async () => await this.#deciding?.state?.fleet.report(),
      consoleLog: () => this.#logs.console,
      nowMs: () => this.#clock.nowMs(),
    });
  }

  start(): Promise<void> {
    const started = this.#startParts();
    // A SIGHUP that comes meanwhile waits; a failure is the caller's to tell.
    this.#reloading = started.catch(() => undefined);
    return started;
  }

  async #startParts(): Promise<void> {
    const settings = this.#settings;
    makeDataFolder(this.#options.dataFolder);
    // First of all, because it finds out whether another server works on this data folder.
    await this.#openConsole();
    this.#proxyLog = await this.#logs.open(settings);
    await this.#openDeciding();
    const outbound = new Outbound({
      settings: () => this.#settings,
      clock: this.#clock,
      statistics: this.#statistics,
      nameServers: this.#nameServers,
      dataFolder: this.#options.dataFolder,
      isOrigin: (host) => this.#planes?.hasOrigin(host) === true,
      record: (text) => this.#logs.throttle.append(text),
      onAlert: (alert) => this.#events.noteAlert(alert),
      logLine: (line) => this.#proxyLog?.append(line),
    });
    this.#outbound = outbound;
    this.#screening = this.#screeningFor(settings);
    this.#certificates.adopt(settings.accelerators);
    this.#planes = this.#fleet?.workers ?? inThisProcess(this.#makePlane(settings, outbound));
    await this.#planes.start();
    await outbound.start();
    this.#admin = await this.#bindAdmin(settings);
  }

  /**
   * Takes over the signals; resolves at SIGTERM or SIGINT. To be called before anybody knows of this
   * process, because a SIGHUP that no one listens for would end it.
   */
  heedSignals(): Promise<void> {
    process.on('SIGHUP', () => {
      if (this.#reloadIsWaiting) return;
      this.#reloadIsWaiting = true;
      this.#reloading = this.#reloading.then(() => this.#reload());
    });
    return new Promise((resolve) => {
      process.once('SIGTERM', resolve);
      process.once('SIGINT', resolve);
    });
  }

  /** Stops after the reload in progress, letting answers under way finish for DrainSeconds. */
  async drain(): Promise<void> {
    this.#draining = true;
    this.#planes?.noteDraining();
    await this.#reloading;
    await this.stop(this.#settings.limits.drainMs);
  }

  /** Stops whatever runs, letting answers under way finish for `drainMs`. */
  async stop(drainMs: number): Promise<void> {
    this.#draining = true;
    this.#planes?.noteDraining();
    this.#events.endWithin(drainMs);
    await Promise.all([this.#planes?.close(drainMs), this.#outbound?.close(drainMs)]);
    this.#certificates.close();
    await this.#console?.close();
    await this.#admin?.app.close();
    await this.#planes?.end();
    await this.#deciding?.close();
    await this.#events.close();
    this.#nameServers.close();
    await this.#logs.close();
  }

  async #openConsole(): Promise<void> {
    const started = await startConsoleServer({
      socketFile: join(this.#options.dataFolder, socketName),
      context: this.#context,
      limits: () => this.#settings.limits,
      statistics: this.#statistics,
      clock: this.#clock,
    });
    if (!started.ok) throw new Error(started.message);
    this.#console = started.server;
  }

  async #openDeciding(): Promise<void> {
    this.#deciding = await Deciding.open({
      settings: () => this.#settings,
      dataFolder: this.#options.dataFolder,
      clock: this.#clock,
      statistics: this.#statistics,
      hitRates: this.#hitRates,
      neverBlock: () => this.#currentScreening().neverBlock,
      names: this.#nameServers,
      record: (line) => this.#logs.console.append(line),
      onSuspect: (suspect) => this.#events.noteSuspect(suspect),
      onLearned: (change, cause) => this.#events.noteLearned(change, cause),
      onBlock: (source) => this.#events.noteSource(source),
      openFleet: (database, seed) => this.#openFleet(database, seed),
      onFleetState: (engine, state, why) => this.#events.noteFleet(engine, state, why),
      warn,
    });
  }

  /** Undefined: this process serves by itself. */
  async #openFleet(database: PatternDatabase, seed: number): Promise<FleetParts | undefined> {
    const settings = this.#settings;
    if (settings.fleet.workers === 1) return undefined;
    const { FleetControl } = await import('./fleet-control.ts');
    this.#fleet = new FleetControl({
      settings,
      clock: this.#clock,
      statistics: this.#statistics,
      latencies: this.#latencies,
      hitRates: this.#hitRates,
      virusSources: this.#virusSources,
      events: this.#events,
      database,
      deciding: () => this.#deciding,
      egress: () => this.#outbound?.egress,
      proxyLog: () => this.#proxyLog,
      currentCertificate: this.#currentCertificate,
      seed,
      warn,
    });
    return this.#fleet.parts;
  }

  readonly #currentCertificate: CurrentCertificate = (each) => this.#certificates.current(each);

  #screeningFor(settings: Settings): Screening {
    const { state, autoUpdate } = this.#opened();
    return screeningFor(settings, state.database.patterns, autoUpdate.keywordScreen);
  }

  #currentScreening(): Screening {
    if (this.#screening === undefined) throw new Error('nothing is screened yet');
    return this.#screening;
  }

  #opened(): Deciding {
    if (this.#deciding === undefined) throw new Error('the pattern database is not open');
    return this.#deciding;
  }

  /** The data plane of a single process: it works with the control plane's own parts. */
  #makePlane(settings: Settings, { egress, awaitTurn }: Outbound): DataPlane {
    const { state, autoUpdate, sources } = this.#opened();
    const { suspects, keywordScreen, served, missing } = autoUpdate;
    return new DataPlane(settings, {
      patterns: state.database.patterns,
      hitRates: this.#hitRates,
      virusSources: this.#virusSources,
      sources: sources.watch,
      suspects,
      keywordScreen,
      served,
      missing,
      statistics: this.#statistics,
      latencies: this.#latencies,
      sharesListeners: false,
      clock: this.#clock,
      nameServers: this.#nameServers,
      resolver: egress.resolver,
      awaitTurn,
      screeningFor: (next) => this.#screeningFor(next),
      onOpening: (host) => egress.noteConnection(host),
      onHealth: (origin, state, why) => this.#events.noteOrigin(origin, state, why),
      logAccess: (entry) => {
        this.#proxyLog?.append(formatAccess(entry));
        this.#events.noteAccess(entry);
      },
      warn,
    });
  }

  #bindAdmin(settings: Settings): Promise<RunningAdmin | undefined> {
    return bindAdmin(settings, {
      current: () => this.#settings,
      clock: this.#clock,
      context: this.#context,
      statistics: this.#statistics,
      latencies: this.#latencies,
      origins: () => this.#planes?.origins() ?? [],
      ready: () => !this.#draining,
      inspectorParts: () => this.#inspectorParts(),
      written: () => this.#written,
      proxyLog: () => this.#logs.proxyLogPath,
      sources: () => this.#outbound?.egress.busiest() ?? [],
    });
  }

  #inspectorParts(): InspectorParts {
    const { state, autoUpdate, sources } = this.#opened();
    return {
      screening: () => this.#currentScreening(),
      patterns: state.database.patterns,
      keywordScreen: autoUpdate.keywordScreen,
      sources: sources.watch,
      nowMs: () => this.#clock.nowMs(),
    };
  }

  async #reload(): Promise<void> {
    this.#reloadIsWaiting = false;
    if (this.#draining) return;
    // Lines from before the signal are for the files from before it.
    await this.#planes?.reported();
    await this.#logs.reopen();
    const refusal = await this.#tryReload();
    await this.#logs.closeOthers();
    if (refusal.length === 0) {
      this.#statistics.add('reloads');
      warn(`${this.#options.configFile} was read again and is in force`);
      return;
    }
    this.#statistics.add('reloads_refused');
    for (const sentence of refusal) warn(sentence);
    warn(`${this.#options.configFile} was not taken over; the settings in force stay`);
  }

  /** Takes over the configuration file, or returns why not; nothing has changed then. */
  async #tryReload(): Promise<string[]> {
    const loaded = loadSettings(this.#options.configFile);
    if (!loaded.ok) return loaded.faults.map(formatFault);
    const next = loaded.settings;
    const differences = restartOnlyDifferences(this.#settings, next);
    if (differences.length > 0) return differences;
    let admin = this.#admin;
    let gateway = this.#outbound?.egress.gateway;
    try {
      if (!isSameAddress(admin?.address, next.admin.listen)) admin = await this.#bindAdmin(next);
      const proxyLog = await this.#logs.open(next);
      if (!isSameAddress(gateway?.address, next.egress.listen)) {
        gateway = await this.#outbound?.egress.open(next);
      }
      await this.#planes?.prepare(next);
      await this.#planes?.adopt(next);
      this.#proxyLog = proxyLog;
    } catch (error) {
      await this.#planes?.abandon();
      if (admin !== this.#admin) await admin?.app.close();
      if (gateway !== this.#outbound?.egress.gateway) await gateway?.server.close(0);
      return [describeError(error)];
    }
    this.#settings = next;
    this.#written = loaded.written;
    this.#screening = this.#screeningFor(next);
    this.#events.applySettings();
    this.#certificates.adopt(next.accelerators);
    for (const warning of loaded.warnings) process.stderr.write(`${formatWarning(warning)}\n`);
    if (admin !== this.#admin) await this.#admin?.app.close();
    this.#admin = admin;
    await this.#deciding?.applySettings();
    await this.#outbound?.adopt(gateway);
    await this.#planes?.applied();
    return [];
  }
}
