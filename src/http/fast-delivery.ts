/**
 * The request in hand on a connection of the fast path, answered by the cache: from the store, or as the
 * origin's answer arrives there. The counterpart of front-delivery.ts. Used again for each request.
 */
import type { Socket } from 'node:net';
import { answerFrom } from '../cache/answer.ts';
import type { StoredAnswer } from '../cache/entry.ts';
import type { BypassDetail, Forward } from '../cache/lookup.ts';
import type { AnswerReader, ArrivingAnswer } from '../delivery/arriving-answer.ts';
import type {
  DeliveryRequest,
  Fetched,
  HeadEdit,
  Recipient,
  WaitingRoom,
  Watched,
} from '../delivery/recipient.ts';
import { writeTogether } from '../upstream/answer-relay.ts';
import type { OriginFaultCode } from '../upstream/faults.ts';
import { linesText } from '../upstream/hop-by-hop.ts';
import type { Relay } from '../upstream/relay.ts';
import type { Awaited, RelayClient, RelayedRequest } from '../upstream/relay-client.ts';
import {
  type AddedLines,
  arrivingHead,
  cacheStatusLine,
  needsWhole,
  storedHead,
} from './delivered-head.ts';

/** The connection, as it serves a delivery. */
export interface DeliveryConnection extends RelayClient, AddedLines {
  readonly socket: Socket;
  /** A relay that has nothing to do. */
  lendRelay(): Relay | undefined;
  /** Takes a relay over whose answer is for this connection alone. */
  adopt(relay: Relay): RelayClient;
  /** Sends the request on by itself. */
  sendAlone(request: RelayedRequest, watched: Watched | undefined): void;
  refuseUncached(): void;
  /** How the request in hand is answered. */
  noteCache(forward: Forward | 'hit'): void;
  /** The client does not take its answer as fast as others who read the same. */
  onTooSlow(): void;
}

export class FastDelivery implements Recipient, AnswerReader {
  readonly #connection: DeliveryConnection;
  #request: DeliveryRequest | undefined;
  forward: Forward = 'uri-miss';
  bypassDetail: BypassDetail | undefined;
  isCollapsed = false;
  isLoner = false;
  room: WaitingRoom | undefined;
  needsWhole = false;
  /** As of the answer that was begun. */
  status: number | undefined;
  contentBytes = 0;
  #arriving: ArrivingAnswer | undefined;
  #isChunked = false;
  #isBlocked = false;

  constructor(connection: DeliveryConnection) {
    this.#connection = connection;
  }

  /** Nothing that the connection would have to keep the time of. */
  readonly awaited: Awaited = 'nothing';
  readonly bodyLeft = 0;
  readonly originIsFull = false;
  sendBody(): void {}
  expire(): void {}

  get idleRelay(): Relay | undefined {
    return this.#connection.lendRelay();
  }

