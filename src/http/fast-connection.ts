/**
 * One client connection on the fast path: its bytes, its waits and its end. Requests are read and
 * answered one after the other; fast-turn.ts decides about each. What is not ordinary takes the whole
 * connection to the front.
 */
import type { Socket } from 'node:net';
import type { StoredAnswer } from '../cache/entry.ts';
import { normalizeAddress } from '../config/address-list.ts';
import { type OriginFaultCode, originFaults } from '../upstream/faults.ts';
import { whenFlushed } from '../upstream/relay-client.ts';
import { isOverdue, type Wait } from '../upstream/waits.ts';
import { logRequest } from './exchange-log.ts';
import { type AnswersOwner, FastAnswers, writeRefusal } from './fast-answers.ts';
import { FastRequest } from './fast-request.ts';
import { type FastClient, takeTurn } from './fast-turn.ts';
import type { Lane, LaneConnection } from './lane.ts';
import { endBehindAnswer, endSlowly, linger } from './linger.ts';
import type { FrontParts } from './policy.ts';
import { type Refusal, refusals } from './refusals.ts';
import { refuseHead } from './refused-head.ts';
import { SiteMemory } from './site-memory.ts';
import { UnreadBytes } from './unread-bytes.ts';

/** A head in more pieces is left to the front, so that nobody makes us read it over and over. */
const headPiecesMax = 8;

/** As on the front: how long an answer may take to a client that has ended its sending side. */
const halfClosedMs = 500;

/** `#headTick` when no head is awaited: the connection is idle. */
const idle = -1;

export class FastConnection implements LaneConnection, AnswersOwner, FastClient {
  readonly socket: Socket;
  readonly parts: FrontParts;
  readonly #lane: Lane;
  readonly request: FastRequest;
  readonly memory: SiteMemory;
  /** Our side ends behind the answer in hand. */
  closesAfter = false;
  /** The client has not taken all that was written, and is being waited for. */
  #isBlocked = false;
  readonly #unread = new UnreadBytes();
  /** A request is in hand: the next is not read before it is answered. */
  #isBusy = false;
  /** The connection is ending, or is the front's: nothing is read any more. */
  #isOver = false;
  #isPaused = false;
  #isHalfClosed = false;
  #bodyWanted = false;
  /** No request has come yet: the first head may be late from the beginning. */
  #isFresh = true;
  /** When something last happened, and when the head that is awaited began; in ticks. */
  #activeTick: number;
  #headTick: number;
  #headPieces = 0;
  #answers: FastAnswers | undefined;
  /** A request is being read: who answers it at once need not read on. */
  #isTurning = false;
  #halfClosedTimer: NodeJS.Timeout | undefined;

