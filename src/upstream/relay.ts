/**
 * One request of the fast path on its way to an origin, and the answer on its way back, over raw
 * sockets: place at the origin, connection, one retry where that is safe, the next origin, a fault's
 * name. The counterpart of forward.ts. A relay belongs to one client connection and is used again for
 * each of its requests.
 */
import { AnswerScanner, answerHeadBytesMax } from './answer-head.ts';
import type { AnswerSink } from './answer-sink.ts';
import type { ConnectionUser, OriginConnection } from './connections.ts';
import { type OriginFaultCode, originFaultOf } from './faults.ts';
import { interimText } from './interim.ts';
import type { Origin } from './origin.ts';
import type { Awaited, RelayClient, RelayedRequest } from './relay-client.ts';
import { mayMove } from './retry.ts';
import { ascii } from './wire-grammar.ts';

/** One for all relays: a head is read in one go. */
const scanner = new AnswerScanner();

export class Relay implements ConnectionUser {
  #client: RelayClient;
  /** Undefined before the answer began. */
  #answer: AnswerSink | undefined;
  #request: RelayedRequest | undefined;
  /** Origins that have failed this request. */
  readonly #tried: Origin[] = [];
  /** The origin in use, at which `#hasPlace` may be true. */
  #origin: Origin | undefined;
  #hasPlace = false;
  #connection: OriginConnection | undefined;
  /** Leaves the queue, while waiting there. */
  #leaveQueue: (() => void) | undefined;
  #retriedStale = false;
  #bodyLeft = 0;
  #bodyBegun = false;
  /** The origin does not take more of the body now: wait for `onBodyDrained`. */
  originIsFull = false;
  /** An answer's head that has not arrived whole. */
  #partialHead: Buffer | undefined;
  /** The origin has said something. */
  #hasSpoken = false;
  /** An interim answer was passed on. */
  #hasAnswered = false;

  constructor(client: RelayClient) {
    this.#client = client;
  }

  /** The status of the answer that was begun; undefined before. */
  get status(): number | undefined {
    return this.#answer?.status;
  }

  /** Content bytes of the answer that were handed to the client. */
  get contentBytes(): number {
    return this.#answer?.contentBytes ?? 0;
  }

  /** How much of the request's body is still to be sent. */
  get bodyLeft(): number {
    return this.#bodyLeft;
  }

