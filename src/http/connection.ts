/**
 * One client connection: its raw bytes as far as the request lines need them, its turns, and its end.
 * Pipelined requests are handled one after the other, so that answers keep their order and an unsafe
 * request never overtakes the one before it (RFC 9112 §9.3.2).
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { normalizeAddress } from '../config/address-list.ts';
import type { Arrival } from './arrival.ts';
import { linger, mayBeOnItsWay } from './linger.ts';
import { RequestTap } from './request-tap.ts';

/** Requests that may wait on one connection before it is read no further. */
const waitingMax = 64;

/** One request and its answer, waiting or in hand. */
export interface Turn {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  /** Begins to handle it; `isBroken`: its body already broke the grammar while it was waiting. */
  readonly start: (isBroken: boolean) => void;
}

export class Connection {
  readonly socket: Socket;
  readonly arrival: Arrival;
  /** The peer's address, kept because a closed socket forgets it. */
  readonly peer: string;
  readonly #headBytesMax: number;
  readonly #onOverflow: () => void;
  #tap: RequestTap;
  #current: Turn | undefined;
  #latest: Turn | undefined;
  #paused = false;
  #ending = false;
  #broken = false;
  readonly #waiting: Turn[] = [];
  #afterTurns: (() => void) | undefined;

  /** `onOverflow`: a head, or a line within a body, is longer than `headBytesMax`. */
  constructor(socket: Socket, arrival: Arrival, headBytesMax: number, onOverflow: () => void) {
    this.socket = socket;
    this.arrival = arrival;
    this.peer = normalizeAddress(socket.remoteAddress ?? '');
    this.#headBytesMax = headBytesMax;
    this.#onOverflow = onOverflow;
    this.#tap = new RequestTap(socket, headBytesMax, onOverflow);
    // Header lines are latin1 texts; Node would write a head that has no body yet as UTF-8.
    socket.setDefaultEncoding('latin1');
    // Node's own listener goes when the connection is upgraded.
    socket.on('error', () => socket.destroy());
    // Node closes a connection with this once the last answer is sent, whatever the client is doing.
    const closeAtOnce = socket.destroySoon.bind(socket);
    socket.destroySoon = () => {
      if (this.#clientMaySend() || mayBeOnItsWay(socket)) return this.end();
      this.#ending = true;
      closeAtOnce();
    };
  }

  get tap(): RequestTap {
    return this.#tap;
  }

  /** Begins to listen in afresh, after the connection was handed back to the parser. */
  tapAgain(): void {
    this.#tap = new RequestTap(this.socket, this.#headBytesMax, this.#onOverflow);
  }

  /** The turn in hand; undefined when the connection is idle. */
  get current(): Turn | undefined {
    return this.#current;
  }

  /** The turn whose body is still arriving; it may be one that waits. */
  get unfinished(): Turn | undefined {
    return this.#latest?.req.complete === false ? this.#latest : undefined;
  }

  /** Calls `turn.start` when all earlier requests of this connection are answered. */
  takeTurn(turn: Turn): void {
    if (this.#broken || this.#ending) return;
    this.#latest = turn;
    turn.res.once('close', () => this.#finished(turn));
    if (this.#current === undefined) return this.#begin(turn);
    this.#waiting.push(turn);
    if (this.#waiting.length === waitingMax) this.#pause();
  }

  #begin(turn: Turn): void {
    this.#current = turn;
    turn.start(this.#broken && turn === this.unfinished);
  }

  #finished(turn: Turn): void {
    if (turn !== this.#current) return;
    this.#current = undefined;
    if (turn === this.#latest && turn.req.complete) this.#latest = undefined;
    if (this.#ending || this.socket.destroyed) return;
    const next = this.#waiting.shift();
    if (this.#paused && this.#waiting.length < waitingMax) {
      this.#paused = false;
      this.socket.resume();
    }
    if (next !== undefined) return this.#begin(next);
    this.#afterTurns?.();
    this.#afterTurns = undefined;
  }

  #pause(): void {
    this.#paused = true;
    // Later than the parser, which goes on reading at the end of every request.
    process.nextTick(() => {
      if (this.#paused) this.socket.pause();
    });
  }

  /** Calls `action` once every request taken so far is answered: at once when the connection is idle. */
  afterTurns(action: () => void): void {
    if (this.#current === undefined) action();
    else this.#afterTurns = action;
  }

  /** True since the parser gave up; it would report the same fault again for every packet. */
  get isBroken(): boolean {
    return this.#broken;
  }

  /** The parser gave up: what still arrives has no meaning. */
  giveUpReading(): void {
    this.#broken = true;
    this.socket.removeAllListeners('data');
    this.socket.once('end', () => this.socket.destroy());
  }

  #clientMaySend(): boolean {
    return this.#broken || this.unfinished !== undefined;
  }

  /** Ends our side of the connection behind what is written, and serves nothing more on it. */
  end(): void {
    if (this.#ending) return;
    this.#ending = true;
    linger(this.socket);
  }
}
