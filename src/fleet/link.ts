/**
 * The link of this node to the fleet's engine: connects, follows, tells of itself, and begins again after a
 * while when the connection is lost. Everything that others see of it is its state, which is there at
 * once; nobody waits for the engine but the link itself.
 */
import type { Clock, Timer } from '../clock.ts';
import { describeError } from '../config/fault.ts';
import type { FleetSettings } from '../config/shape.ts';
import type { Statistics } from '../statistics.ts';
import { Follower, type FollowerOptions } from './follower.ts';
import { announce, engineTimeMs, listNodes, type NodeReport, type NodeRow } from './nodes.ts';
import { EngineLost } from './store.ts';
import type { Tallies } from './tallies.ts';
import type { Connection } from './valkey.ts';
import { ValkeyStore } from './valkey-store.ts';

/** `following`: the engine is there. `refused`: it is, but takes no commands. `lost`: it is not. */
export type LinkState = 'connecting' | 'following' | 'refused' | 'lost';

export interface LinkOptions extends Pick<FollowerOptions, 'replica' | 'database' | 'newId'> {
  /** With an engine; they hold as long as the link does. */
  readonly settings: FleetSettings & { readonly engine: NonNullable<FleetSettings['engine']> };
  readonly clock: Clock;
  readonly statistics: Statistics;
  readonly tallies: Tallies;
  readonly report: () => NodeReport;
  /** From 0 to 1. */
  readonly random: () => number;
  /** The state has become another one; `why` tells what is wrong. */
  readonly onState: (state: LinkState, why: string) => void;
  /** There are more or fewer nodes. */
  readonly onNodes: () => void;
  readonly warn: (sentence: string) => void;
}

const waitMs = 1_000;
const heartbeatMs = 2_000;
const backoffLeastMs = 1_000;
const backoffMostMs = 10_000;

/** How long to wait before the next try, after so many without success. */
export function backoffMs(failures: number, random: number): number {
  const most = Math.min(backoffMostMs, backoffLeastMs * 2 ** Math.min(failures, 10));
  // Not all nodes at once when the engine is back.
  return most / 2 + (most / 2) * random;
}

