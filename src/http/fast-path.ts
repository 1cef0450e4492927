/**
 * The fast path: ordinary requests are read from the socket, judged and relayed without the web
 * framework. Whatever is not ordinary goes to the front, socket and unread bytes together, for the
 * rest of that connection. Here are the connections of one listen address
 * that arrive alike, as a whole: their clock,
 * their bounds, their end; fast-connection.ts has the life of one.
 */
import type { Socket } from 'node:net';
import { tickMs } from '../upstream/waits.ts';
import type { Arrival } from './arrival.ts';
import { FastConnection } from './fast-connection.ts';
import type { Lane, LaneConnection } from './lane.ts';
import type { FrontParts } from './policy.ts';
import type { Unread } from './unread-bytes.ts';

export class FastPath implements Lane {
  readonly parts: FrontParts;
  readonly listen: string;
  readonly arrival: Arrival;
  tick = 0;
  isClosing = false;
  isCutting = false;
  readonly #handOver: (socket: Socket, unread: Unread) => void;
  readonly #connections = new Set<LaneConnection>();
  /** Runs while there are connections. */
  #timer: NodeJS.Timeout | undefined;
  #onEmpty: () => void = () => {};

  /** `handOver` takes a socket together with what was read from it. */
  constructor(
    parts: FrontParts,
    listen: string,
    arrival: Arrival,
    handOver: (socket: Socket, unread: Unread) => void,
  ) {
    this.parts = parts;
    this.listen = listen;
    this.arrival = arrival;
    this.#handOver = handOver;
  }

  /** Takes a new client connection. */
  take(socket: Socket): void {
    this.#timer ??= setInterval(() => this.#onTick(), tickMs).unref();
    const connection = new FastConnection(socket, this);
    this.#connections.add(connection);
    if (this.isClosing) connection.endIfIdle();
  }

  forget(connection: LaneConnection): void {
    if (this.arrival.countsEnd) this.parts.statistics.totals.connections_closed += 1;
    this.#remove(connection);
  }

  giveAway(connection: LaneConnection, unread: Unread): void {
    this.#handOver(connection.socket, unread);
    this.#remove(connection);
  }

  #remove(connection: LaneConnection): void {
    this.#connections.delete(connection);
    if (this.#connections.size === 0) this.#onEmpty();
  }

  /** Ends idle connections, and the others behind their answers; after `drainMs` all that are left. */
  async close(drainMs: number): Promise<void> {
    this.isClosing = true;
    for (const connection of this.#connections) connection.endIfIdle();
    const timer = setTimeout(() => {
      this.isCutting = true;
      for (const connection of this.#connections) connection.socket.destroy();
    }, drainMs);
    if (this.#connections.size > 0) {
      await new Promise<void>((resolve) => {
        this.#onEmpty = resolve;
      });
    }
    clearTimeout(timer);
  }

  #onTick(): void {
    this.tick += 1;
    for (const connection of this.#connections) connection.check();
    if (this.#connections.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
