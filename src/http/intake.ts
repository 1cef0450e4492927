/**
 * What becomes of a new connection before any request of it is read: the PROXY protocol, TLS, and the
 * choice between HTTP/1.1 and HTTP/2. Then the lanes have it.
 */
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { normalizeAddress } from '../config/address-list.ts';
import { type Arrival, inTheClear, overHttp2, overTls } from './arrival.ts';
import { H2Connection } from './h2-connection.ts';
import type { ListenerRules, TlsRules } from './listeners.ts';
import type { FrontParts } from './policy.ts';
import { awaitProxyHeader } from './proxy-header.ts';
import { TlsHandshakes } from './tls-handshakes.ts';

/** Gives a connection, or a stream of one, to the lanes. */
export type Serve = (socket: Socket, arrival: Arrival) => void;

export class Intake {
  readonly #parts: FrontParts;
  readonly #listen: string;
  readonly #serve: Serve;
  readonly #handshakes: TlsHandshakes;
  /** Connections whose PROXY protocol header is awaited. */
  readonly #waiting = new Set<Socket>();
  readonly #h2Connections = new Set<H2Connection>();
  #isClosing = false;

  constructor(parts: FrontParts, listen: string, serve: Serve) {
    this.#parts = parts;
    this.#listen = listen;
    this.#serve = serve;
    this.#handshakes = new TlsHandshakes({
      limits: () => parts.policy().settings.limits,
      statistics: parts.statistics,
      onSecure: (socket, peer) => this.#takeSecure(socket, peer),
    });
  }

  /** Takes a connection that was accepted and counted. */
  take(socket: Socket, rules: ListenerRules): void {
    if (rules.proxyProtocol) this.#readHeader(socket, rules);
    else if (rules.tls !== undefined) this.#secure(socket, socket.remoteAddress ?? '', rules.tls);
    else this.#serve(socket, inTheClear);
  }

  /** Lets the streams under way finish for `drainMs`; nothing else that is left here has a request. */
  async close(drainMs: number): Promise<void> {
    this.#isClosing = true;
    this.#handshakes.close();
    for (const socket of this.#waiting) socket.destroy();
    await Promise.all([...this.#h2Connections].map((connection) => connection.close(drainMs)));
  }

  #readHeader(socket: Socket, rules: ListenerRules): void {
    const { statistics, policy } = this.#parts;
    const { settings, sites } = policy();
    const peer = normalizeAddress(socket.remoteAddress ?? '');
    const refuse = () => {
      this.#waiting.delete(socket);
      statistics.add('proxy_headers_refused');
      statistics.add('connections_closed');
    };
    if (!sites.trustedProxies(this.#listen).has(peer)) {
      socket.on('error', () => {});
      socket.destroy();
      return refuse();
    }
    this.#waiting.add(socket);
    awaitProxyHeader(socket, {
      waitMs: settings.limits.tlsHandshakeTimeoutMs,
      onRefused: refuse,
      onHeader: (source) => {
        this.#waiting.delete(socket);
        statistics.add('proxy_headers');
        const client = source ?? peer;
        if (rules.tls !== undefined) return this.#secure(socket, client, rules.tls);
        namePeer(socket, client);
        this.#serve(socket, inTheClear);
        socket.resume();
      },
    });
  }

  #secure(socket: Socket, peer: string, tls: TlsRules): void {
    socket.once('close', () => this.#parts.statistics.add('connections_closed'));
    // TLS takes the socket over and reports what happens to it, but nobody says that it reports all.
    socket.on('error', () => socket.destroy());
    this.#handshakes.begin(socket, peer, tls);
  }

  #takeSecure(socket: TLSSocket, peer: string): void {
    if (this.#isClosing) {
      socket.destroy();
      return;
    }
    if (socket.alpnProtocol !== 'h2') {
      namePeer(socket, peer);
      this.#serve(socket, overTls);
      return;
    }
    const connection = new H2Connection(socket, peer, this.#parts, (stream) =>
      this.#serve(stream, overHttp2),
    );
    this.#h2Connections.add(connection);
    connection.onceClosed(() => this.#h2Connections.delete(connection));
  }
}

/** Has the socket say `peer` when it is asked who is at the other end, also when it is closed. */
function namePeer(socket: Socket, peer: string): void {
  Object.defineProperty(socket, 'remoteAddress', { value: peer, configurable: true });
}
