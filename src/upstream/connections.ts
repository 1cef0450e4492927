/**
 * Kept-alive connections of the fast path to one origin, used last in, first out, so that few are
 * enough and those stay warm. Reads into one buffer a connection, which its user has to be done with
 * before the next read. How many there may be at once is the origin queue's business.
 */
import type { Socket } from 'node:net';
import type { OriginLink } from './origin-link.ts';

/** What one read can hold, in bytes. */
const readBytes = 65_536;

/** How often idle connections are looked at, in milliseconds. */
const idleCheckMs = 1000;

/** Whoever sends a request on a connection and reads the answer. */
export interface ConnectionUser {
  /** The connection stands. */
  onConnect(): void;
  /**
   * bytes[0, end) arrived; they are overwritten by the next read. False: read no further until
   * `socket.resume()`.
   */
  onBytes(bytes: Buffer, end: number): boolean;
  /** What was written has gone out. */
  onDrain(): void;
  /** The origin has ended the connection, or it broke; `error` says how, if it did. */
  onClosed(error: Error | undefined): void;
}

export class OriginConnection {
  readonly socket: Socket;
  user: ConnectionUser | undefined;
  isConnected = false;
  /** It has carried a request before: the origin may have given it up without our knowing. */
  isReused = false;
  /** How many idle checks it has to live. */
  checksLeft = 0;
  #error: Error | undefined;

  constructor(link: OriginLink, onGone: (connection: OriginConnection) => void) {
    const buffer = Buffer.allocUnsafeSlow(readBytes);
    this.socket = link.open({ buffer, callback: (count) => this.#read(buffer, count) });
    this.socket.on(link.tls === undefined ? 'connect' : 'secureConnect', () => {
      this.isConnected = true;
      this.user?.onConnect();
    });
    this.socket.on('drain', () => this.user?.onDrain());
    this.socket.on('error', (error) => {
      this.#error = error;
    });
    // An origin that ends its side has said all it will say.
    this.socket.on('end', () => this.#close(onGone));
    this.socket.on('close', () => this.#close(onGone));
  }

  #read(buffer: Buffer, count: number): boolean {
    if (this.user !== undefined) return this.user.onBytes(buffer, count);
    // Nobody asked: whoever got this connection next would take it for an answer.
    this.socket.destroy();
    return false;
  }

  #close(onGone: (connection: OriginConnection) => void): void {
    onGone(this);
    const { user } = this;
    this.user = undefined;
    this.socket.destroy();
    user?.onClosed(this.#error);
  }

  /** Gives the connection up, without telling its user. */
  abandon(): void {
    this.user = undefined;
    this.socket.destroy();
  }
}

export class ConnectionPool {
  readonly #link: OriginLink;
  readonly #idle: OriginConnection[] = [];
  /** How many idle connections are kept. */
  idleMax = 0;
  #retired = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(link: OriginLink) {
    this.#link = link;
  }

  get hasIdle(): boolean {
    return this.#idle.length > 0;
  }

  /** An idle connection, or a new one that does not stand yet. */
  take(): OriginConnection {
    return this.#idle.pop() ?? this.open();
  }

  /** A new connection, whatever is idle: for a retry after a kept-alive one had gone stale. */
  open(): OriginConnection {
    return new OriginConnection(this.#link, this.#forget);
  }

  /** Takes a connection back whose answer was read whole; it is kept for `idleMs` at most. */
  giveBack(connection: OriginConnection, idleMs: number): void {
    connection.user = undefined;
    if (connection.socket.destroyed) return;
    const isUnwanted = this.#retired || this.#idle.length >= this.idleMax || idleMs <= 0;
    if (isUnwanted || this.#link.addresses.isStray(connection.socket)) {
      connection.socket.destroy();
      return;
    }
    connection.isReused = true;
    connection.checksLeft = Math.ceil(idleMs / idleCheckMs);
    this.#idle.push(connection);
    this.#timer ??= setInterval(() => this.#checkIdle(), idleCheckMs).unref();
  }

  /** Lets idle connections go at once, and those in use when their answer is over. */
  retire(): void {
    this.#retired = true;
    for (const connection of this.#idle.splice(0)) connection.socket.destroy();
    this.#stopTimer();
  }

  /** Lets idle connections go that lead to an address which is no longer the origin's. */
  dropStrays(): void {
    const { addresses } = this.#link;
    const strays = this.#idle.filter(({ socket }) => addresses.isStray(socket));
    for (const { socket } of strays) socket.destroy();
    for (const connection of strays) this.#forget(connection);
  }

  readonly #forget = (connection: OriginConnection): void => {
    const index = this.#idle.lastIndexOf(connection);
    if (index >= 0) this.#idle.splice(index, 1);
  };

  #checkIdle(): void {
    const expired = this.#idle.filter((connection) => {
      connection.checksLeft -= 1;
      return connection.checksLeft <= 0;
    });
    for (const connection of expired) connection.socket.destroy();
    for (const connection of expired) this.#forget(connection);
    if (this.#idle.length === 0) this.#stopTimer();
  }

  #stopTimer(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