export class Link {
  readonly #options: LinkOptions;
  #isClosed = false;
  #state: LinkState = 'connecting';
  #why = '';
  #failures = 0;
  #lastContactMs = 0;
  #writer: Connection | undefined;
  #nodes = 1;
  /** The engine's time less this machine's. */
  #offsetMs = 0;
  /** What ends each pause that lasts. */
  readonly #pauses = new Set<() => void>();
  #connecting = new AbortController();
  #hasAnnounced = false;
  readonly #timers = new Set<Timer>();
  readonly #ended: Promise<void>;
  #hasWarned = false;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#ended = this.#keepFollowing();
  }

  get state(): LinkState {
    return this.#state;
  }

  /** What is wrong; empty: nothing is. */
  get why(): string {
    return this.#why;
  }

  /** When the engine last answered; 0: never. */
  get lastContactMs(): number {
    return this.#lastContactMs;
  }

  /** How many there are, this one included, as far as it knows. */
  get nodeCount(): number {
    return this.#nodes;
  }

  /** The engine's time. */
  engineNowMs(): number {
    return this.#options.clock.nowMs() + this.#offsetMs;
  }

  /** The nodes, as the engine has them; rejects without one. */
  async nodes(): Promise<NodeRow[]> {
    const { settings } = this.#options;
    if (this.#writer === undefined) throw new EngineLost('there is no connection');
    return await listNodes(this.#writer, settings.keyPrefix, this.engineNowMs());
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#connecting.abort();
    this.#wake();
    this.#writer?.close();
    await this.#ended;
  }

  async #keepFollowing(): Promise<void> {
    const { random, statistics } = this.#options;
    while (!this.#isClosed) {
      try {
        await this.#followOnce();
      } catch (error) {
        if (this.#isClosed) return;
        statistics.add('fleet_failures');
        this.#become('lost', describeError(error));
      }
      await this.#pause(backoffMs(this.#failures, random()));
      this.#failures += 1;
    }
  }

  async #followOnce(): Promise<void> {
    const { settings, statistics, replica, database, newId } = this.#options;
    const { connect } = await import('./valkey.ts');
    const options = { ...settings.engine, ...settings };
    let reader: Connection | undefined;
    let writer: Connection | undefined;
    // Of the two, the one that fails first says why.
    const end = (why?: Error) => {
      reader?.close(why);
      writer?.close(why);
      this.#wake();
    };
    this.#connecting = new AbortController();
    const { signal } = this.#connecting;
    this.#hasAnnounced = false;
    try {
      writer = await connect(options, end, signal);
      reader = await connect(options, end, signal);
      if (this.#isClosed) return;
      this.#writer = writer;
      const follower = new Follower(new ValkeyStore(reader, writer, settings.keyPrefix), {
        ...{ replica, database, statistics, newId, waitMs },
        snapshotEvery: () => settings.snapshotEvery,
        pause: (delayMs) => this.#pause(delayMs),
        onFollowing: () => this.#noteFollowing(writer),
        onSending: (refusal) => this.#noteSending(refusal),
        onContact: () => {
          this.#lastContactMs = this.#options.clock.nowMs();
        },
      });
      await follower.run();
    } finally {
      this.#writer = undefined;
      for (const timer of this.#timers) timer.cancel();
      this.#timers.clear();
      end();
    }
  }

  #noteFollowing(connection: Connection | undefined): void {
    this.#failures = 0;
    this.#options.statistics.add('fleet_connections');
    this.#become('following', '');
    if (connection === undefined) return;
    const { tallies, settings } = this.#options;
    this.#repeat(
      connection,
      () => heartbeatMs,
      () => this.#announce(connection),
    );
    this.#repeat(
      connection,
      () => tallies.periodMs,
      () => {
        return tallies.tell(connection, settings.keyPrefix, this.#nodes, this.engineNowMs());
      },
    );
  }

  #noteSending(refusal: string | undefined): void {
    if (refusal !== undefined) this.#become('refused', refusal);
    else if (this.#state === 'refused') this.#become('following', '');
  }

  /** Does something again and again as long as the connection holds; a failure ends nothing. */
  #repeat(connection: Connection, periodMs: () => number, work: () => Promise<void>): void {
    const once = async () => {
      await work().catch(() => {});
      if (this.#writer !== connection) return;
      const timer = this.#options.clock.after(periodMs(), () => {
        this.#timers.delete(timer);
        void once();
      });
      this.#timers.add(timer);
    };
    void once();
  }

  async #announce(connection: Connection): Promise<void> {
    const { settings, clock, report, warn } = this.#options;
    const atMs = await engineTimeMs(connection);
    this.#offsetMs = atMs - clock.nowMs();
    const { nodes, hasNamesake } = await announce(connection, settings.keyPrefix, report(), atMs);
    const isOther = nodes !== this.#nodes;
    this.#nodes = nodes;
    if (isOther) this.#options.onNodes();
    // The first time it may have been this machine before a restart.
    const isAnother = hasNamesake && this.#hasAnnounced;
    this.#hasAnnounced = true;
    if (!isAnother || this.#hasWarned) return;
    this.#hasWarned = true;
    warn(`another machine of the fleet has the NodeName ${settings.nodeName}, too`);
  }

  #become(state: LinkState, why: string): void {
    const isNew = state !== this.#state || why !== this.#why;
    this.#state = state;
    this.#why = why;
    if (isNew) this.#options.onState(state, why);
  }

  #wake(): void {
    for (const end of [...this.#pauses]) end();
  }

  #pause(delayMs: number): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    return new Promise((resolve) => {
      const end = () => {
        timer.cancel();
        this.#pauses.delete(end);
        resolve();
      };
      const timer = this.#options.clock.after(delayMs, end);
      this.#pauses.add(end);
    });
  }
}
