/**
 * A listen address. New connections are the fast path's; what that hands over is served here, by
 * Fastify over node:http, which is complete and forgiving. Requests are taken at the
 * listener, before Fastify's router, which refuses some that a worm sends and some that an origin
 * would serve (targets that are not UTF-8); humble ones pass through Fastify to the origin.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { HostPort } from '../config/shape.ts';
import { type FastifyInstance, fastify, withoutSchemaCompilers } from '../fastify.ts';
import { listenKey } from '../upstream/origins.ts';
import { type Arrival, inTheClear, overHttp2, overTls } from './arrival.ts';
import { Connection, type Turn } from './connection.ts';
import { announcesBody, beginExchange, type Exchange } from './exchange.ts';
import { logExchange } from './exchange-log.ts';
import { FastPath } from './fast-path.ts';
import { handle, refuse } from './handle.ts';
import { Intake } from './intake.ts';
import type { ListenerRules } from './listeners.ts';
import type { FrontParts } from './policy.ts';
import { type Refusal, refusals } from './refusals.ts';
import { HeadOverflow, type RefusedHead, refuseHead } from './refused-head.ts';
import { sendOn } from './send-on.ts';
import type { Unread } from './unread-bytes.ts';
import { takeUpgrade } from './upgrade.ts';

/** How often Node looks for heads that are late, in milliseconds. */
const lateHeadCheckMs = 1000;

/**
 * A client that ends its sending side may still read (`printf … | nc`), or may be gone: nobody can
 * tell. An answer gets this long to be finished, in milliseconds; then the request is given up.
 */
const halfClosedMs = 500;

/** Of an address that a reload took away while the connection was on its way. */
const plainRules: ListenerRules = { proxyProtocol: false, tls: undefined };

const nothingRead: Unread = { bytes: Buffer.alloc(0), hasEnded: false };

/** Makes a socket the front's, with bytes that were read from it already. */
type Adopt = (socket: Socket, unread: Unread, arrival: Arrival) => void;

export class Front {
  readonly #address: HostPort;
  readonly #listen: string;
  readonly #parts: FrontParts;
  readonly #app: FastifyInstance;
  readonly #fastPaths = new Map<Arrival, FastPath>();
  readonly #intake: Intake;
  readonly #servers: Server[] = [];
  readonly #connections = new Map<Socket, Connection>();
  readonly #exchanges = new WeakMap<IncomingMessage, Exchange>();
  #adopt: Adopt = () => {};
  #closing = false;
  /** The drain's time is up: what ends now, we ended. */
  #cutting = false;

