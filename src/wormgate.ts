/**
 * The composition root: settings in, running parts out. Starts everything in an order in which a
 * failure leaves nothing behind, reloads on SIGHUP, drains on SIGTERM and SIGINT.
 */
import { join } from 'node:path';
import type { ConsoleContext } from './admin/console.ts';
import { socketName } from './admin/console-protocol.ts';
import { type ConsoleServer, startConsoleServer } from './admin/console-server.ts';
import { bindAdmin, type RunningAdmin } from './admin-listener.ts';
import { Caching } from './caching.ts';
import { Certificates } from './certificates.ts';
import { processUpMs, systemClock } from './clock.ts';
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
import { Deciding } from './deciding.ts';
import { NameServers } from './egress/name-servers.ts';
import { EventService } from './event-service.ts';
import { Fronts } from './fronts.ts';
import { listenersFor } from './http/listeners.ts';
import type { FrontParts, Policy } from './http/policy.ts';
import { isSameAddress, listenAddresses } from './listen-addresses.ts';
import { formatAccess } from './log/access.ts';
import type { LogFile } from './log/file.ts';
import { Latencies } from './log/latency.ts';
import { LogSet } from './log-set.ts';
import { Outbound } from './outbound.ts';
import { describe } from './start-failure.ts';
import { Statistics } from './statistics.ts';
import { TraceService } from './trace-service.ts';
import { type DemoSite, startDemoSite } from './upstream/demo-site.ts';
import { listenKey, OriginTable } from './upstream/origins.ts';
import { HitRates } from './virus/hit-rates.ts';
import { NeverBlock } from './virus/never-block.ts';
import { Screen } from './virus/screen.ts';
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
  readonly #origins = new OriginTable({
    onOpening: (host) => this.#outbound?.egress.noteConnection(host),
    lookUp: (host) => this.#nameServers.addressesOfOrigin(host),
    warn,
    count: (counter) => this.#statistics.add(counter),
    onHealth: (origin, state, why) => this.#events.noteOrigin(origin, state, why),
    upMs: processUpMs,
  });
  readonly #certificates: Certificates;
  readonly #fronts = new Fronts(() => this.#frontParts());
  readonly #logs: LogSet;
  readonly #events: EventService;
  readonly #traces: TraceService;
  readonly #hitRates: HitRates;
  readonly #caching: Caching;
  readonly #context: ConsoleContext;
  #settings: Settings;
  #written: Configuration['written'];
  #policy: Policy | undefined;
  #proxyLog: LogFile | undefined;
  #deciding: Deciding | undefined;
  #outbound: Outbound | undefined;
  #demo: DemoSite | undefined;
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
    const shared = {
      clock: this.#clock,
      statistics: this.#statistics,
      lookUp: (host: string) => this.#nameServers.addressesOfOrigin(host),
      warn,
    };
    this.#events = new EventService({
      ...shared,
      settings: () => this.#settings.events,
      file: () => this.#logs.events,
    });
    this.#traces = new TraceService({ ...shared, settings: () => this.#settings.tracing });
    this.#certificates = new Certificates({
      clock: this.#clock,
      statistics: this.#statistics,
      warn,
      onChange: () => this.#renewListeners(),
    });
    this.#caching = new Caching({
      settings: () => this.#settings,
      clock: this.#clock,
      statistics: this.#statistics,
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
      caching: this.#caching,
      origins: () => this.#origins.rows(),
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
      isOrigin: (host) => this.#origins.hasHost(host),
      record: (text) => this.#logs.throttle.append(text),
      onAlert: (alert) => this.#events.noteAlert(alert),
      logLine: (line) => this.#proxyLog?.append(line),
    });
    this.#outbound = outbound;
    this.#policy = await this.#makePolicy(settings);
    this.#certificates.adopt(settings.accelerators);
    for (const address of listenAddresses(settings)) await this.#fronts.open(address);
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
    await this.#reloading;
    await this.stop(this.#settings.limits.drainMs);
  }

  /** Stops whatever runs, letting answers under way finish for `drainMs`. */
  async stop(drainMs: number): Promise<void> {
    this.#draining = true;
    this.#events.endWithin(drainMs);
    this.#traces.endWithin(drainMs);
    await Promise.all([this.#fronts.closeAll(drainMs), this.#outbound?.close(drainMs)]);
    this.#certificates.close();
    await this.#console?.close();
    await this.#admin?.app.close();
    this.#caching.close();
    this.#origins.close();
    await this.#demo?.close();
    await this.#deciding?.close();
    await Promise.all([this.#events.close(), this.#traces.close()]);
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
      neverBlock: () => this.#currentPolicy().neverBlock,
      names: this.#nameServers,
      record: (line) => this.#logs.console.append(line),
      onSuspect: (suspect) => this.#events.noteSuspect(suspect),
      onLearned: (change, cause) => this.#events.noteLearned(change, cause),
      onBlock: (source) => this.#events.noteSource(source),
      onFleetState: (engine, state, why) => this.#events.noteFleet(engine, state, why),
      warn,
    });
  }

  async #makePolicy(settings: Settings): Promise<Policy> {
    const deciding = this.#deciding;
    if (deciding === undefined) throw new Error('the pattern database is not open');
    const { virus } = settings;
    const usesDemo = settings.accelerators.some(({ origins }) =>
      origins.some(({ kind }) => kind === 'demo'),
    );
    if (usesDemo) this.#demo ??= await startDemoSite();
    const demo = this.#demo?.address ?? { host: '127.0.0.1', port: 0 };
    return {
      settings,
      sites: this.#origins.sitesFor(settings.accelerators, settings.limits, demo),
      listeners: listenersFor(settings.accelerators, (certificate) => certificate),
      neverBlock: new NeverBlock(virus.neverBlockAddresses, virus.neverBlockPaths),
      screen: settings.scanVirusPatterns
        ? new Screen(deciding.state.database.patterns, virus, deciding.autoUpdate.keywordScreen)
        : undefined,
      tracer: await this.#traces.tracerFor(settings.tracing),
    };
  }

  /** New handshakes get the newest certificates; connections stay as they are. */
  #renewListeners(): void {
    if (this.#policy === undefined) return;
    const { accelerators } = this.#policy.settings;
    const listeners = listenersFor(accelerators, (each) => this.#certificates.current(each));
    this.#policy = { ...this.#policy, listeners };
  }

  #currentPolicy(): Policy {
    if (this.#policy === undefined) throw new Error('there is no policy yet');
    return this.#policy;
  }

  #frontParts(): FrontParts {
    const outbound = this.#outbound;
    if (this.#deciding === undefined || outbound === undefined) {
      throw new Error('the parts of a front are not there yet');
    }
    const { state, autoUpdate, sources } = this.#deciding;
    return {
      policy: () => this.#currentPolicy(),
      patterns: state.database.patterns,
      hitRates: this.#hitRates,
      virusSources: this.#virusSources,
      sources: sources.watch,
      suspects: autoUpdate.suspects,
      keywordScreen: autoUpdate.keywordScreen,
      served: autoUpdate.served,
      missing: autoUpdate.missing,
      findOrigin: outbound.findOrigin,
      deliveries: this.#caching.deliveries,
      statistics: this.#statistics,
      latencies: this.#latencies,
      nowMs: () => this.#clock.nowMs(),
      draining: () => this.#draining,
      logAccess: (entry) => {
        this.#proxyLog?.append(formatAccess(entry));
        this.#events.noteAccess(entry);
      },
    };
  }

  #bindAdmin(settings: Settings): Promise<RunningAdmin | undefined> {
    return bindAdmin(settings, {
      current: () => this.#settings,
      clock: this.#clock,
      context: this.#context,
      statistics: this.#statistics,
      latencies: this.#latencies,
      origins: () => this.#origins.rows(),
      ready: () => !this.#draining,
      frontParts: () => this.#frontParts(),
      written: () => this.#written,
      proxyLog: () => this.#logs.proxyLogPath,
      sources: () => this.#outbound?.egress.busiest() ?? [],
    });
  }

  async #reload(): Promise<void> {
    this.#reloadIsWaiting = false;
    if (this.#draining) return;
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
    const wanted = new Map(listenAddresses(next).map((each) => [listenKey(each), each]));
    const opened: string[] = [];
    let admin = this.#admin;
    let gateway = this.#outbound?.egress.gateway;
    try {
      if (!isSameAddress(admin?.address, next.admin.listen)) admin = await this.#bindAdmin(next);
      const proxyLog = await this.#logs.open(next);
      if (!isSameAddress(gateway?.address, next.egress.listen)) {
        gateway = await this.#outbound?.egress.open(next);
      }
      // Last, because a new listener has no sites before the policy knows of it.
      for (const [key, address] of wanted) {
        if (this.#fronts.has(key)) continue;
        await this.#fronts.open(address);
        opened.push(key);
      }
      this.#policy = await this.#makePolicy(next);
      this.#proxyLog = proxyLog;
    } catch (error) {
      for (const key of opened) await this.#fronts.close(key, 0);
      if (admin !== this.#admin) await admin?.app.close();
      if (gateway !== this.#outbound?.egress.gateway) await gateway?.server.close(0);
      return [describe(error)];
    }
    this.#settings = next;
    this.#written = loaded.written;
    this.#caching.applySettings();
    this.#events.applySettings();
    this.#traces.applySettings();
    this.#certificates.adopt(next.accelerators);
    for (const warning of loaded.warnings) process.stderr.write(`${formatWarning(warning)}\n`);
    if (admin !== this.#admin) await this.#admin?.app.close();
    this.#admin = admin;
    await this.#deciding?.applySettings();
    await this.#outbound?.adopt(gateway);
    this.#fronts.adopt(wanted, next.limits.drainMs);
    return [];
  }
}