  constructor(socket: Socket, lane: Lane) {
    this.socket = socket;
    this.parts = lane.parts;
    this.request = new FastRequest(lane.arrival);
    this.#lane = lane;
    // Asked for now, because a closed socket forgets its peer.
    this.memory = new SiteMemory(normalizeAddress(socket.remoteAddress ?? ''), lane);
    this.#activeTick = lane.tick;
    this.#headTick = lane.tick;
    socket.on('data', this.#onData);
    socket.on('end', this.#onEnd);
    socket.on('error', this.#onError);
    socket.on('close', this.#onClose);
  }

  /** Made when the first request is to be answered: a worm's connection needs none. */
  get answers(): FastAnswers {
    if (this.#answers === undefined) {
      this.socket.setNoDelay(true);
      this.#answers = new FastAnswers(this);
    }
    return this.#answers;
  }

  /** The head that began has not arrived whole. */
  awaitHead(): void {
    this.#headPieces += 1;
    if (this.#headPieces > headPiecesMax) this.handOver();
  }

  /** The first `byteCount` unread bytes are dealt with. */
  consume(byteCount: number): void {
    this.#isFresh = false;
    this.#unread.consume(byteCount);
    this.#noteHead();
  }

  /** A head is awaited from now on if it has begun. */
  #noteHead(): void {
    this.#headPieces = 0;
    if (this.#unread.length > 0) this.#headTick = this.#lane.tick;
    else if (!this.#isFresh) this.#headTick = idle;
  }

  /** Takes a request in hand that is to be relayed; its head has `headBytes`. */
  begin(headBytes: number, wantsClose: boolean): void {
    this.consume(headBytes);
    this.#isBusy = true;
    this.#bodyWanted = false;
    this.closesAfter = wantsClose || this.#lane.isClosing || this.parts.draining();
    if (this.#isHalfClosed) this.#limitHalfClosed();
  }

  /** Answers a request, whose head has `headBytes`, with what is stored for it. */
  hit(stored: StoredAnswer, headBytes: number, wantsClose: boolean): void {
    const { request, socket } = this;
    this.consume(headBytes);
    this.closesAfter = wantsClose || this.#lane.isClosing || this.parts.draining();
    request.bytes = this.answers.writeStored(stored, request.isHead, request.atMs);
    if (socket.writableLength > 0) {
      // It is over, and can be told of, when the client has taken it.
      this.#isBusy = true;
      this.#bodyWanted = false;
      this.answers.holdStored(stored.status, request.bytes);
      return this.whenTaken(() => this.onAnswered());
    }
    request.status = stored.status;
    logRequest(request, this.parts);
    if (this.closesAfter) return this.#end(false);
  }

  /** Closes without an answer. */
  slip(): void {
    this.#isOver = true;
    logRequest(this.request, this.parts);
    this.socket.destroy();
  }

  /** Answers by ourselves; `bodyBytes` of the request are unread or still to come. */
  refuse(refusal: Refusal, bodyBytes: number, keepsOpen: boolean): void {
    const { socket } = this;
    writeRefusal(this, refusal, keepsOpen);
    this.#isBusy = false;
    clearTimeout(this.#halfClosedTimer);
    this.#unread.skipLeft = bodyBytes;
    if (!keepsOpen) return this.#end(bodyBytes > 0);
    if (socket.writableLength > 0) this.whenTaken(() => this.#read());
  }

  /** Gives the connection to the front, with all unread bytes. */
  handOver(): false {
    const { socket } = this;
    const unread = { bytes: this.#unread.bytes, hasEnded: this.#isHalfClosed };
    this.#isOver = true;
    clearTimeout(this.#halfClosedTimer);
    socket.pause();
    socket.removeListener('data', this.#onData);
    socket.removeListener('end', this.#onEnd);
    socket.removeListener('error', this.#onError);
    socket.removeListener('close', this.#onClose);
    this.#lane.giveAway(this, unread);
    return false;
  }

  endIfIdle(): void {
    if (this.#isBusy || this.#isBlocked || this.#isOver) return;
    this.#isOver = true;
    endSlowly(this.socket, this.#sendTimeoutMs);
  }

  check(): void {
    if (this.#isOver) return;
    const { limits } = this.parts.policy().settings;
    const wait = this.#wait;
    const since = wait === 'head' ? this.#headTick : this.#activeTick;
    if (isOverdue(wait, this.#lane.tick - since, limits)) this.#giveUp(wait);
  }

  get #wait(): Wait {
    if (this.#isBlocked) return 'client';
    if (this.#isBusy) return this.answers.awaited;
    if (this.#unread.skipLeft > 0) return 'rest';
    return this.#headTick === idle ? 'next' : 'head';
  }

  #giveUp(wait: Wait): void {
    if (wait === 'head') this.#refuseHead('ERR_HTTP_REQUEST_TIMEOUT');
    else if (wait === 'body') this.#refuseBody();
    else if (this.#isBusy) this.answers.expire();
    else this.socket.destroy();
  }

  onActivity(): void {
    this.#activeTick = this.#lane.tick;
  }

  whenTaken(action: () => void): void {
    const { socket } = this;
    if (socket.writableLength === 0) return action();
    this.#isBlocked = true;
    // Node's own timer, because it sees the client take parts of what waits.
    socket.setTimeout(this.#sendTimeoutMs, this.#onSendTimeout);
    whenFlushed(socket, () => {
      if (socket.destroyed) return;
      this.#isBlocked = false;
      socket.setTimeout(0, this.#onSendTimeout);
      this.onActivity();
      action();
    });
  }

  onBodyWanted(): void {
    this.#bodyWanted = true;
    this.#feedBody();
  }

  onBodyDrained(): void {
    this.#feedBody();
  }

  onFault(code: OriginFaultCode): void {
    const { status, explanation, counter } = originFaults[code];
    this.refuse({ status, explanation, error: code, counter }, this.answers.bodyLeft, false);
  }

  onCutShort(isTimeout: boolean): void {
    this.parts.statistics.add(isTimeout ? 'origin_timeouts' : 'origin_aborts');
    this.request.error = isTimeout ? 'origin_timeout' : 'origin_cut_short';
    this.socket.destroy();
  }

  /** On to the next request, or the end. */
  onAnswered(): void {
    // What is left to do then is done when its end is reported.
    if (this.socket.destroyed) return;
    const { bodyLeft } = this.answers;
    this.#isBusy = false;
    clearTimeout(this.#halfClosedTimer);
    this.onActivity();
    this.#logRelayed();
    this.request.text = '';
    this.#unread.skipLeft = bodyLeft;
    if (this.closesAfter) return this.#end(bodyLeft > 0);
    if (!this.#isTurning) this.#read();
  }

  readonly #onData = (chunk: Buffer): void => {
    if (this.#isOver) return;
    // Empty lines between requests keep no idle connection alive.
    if (this.#isBusy || this.#unread.skipLeft > 0) this.#activeTick = this.#lane.tick;
    if (this.#headTick === idle) this.#headTick = this.#lane.tick;
    this.#unread.add(chunk);
    if (!this.#isBusy) this.#read();
    else if (this.#bodyWanted) this.#feedBody();
    else this.#balance();
  };

  /** Reads requests until one has to be waited for. */
  #read(): void {
    while (!this.#isBusy && !this.#isBlocked && !this.#isOver) {
      const { length } = this.#unread;
      this.#unread.skipToHead();
      if (this.#unread.length < length) this.#noteHead();
      if (this.#unread.length === 0) break;
      this.#isTurning = true;
      const isTaken = takeTurn(this, this.#unread.bytes);
      this.#isTurning = false;
      if (!isTaken) break;
    }
    if (this.#isOver) return;
    const isWaiting = !this.#isBusy && !this.#isBlocked;
    if (this.#isHalfClosed && isWaiting) this.#endUnread();
    else if (this.#lane.isClosing && isWaiting && this.#unread.length === 0) {
      this.#end(this.#unread.skipLeft > 0);
    } else this.#balance();
  }

  #feedBody(): void {
    const { bodyLeft } = this.answers;
    const { bytes } = this.#unread;
    if (bytes.length > 0 && bodyLeft > 0 && !this.answers.originIsFull) {
      const part = bytes.length <= bodyLeft ? bytes : bytes.subarray(0, bodyLeft);
      this.consume(part.length);
      this.answers.sendBody(part);
    }
    this.#balance();
  }

  /**
   * Reads on, or waits with that: while unread bytes wait behind a request in hand, nothing more is
   * read.
   */
  #balance(): void {
    const isInHand = this.#isBusy || this.#isBlocked;
    const isFull = isInHand && (this.#unread.length > 0 || this.#answers?.originIsFull === true);
    if (isFull === this.#isPaused) return;
    this.#isPaused = isFull;
    if (isFull) this.socket.pause();
    else this.socket.resume();
  }

  #refuseHead(code: string): void {
    const { memory, socket, parts } = this;
    this.#isOver = true;
    const head = {
      socket,
      arrival: this.#lane.arrival,
      peer: memory.peer,
      peerTrusted: memory.mayBeTrusted(parts.policy().sites),
      bytes: this.#unread.bytes,
      end: () => linger(socket),
    };
    refuseHead(code, head, parts);
  }

  /** The body of the request in hand is late: answers, or, too late for that, hangs up. */
  #refuseBody(): void {
    const { answers, request } = this;
    answers.abort();
    if (answers.status === undefined) {
      return this.refuse(refusals.lateBody, answers.bodyLeft, false);
    }
    request.error = refusals.lateBody.error;
    this.parts.statistics.add(refusals.lateBody.counter);
    this.socket.destroy();
  }

  /** Ends our side behind what was written. */
  #end(clientMaySend: boolean): void {
    const hasMore = clientMaySend || this.#unread.length > 0 || this.#isPaused;
    this.#isOver = true;
    this.#unread.clear();
    if (this.#isHalfClosed) endSlowly(this.socket, this.#sendTimeoutMs);
    else endBehindAnswer(this.socket, hasMore);
  }

  get #sendTimeoutMs(): number {
    return this.parts.policy().settings.limits.sendTimeoutMs;
  }

  readonly #onEnd = (): void => {
    if (this.#isOver) return;
    this.#isHalfClosed = true;
    const bodyMissing = this.#isBusy ? this.answers.bodyLeft - this.#unread.length : 0;
    if (this.#isBusy && bodyMissing <= 0) this.#limitHalfClosed();
    else if (this.#isBusy || this.#unread.skipLeft > 0) this.socket.destroy();
    else this.#endUnread();
  };

  #limitHalfClosed(): void {
    this.#halfClosedTimer = setTimeout(() => this.socket.destroy(), halfClosedMs);
  }

  /** The client has ended its side, in the middle of a head or not. */
  #endUnread(): void {
    if (this.#unread.length > 0) this.#refuseHead('HPE_INVALID_EOF_STATE');
    else this.#end(false);
  }

  readonly #onError = (): void => {
    this.socket.destroy();
  };

  readonly #onSendTimeout = (): void => {
    if (!this.#isOver && this.#isBlocked) this.onTooSlow();
  };

  onTooSlow(): void {
    this.request.error = 'send_timeout';
    this.parts.statistics.add('response_send_timeouts');
    this.socket.destroy();
  }

  readonly #onClose = (): void => {
    clearTimeout(this.#halfClosedTimer);
    if (this.#isBusy) this.#loseClient();
    this.#lane.forget(this);
  };

  /** The client went, or was sent away, before its answer was whole. */
  #loseClient(): void {
    const { request } = this;
    const { isCutting } = this.#lane;
    this.#isOver = true;
    this.answers.abort();
    if (request.error === undefined) {
      request.error = isCutting ? 'drained' : 'client_gone';
      if (!isCutting) this.parts.statistics.add('client_aborts');
    }
    this.#logRelayed();
  }

  /** Logs the request in hand, with as much of its answer as the relay has handed on. */
  #logRelayed(): void {
    this.request.status = this.answers.status;
    this.request.bytes = this.answers.contentBytes;
    logRequest(this.request, this.parts);
  }
}
