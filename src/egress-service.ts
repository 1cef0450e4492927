/**
 * The virus throttle and the egress gateway, put together: one throttle for each server behind us, the
 * gateway that they go through, and the throttle's log. Follows reloads.
 */
import type { Clock } from './clock.ts';
import { normalizeAddress } from './config/address-list.ts';
import type { HostPort, Settings } from './config/shape.ts';
import { EgressGateway } from './egress/gateway.ts';
import type { NameServers } from './egress/name-servers.ts';
import type { EgressSettings } from './egress/parts.ts';
import type { Resolver } from './egress/resolver.ts';
import { EgressLog } from './egress-log.ts';
import { formatThrottleMessage, type ThrottleAlert, type ThrottleTag } from './log/throttle-log.ts';
import { makeResolver } from './name-lookups.ts';
import { listenFailure } from './start-failure.ts';
import type { Statistics } from './statistics.ts';
import { acceleratorSource, ThrottledSources } from './throttle/sources.ts';
import { renderAdvice, renderStatus, type ThrottleReport } from './throttle/status.ts';
import { settingsOf, type ThrottleEvent } from './throttle/throttle.ts';

export interface EgressServiceOptions {
  readonly settings: () => Settings;
  readonly clock: Clock;
  readonly statistics: Statistics;
  readonly nameServers: NameServers;
  /** Whether an origin is configured on that host, which makes it one that the accelerator knows. */
  readonly isOrigin: (host: string) => boolean;
  /** A line, or several, for the ThrottleLog. */
  readonly record: (text: string) => void;
  /** Told of what the ThrottleLog is told of a source. */
  readonly onAlert: (alert: ThrottleAlert) => void;
  /** A line for PROXY.LOG. */
  readonly logLine: (line: string) => void;
}

const tags: Readonly<Record<ThrottleEvent, ThrottleTag>> = {
  detected: 'ALERT_VLA_DETECTED',
  stopped: 'ALERT_VLA_STOPPED',
  dropping: 'DROPPING_CONNECTIONS',
};

const eventTexts: Readonly<Record<ThrottleEvent, (report: ThrottleReport) => string>> = {
  detected: ({ counts }) => `${counts.waiting} connection requests wait`,
  stopped: ({ counts }) =>
    `${counts.waiting} connection requests wait, ${counts.dropped} were dropped`,
  dropping: ({ counts }) => `the delay queue is full with ${counts.waiting} connection requests`,
};

/** Running once `start` has resolved. */
export class EgressService {
  readonly #options: EgressServiceOptions;
  readonly sources: ThrottledSources;
  readonly resolver: Resolver;
  readonly #log: EgressLog;
  /** Closings of gateways that a reload has moved. */
  readonly #retiring = new Set<Promise<void>>();
  #gateway: { readonly address: HostPort; readonly server: EgressGateway } | undefined;

  constructor(options: EgressServiceOptions) {
    const { settings, clock } = options;
    this.#options = options;
    this.#log = new EgressLog(options);
    this.sources = new ThrottledSources({
      clock,
      isOn: () => settings().throttle.enable,
      settings: () => settingsOf(settings().throttle.parameters),
      blockMs: () => {
        const { action, blockMs } = settings().throttle;
        return action === 'block' ? blockMs : undefined;
      },
      sourcesMax: () => settings().limits.egressSourcesMax,
      isOrigin: options.isOrigin,
      onEvent: (source, event) => this.#tell(source, event),
      onFull: () => this.#warnOfSources(),
    });
    this.resolver = makeResolver(options);
  }

  /** Begins the log, and listens if there is a gateway; throws when its address cannot be had. */
  async start(): Promise<void> {
    this.#message('INFO', 'wormgate started');
    this.#tellFaults();
    this.#gateway = await this.open(this.#options.settings());
  }