  get request(): DeliveryRequest {
    if (this.#request === undefined) throw new Error('no request is in hand');
    return this.#request;
  }

  start(request: DeliveryRequest): void {
    this.#request = request;
    this.room = undefined;
    this.isLoner = false;
    this.needsWhole = !request.isPlain && needsWhole(request);
    this.status = undefined;
    this.contentBytes = 0;
    this.#arriving = undefined;
    this.#isBlocked = false;
  }

  /** An answer was written without it. */
  hold(status: number, contentBytes: number): void {
    this.#request = undefined;
    this.room = undefined;
    this.#arriving = undefined;
    this.status = status;
    this.contentBytes = contentBytes;
  }

  /** The client has gone. */
  abort(): void {
    this.#arriving?.leave(this);
    this.#arriving = undefined;
    this.room?.leave(this);
    this.room?.noteLeft();
    this.room = undefined;
  }

  onStored(stored: StoredAnswer, fetched: Fetched | undefined): void {
    const nowMs = this.#connection.nowMs();
    this.#connection.noteCache(fetched === undefined ? 'hit' : this.forward);
    const client = answerFrom(stored, this.request, nowMs);
    this.status = client.status;
    this.contentBytes = client.bodyEnd - client.bodyStart;
    const status = cacheStatusLine(this, stored, fetched, this.#connection);
    const head = storedHead(stored, client, fetched, this.#connection, status);
    const { bodyStart, bodyEnd } = client;
    writeTogether(this.#connection.socket, head, stored.body, bodyStart, bodyEnd);
    this.#finish();
  }

  onArriving(answer: ArrivingAnswer, fetched: Fetched): void {
    const { head } = answer;
    this.#connection.noteCache(this.forward);
    this.#arriving = answer;
    this.status = head.status;
    const hasBody = head.status !== 204 && head.status !== 304;
    this.#isChunked = hasBody && head.contentLength < 0;
    answer.join(this);
    const status = cacheStatusLine(this, undefined, fetched, this.#connection);
    const text = arrivingHead(head, this.#isChunked, this.#connection, status);
    this.#connection.socket.cork();
    this.#connection.socket.write(text, 'latin1');
    this.onProgress();
    this.#connection.socket.uncork();
  }

  takeOver(relay: Relay, fetched: Fetched): RelayClient {
    const connection = this.#connection;
    connection.noteCache(this.forward);
    connection.cacheStatusLine = cacheStatusLine(this, undefined, fetched, connection);
    return connection.adopt(relay);
  }

  onAlone(): void {
    const connection = this.#connection;
    connection.noteCache(this.forward);
    connection.cacheStatusLine = cacheStatusLine(this, undefined, undefined, connection);
    const { origins, originHead, limits, method, watched } = this.request;
    const isHead = method === 'HEAD';
    const atMs = connection.nowMs();
    const head = originHead(asItIs);
    const request = { origins, head, isHead, isRepeatable: true, bodyBytes: 0, limits, atMs };
    // What is stored could not have answered a HEAD that was kept from it.
    const isTelling = isHead && this.bypassDetail === undefined;
    connection.sendAlone(request, isTelling ? watched : undefined);
  }

  onOnlyIfCached(): void {
    this.#connection.refuseUncached();
  }

  onFault(code: OriginFaultCode): void {
    this.#connection.onFault(code);
  }

  onInterim(text: string): void {
    // Hints are optional: who does not keep up goes without.
    if (!this.#connection.isBehind()) this.#connection.writeInterim(text);
  }

  onCutShort(isTimeout: boolean): void {
    this.#arriving = undefined;
    this.#connection.onCutShort(isTimeout);
  }

  onTooSlow(): void {
    this.#arriving = undefined;
    this.#connection.onTooSlow();
  }

  onProgress(): void {
    const answer = this.#arriving;
    const { socket } = this.#connection;
    if (answer === undefined || this.#isBlocked) return;
    const piece = answer.read(this);
    this.contentBytes += piece.length;
    if (this.#isChunked && piece.length > 0) {
      socket.cork();
      socket.write(`${piece.length.toString(16)}\r\n`, 'latin1');
      socket.write(piece);
      socket.write('\r\n', 'latin1');
      socket.uncork();
    } else if (piece.length > 0) socket.write(piece);
    if (answer.isOver) return this.#endArriving(answer);
    if (!this.#connection.isBehind()) return;
    this.#isBlocked = true;
    this.#connection.whenTaken(() => {
      this.#isBlocked = false;
      this.onProgress();
    });
  }

  #endArriving(answer: ArrivingAnswer): void {
    if (this.#isChunked) {
      this.#connection.socket.write(`0\r\n${linesText(answer.trailers)}\r\n`, 'latin1');
    }
    this.#arriving = undefined;
    answer.leave(this);
    this.#finish();
  }

  #finish(): void {
    this.room = undefined;
    this.#connection.whenTaken(() => this.#connection.onAnswered());
  }
}

const asItIs: HeadEdit = { without: new Set(), isGet: false, lines: [] };
