/**
 * The TLS handshakes of one listen address, over sockets that were accepted elsewhere. The certificates
 * are those of the rules in force when a handshake begins; whatever was begun or agreed before goes on.
 */
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import {
  createSecureContext,
  createServer,
  type SecureContext,
  type Server,
  type TLSSocket,
} from 'node:tls';
import { processUpMs } from '../clock.ts';
import type { Certificate, LimitSettings } from '../config/shape.ts';
import type { CounterName, Statistics } from '../statistics.ts';
import { CertificateChoice } from './certificate-choice.ts';
import type { TlsRules } from './listeners.ts';

export interface TlsHandshakesOptions {
  limits(): LimitSettings;
  readonly statistics: Statistics;
  /** Takes a connection that is secure; `peer`: as it was given to `begin`. */
  onSecure(socket: TLSSocket, peer: string): void;
}

interface Pending {
  readonly socket: Socket;
  readonly peer: string;
}

/** All listen addresses take up each other's sessions, whichever certificate they began with. */
const sessionIdContext = 'wormgate';
const ticketKeyBytes = 48;
/** How long a key for session tickets is used: who steals it can read no more than that. */
export const ticketKeyMs = 12 * 3_600_000;
/**
 * Those with forward secrecy and authenticated encryption; Node's own list has others, some of which
 * RFC 9113 §9.2.2 forbids for HTTP/2.
 */
const modernCiphers = [
  ...['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'],
  ...['ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-RSA-AES128-GCM-SHA256'],
  ...['ECDHE-ECDSA-AES256-GCM-SHA384', 'ECDHE-RSA-AES256-GCM-SHA384'],
  ...['ECDHE-ECDSA-CHACHA20-POLY1305', 'ECDHE-RSA-CHACHA20-POLY1305'],
].join(':');

/** How long a session may be taken up again. */
const sessionSeconds = 3600;

let ticketKeys = newTicketKeys();
let ticketKeysMadeAt = processUpMs();

/** Keys for session tickets. */
export function newTicketKeys(): Buffer {
  return randomBytes(ticketKeyBytes);
}

/** Uses keys that other processes use as well, until others follow; makes none by itself any more. */
export function shareTicketKeys(keys: Buffer): void {
  ticketKeys = keys;
  ticketKeysMadeAt = Number.POSITIVE_INFINITY;
}

export class TlsHandshakes {
  readonly #options: TlsHandshakesOptions;
  /** By the four ends of the connection, which is all that both sockets know of each other. */
  readonly #pending = new Map<string, Pending>();
  #rules: TlsRules | undefined;
  #server: Server | undefined;
  #keys = ticketKeys;

  constructor(options: TlsHandshakesOptions) {
    this.#options = options;
  }