  /** A gateway for `settings`, listening; undefined when there is to be none. */
  async open(settings: Settings) {
    const address = settings.egress.listen;
    if (address === undefined) return undefined;
    const { statistics, clock } = this.#options;
    const server = new EgressGateway({
      settings: () => gatewaySettings(this.#options.settings()),
      sources: this.sources,
      resolver: this.resolver,
      statistics,
      log: (entry) => this.#log.record(entry),
      nowMs: () => clock.nowMs(),
    });
    try {
      await server.listen(address.port, address.host);
    } catch (error) {
      throw listenFailure(address, error);
    }
    return { address, server };
  }

  /** Follows a reload: the settings are in force, and `gateway` is what listens from now on. */
  async adopt(gateway: Awaited<ReturnType<EgressService['open']>>): Promise<void> {
    const before = this.#gateway;
    this.#gateway = gateway;
    if (before !== gateway && before !== undefined) this.#retire(before.server);
    gateway?.server.applySettings();
    this.sources.configure();
    this.#tellFaults();
  }

  /** The accelerator makes a connection to a configured origin, which the throttle counts and lets pass. */
  noteConnection(host: string): void {
    // A request under way to an origin that a reload has taken out delays nobody.
    if (!this.#options.isOrigin(host)) return;
    this.sources.admit(acceleratorSource, host, { go: () => {}, refuse: () => {} });
  }

  get gateway() {
    return this.#gateway;
  }

  /** The status report of one source, or of all; undefined: nothing is known of the source. */
  status(source: string | undefined, isAdvice: boolean): string | undefined {
    const report =
      source === undefined ? this.sources.total() : this.sources.report(normalizeAddress(source));
    if (report === undefined) return undefined;
    if (!isAdvice) return renderStatus(report);
    return renderAdvice(report);
  }

  /** The sources with most in their queues, at most ten. */
  busiest() {
    return this.sources.busiest(10);
  }

  /** Requests under way have `drainMs` to finish; what waits for a host is refused. */
  async close(drainMs: number): Promise<void> {
    this.sources.close();
    await Promise.all([this.#gateway?.server.close(drainMs), ...this.#retiring]);
    this.#log.close();
    this.#message('INFO', 'wormgate exiting');
  }

  /** Not awaited: requests under way may take all of DrainSeconds, and later signals need not wait. */
  #retire(server: EgressGateway): void {
    const closing = server.close(this.#options.settings().limits.drainMs);
    this.#retiring.add(closing);
    void closing.finally(() => this.#retiring.delete(closing));
  }

  #tell(source: string, event: ThrottleEvent): void {
    const report = this.sources.report(source);
    const text = report === undefined ? '' : `: ${eventTexts[event](report)}`;
    this.#message(tags[event], `source ${source}${text}`);
    const { waiting = 0, dropped = 0 } = report?.counts ?? {};
    const atMs = this.#options.clock.nowMs();
    this.#options.onAlert({ event, source, waiting, dropped, atMs });
  }

  #warnOfSources(): void {
    const { egressSourcesMax } = this.#options.settings().limits;
    const text = `${egressSourcesMax} servers have requests waiting or are blocked, and MaxEgressSources is ${egressSourcesMax}: others are refused`;
    this.#message('WARNING', text);
  }

  #tellFaults(): void {
    const { faults, configFile } = this.#options.settings().throttle;
    for (const { line, message } of faults)
      this.#message('ERROR', `${configFile}:${line}: ${message}`);
  }

  #message(tag: ThrottleTag, text: string): void {
    this.#options.record(formatThrottleMessage(tag, this.#options.clock.nowMs(), text));
  }
}

function gatewaySettings({ egress, limits }: Settings): EgressSettings {
  return {
    allow: egress.allow,
    allowPorts: egress.allowPorts,
    allowPrivate: egress.allowPrivate,
    credentials: egress.credentials,
    connectionsMax: limits.egressConnectionsMax,
    sourceConnectionsMax: limits.egressSourceConnectionsMax,
    headerTimeoutMs: limits.headerTimeoutMs,
    headerBytesMax: limits.headerBytesMax,
    connectTimeoutMs: limits.connectTimeoutMs,
    originTimeoutMs: limits.originTimeoutMs,
    idleTimeoutMs: limits.egressIdleMs,
  };
}
