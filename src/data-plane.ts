/**
 * The data plane: listeners, screening, cache and origins, put together. It decides by what the control
 * plane has handed it, and tells the control plane by way of those same parts. In one process both share
 * them; a worker process has parts of its own that report (worker-parts.ts).
 */
import { Caching } from './caching.ts';
import { type Clock, processUpMs } from './clock.ts';
import type { Certificate, HostPort, LimitSettings, Settings } from './config/shape.ts';
import { DynamicOrigins } from './dynamic-origins.ts';
import type { AwaitTurn } from './egress/await-turn.ts';
import type { NameServers } from './egress/name-servers.ts';
import type { Resolver } from './egress/resolver.ts';
import { Fronts } from './fronts.ts';
import { listenersFor } from './http/listeners.ts';
import type { FrontParts, Policy, Screening } from './http/policy.ts';
import { listenAddresses } from './listen-addresses.ts';
import type { Tracer } from './log/tracer.ts';
import { TraceService } from './trace-service.ts';
import { type DemoSite, startDemoSite } from './upstream/demo-site.ts';
import { listenKey, OriginTable } from './upstream/origins.ts';

/** Gives the newest certificate from the same files. */
export type CurrentCertificate = (certificate: Certificate) => Certificate;

export interface DataPlaneOptions
  extends Pick<
    FrontParts,
    | 'patterns'
    | 'hitRates'
    | 'virusSources'
    | 'sources'
    | 'suspects'
    | 'keywordScreen'
    | 'served'
    | 'missing'
    | 'statistics'
    | 'latencies'
    | 'logAccess'
    | 'sharesListeners'
  > {
  readonly clock: Clock;
  /** For origins of the configuration, and for those that requests name. */
  readonly nameServers: NameServers;
  readonly resolver: Resolver;
  /** How requests are judged under settings that come into force. */
  readonly screeningFor: (settings: Settings) => Screening;
  /** Waits for the turn of a new host. */
  readonly awaitTurn: AwaitTurn;
  /** Told of the host, as configured, before each new connection to an origin. */
  readonly onOpening: (host: string) => void;
  /** Told when an origin is left out, with the reason, and when it is back. */
  readonly onHealth: (origin: string, state: 'down' | 'up', why: string) => void;
  /** Told of the key of stored answers that may be wrong since a request of a client. */
  readonly onForgotten?: (key: string) => void;
  readonly warn: (sentence: string) => void;
}

export class DataPlane {
  readonly origins: OriginTable;
  readonly caching: Caching;
  readonly #options: DataPlaneOptions;
  readonly #fronts = new Fronts(() => this.#frontParts());
  readonly #dynamicOrigins: DynamicOrigins;
  readonly #traces: TraceService;
  #settings: Settings;
  #policy: Policy | undefined;
  #demo: DemoSite | undefined;
  #draining = false;
  /** Of the settings that were prepared last. */
  #tracer: Tracer | undefined;
  /** The listeners that `prepare` has opened. */
  #prepared: string[] = [];

  constructor(settings: Settings, options: DataPlaneOptions) {
    const { clock, nameServers, statistics, warn, onForgotten } = options;
    this.#settings = settings;
    this.#options = options;
    this.origins = new OriginTable({
      onOpening: options.onOpening,
      lookUp: (host) => nameServers.addressesOfOrigin(host),
      warn,
      count: (counter) => statistics.add(counter),
      onHealth: options.onHealth,
      upMs: processUpMs,
    });
    const current = () => this.#settings;
    this.caching = new Caching({
      settings: current,
      clock,
      statistics,
      ...(onForgotten !== undefined && { onForgotten }),
    });
    this.#traces = new TraceService({
      clock,
      statistics,
      lookUp: (host) => nameServers.addressesOfOrigin(host),
      settings: () => this.#settings.tracing,
      warn,
    });
    this.#dynamicOrigins = new DynamicOrigins({
      ...options,
      settings: current,
    });
  }

  /** Listens; throws with a sentence when that cannot be. */
  async start(): Promise<void> {
    await this.#startDemo(this.#settings);
    this.#tracer = await this.#traces.tracerFor(this.#settings.tracing);
    this.#policy = this.#makePolicy(this.#settings);
    for (const address of listenAddresses(this.#settings)) await this.#fronts.open(address);
  }

  /** Does what can fail of taking over other settings; throws with a sentence, nothing has changed then. */
  async prepare(next: Settings): Promise<void> {
    try {
      await this.#startDemo(next);
      this.#tracer = await this.#traces.tracerFor(next.tracing);
      // A new listener has no sites before the policy knows of it.
      for (const address of listenAddresses(next)) {
        const key = listenKey(address);
        if (this.#fronts.has(key)) continue;
        await this.#fronts.open(address);
        this.#prepared.push(key);
      }
    } catch (error) {
      await this.abandon();
      throw error;
    }
  }

  /** Undoes what was prepared. */
  async abandon(): Promise<void> {
    const opened = this.#prepared;
    this.#prepared = [];
    for (const key of opened) await this.#fronts.close(key, 0);
  }

  /** Takes over settings that were prepared. */
  adopt(next: Settings): void {
    this.#policy = this.#makePolicy(next);
    this.#prepared = [];
    this.#settings = next;
    this.caching.applySettings();
    this.#traces.applySettings();
    const wanted = new Map(listenAddresses(next).map((each) => [listenKey(each), each]));
    this.#fronts.adopt(wanted, next.limits.drainMs);
  }

  /** New handshakes get the newest certificates; connections stay as they are. */
  renewCertificates(current: CurrentCertificate): void {
    if (this.#policy === undefined) return;
    const { accelerators } = this.#policy.settings;
    this.#policy = { ...this.#policy, listeners: listenersFor(accelerators, current) };
  }

  /** Stops listening, and lets answers under way finish for `drainMs`. */
  async close(drainMs: number): Promise<void> {
    this.noteDraining();
    this.#traces.endWithin(drainMs);
    this.#dynamicOrigins.close();
    await this.#fronts.closeAll(drainMs);
  }

  /** From now on answers end their connections. */
  noteDraining(): void {
    this.#draining = true;
  }

  /** Lets go of everything else, once it is closed. */
  async end(): Promise<void> {
    this.caching.close();
    this.origins.close();
    await this.#demo?.close();
    await this.#traces.close();
  }

  async #startDemo({ accelerators }: Settings): Promise<void> {
    const usesDemo = accelerators.some(({ origins }) =>
      origins.some(({ kind }) => kind === 'demo'),
    );
    if (usesDemo) this.#demo ??= await startDemoSite();
  }

  #makePolicy(settings: Settings): Policy {
    const { accelerators, limits } = settings;
    return {
      ...this.#options.screeningFor(settings),
      sites: this.#sitesFor(accelerators, limits),
      // The certificates were read together with the settings.
      listeners: listenersFor(accelerators, (certificate) => certificate),
      tracer: this.#tracer,
    };
  }

  #sitesFor(accelerators: Settings['accelerators'], limits: LimitSettings) {
    const demo: HostPort = this.#demo?.address ?? { host: '127.0.0.1', port: 0 };
    return this.origins.sitesFor(accelerators, limits, demo);
  }

  #frontParts(): FrontParts {
    const { clock, ...parts } = this.#options;
    return {
      ...parts,
      policy: () => {
        if (this.#policy === undefined) throw new Error('there is no policy yet');
        return this.#policy;
      },
      findOrigin: (request) => this.#dynamicOrigins.find(request),
      deliveries: this.caching.deliveries,
      nowMs: () => clock.nowMs(),
      draining: () => this.#draining,
    };
  }
}
