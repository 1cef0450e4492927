/**
 * The egress gateway: an HTTP proxy for the servers behind us, through which their connections to new
 * hosts pass one at a time. CONNECT opens a tunnel (RFC 9110 §9.3.6), any other method with an
 * absolute-form target is sent on (RFC 9112 §3.2.2). Who may use it, where to, and what becomes of a
 * refused request is here; the waiting is the throttle's.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { AddressList, normalizeAddress } from '../config/address-list.ts';
import { isSecret } from '../config/secret.ts';
import { watchForEnd } from '../upstream/early-end.ts';
import { firstAllowed } from './address-policy.ts';
import { awaitTurn } from './await-turn.ts';
import { sendOnward } from './onward.ts';
import type { GatewayParts, Passage } from './parts.ts';
import { type EgressRefusal, egressRefusals, refuseRequest, refuseTunnel } from './refusals.ts';
import { parseAbsolute, parseAuthority, type Target } from './target.ts';
import { tunnelTo } from './tunnel.ts';

/** How often Node looks for heads that are late, in milliseconds. */
const lateHeadCheckMs = 1_000;

/** By the code of Node's error. */
const unreadable: Readonly<Record<string, EgressRefusal>> = {
  HPE_HEADER_OVERFLOW: egressRefusals.headTooLarge,
  ERR_HTTP_REQUEST_TIMEOUT: egressRefusals.headTimeout,
};

/** So many requests may be sent on a connection before the first is answered. */
const pipelinedMax = 64;

/** Resolves when the answer has been sent, or cannot be. */
function untilOver({ socket }: IncomingMessage, res: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    if (res.writableFinished || res.closed || socket.destroyed) return resolve();
    const over = () => {
      // The connection may carry many more requests.
      socket.removeListener('close', over);
      resolve();
    };
    res.once('close', over);
    socket.once('close', over);
  });
}

/** The listening gateway. */
export class EgressGateway {
  readonly #parts: GatewayParts;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** The clients of tunnels. */
  readonly #tunnels = new Set<Duplex>();
  /** Requests that were sent without waiting for the answers before them. */
  readonly #lines = new WeakMap<Socket, { waiting: number; tail: Promise<void> }>();
  /** How many connections each client has. */
  readonly #counts = new Map<string, number>();
  #allowed: AddressList;