  constructor(address: HostPort, parts: FrontParts) {
    this.#address = address;
    this.#listen = listenKey(address);
    this.#parts = parts;
    this.#intake = new Intake(parts, this.#listen, (socket, arrival) =>
      this.#serve(socket, arrival),
    );
    this.#app = fastify({
      ...withoutSchemaCompilers,
      logger: false,
      // The router has one route; the target is never its business, nor is it ever decoded.
      rewriteUrl: () => '/',
      forceCloseConnections: false,
      // A request that was taken is answered by its origin, also while the server stops.
      return503OnClosing: false,
      serverFactory: (route) => this.#makeServer(route),
      clientErrorHandler: (error, socket) => this.#refuse(error, socket),
    });
    // Earlier than any body parsing or method check: every request that comes here goes to an origin.
    this.#app.addHook('onRequest', (request, answer, _done) => {
      answer.hijack();
      const exchange = this.#exchanges.get(request.raw);
      if (exchange?.site !== undefined) sendOn(exchange, exchange.site, answer.raw, this.#parts);
    });
  }

  /** Binds the address; rejects with the system's error, e.g. EADDRINUSE. */
  async listen(): Promise<void> {
    const { host, port } = this.#address;
    const { connectionsMax } = this.#parts.policy().settings.limits;
    // The kernel keeps as many waiting as it allows; Node would ask for 511 and lose those of a rush.
    await this.#app.listen({ host, port, backlog: connectionsMax });
    this.applyLimits();
  }

  /** Takes over limits that were reloaded. */
  applyLimits(): void {
    const { limits } = this.#parts.policy().settings;
    for (const server of this.#servers) {
      if (!this.#parts.sharesListeners) server.maxConnections = limits.connectionsMax;
      server.headersTimeout = limits.headerTimeoutMs;
      server.keepAliveTimeout = limits.keepAliveTimeoutMs;
    }
  }

  /** Stops accepting, lets answers under way finish for `drainMs`, then closes what is left. */
  async close(drainMs: number): Promise<void> {
    this.#closing = true;
    const closed = Promise.all([
      this.#app.close(),
      ...Array.from(this.#fastPaths.values(), (fastPath) => fastPath.close(drainMs)),
      this.#intake.close(drainMs),
    ]);
    for (const connection of this.#connections.values()) {
      if (connection.current === undefined) connection.socket.destroySoon();
    }
    const timer = setTimeout(() => {
      this.#cutting = true;
      for (const socket of this.#connections.keys()) socket.destroy();
    }, drainMs);
    await closed;
    // Upgraded connections are no longer the server's, but their log lines are still to come.
    const ends = [...this.#connections.keys()].map(
      (socket) => new Promise((resolve) => socket.once('close', resolve)),
    );
    await Promise.all(ends);
    clearTimeout(timer);
  }

  #makeServer(route: (req: IncomingMessage, res: ServerResponse) => void): Server {
    const { limits } = this.#parts.policy().settings;
    const server = createServer({
      maxHeaderSize: limits.headerBytesMax,
      headersTimeout: limits.headerTimeoutMs,
      // A long upload is not a slow one: pauses are limited instead, by BodyTimeout.
      requestTimeout: 0,
      keepAliveTimeout: limits.keepAliveTimeoutMs,
      connectionsCheckingInterval: lateHeadCheckMs,
      requireHostHeader: false,
      // Set where answers are relayed: a worm's connection would pay a system call for nothing.
      noDelay: false,
    });
    // Node would cut a longer header list short in silence; handle.ts counts and refuses.
    server.maxHeadersCount = 0;
    // Node would give up a request at once when its client ends the sending side.
    Object.assign(server, { httpAllowHalfOpen: true });
    this.#openLanes(server);
    server.on('drop', () => this.#parts.statistics.add('connections_refused'));
    const take = (req: IncomingMessage, res: ServerResponse) =>
      this.#take(req, res, () => route(req, res));
    server.on('request', take);
    server.on('checkContinue', take);
    server.on('checkExpectation', take);
    server.on('upgrade', (req: IncomingMessage, socket: Socket, head: Buffer) =>
      this.#switch(req, socket, head),
    );
    server.on('connect', (req: IncomingMessage, socket: Socket, head: Buffer) =>
      this.#switch(req, socket, head),
    );
    server.on('timeout', (socket) => this.#timedOut(socket));
    this.#servers.push(server);
    return server;
  }

  /** Puts the fast path before a server's own parser, which gets what that hands over. */
  #openLanes(server: Server): void {
    const [parse] = server.listeners('connection');
    if (parse === undefined) throw new Error('the server has no parser');
    server.removeAllListeners('connection');
    this.#adopt = (socket, { bytes, hasEnded }, arrival) => {
      if (bytes.length > 0 && !hasEnded) socket.unshift(bytes);
      parse.call(server, socket);
      this.#listenIn(socket, arrival);
      socket.resume();
      if (!hasEnded) return;
      // The stream itself will not say these again.
      socket.emit('data', bytes);
      socket.emit('end');
    };
    for (const arrival of [inTheClear, overTls, overHttp2]) {
      const handOver = (socket: Socket, unread: Unread) => this.#adopt(socket, unread, arrival);
      const fastPath = new FastPath(this.#parts, this.#listen, arrival, handOver);
      this.#fastPaths.set(arrival, fastPath);
    }
    server.on('connection', (socket) => this.#accept(socket));
  }

  #accept(socket: Socket): void {
    const { totals } = this.#parts.statistics;
    const { settings, listeners } = this.#parts.policy();
    // All listen addresses together; the server's own maxConnections knows of one only.
    const isFull = totals.connections - totals.connections_closed >= settings.limits.connectionsMax;
    // Without a peer: it has gone again, and nobody could say whose request it was.
    if (isFull || socket.remoteAddress === undefined) {
      totals.connections_refused += 1;
      socket.destroy();
      return;
    }
    totals.connections += 1;
    this.#intake.take(socket, listeners.get(this.#listen) ?? plainRules);
  }

  /** Gives a connection, or a stream of one, to the lane that it begins on. */
  #serve(socket: Socket, arrival: Arrival): void {
    if (this.#parts.policy().settings.fastPath) this.#fastPaths.get(arrival)?.take(socket);
    else this.#adopt(socket, nothingRead, arrival);
  }

  /** Follows a connection that is the front's now, or is so again. */
  #listenIn(socket: Socket, arrival: Arrival): void {
    const known = this.#connections.get(socket);
    if (known !== undefined) {
      known.tapAgain();
      return;
    }
    const { statistics } = this.#parts;
    const { limits } = this.#parts.policy().settings;
    socket.setNoDelay(true);
    const overflow = () => this.#refuse(new HeadOverflow(), socket);
    const connection = new Connection(socket, arrival, limits.headerBytesMax, overflow);
    this.#connections.set(socket, connection);
    let halfClosed: NodeJS.Timeout | undefined;
    socket.once('end', () => {
      if (this.#connections.get(socket)?.current === undefined) return;
      halfClosed = setTimeout(() => socket.destroy(), halfClosedMs);
    });
    socket.once('close', () => {
      clearTimeout(halfClosed);
      this.#connections.delete(socket);
      if (arrival.countsEnd) statistics.add('connections_closed');
    });
  }

  #take(req: IncomingMessage, res: ServerResponse, route: () => void): void {
    const connection = this.#connections.get(req.socket);
    if (connection === undefined || connection.isBroken) return;
    const exchange = this.#begin(req, connection);
    const start = (isBroken: boolean) => {
      // Before the connection goes on to what is logged next.
      res.prependOnceListener('close', () => this.#finish(exchange, res, connection));
      if (this.#closing) res.shouldKeepAlive = false;
      // Counted and screened like all others, whatever has become of its body meanwhile.
      const breakOff = () => {
        this.#parts.statistics.add('requests_forwarded');
        refuse(exchange, res, refusals.brokenBody, this.#parts);
      };
      if (isBroken) return handle(exchange, res, this.#parts, breakOff);
      const { limits } = this.#parts.policy().settings;
      const waitsForBody = announcesBody(exchange.fields);
      req.socket.setTimeout(waitsForBody ? limits.bodyTimeoutMs : limits.sendTimeoutMs);
      if (waitsForBody) req.once('end', () => req.socket.setTimeout(limits.sendTimeoutMs));
      handle(exchange, res, this.#parts, route);
    };
    connection.takeTurn({ req, res, start });
  }

  #begin(req: IncomingMessage, connection: Connection): Exchange {
    const exchange = beginExchange(req, connection, this.#listen, this.#parts);
    this.#exchanges.set(req, exchange);
    return exchange;
  }

  #finish(exchange: Exchange, res: ServerResponse, connection: Connection): void {
    if (!res.writableFinished && exchange.error === undefined && exchange.match?.mark !== 'slip') {
      exchange.error = this.#cutting ? 'drained' : 'client_gone';
      if (!this.#cutting) this.#parts.statistics.add('client_aborts');
    }
    if (res.headersSent) exchange.status = res.statusCode;
    logExchange(exchange, this.#parts);
    if (this.#closing) connection.afterTurns(() => connection.socket.destroySoon());
  }

  #switch(req: IncomingMessage, socket: Socket, head: Buffer): void {
    const connection = this.#connections.get(socket);
    if (connection === undefined || connection.isBroken) {
      socket.destroy();
      return;
    }
    const exchange = this.#begin(req, connection);
    connection.tap.stop();
    const relayDrain = () => connection.current?.res.emit('drain');
    socket.on('drain', relayDrain);
    connection.afterTurns(() => {
      socket.removeListener('drain', relayDrain);
      takeUpgrade(exchange, connection, head, this.#parts, (bytes) =>
        this.#adopt(socket, { bytes, hasEnded: false }, connection.arrival),
      );
    });
  }

  #refuse(error: Error, stream: Duplex): void {
    const connection = stream instanceof Socket ? this.#connections.get(stream) : undefined;
    if (connection === undefined) {
      stream.destroy();
      return;
    }
    if (connection.isBroken) return;
    const code = 'code' in error ? String(error.code) : '';
    const { unfinished, socket } = connection;
    const isGrammar = code.startsWith('HPE_') || code === 'ERR_HTTP_REQUEST_TIMEOUT';
    // A client that goes away in the middle of a body is no fault of grammar.
    if (!isGrammar || (unfinished !== undefined && code === 'HPE_INVALID_EOF_STATE')) {
      socket.destroy();
      return;
    }
    connection.giveUpReading();
    // Behind a request that ends the connection nothing counts (RFC 9112 §9.6), nor is it wrong.
    if (code === 'HPE_CLOSED_CONNECTION') return;
    if (unfinished === undefined) {
      connection.afterTurns(() => refuseHead(code, this.#headOf(connection), this.#parts));
    } else if (unfinished.res.writableEnded) {
      // Answered already, in spite of its body or because of its head.
      connection.afterTurns(() => connection.end());
    } else if (unfinished === connection.current) {
      this.#refuseBody(unfinished, refusals.brokenBody);
    }
    // A turn that waits is refused when it comes.
  }

  #headOf(connection: Connection): RefusedHead {
    const { socket, peer, tap } = connection;
    return {
      socket,
      arrival: connection.arrival,
      peer,
      peerTrusted: this.#parts.policy().sites.trustedProxies(this.#listen).has(peer),
      bytes: tap.refusedBytes(),
      end: () => connection.end(),
    };
  }

  /** The body of the request in hand is late or broken: answers, or, too late for that, hangs up. */
  #refuseBody({ req, res }: Turn, refusal: Refusal): void {
    const exchange = this.#exchanges.get(req);
    if (exchange === undefined) return;
    if (!res.headersSent) return refuse(exchange, res, refusal, this.#parts);
    exchange.error = refusal.error;
    if (refusal.counter !== undefined) this.#parts.statistics.add(refusal.counter);
    req.socket.destroy();
  }

  #timedOut(socket: Socket): void {
    const current = this.#connections.get(socket)?.current;
    const exchange = current && this.#exchanges.get(current.req);
    if (current === undefined || exchange === undefined) {
      socket.destroy();
      return;
    }
    const { req, res } = current;
    if (!req.complete && req.readableFlowing) return this.#refuseBody(current, refusals.lateBody);
    if (res.writableLength > 0) {
      exchange.error = 'send_timeout';
      this.#parts.statistics.add('response_send_timeouts');
      socket.destroy();
      return;
    }
    // The client waits for the origin, whose own timeouts hold.
    socket.setTimeout(this.#parts.policy().settings.limits.sendTimeoutMs);
  }
}
