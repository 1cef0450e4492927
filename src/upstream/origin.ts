/**
 * One origin server: its connections, who uses and awaits them, and whether it works. What happens on a
 * connection is for relay.ts and forward.ts, which tell it how their requests went.
 */
import http from 'node:http';
import https from 'node:https';
import { Socket } from 'node:net';
import type { LimitSettings, OriginSettings } from '../config/shape.ts';
import type { CounterName } from '../statistics.ts';
import type { Balanced } from './balance.ts';
import { ConnectionPool } from './connections.ts';
import type { OriginFaultCode } from './faults.ts';
import { Health, type HealthChange, type HealthSettings, type HealthState } from './health.ts';
import { HealthCheck, reasonOf } from './health-check.ts';
import type { LookUp } from './origin-addresses.ts';
import { OriginLink, type OriginPlace } from './origin-link.ts';
import { OriginQueue } from './origin-queue.ts';

/** What origins need of the world around them. */
export interface OriginSurroundings {
  /** Told of the host, as configured, before each new connection. */
  onOpening(host: string): void;
  readonly lookUp: LookUp;
  /** A sentence for the operator. */
  warn(sentence: string): void;
  count(counter: CounterName): void;
  /** Told when an origin is left out, with the reason, and when it is back. */
  onHealth?(origin: string, state: 'down' | 'up', why: string): void;
  /** Milliseconds since some moment; never goes back. */
  upMs(): number;
}

/** The origins that a request may go to. */
export interface OriginChoice {
  /** The one to try next, which is none of `tried`; undefined: there is no other. */
  choose(tried: readonly Origin[]): Origin | undefined;
}

/** What is told of an origin. */
export interface OriginStatus {
  readonly state: HealthState;
  /** What failed last; empty when it is up, or nothing has. */
  readonly why: string;
  /** Requests and tunnels that it has, and requests that wait for it. */
  readonly running: number;
  readonly waiting: number;
  /** Requests and checks that failed since the start, or since the origin is configured. */
  readonly failures: number;
}

export class Origin implements Balanced, OriginChoice {
  /** The front's kept-alive connections. */
  readonly pool: http.Agent;
  /** Opens a connection of its own each time: for a retry after a kept-alive one had gone stale. */
  readonly fresh: http.Agent;
  /** Kept-alive connections of the fast path. */
  readonly connections: ConnectionPool;
  /** Who uses a connection now, and who waits for one. */
  readonly queue = new OriginQueue();
  readonly #surroundings: OriginSurroundings;
  readonly #link: OriginLink;
  readonly #health: Health;
  readonly #check: HealthCheck;
  #connectionsMax = 1;
  #idleMs = 0;
  #counts5xx = false;
  #tunnelCount = 0;
  #failureCount = 0;
  #why = '';
  /** What the operator was told of its certificate. */
  #toldReason = '';
  #toldNameFailure = false;