  constructor(parts: GatewayParts) {
    const { headerTimeoutMs, headerBytesMax, allow } = parts.settings();
    this.#parts = parts;
    this.#allowed = new AddressList(allow);
    this.#server = createServer({
      maxHeaderSize: headerBytesMax,
      headersTimeout: headerTimeoutMs,
      connectionsCheckingInterval: lateHeadCheckMs,
      requestTimeout: 0,
      insecureHTTPParser: false,
    });
    // All of them within MaxHeaderBytes: those that Node leaves out would be missed in what is sent on.
    this.#server.maxHeadersCount = 0;
    this.#server.on('connection', (socket) => this.#take(socket));
    this.#server.on('request', (req, res) => {
      this.#serveInTurn(req, res);
    });
    this.#server.on('connect', (req, socket, head) => {
      this.#connect(req, socket, head).catch(() => socket.destroy());
    });
    this.#server.on('clientError', (error, socket) => this.#refuse(error, socket));
  }

  listen(port: number, host: string): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      // The kernel keeps as many waiting as it allows: in a worm's rush its neighbours must not be lost.
      const backlog = this.#parts.settings().connectionsMax;
      this.#server.listen({ port, host, backlog }, () => {
        this.#server.removeListener('error', reject);
        const address = this.#server.address();
        resolve(typeof address === 'object' && address !== null ? address.port : port);
      });
    });
  }

  /** Follows a reload. */
  applySettings(): void {
    const { allow, headerTimeoutMs } = this.#parts.settings();
    this.#allowed = new AddressList(allow);
    this.#server.headersTimeout = headerTimeoutMs;
  }

  /** Stops listening; tunnels end at once, and requests under way have `drainMs` to finish. */
  async close(drainMs: number): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    for (const tunnel of this.#tunnels) tunnel.destroy();
    const timer = setTimeout(() => {
      for (const socket of this.#sockets) socket.destroy();
    }, drainMs);
    await closed;
    clearTimeout(timer);
  }

  #take(socket: Socket): void {
    const { statistics, settings } = this.#parts;
    const { connectionsMax, sourceConnectionsMax } = settings();
    const client = normalizeAddress(socket.remoteAddress ?? '');
    const count = this.#counts.get(client) ?? 0;
    // An infected server may not take the connections that its neighbours need.
    if (this.#sockets.size >= connectionsMax || count >= sourceConnectionsMax) {
      statistics.add('egress_connections_refused');
      socket.destroy();
      return;
    }
    this.#sockets.add(socket);
    this.#counts.set(client, count + 1);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#forget(socket, client));
  }

  /** What Node's parser could not read, or not in time. */
  #refuse(error: Error & { readonly code?: string }, socket: Duplex): void {
    if (!socket.writable || error.code === 'ECONNRESET' || !(socket instanceof Socket)) {
      socket.destroy();
      return;
    }
    const refusal = unreadable[error.code ?? ''] ?? egressRefusals.malformed;
    const { statistics, nowMs, log } = this.#parts;
    const client = normalizeAddress(socket.remoteAddress ?? '');
    statistics.add(refusal.counter);
    const bytes = refuseTunnel(socket, refusal);
    const { status, error: word } = refusal;
    log({ client, atMs: nowMs(), requestLine: '', status, bytes, error: word });
  }

  #forget(socket: Socket, client: string): void {
    this.#sockets.delete(socket);
    const left = (this.#counts.get(client) ?? 0) - 1;
    if (left > 0) this.#counts.set(client, left);
    else this.#counts.delete(client);
  }

  /** One request of a connection after the other, so that it opens one connection to a host at a time. */
  #serveInTurn(req: IncomingMessage, res: ServerResponse): void {
    const { socket } = req;
    const line = this.#lines.get(socket) ?? { waiting: 0, tail: Promise.resolve() };
    this.#lines.set(socket, line);
    if (line.waiting >= pipelinedMax) {
      this.#parts.statistics.add('egress_connections_refused');
      socket.destroy();
      return;
    }
    line.waiting += 1;
    line.tail = line.tail
      .then(() => this.#serve(req, res))
      .then(() => untilOver(req, res))
      .catch(() => void socket.destroy())
      .finally(() => {
        line.waiting -= 1;
      });
  }

  async #serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const atMs = this.#parts.nowMs();
    const client = clientOf(req);
    this.#parts.statistics.add('egress_requests');
    const target = parseAbsolute(req.url ?? '');
    const log = (status: number | undefined, bytes: number, error?: string) => {
      this.#parts.log({ client, atMs, requestLine: lineOf(req), status, bytes, error });
    };
    const passage = await this.#admit(req, target);
    if (passage === undefined) return log(undefined, 0, 'client_gone');
    if ('status' in passage) {
      this.#parts.statistics.add(passage.counter);
      log(passage.status, refuseRequest(req, res, passage), passage.error);
      return;
    }
    if (target === undefined) return;
    sendOnward(req, res, { ...target, address: passage.address }, this.#parts, log);
  }

  async #connect(req: IncomingMessage, client: Duplex, head: Buffer): Promise<void> {
    const atMs = this.#parts.nowMs();
    const address = clientOf(req);
    this.#parts.statistics.add('egress_requests');
    const stopWatching = watchForEnd(client, this.#parts.settings().headerBytesMax);
    const log = (status: number | undefined, bytes: number, error?: string) => {
      this.#parts.log({ client: address, atMs, requestLine: lineOf(req), status, bytes, error });
    };
    const passage = await this.#admit(req, parseAuthority(req.url ?? ''));
    if (passage === undefined) return log(undefined, 0, 'client_gone');
    if ('status' in passage) {
      this.#parts.statistics.add(passage.counter);
      log(passage.status, refuseTunnel(client, passage), passage.error);
      return;
    }
    this.#tunnels.add(client);
    client.once('close', () => this.#tunnels.delete(client));
    tunnelTo({ client, head, stopWatching }, passage, this.#parts, log);
  }

  /** Where the request may go, once it may; a refusal; or undefined: the client has gone meanwhile. */
  async #admit(
    req: IncomingMessage,
    target: Target | undefined,
  ): Promise<Passage | EgressRefusal | undefined> {
    const { settings, resolver, statistics, sources } = this.#parts;
    const { allowPorts, allowPrivate, credentials } = settings();
    const client = clientOf(req);
    if (!this.#allowed.has(client)) return egressRefusals.client;
    if (credentials !== '' && !presents(req, credentials)) return egressRefusals.credentials;
    if (target === undefined) return egressRefusals.target;
    const { host, port } = target;
    if (!allowPorts.some(([first, last]) => port >= first && port <= last)) {
      return egressRefusals.port;
    }
    const resolution = await resolver.resolve(host, client);
    if (req.socket.destroyed) return undefined;
    if (!resolution.ok) return egressRefusals[resolution.reason];
    const address = firstAllowed(resolution.addresses, allowPrivate);
    if (address === undefined) return egressRefusals.private;
    const wish = { source: client, host: address };
    const admission = await awaitTurn(sources, wish, req.socket, () => {
      statistics.add('egress_delayed');
    });
    if (admission === 'gone') {
      statistics.add('egress_abandoned');
      return undefined;
    }
    return admission === 'passed' ? { host, port, address } : egressRefusals[admission];
  }
}

function clientOf(req: IncomingMessage): string {
  return normalizeAddress(req.socket.remoteAddress ?? '');
}

function lineOf(req: IncomingMessage): string {
  return `${req.method} ${req.url} HTTP/${req.httpVersion}`;
}

function presents(req: IncomingMessage, credentials: string): boolean {
  const expected = Buffer.from(credentials, 'latin1').toString('base64');
  // The name of a scheme has no case (RFC 9110 §11.1).
  const given = /^basic +(.*)$/i.exec(req.headers['proxy-authorization'] ?? '')?.[1] ?? '';
  return isSecret(given, expected);
}
