/**
 * How connections to one origin are begun: TLS and what is verified, the addresses of its name, and who
 * is told of each new connection.
 */
import { connect, isIP, type OnReadOpts, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls, createSecureContext } from 'node:tls';
import type { HostPort, OriginTlsSettings } from '../config/shape.ts';
import { type AddressesOptions, OriginAddresses } from './origin-addresses.ts';

/** Where an origin listens, and how it is spoken to. */
export type OriginPlace = HostPort & { readonly protocol: 'http' | 'https' };

/** One of several addresses that says nothing for so long is given up for the next. */
const addressTryMs = 1000;

interface LinkOptions extends Omit<AddressesOptions, 'host'> {
  readonly place: OriginPlace;
  readonly tls: OriginTlsSettings;
  /** Told before each new connection. */
  onOpening(): void;
}

export class OriginLink {
  readonly place: OriginPlace;
  /** The same as a URL, whose host has no port where that is the protocol's own. */
  readonly url: URL;
  readonly addresses: OriginAddresses;
  /** What node:tls needs beyond the place; undefined for a plain origin. */
  readonly tls: ConnectionOptions | undefined;
  readonly #onOpening: () => void;
  /** Of the last connection: the next handshake is shorter with it. */
  #session: Buffer | undefined;

  constructor(options: LinkOptions) {
    const { place } = options;
    this.place = place;
    const host = place.host.includes(':') ? `[${place.host}]` : place.host;
    this.url = new URL(`${place.protocol}://${host}:${place.port}`);
    this.#onOpening = options.onOpening;
    this.addresses = new OriginAddresses({ ...options, host: place.host });
    if (place.protocol === 'https') this.tls = tlsOptions(place.host, options.tls);
  }

  /** Where to connect to, for node:net and node:tls, whatever else they are told. */
  get destination() {
    const { host, port } = this.place;
    return {
      host,
      port,
      lookup: this.addresses.forConnecting,
      autoSelectFamily: true,
      autoSelectFamilyAttemptTimeout: addressTryMs,
    };
  }

  /** To be called before each connection that is not begun by `open`. */
  noteOpening(): void {
    this.#onOpening();
  }

  /** Begins a connection; `onread` as in node:net. It stands at `connect`, or `secureConnect` with TLS. */
  open(onread?: OnReadOpts): Socket {
    this.#onOpening();
    const options = {
      ...this.destination,
      noDelay: true,
      keepAlive: true,
      ...(onread !== undefined && { onread }),
    };
    if (this.tls === undefined) return connect(options);
    const session = this.#session;
    const socket = connectTls({
      ...options,
      ...this.tls,
      ...(session !== undefined && { session }),
    });
    socket.on('session', (next) => {
      this.#session = next;
    });
    // Whatever is wrong, it may be the session.
    socket.once('error', () => {
      this.#session = undefined;
    });
    return socket;
  }
}

function tlsOptions(host: string, settings: OriginTlsSettings): ConnectionOptions {
  const { verify, serverName, ca, certificate, key } = settings;
  const secureContext = createSecureContext({
    ...(ca !== undefined && { ca }),
    ...(certificate !== undefined && { cert: certificate, key }),
  });
  // An address has no name to send; node:tls verifies the address then.
  const servername = serverName || (isIP(host) === 0 ? host : '');
  return { secureContext, servername, rejectUnauthorized: verify };
}