  /** Begins the handshake on a socket, of which bytes may have been unshifted. */
  begin(socket: Socket, peer: string, rules: TlsRules): void {
    const { statistics } = this.#options;
    if (this.#pending.size >= this.#options.limits().tlsHandshakesMax) {
      statistics.add('tls_handshakes_refused');
      socket.destroy();
      return;
    }
    const key = endsOf(socket);
    this.#pending.set(key, { socket, peer });
    socket.once('close', () => this.#pending.delete(key));
    // Half of a handshake is none: a client that ends its side in it has gone.
    socket.allowHalfOpen = false;
    this.#serverFor(rules).emit('connection', socket);
  }

  /** Ends the handshakes under way. */
  close(): void {
    for (const { socket } of this.#pending.values()) socket.destroy();
  }

  #serverFor(rules: TlsRules): Server {
    renewTicketKeys();
    const known = this.#server;
    if (known !== undefined && this.#rules === rules) {
      if (this.#keys !== ticketKeys) known.setTicketKeys(ticketKeys);
      this.#keys = ticketKeys;
      return known;
    }
    const server = this.#makeServer(rules);
    this.#rules = rules;
    this.#server = server;
    this.#keys = ticketKeys;
    return server;
  }

  #makeServer(rules: TlsRules): Server {
    const choice = new CertificateChoice(rules.certificates);
    const contexts = new Map<readonly Certificate[], SecureContext>();
    const contextFor = (certificates: readonly Certificate[]): SecureContext => {
      const known = contexts.get(certificates);
      if (known !== undefined) return known;
      const context = createSecureContext(contextOptions(certificates, rules));
      contexts.set(certificates, context);
      return context;
    };
    const server = createServer({
      ...contextOptions(choice.first, rules),
      ALPNProtocols: rules.http2 ? ['h2', 'http/1.1'] : ['http/1.1'],
      SNICallback: (name, done) => {
        const certificates = choice.for(name);
        done(null, certificates === choice.first ? undefined : contextFor(certificates));
      },
      handshakeTimeout: this.#options.limits().tlsHandshakeTimeoutMs,
      ticketKeys,
      sessionTimeout: sessionSeconds,
      sessionIdContext,
    });
    server.on('secureConnection', (socket: TLSSocket) => this.#finish(socket));
    server.on('tlsClientError', (error: Error, socket: TLSSocket) => {
      this.#options.statistics.add(failureCounter(error));
      socket.destroy();
    });
    return server;
  }

  #finish(socket: TLSSocket): void {
    const key = endsOf(socket);
    const pending = this.#pending.get(key);
    // Gone again, and nobody could say whose requests these are.
    if (pending === undefined) {
      socket.destroy();
      return;
    }
    this.#pending.delete(key);
    const { statistics } = this.#options;
    statistics.add('tls_handshakes');
    if (socket.isSessionReused()) statistics.add('tls_sessions_resumed');
    socket.allowHalfOpen = true;
    this.#options.onSecure(socket, pending.peer);
  }
}

function endsOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}

function contextOptions(certificates: readonly Certificate[], rules: TlsRules) {
  // Of a context that is chosen by name, Node 24 uses the last certificate alone: RSA suits every client.
  const isRsa = ({ keyType }: Certificate) => (keyType === 'rsa' ? 1 : 0);
  const ordered = [...certificates].sort((one, other) => isRsa(one) - isRsa(other));
  return {
    cert: ordered.map(({ chain }) => chain),
    key: ordered.map(({ key }) => key),
    minVersion: rules.minVersion,
    maxVersion: 'TLSv1.3',
    honorCipherOrder: true,
    sessionIdContext,
    ciphers: rules.ciphers === '' ? modernCiphers : rules.ciphers,
  } as const;
}

function renewTicketKeys(): void {
  if (processUpMs() - ticketKeysMadeAt < ticketKeyMs) return;
  ticketKeys = newTicketKeys();
  ticketKeysMadeAt = processUpMs();
}

const versionFailures = new Set(['ERR_SSL_UNSUPPORTED_PROTOCOL', 'ERR_SSL_WRONG_VERSION_NUMBER']);
const cipherFailures = new Set([
  'ERR_SSL_NO_SHARED_CIPHER',
  'ERR_SSL_NO_SUITABLE_KEY_SHARE',
  'ERR_SSL_NO_SHARED_GROUPS',
  'ERR_SSL_NO_SUITABLE_SIGNATURE_ALGORITHM',
  'ERR_SSL_NO_APPLICATION_PROTOCOL',
]);

/** What a failed handshake is counted as. */
function failureCounter(error: Error): CounterName {
  const code = 'code' in error ? String(error.code) : '';
  if (code === 'ERR_TLS_HANDSHAKE_TIMEOUT') return 'tls_handshake_timeouts';
  if (code === 'ECONNRESET' || code === 'EPIPE') return 'tls_handshake_aborts';
  if (code === 'ERR_SSL_HTTP_REQUEST' || code === 'ERR_SSL_HTTPS_PROXY_REQUEST') {
    return 'tls_plain_requests';
  }
  if (versionFailures.has(code)) return 'tls_version_failures';
  if (cipherFailures.has(code)) return 'tls_cipher_failures';
  return code.includes('_ALERT_') ? 'tls_certificate_refusals' : 'tls_handshake_failures';
}
