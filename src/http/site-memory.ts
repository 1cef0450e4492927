/**
 * Which site the requests of one connection are for and whether its peer is trusted there, remembered
 * from one request to the next: nearly always they are all for the same host.
 */
import { isKeyedAsTold, keyPrefix, toldPrefix } from '../cache/key.ts';
import type { AddressList } from '../config/address-list.ts';
import type { Site, SiteTable } from '../upstream/origins.ts';
import { sourceKey } from '../virus/source-key.ts';
import type { Arrival } from './arrival.ts';
import { isHost } from './head.ts';
import { hstsLineOf } from './hsts.ts';
import { type Forwarder, makeForwarder } from './origin-head.ts';

export class SiteMemory {
  /** The connection's peer. */
  readonly peer: string;
  readonly #listen: string;
  readonly #arrival: Arrival;
  #table: SiteTable | undefined;
  #host: string | undefined;
  #mayBeTrusted = false;
  /** Whether the host asked for last is one (RFC 3986 §3.2). */
  isHost = false;
  /** Its site; undefined: none serves it. */
  site: Site | undefined;
  /** Whether that site trusts the peer, or, without a site, any of the address does. */
  peerTrusted = false;
  /** Whom else that site trusts. */
  trusted: AddressList | undefined;
  /** The header line that its answers get; empty: none. */
  hstsLine = '';
  /** Its requests that come in the clear are led to TLS. */
  redirects = false;
  /** What the cache's keys of that host begin with; empty: its answers are not stored. */
  keyPrefix = '';
  /** Whether it stands in keys as the origin is told it; otherwise its requests go past the cache. */
  isKeyed = false;
  #forwarder: Forwarder | undefined;
  #source: string | undefined;

  constructor(peer: string, lane: { readonly listen: string; readonly arrival: Arrival }) {
    this.peer = peer;
    this.#listen = lane.listen;
    this.#arrival = lane.arrival;
  }

  /** Which source the peer is, when it is the client. */
  get source(): string {
    this.#source ??= sourceKey(this.peer);
    return this.#source;
  }

  /** Whether any site of the address trusts the peer; if none does, no header has a say in anything. */
  mayBeTrusted(table: SiteTable): boolean {
    if (table !== this.#table) {
      this.#table = table;
      this.#host = undefined;
      this.#mayBeTrusted = table.trustedProxies(this.#listen).has(this.peer);
    }
    return this.#mayBeTrusted;
  }

  /** Looks up the site of `host`, as in the Host header; empty when there is none. */
  look(table: SiteTable, host: string): void {
    const mayBeTrusted = this.mayBeTrusted(table);
    if (host === this.#host) return;
    this.#host = host;
    this.#forwarder = undefined;
    this.isHost = isHost(host);
    this.site = table.find(this.#listen, host);
    const tls = this.site?.settings.tls;
    this.hstsLine = hstsLineOf(tls, this.#arrival);
    const { site } = this;
    this.keyPrefix = site?.settings.cache
      ? keyPrefix(site.settings.name, this.#arrival.proto, host)
      : '';
    this.isKeyed = isKeyedAsTold(host);
    this.redirects = this.#arrival.proto === 'http' && tls?.redirectPort !== undefined;
    this.trusted = this.site?.trustedProxies ?? table.trustedProxies(this.#listen);
    this.peerTrusted = mayBeTrusted && this.trusted.has(this.peer);
  }

  /** The same for a scheme and a host that a trusted peer names; undefined: they stand in no key. */
  keyPrefixFor(
    forwardedProto: string | undefined,
    forwardedHost: string | undefined,
  ): string | undefined {
    const { site } = this;
    if (site === undefined) return undefined;
    const own = { scheme: this.#arrival.proto, host: this.#host ?? '' };
    return toldPrefix(site.settings.name, { ...own, forwardedProto, forwardedHost });
  }

  /** What origins are told about the requests of the host looked up last. */
  get forwarder(): Forwarder {
    this.#forwarder ??= makeForwarder({
      peer: this.peer,
      peerTrusted: this.peerTrusted,
      host: this.#host ?? '',
      arrival: this.#arrival,
    });
    return this.#forwarder;
  }
}
