/**
 * Who serves a host: the accelerators of a listen address, told apart by their Hosts, and the origins
 * of each in turn. An origin's kept-alive connections survive a reload as long as it stays configured.
 */
import http from 'node:http';
import https from 'node:https';
import { connect as connectSocket, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { AddressList } from '../config/address-list.ts';
import type {
  AcceleratorSettings,
  HostPort,
  LimitSettings,
  OriginAddress,
} from '../config/shape.ts';
import { ConnectionPool } from './connections.ts';
import { OriginQueue } from './origin-queue.ts';

/**
 * How long a connection to an origin is kept idle, in milliseconds; less when the origin says so in
 * Keep-Alive. A connection that the origin has given up may cost a POST its answer.
 */
export const originIdleMs = 60_000;

/** Where an origin listens, and how it is spoken to. */
export type OriginPlace = HostPort & { readonly protocol: 'http' | 'https' };

/** One origin server and its connections. */
export class Origin {
  readonly url: URL;
  /** Keeps connections alive and bounds how many there are. */
  readonly pool: http.Agent;
  /** Opens a connection of its own each time: for a retry after a kept-alive one had gone stale. */
  readonly fresh: http.Agent;
  /** Kept-alive connections of the fast path; an origin behind TLS has none, and no fast path. */
  readonly connections: ConnectionPool | undefined;
  /** Who uses a connection now, and who waits for one. */
  readonly queue = new OriginQueue();
  readonly #address: OriginPlace;
  readonly #onOpening: () => void;

  /** `onOpening`: told of the host before each new connection to it. */
  constructor(address: OriginPlace, onOpening: (host: string) => void) {
    this.#address = address;
    this.#onOpening = () => onOpening(address.host);
    const host = address.host.includes(':') ? `[${address.host}]` : address.host;
    this.url = new URL(`${address.protocol}://${host}:${address.port}`);
    const Agent: new (options: https.AgentOptions) => http.Agent =
      address.protocol === 'https' ? https.Agent : http.Agent;
    // Without a name of its own, the agent would take the client's Host for the name to verify.
    const servername = serverName(address.host);
    this.pool = new Agent({
      keepAlive: true,
      scheduling: 'lifo',
      timeout: originIdleMs,
      servername,
    });
    this.fresh = new Agent({ keepAlive: false, servername });
    for (const agent of [this.pool, this.fresh])
      guideOpenings(agent, address.host, this.#onOpening);
    this.connections =
      address.protocol === 'http' ? new ConnectionPool(address, this.#onOpening) : undefined;
  }

  /** Whether a request would find a connection that stands. */
  get hasIdleConnection(): boolean {
    return this.connections?.hasIdle === true || Object.keys(this.pool.freeSockets).length > 0;
  }

  get host(): string {
    return this.#address.host;
  }

  /** Begins a connection outside pool and queue, for a tunnel. */
  connect(): Socket {
    const { protocol, host, port } = this.#address;
    this.#onOpening();
    if (protocol === 'http') return connectSocket({ host, port });
    return connectTls({ host, port, servername: serverName(host) });
  }

  /** Applies MaxOriginConnections. */
  limitConnections(connectionsMax: number): void {
    this.pool.maxSockets = connectionsMax;
    this.pool.maxFreeSockets = connectionsMax;
    if (this.connections !== undefined) this.connections.idleMax = connectionsMax;
  }

  /** Lets idle connections go at once, and those in use when their request is over. */
  retire(): void {
    this.pool.maxFreeSockets = 0;
    this.connections?.retire();
    for (const sockets of Object.values(this.pool.freeSockets)) {
      for (const socket of sockets ?? []) socket.destroy();
    }
  }
}

/**
 * Has `onOpening` called before each connection that an agent makes, to `host`: the library names an IPv6
 * address in brackets, as URLs do, which is no name that can be looked up.
 */
function guideOpenings(agent: http.Agent, host: string, onOpening: () => void): void {
  const connect = agent.createConnection.bind(agent);
  agent.createConnection = (options, ...more) => {
    onOpening();
    return connect({ ...options, host }, ...more);
  };
}

/** The name that a certificate is verified for; an address has none to send. */
function serverName(host: string): string {
  return isIP(host) === 0 ? host : '';
}

/** An accelerator in force: its settings, whom it trusts, and its origins in rotation. */
export class Site {
  readonly settings: AcceleratorSettings;
  readonly trustedProxies: AddressList;
  /** Whether its requests may take the fast path, as far as its origins are concerned. */
  readonly mayTakeFastPath: boolean;
  /** It has no origins of its own: each request names one. */
  readonly isDynamic: boolean;
  readonly #origins: readonly Origin[];
  #next = 0;

  constructor(settings: AcceleratorSettings, origins: readonly Origin[]) {
    this.settings = settings;
    this.trustedProxies = new AddressList(settings.trustedProxies);
    this.#origins = origins;
    this.isDynamic = settings.origins.some(({ kind }) => kind === 'dynamic');
    // Where to, and when, is not known at once there.
    this.mayTakeFastPath =
      !this.isDynamic && origins.every(({ connections }) => connections !== undefined);
  }

  /** The origins in the order in which this request should try them: round robin. */
  rotation(): readonly Origin[] {
    if (this.#origins.length === 1) return this.#origins;
    const start = this.#next;
    this.#next = (start + 1) % this.#origins.length;
    return [...this.#origins.slice(start), ...this.#origins.slice(0, start)];
  }
}

/** The origins of all accelerators, one each however often it is named. */
export class OriginTable {
  #origins = new Map<string, Origin>();
  #hosts = new Set<string>();
  readonly #onOpening: (host: string) => void;

  /** `onOpening`: told of the host, as configured, before each new connection. */
  constructor(onOpening: (host: string) => void) {
    this.#onOpening = onOpening;
  }

  /** Whether an origin is configured on that host. */
  hasHost(host: string): boolean {
    return this.#hosts.has(host);
  }

  /**
   * Makes the sites of a configuration; origins that it no longer names let their connections go.
   * `demo`: where the built-in demonstration site listens.
   */
  sitesFor(
    accelerators: readonly AcceleratorSettings[],
    limits: LimitSettings,
    demo: HostPort,
  ): SiteTable {
    const kept = new Map<string, Origin>();
    const originFor = (address: OriginAddress): Origin[] => {
      if (address.kind === 'dynamic') return [];
      const place = address.kind === 'demo' ? { ...demo, protocol: 'http' as const } : address;
      const key = `${place.protocol}://${place.host}:${place.port}`;
      const origin = kept.get(key) ?? this.#origins.get(key) ?? new Origin(place, this.#onOpening);
      origin.limitConnections(limits.originConnectionsMax);
      kept.set(key, origin);
      return [origin];
    };
    const sites = accelerators.map((each) => new Site(each, each.origins.flatMap(originFor)));
    for (const [key, origin] of this.#origins) if (!kept.has(key)) origin.retire();
    this.#origins = kept;
    this.#hosts = new Set(Array.from(kept.values(), ({ host }) => host));
    return new SiteTable(sites);
  }

  close(): void {
    for (const origin of this.#origins.values()) origin.retire();
  }
}

/** The key under which a listen address is known. */
export function listenKey(address: HostPort): string {
  return `${address.host}:${address.port}`;
}

/** Which site answers for a host on a listen address: an exact name, else the longest wildcard, else all. */
export class SiteTable {
  readonly #byListen = new Map<string, Map<string, Site>>();
  readonly #trusted = new Map<string, AddressList>();

  constructor(sites: readonly Site[]) {
    for (const site of sites) {
      for (const address of [...site.settings.listen, ...site.settings.tls.listen]) {
        const key = listenKey(address);
        const hosts = this.#byListen.get(key) ?? new Map<string, Site>();
        this.#byListen.set(key, hosts);
        const names = site.settings.hosts.length === 0 ? ['*'] : site.settings.hosts;
        for (const name of names) hosts.set(name, site);
      }
    }
  }

  /** Whom any site on a listen address trusts: for requests that name none of its hosts. */
  trustedProxies(listen: string): AddressList {
    const known = this.#trusted.get(listen);
    if (known !== undefined) return known;
    const sites = new Set(this.#byListen.get(listen)?.values());
    const trusted = new AddressList([...sites].flatMap((site) => site.settings.trustedProxies));
    this.#trusted.set(listen, trusted);
    return trusted;
  }

  /** `host` as in the Host header, port allowed; undefined when the request names none. */
  find(listen: string, host: string | undefined): Site | undefined {
    const hosts = this.#byListen.get(listen);
    if (hosts === undefined) return undefined;
    const name = bareHost(host ?? '');
    const exact = hosts.get(name);
    if (exact !== undefined) return exact;
    for (let dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', dot + 1)) {
      const site = hosts.get(`*${name.slice(dot)}`);
      if (site !== undefined) return site;
    }
    return hosts.get('*');
  }
}

/** Of a Host header: lower case, without port and without the root's dot. */
export function bareHost(host: string): string {
  const withoutPort = host.replace(host.startsWith('[') ? /(?<=\]):\d*$/ : /:\d*$/, '');
  return withoutPort.toLowerCase().replace(/\.$/, '');
}
