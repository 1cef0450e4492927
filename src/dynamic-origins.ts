/**
 * The origins of sites with Origin=dynamic: the host that a request names, resolved, allowed, and let
 * through by the virus throttle when it needs a new connection. Keeps the connections of a bounded
 * number of hosts.
 */
import { processUpMs } from './clock.ts';
import type { AcceleratorSettings, Settings } from './config/shape.ts';
import { firstAllowed } from './egress/address-policy.ts';
import type { AwaitTurn } from './egress/await-turn.ts';
import type { Resolver } from './egress/resolver.ts';
import type { DynamicRequest } from './http/policy.ts';
import { type Refusal, refusals } from './http/refusals.ts';
import type { Statistics } from './statistics.ts';
import { acceleratorSource } from './throttle/sources.ts';
import { Origin, type OriginSurroundings } from './upstream/origin.ts';

export interface DynamicOriginsOptions {
  readonly settings: () => Settings;
  readonly resolver: Resolver;
  readonly awaitTurn: AwaitTurn;
  readonly statistics: Statistics;
}

const nameRefusals = {
  unknown: refusals.unknownHost,
  timeout: refusals.nameTimeout,
  busy: refusals.namesBusy,
} as const satisfies Record<string, Refusal>;

/** Whoever names hosts decides what is wrong with them: the operator is not told. */
const surroundings: OriginSurroundings = {
  // The throttle was asked already.
  onOpening: () => {},
  lookUp: () => Promise.reject(new Error('an address is not looked up')),
  warn: () => {},
  count: () => {},
  upMs: processUpMs,
};

export class DynamicOrigins {
  readonly #options: DynamicOriginsOptions;
  /** By address and port; the one that was used longest ago first. */
  readonly #origins = new Map<string, Origin>();

  constructor(options: DynamicOriginsOptions) {
    this.#options = options;
  }

  /** Where the request goes, once it may; undefined: its client has gone meanwhile. */
  async find({
    host,
    site,
    socket,
    isUpgrade,
  }: DynamicRequest): Promise<Origin | Refusal | undefined> {
    const { resolver, awaitTurn, statistics } = this.#options;
    const { dynamicPort: port, dynamicPrivate } = site.settings;
    const resolution = await resolver.resolve(host.replace(/^\[|\]$/g, ''), acceleratorSource);
    if (!resolution.ok) return nameRefusals[resolution.reason];
    const address = firstAllowed(resolution.addresses, dynamicPrivate);
    if (address === undefined) return refusals.privateHost;
    const known = this.#origins.get(keyOf(address, port));
    // A tunnel has a connection of its own.
    if (isUpgrade || known?.hasIdleConnection !== true) {
      const onDelayed = () => statistics.add('dynamic_delayed');
      const outcome = await awaitTurn(address, socket, onDelayed);
      if (outcome === 'gone') statistics.add('dynamic_abandoned');
      if (outcome === 'gone') return undefined;
      if (outcome !== 'passed') return refusals.throttled;
    }
    return this.#originAt(address, site.settings);
  }

  /** Lets idle connections go, and those in use when their requests are over. */
  close(): void {
    for (const origin of this.#origins.values()) origin.retire();
    this.#origins.clear();
  }

  #originAt(address: string, site: AcceleratorSettings): Origin {
    const { dynamicPort: port } = site;
    const { limits } = this.#options.settings();
    const key = keyOf(address, port);
    const place = { host: address, port, protocol: 'http' } as const;
    const settings = { ...site.originSettings, check: undefined };
    const origin = this.#origins.get(key) ?? new Origin(place, settings, surroundings);
    origin.configure(settings, limits);
    this.#origins.delete(key);
    this.#origins.set(key, origin);
    for (const [oldestKey, oldest] of this.#origins) {
      if (this.#origins.size <= limits.dynamicOriginsMax) break;
      this.#origins.delete(oldestKey);
      oldest.retire();
    }
    return origin;
  }
}

function keyOf(address: string, port: number): string {
  return `${address} ${port}`;
}
