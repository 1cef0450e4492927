/**
 * Who serves a host: the accelerators of a listen address, told apart by their Hosts, and the origins
 * of each. An origin's connections, and what was found out about it, survive a reload as long as it
 * stays configured.
 */
import { AddressList } from '../config/address-list.ts';
import type {
  AcceleratorSettings,
  HostPort,
  LimitSettings,
  OriginAddress,
  OriginSettings,
} from '../config/shape.ts';
import { Balancer, type Member } from './balance.ts';
import { Origin, type OriginChoice, type OriginStatus, type OriginSurroundings } from './origin.ts';
import type { OriginPlace } from './origin-link.ts';

/** An accelerator in force: its settings, whom it trusts, and its origins. */
export class Site implements OriginChoice {
  readonly settings: AcceleratorSettings;
  readonly trustedProxies: AddressList;
  /** It has no origins of its own: each request names one, and waits until it is known where to go. */
  readonly isDynamic: boolean;
  readonly members: readonly Member<Origin>[];
  readonly #balancer: Balancer<Origin>;
  readonly #upMs: () => number;

  constructor(
    settings: AcceleratorSettings,
    members: readonly Member<Origin>[],
    upMs: () => number,
  ) {
    this.settings = settings;
    this.trustedProxies = new AddressList(settings.trustedProxies);
    this.isDynamic = settings.origins.some(({ kind }) => kind === 'dynamic');
    this.members = members;
    this.#balancer = new Balancer(members, settings.originSettings.balance);
    this.#upMs = upMs;
  }

  /** With one origin there is nothing to choose, and no time to be asked. */
  choose(tried: readonly Origin[]): Origin | undefined {
    if (this.members.length === 1) return tried.length === 0 ? this.members[0]?.origin : undefined;
    const nowMs = this.#upMs();
    const chosen = this.#balancer.choose(nowMs, tried);
    chosen?.noteChosen(nowMs);
    return chosen;
  }
}

/** An origin of a site, for the operator. */
export interface OriginRow extends OriginStatus {
  readonly site: string;
  readonly origin: string;
  readonly weight: number;
  readonly isBackup: boolean;
}

/** One origin of an accelerator, before it is known whether it is there already. */
interface Wanted {
  readonly place: OriginPlace;
  readonly settings: OriginSettings;
  readonly weight: number;
  readonly isBackup: boolean;
  readonly connectionsMax: number | undefined;
}

/** The origins of all accelerators; two that are configured alike in every respect are one. */
export class OriginTable {
  #origins = new Map<string, Origin>();
  #hosts = new Set<string>();
  #sites: readonly Site[] = [];
  readonly #surroundings: OriginSurroundings;

  constructor(surroundings: OriginSurroundings) {
    this.#surroundings = surroundings;
  }

  /** Whether an origin is configured on that host. */
  hasHost(host: string): boolean {
    return this.#hosts.has(host);
  }

  /** Another process has left an origin out, or has it back. */
  noteElsewhere(name: string, state: 'down' | 'up', why: string): void {
    for (const origin of this.#origins.values()) {
      if (origin.name === name) origin.noteElsewhere(state, why);
    }
  }

  /** Every origin of every site, in the order of the configuration. */
  rows(): OriginRow[] {
    return this.#sites.flatMap(({ settings, members }) =>
      members.map(({ origin, weight, isBackup }) => {
        return { site: settings.name, origin: origin.name, weight, isBackup, ...origin.status };
      }),
    );
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
    const wanted = accelerators.map((each) =>
      each.origins.flatMap((address) => wantedOf(address, each.originSettings, demo)),
    );
    const origins = this.#originsFor(wanted.flat(), limits);
    const { upMs, warn } = this.#surroundings;
    const sites = accelerators.map((settings, index) => {
      const members = (wanted[index] ?? []).flatMap((each) => {
        const origin = origins.get(keyOf(each));
        return origin === undefined ? [] : [{ ...each, origin }];
      });
      const isUnverified = members.some(({ place }) => place.protocol === 'https');
      if (isUnverified && !settings.originSettings.tls.verify) {
        const { name } = settings;
        warn(`[Accelerator ${name}] OriginVerify=0: its https origins may be anybody`);
      }
      return new Site(settings, members, upMs);
    });
    for (const origin of this.#origins.values()) {
      if (![...origins.values()].includes(origin)) origin.retire();
    }
    this.#origins = origins;
    this.#sites = sites;
    this.#hosts = new Set(Array.from(origins.values(), ({ host }) => host));
    return new SiteTable(sites);
  }

  close(): void {
    for (const origin of this.#origins.values()) origin.retire();
  }

  /**
   * The origins by their keys: those that are there already, then those that differ from one that is no
   * longer wanted in what can be changed, then new ones.
   */
  #originsFor(wanted: readonly Wanted[], limits: LimitSettings): Map<string, Origin> {
    const byKey = new Map(wanted.map((each) => [keyOf(each), each]));
    const orphans = new Map<string, Origin>();
    for (const [key, origin] of this.#origins) {
      if (!byKey.has(key)) orphans.set(connectionKey(key), origin);
    }
    const origins = new Map<string, Origin>();
    for (const [key, { place, settings, connectionsMax }] of byKey) {
      const orphan = orphans.get(connectionKey(key));
      const isKnown = this.#origins.has(key);
      if (!isKnown) orphans.delete(connectionKey(key));
      const origin =
        this.#origins.get(key) ?? orphan ?? new Origin(place, settings, this.#surroundings);
      origin.configure(settings, limits, connectionsMax);
      origins.set(key, origin);
    }
    return origins;
  }
}

function wantedOf(address: OriginAddress, settings: OriginSettings, demo: HostPort): Wanted[] {
  if (address.kind === 'dynamic') return [];
  if (address.kind === 'url') return [{ ...address, place: address, settings }];
  const place = { ...demo, protocol: 'http' as const };
  return [{ place, settings, weight: 1, isBackup: false, connectionsMax: undefined }];
}

/** Behind its first line, what a reload can change about an origin. */
function keyOf({ place, settings, connectionsMax }: Wanted): string {
  const { tls, balance: _balance, ...changeable } = settings;
  const { protocol, host, port } = place;
  const fixed = JSON.stringify({ protocol, host, port, tls: protocol === 'https' ? tls : null });
  return `${fixed}\n${JSON.stringify({ ...changeable, connectionsMax })}`;
}

function connectionKey(key: string): string {
  return key.slice(0, key.indexOf('\n'));
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