  constructor(place: OriginPlace, settings: OriginSettings, surroundings: OriginSurroundings) {
    this.#surroundings = surroundings;
    this.#link = new OriginLink({
      place,
      tls: settings.tls,
      onOpening: () => surroundings.onOpening(place.host),
      lookUp: surroundings.lookUp,
      onFound: (hasChanged) => this.#noteAddresses(hasChanged),
      onFailed: (error) => this.#tellNameFailure(error),
    });
    this.#health = new Health(healthSettings(settings));
    this.#check = new HealthCheck(this.#link, (failure) => this.#noteCheck(failure));
    const Agent: new (options: https.AgentOptions) => http.Agent =
      place.protocol === 'https' ? https.Agent : http.Agent;
    this.pool = new Agent({ keepAlive: true, scheduling: 'lifo', ...this.#link.tls });
    this.fresh = new Agent({ keepAlive: false, ...this.#link.tls });
    for (const agent of [this.pool, this.fresh]) guideConnections(agent, this.#link);
    this.connections = new ConnectionPool(this.#link);
  }

  /** Applies settings; what was found out about the origin stays. */
  configure(settings: OriginSettings, limits: LimitSettings, connectionsMax?: number): void {
    const { originConnectionsMax, originIdleMs } = limits;
    this.#connectionsMax = Math.min(originConnectionsMax, connectionsMax ?? originConnectionsMax);
    this.#idleMs = originIdleMs;
    this.pool.maxSockets = this.#connectionsMax;
    this.pool.maxFreeSockets = originIdleMs === 0 ? 0 : this.#connectionsMax;
    // The types leave out what the agent keeps of its options.
    (this.pool as http.Agent & { options: http.AgentOptions }).options.timeout = originIdleMs;
    this.connections.idleMax = this.#connectionsMax;
    this.#counts5xx = settings.counts5xx;
    this.#health.configure(healthSettings(settings));
    this.#link.addresses.start(settings.resolveMs);
    if (settings.check === undefined) {
      this.#tell(this.#health.forgetChecks(this.#surroundings.upMs()), '');
    }
    this.#check.configure(settings.check);
  }

  /** How many requests it may have at once. */
  get connectionsMax(): number {
    return this.#connectionsMax;
  }

  /** How long a connection is kept idle, in milliseconds; less when the origin says so in Keep-Alive. */
  get idleMs(): number {
    return this.#idleMs;
  }

  /** Whether a request would find a connection that stands. */
  get hasIdleConnection(): boolean {
    return this.connections.hasIdle || Object.keys(this.pool.freeSockets).length > 0;
  }

  get url(): URL {
    return this.#link.url;
  }

  get host(): string {
    return this.#link.place.host;
  }

  get load(): number {
    return this.queue.runningCount + this.queue.waitingCount + this.#tunnelCount;
  }

  share(nowMs: number): number {
    return this.#health.share(nowMs);
  }

  choose(tried: readonly Origin[]): Origin | undefined {
    return tried.includes(this) ? undefined : this;
  }

  get status(): OriginStatus {
    const state = this.#health.state(this.#surroundings.upMs());
    return {
      state,
      why: state === 'up' && this.#health.failures === 0 ? '' : this.#why,
      running: this.queue.runningCount + this.#tunnelCount,
      waiting: this.queue.waitingCount,
      failures: this.#failureCount,
    };
  }

  /** Begins a connection outside pools and queue, for a tunnel. */
  connect(): Socket {
    const socket = this.#link.open();
    this.#tunnelCount += 1;
    socket.once('close', () => {
      this.#tunnelCount -= 1;
    });
    return socket;
  }

  /** It was chosen among others for a request. */
  noteChosen(nowMs: number): void {
    this.#health.noteChosen(nowMs);
  }

  /** The head of an answer has come. */
  noteHead(status: number): void {
    const isFailure = status >= 500 && this.#counts5xx;
    if (!isFailure && this.#health.isQuiet) return;
    if (isFailure) {
      this.#failureCount += 1;
      this.#why = `status ${status}`;
    }
    this.#tell(this.#health.noteHead(status, this.#surroundings.upMs()), this.#why);
  }

  /** An answer has come whole. */
  noteWhole(status: number): void {
    this.#health.noteWhole(status);
  }

  /** A request failed; `error` says more, if anything does. A full queue is no failure. */
  noteFault(fault: OriginFaultCode, error?: Error): void {
    if (fault === 'origin_busy') return;
    this.#failureCount += 1;
    const reason = error === undefined ? '' : reasonOf(error);
    this.#why = reason === '' ? fault : `${fault} (${reason})`;
    if (fault === 'origin_tls' && reason !== this.#toldReason) {
      this.#toldReason = reason;
      this.#surroundings.warn(`origin ${this.name}: TLS failed: ${reason}`);
    }
    this.#tell(this.#health.noteFailure(this.#surroundings.upMs()), this.#why);
  }

  /** An answer was cut short. */
  noteCutShort(isTimeout: boolean): void {
    this.noteFault(isTimeout ? 'origin_timeout' : 'origin_closed');
  }

  /** As PROXY.CFG writes it. */
  get name(): string {
    const { protocol, port } = this.#link.place;
    return `${protocol}://${this.url.hostname}:${port}`;
  }

  /** Lets idle connections go at once, and those in use when their request is over. */
  retire(): void {
    this.#check.stop();
    this.#link.addresses.stop();
    this.pool.maxFreeSockets = 0;
    this.connections.retire();
    for (const socket of this.#idleSockets()) socket.destroy();
  }

  #noteCheck(failure: string | undefined): void {
    this.#surroundings.count('origin_checks');
    if (failure !== undefined) {
      this.#surroundings.count('origin_checks_failed');
      this.#failureCount += 1;
      this.#why = `check: ${failure}`;
    }
    const nowMs = this.#surroundings.upMs();
    this.#tell(this.#health.noteCheck(failure === undefined, nowMs), this.#why);
  }

  /** Another process has left it out, because of `why`, or has it back; it has told of that. */
  noteElsewhere(state: 'down' | 'up', why: string): void {
    if (state === 'down') this.#why = why;
    this.#health.noteElsewhere(state === 'down', this.#surroundings.upMs());
  }

  #tell(change: HealthChange, why: string): void {
    if (change === undefined) return;
    const { count, warn } = this.#surroundings;
    count(change === 'out' ? 'origins_left_out' : 'origins_back');
    if (change === 'back') this.#toldReason = '';
    this.#surroundings.onHealth?.(this.name, change === 'out' ? 'down' : 'up', why);
    if (change === 'out') warn(`origin ${this.name} is down: ${why}`);
    else warn(`origin ${this.name} is back`);
  }

  #noteAddresses(hasChanged: boolean): void {
    this.#toldNameFailure = false;
    if (!hasChanged) return;
    const { known } = this.#link.addresses;
    this.#surroundings.warn(`origin ${this.name} is now at ${known.join(', ')}`);
    this.connections.dropStrays();
    for (const socket of this.#idleSockets()) {
      if (this.#link.addresses.isStray(socket)) socket.destroy();
    }
  }

  #tellNameFailure(error: Error): void {
    this.#surroundings.count('origin_name_failures');
    if (this.#toldNameFailure) return;
    this.#toldNameFailure = true;
    const known = this.#link.addresses.known;
    const rest = known.length === 0 ? '' : `; it stays at ${known.join(', ')}`;
    this.#surroundings.warn(`origin ${this.name} cannot be looked up: ${reasonOf(error)}${rest}`);
  }

  #idleSockets(): Socket[] {
    return Object.values(this.pool.freeSockets).flatMap((sockets) => sockets ?? []);
  }
}

function healthSettings(settings: OriginSettings): HealthSettings {
  const { rise = 1, fall = 1 } = settings.check ?? {};
  return { ...settings, rise, fall };
}

/** Has an agent make its connections as the link says, and keep none that leads elsewhere. */
function guideConnections(agent: http.Agent, link: OriginLink): void {
  const connect = agent.createConnection.bind(agent);
  agent.createConnection = (options, ...more) => {
    link.noteOpening();
    // The library names an IPv6 address in brackets, which is no name that can be looked up.
    return connect({ ...options, ...link.destination }, ...more);
  };
  const keep = agent.keepSocketAlive.bind(agent);
  agent.keepSocketAlive = (socket) =>
    socket instanceof Socket && link.addresses.isStray(socket) ? false : keep(socket);
}