  /** Whose turn it is. */
  get awaited(): Awaited {
    if (this.#request === undefined) return 'nothing';
    if (this.#leaveQueue !== undefined) return 'place';
    if (this.#connection?.isConnected !== true) return 'connection';
    if (this.#bodyLeft > 0 && !this.originIsFull) return 'body';
    return this.#answer === undefined ? 'origin' : 'answer';
  }

  /** Begins to send a request; what becomes of it is told to the client's side. */
  start(request: RelayedRequest): void {
    this.#request = request;
    this.#tried.length = 0;
    this.#retriedStale = false;
    this.#hasAnswered = false;
    this.#bodyLeft = request.bodyBytes;
    this.#bodyBegun = false;
    this.#answer = undefined;
    this.#queueUp(request);
  }

  /** Somebody else is its client from now on. */
  handTo(client: RelayClient): void {
    this.#client = client;
  }

  /** Gives the request up: the client has gone, or was answered otherwise. */
  abort(): void {
    this.#connection?.abandon();
    this.#end();
  }

  /** Sends a part of the body, at most `bodyLeft` bytes; then `originIsFull` may be true. */
  sendBody(bytes: Buffer): void {
    this.#bodyBegun = true;
    this.#bodyLeft -= bytes.length;
    this.originIsFull = this.#connection?.socket.write(bytes) === false;
  }

  /** The origin took too long to accept a connection, to say something, or to have a place. */
  expire(): void {
    const { awaited } = this;
    if (awaited === 'place') return this.#failTry('origin_busy', true);
    this.#connection?.abandon();
    if (this.#answer !== undefined) return this.#cutShort(true);
    if (awaited === 'connection') return this.#failTry('origin_connect_timeout', true);
    this.#failTry('origin_timeout', false);
  }

  onConnect(): void {
    this.#client.onActivity();
    if (this.#request !== undefined) this.#send(this.#request);
  }

  onDrain(): void {
    if (!this.originIsFull) return;
    this.#client.onActivity();
    this.originIsFull = false;
    this.#client.onBodyDrained();
  }

  onBytes(bytes: Buffer, end: number): boolean {
    this.#client.onActivity();
    this.#hasSpoken = true;
    if (this.#answer !== undefined) {
      this.#answer.take(bytes, 0, end);
      return this.#afterBytes(this.#answer);
    }
    if (this.#partialHead === undefined) return this.#readHead(bytes, end);
    const joined = Buffer.concat([this.#partialHead, bytes.subarray(0, end)]);
    return this.#readHead(joined, joined.length);
  }

  onClosed(error: Error | undefined): void {
    const connection = this.#connection;
    this.#connection = undefined;
    if (this.#request === undefined || connection === undefined) return;
    const answer = this.#answer;
    if (answer !== undefined) {
      // Whole already; only the client is not done with it.
      if (answer.isOver) return;
      if (error !== undefined || !answer.endsWithConnection) return this.#cutShort(false);
      answer.finish();
      return this.#client.whenTaken(() => this.#finish());
    }
    const fault = originFaultOf(error);
    if (!connection.isConnected) return this.#failTry(fault, true, error);
    if (connection.isReused && !this.#hasSpoken) {
      // That it had gone stale says nothing about the origin.
      if (!this.#request.isRepeatable) return this.#fail(fault);
      if (!this.#retriedStale) {
        this.#retriedStale = true;
        this.#client.onRetry(false);
        return this.#connect(this.#request, true);
      }
    }
    this.#failTry(fault, false, error);
  }

  #queueUp(request: RelayedRequest): void {
    const origin = request.origins.choose(this.#tried);
    if (origin === undefined) return this.#fail('origin_unreachable');
    this.#enter(request, origin);
  }

  #enter(request: RelayedRequest, origin: Origin): void {
    this.#origin = origin;
    if (origin.queue.tryEnter(origin.connectionsMax)) {
      this.#hasPlace = true;
      return this.#connect(request, false);
    }
    const { originQueueMax } = request.limits;
    const bounds = { runningMax: origin.connectionsMax, waitingMax: originQueueMax };
    this.#client.onActivity();
    // Once it runs, its place is one like any other, given back by `leave` of the queue.
    this.#leaveQueue = origin.queue.enter(bounds, () => {
      this.#leaveQueue = undefined;
      this.#hasPlace = true;
      this.#connect(request, false);
    });
    if (this.#leaveQueue === undefined) this.#failTry('origin_busy', true);
  }

  #connect(request: RelayedRequest, fresh: boolean): void {
    const pool = this.#origin?.connections;
    if (pool === undefined) return;
    const connection = fresh ? pool.open() : pool.take();
    this.#client.onActivity();
    this.#connection = connection;
    this.#hasSpoken = false;
    this.#partialHead = undefined;
    connection.user = this;
    if (connection.isConnected) this.#send(request);
  }

  #send(request: RelayedRequest): void {
    this.#connection?.socket.write(request.head, 'latin1');
    this.originIsFull = false;
    if (this.#bodyLeft > 0) this.#client.onBodyWanted();
  }

  #readHead(bytes: Buffer, end: number): boolean {
    this.#partialHead = undefined;
    let at = 0;
    for (;;) {
      // Line ends before a head are what is left of an earlier message (RFC 9112 §2.2).
      while (at < end && (bytes[at] === ascii.lineFeed || bytes[at] === ascii.carriageReturn))
        at += 1;
      const reading = at === end ? 'incomplete' : scanner.read(bytes, at, end);
      const headBytes = (reading === 'whole' ? scanner.end : end) - at;
      if (reading === 'odd' || headBytes > answerHeadBytesMax) return this.#refuseAnswer();
      if (reading === 'incomplete') {
        this.#partialHead = Buffer.from(bytes.subarray(at, end));
        return true;
      }
      // A switch of protocols that nobody asked for.
      if (scanner.status === 101) return this.#refuseAnswer();
      if (scanner.status >= 200) break;
      const interim = interimText(scanner.status, scanner.rawHeaders(bytes));
      at = scanner.end;
      if (interim === '') continue;
      this.#hasAnswered = true;
      this.#client.writeInterim(interim);
      if (this.#client.isBehind()) return this.#holdHead(bytes.subarray(at, end));
    }
    return this.#begin(bytes, end);
  }

  #begin(bytes: Buffer, end: number): boolean {
    const request = this.#request;
    if (request === undefined) return false;
    this.#origin?.noteHead(scanner.status);
    const answer = this.#client.sinkFor(scanner, bytes);
    this.#answer = answer;
    answer.begin(scanner, bytes, end, request.isHead);
    return this.#afterBytes(answer);
  }

  /** The client has to take interim answers first; what follows them is read when it has. */
  #holdHead(rest: Buffer): false {
    this.#partialHead = Buffer.from(rest);
    const connection = this.#connection;
    this.#client.whenTaken(() => {
      const held = this.#partialHead;
      if (connection === undefined || this.#connection !== connection || held === undefined) return;
      if (this.#readHead(held, held.length)) connection.socket.resume();
    });
    return false;
  }

  /** Some of the answer was handed on: is it over, broken, or does the client not keep up? */
  #afterBytes(answer: AnswerSink): boolean {
    // Given up by whoever took it.
    if (this.#request === undefined) return false;
    const connection = this.#connection;
    if (answer.isBroken) {
      connection?.abandon();
      this.#cutShort(false);
      return false;
    }
    if (!this.#client.isBehind()) {
      if (answer.isOver) this.#finish();
      return true;
    }
    // What waits still lies in the connection's buffer: nothing may be read over it, nor may anybody
    // else use it, so the origin's place is held as well.
    this.#client.whenTaken(() => {
      if (this.#connection === connection) connection?.socket.resume();
      if (answer.isOver) this.#finish();
    });
    return false;
  }

  #refuseAnswer(): false {
    this.#connection?.abandon();
    this.#failTry('origin_garbage', false);
    return false;
  }

  /** The origin failed before its answer began: goes on to another where that is safe. */
  #failTry(fault: OriginFaultCode, isUnsent: boolean, error?: Error): void {
    const request = this.#request;
    const origin = this.#origin;
    if (request === undefined || origin === undefined) return;
    origin.noteFault(fault, error);
    this.#tried.push(origin);
    const failed = {
      ...{ fault, isUnsent, bodyBegun: this.#bodyBegun, isRepeatable: request.isRepeatable },
      hasAnswered: this.#hasAnswered,
      tries: this.#tried.length,
      ageMs: this.#client.nowMs() - request.atMs,
    };
    const next = mayMove(failed, request.limits) ? request.origins.choose(this.#tried) : undefined;
    if (next === undefined) return this.#fail(fault);
    this.#leavePlace();
    this.#connection = undefined;
    this.#retriedStale = false;
    this.#client.onRetry(true);
    this.#enter(request, next);
  }

  #fail(fault: OriginFaultCode): void {
    this.#end();
    this.#client.onFault(fault);
  }

  #cutShort(isTimeout: boolean): void {
    this.#origin?.noteCutShort(isTimeout);
    this.#end();
    this.#client.onCutShort(isTimeout);
  }

  /** The answer is over, and the client has it. */
  #finish(): void {
    const connection = this.#connection;
    const answer = this.#answer;
    const origin = this.#origin;
    if (answer !== undefined) origin?.noteWhole(answer.status);
    const isSent = this.#bodyLeft === 0 && !this.originIsFull;
    if (connection !== undefined && answer?.mayReuse === true && isSent) {
      origin?.connections.giveBack(connection, answer.idleMs(origin.idleMs));
    } else connection?.abandon();
    this.#end();
    this.#client.onAnswered();
  }

  #end(): void {
    this.#connection = undefined;
    this.#request = undefined;
    this.#partialHead = undefined;
    this.#leavePlace();
  }

  #leavePlace(): void {
    this.#leaveQueue?.();
    this.#leaveQueue = undefined;
    if (!this.#hasPlace) return;
    this.#hasPlace = false;
    this.#origin?.queue.leave();
  }
}
