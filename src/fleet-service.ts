/**
 * The fleet, put together: the replica of what all machines decide, the link to the engine as the settings
 * have it, and what the operator sees of both. Without `Url` there is a replica and no link.
 */
import { randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { FleetReport } from './admin/fleet-listing.ts';
import type { Clock } from './clock.ts';
import { packageVersion } from './config/package-folder.ts';
import type { FleetSettings } from './config/shape.ts';
import { Link } from './fleet/link.ts';
import type { NodeRow } from './fleet/nodes.ts';
import { Replica } from './fleet/replica.ts';
import { type NodeCounts, Tallies, tallyFloor } from './fleet/tallies.ts';
import type { Statistics } from './statistics.ts';
import type { PatternDatabase } from './virus/pattern-database.ts';

export interface FleetServiceOptions {
  readonly settings: () => FleetSettings;
  readonly database: PatternDatabase;
  /** What counts the requests of this machine. */
  readonly counts: () => NodeCounts | undefined;
  readonly clock: Clock;
  readonly statistics: Statistics;
  /** The engine was lost, or is back. */
  readonly onState: (engine: string, state: 'down' | 'up', why: string) => void;
  /** Windows are told to the other machines from another count on. */
  readonly onTallyFloor: () => void;
  /** A sentence for the operator. */
  readonly warn: (sentence: string) => void;
}

type Engine = NonNullable<FleetSettings['engine']>;

const reportWaitMs = 1_000;

function newId(): string {
  return randomBytes(8).toString('hex');
}

/** The engine's address as an operator writes it. */
function nameOf({ isTls, host, port }: Engine): string {
  const written = host.includes(':') ? `[${host}]` : host;
  return `${isTls ? 'rediss' : 'redis'}://${written}:${port}`;
}

const noCounts: NodeCounts = {
  interval: 0,
  threshold: 0,
  isWatching: false,
  frequent: () => ({ windows: [], omitted: 0 }),
  raise: () => 0,
};

/** To be made before the database reads its journal; `applySettings` once it has. */
export class FleetService {
  readonly replica: Replica;
  readonly #options: FleetServiceOptions;
  readonly #session = newId();
  readonly #version = packageVersion();
  #inUse: FleetSettings | undefined;
  #link: Link | undefined;
  #isDown = false;
  /** As they were seen last. */
  #nodes: readonly NodeRow[] = [];

  constructor(options: FleetServiceOptions) {
    const { settings, database, statistics } = options;
    this.#options = options;
    this.replica = new Replica({
      view: database,
      patternSize: database.patterns.patternSize,
      node: () => (settings().engine === undefined ? undefined : settings().nodeName),
      outboxMax: () => settings().outboxMax,
      newSession: newId,
      statistics,
    });
    database.share(this.replica);
  }

  /** Whether this machine is in a fleet. */
  get isOn(): boolean {
    return this.#options.settings().engine !== undefined;
  }

  /** The count from which on the other machines are told of a window; undefined: they are told of none. */
  get tallyFloor(): number | undefined {
    const nodes = this.#link?.nodeCount ?? 1;
    if (nodes < 2 || this.#inUse?.talliesMax === 0) return undefined;
    return tallyFloor(this.#options.database.tunables.get('HitThreshold'), nodes);
  }

  /** Links this machine to the engine of the settings in force; once more after each reload. */
  async applySettings(): Promise<void> {
    const settings = this.#options.settings();
    const { engine } = settings;
    if (isDeepStrictEqual(settings, this.#inUse)) return;
    await this.#link?.close();
    this.#link = undefined;
    this.#inUse = settings;
    this.#isDown = false;
    if (engine !== undefined) this.#link = this.#newLink({ ...settings, engine });
    this.#options.onTallyFloor();
  }

  async close(): Promise<void> {
    await this.#link?.close();
    this.#link = undefined;
  }

  /** What the operator sees; undefined: there is no fleet. Waits for the engine a little, if it is there. */
  async report(): Promise<FleetReport | undefined> {
    const settings = this.#inUse;
    const link = this.#link;
    if (settings?.engine === undefined || link === undefined) return undefined;
    const { history, outbox } = this.replica;
    const late = new Promise<undefined>((resolve) => {
      this.#options.clock.after(reportWaitMs, () => resolve(undefined));
    });
    // Without an answer the nodes are those that were seen last; the state says what is wrong.
    this.#nodes = (await Promise.race([link.nodes().catch(() => undefined), late])) ?? this.#nodes;
    const nowMs = link.engineNowMs();
    const newest = Math.max(history.last, ...this.#nodes.map(({ stamp }) => stamp));
    return {
      engine: nameOf(settings.engine),
      node: settings.nodeName,
      state: link.state,
      why: link.why,
      lastContactMs: link.lastContactMs,
      waiting: outbox.size,
      nodes: this.#nodes.map(({ name, version, stamp, waiting, patterns, atMs }) => ({
        ...{ name, version, waiting, patterns },
        silentMs: Math.max(0, nowMs - atMs),
        behind: Math.max(0, newest - (name === settings.nodeName ? history.last : stamp)),
      })),
    };
  }

  #newLink(settings: FleetSettings & { readonly engine: Engine }): Link {
    const { database, counts, clock, statistics, warn, onState, onTallyFloor } = this.#options;
    const engine = nameOf(settings.engine);
    return new Link({
      settings,
      replica: this.replica,
      database,
      clock,
      statistics,
      tallies: new Tallies({
        counts: {
          get interval() {
            return (counts() ?? noCounts).interval;
          },
          get threshold() {
            return (counts() ?? noCounts).threshold;
          },
          get isWatching() {
            return (counts() ?? noCounts).isWatching;
          },
          frequent: (min, max) => (counts() ?? noCounts).frequent(min, max),
          raise: (window) => (counts() ?? noCounts).raise(window),
        },
        statistics,
        windowsMax: () => settings.talliesMax,
        intervalMs: () => database.tunables.get('RefreshInterval') * 1000,
      }),
      report: () => ({
        name: settings.nodeName,
        session: this.#session,
        version: this.#version,
        stamp: this.replica.history.last,
        waiting: this.replica.outbox.size,
        patterns: database.patterns.size,
      }),
      newId,
      random: Math.random,
      onNodes: onTallyFloor,
      warn,
      onState: (state, why) => {
        const isDown = state === 'lost' || state === 'refused';
        if (isDown === this.#isDown) return;
        this.#isDown = isDown;
        warn(
          isDown
            ? `the fleet's engine ${engine} is lost: ${why}`
            : `the fleet's engine ${engine} is back`,
        );
        onState(engine, isDown ? 'down' : 'up', why);
      },
    });
  }
}
