/**
 * The answers on a connection of the fast path: what answers the request in hand, a relay or the cache, and
 * what is added to it on its way. fast-connection.ts has the connection's bytes and waits.
 */
import type { Socket } from 'node:net';
import { type StoredAnswer, writtenBodyBytesMax } from '../cache/entry.ts';
import type { HeaderReader } from '../cache/fields.ts';
import type { Forward } from '../cache/lookup.ts';
import type { DeliveryRequest, Watched } from '../delivery/recipient.ts';
import { answerHead } from '../upstream/answer-content.ts';
import type { AnswerScanner } from '../upstream/answer-head.ts';
import { AnswerRelay, writeTogether } from '../upstream/answer-relay.ts';
import type { AnswerSink } from '../upstream/answer-sink.ts';
import type { OriginFaultCode } from '../upstream/faults.ts';
import { Relay } from '../upstream/relay.ts';
import type { Awaited, RelayClient, RelayedRequest } from '../upstream/relay-client.ts';
import { hitEnd, hitText, passedLine, uncachedForward, uncachedStatus } from './delivered-head.ts';
import { logRequest } from './exchange-log.ts';
import { type DeliveryConnection, FastDelivery } from './fast-delivery.ts';
import type { FastRequest } from './fast-request.ts';
import { countRetry } from './handle.ts';
import { headerOf } from './head-text.ts';
import type { FrontParts } from './policy.ts';
import { type Refusal, refusals } from './refusals.ts';
import { answerText } from './reply.ts';
import type { SiteMemory } from './site-memory.ts';

/** The connection, as it is told of its answers; see RelayClient. */
export interface AnswersOwner {
  readonly socket: Socket;
  readonly parts: FrontParts;
  readonly request: FastRequest;
  readonly memory: SiteMemory;
  readonly closesAfter: boolean;
  onActivity(): void;
  whenTaken(action: () => void): void;
  onBodyWanted(): void;
  onBodyDrained(): void;
  onFault(code: OriginFaultCode): void;
  onCutShort(isTimeout: boolean): void;
  onAnswered(): void;
  onTooSlow(): void;
  refuse(refusal: Refusal, bodyBytes: number, keepsOpen: boolean): void;
}

export class FastAnswers implements RelayClient, DeliveryConnection {
  readonly socket: Socket;
  readonly #owner: AnswersOwner;
  #relay: Relay | undefined;
  #answer: AnswerRelay | undefined;
  #delivery: FastDelivery | undefined;
  /** What answers the request in hand; the last one, when there is none. */
  #course: Relay | FastDelivery | undefined;
  #watched: Watched | undefined;
  /** The key of a request that is relayed by the cache; empty: it is none. */
  #passedKey = '';
  cacheStatusLine = '';

  constructor(owner: AnswersOwner) {
    this.socket = owner.socket;
    this.#owner = owner;
  }

  /** Relays the request in hand; `watched`: it goes past the cache, which may learn from its answer. */
  relay(request: RelayedRequest, watched: Watched | undefined): void {
    // A HEAD that the cache is not asked about may be answered by what no key knows of.
    this.#watched = watched?.method === 'HEAD' ? undefined : watched;
    this.#passedKey = '';
    this.cacheStatusLine = watched === undefined ? '' : this.#uncachedLine(watched, request);
    this.#sendOn(request);
  }

  /** Relays the request in hand, whose answer is not likely to be stored under `key`. */
  pass(request: RelayedRequest, key: string): void {
    const { totals } = this.#owner.parts.statistics;
    this.noteCache('uri-miss');
    totals.cache_misses += 1;
    totals.requests_forwarded += 1;
    this.#watched = undefined;
    this.#passedKey = key;
    this.cacheStatusLine = '';
    this.#sendOn(request);
  }

  /** Has the cache answer the request in hand. */
  deliver(request: DeliveryRequest): void {
    this.#watched = undefined;
    this.#passedKey = '';
    this.cacheStatusLine = '';
    this.#delivery ??= new FastDelivery(this);
    this.#course = this.#delivery;
    this.#delivery.start(request);
    this.#owner.parts.deliveries.serve(this.#delivery);
  }

  /** Writes what is stored for a plain request; gives the bytes of the body. */
  writeStored(stored: StoredAnswer, isHead: boolean, nowMs: number): number {
    const { body } = stored;
    if (!isHead && body.length <= writtenBodyBytesMax) {
      this.socket.write(hitText(stored, this, nowMs), 'latin1');
      return body.length;
    }
    const contentBytes = isHead ? 0 : body.length;
    const head = stored.headText + hitEnd(stored, this, nowMs);
    writeTogether(this.socket, head, body, 0, contentBytes);
    return contentBytes;
  }

  /** The stored answer that was written waits for its client. */
  holdStored(status: number, contentBytes: number): void {
    this.#delivery ??= new FastDelivery(this);
    this.#course = this.#delivery;
    this.#delivery.hold(status, contentBytes);
  }

  get awaited(): Awaited {
    return this.#course?.awaited ?? 'nothing';
  }

  /** As of the answer that was begun. */
  get status(): number | undefined {
    return this.#course?.status;
  }

  get contentBytes(): number {
    return this.#course?.contentBytes ?? 0;
  }

  /** How much of the request's body is still to be sent. */
  get bodyLeft(): number {
    return this.#course?.bodyLeft ?? 0;
  }

  get originIsFull(): boolean {
    return this.#course?.originIsFull === true;
  }

  sendBody(part: Buffer): void {
    this.#course?.sendBody(part);
  }

  expire(): void {
    this.#course?.expire();
  }

  abort(): void {
    this.#course?.abort();
  }

  lendRelay(): Relay | undefined {
    const relay = this.#relay;
    this.#relay = undefined;
    return relay;
  }

  adopt(relay: Relay): RelayClient {
    this.#relay = relay;
    this.#course = relay;
    // The wait for its head was the fetch's.
    this.#owner.onActivity();
    return this;
  }

  sendAlone(request: RelayedRequest, watched: Watched | undefined): void {
    this.#owner.parts.statistics.totals.requests_forwarded += 1;
    this.#watched = watched;
    this.#sendOn(request);
  }

  refuseUncached(): void {
    this.#owner.refuse(refusals.notCached, 0, !this.closesAfter);
  }

  get hstsLine(): string {
    return this.#owner.memory.hstsLine;
  }

  get tellsCacheStatus(): boolean {
    return this.#owner.parts.policy().settings.cache.sendsCacheStatus;
  }

  get closesAfter(): boolean {
    return this.#owner.closesAfter;
  }

  nowMs(): number {
    return this.#owner.parts.nowMs();
  }

  sinkFor(head: AnswerScanner, bytes: Buffer): AnswerSink {
    const watched = this.#watched;
    if (watched !== undefined) {
      const { status, lines } = answerHead(head, bytes);
      this.#owner.parts.deliveries.note(watched, status, lines);
    }
    if (this.#passedKey !== '') this.cacheStatusLine = this.#passedLine(head, bytes);
    this.#answer ??= new AnswerRelay(this);
    return this.#answer;
  }

  noteCache(forward: Forward | 'hit'): void {
    const { trace } = this.#owner.request;
    if (trace !== undefined) trace.cache = forward;
  }

  writeInterim(text: string): void {
    this.socket.write(text, 'latin1');
  }

  isBehind(): boolean {
    return this.socket.writableLength > 0;
  }

  onActivity(): void {
    this.#owner.onActivity();
  }

  whenTaken(action: () => void): void {
    this.#owner.whenTaken(action);
  }

  onBodyWanted(): void {
    this.#owner.onBodyWanted();
  }

  onBodyDrained(): void {
    this.#owner.onBodyDrained();
  }

  onRetry(hasMoved: boolean): void {
    countRetry(hasMoved, this.#owner.parts);
  }

  onFault(code: OriginFaultCode): void {
    this.#owner.onFault(code);
  }

  onCutShort(isTimeout: boolean): void {
    this.#owner.onCutShort(isTimeout);
  }

  onTooSlow(): void {
    this.#owner.onTooSlow();
  }

  onAnswered(): void {
    this.#owner.onAnswered();
  }

  #passedLine(head: AnswerScanner, bytes: Buffer): string {
    const { deliveries } = this.#owner.parts;
    const detail = deliveries.judgePassed(this.#passedKey, this.#field, head, bytes);
    return this.tellsCacheStatus ? passedLine(head.status, detail) : '';
  }

  /** A field of the request in hand. */
  readonly #field: HeaderReader = (name) => headerOf(this.#owner.request.text)(name);

  #uncachedLine({ method }: Watched, { bodyBytes }: RelayedRequest): string {
    this.noteCache(uncachedForward(method));
    this.#owner.parts.statistics.totals.cache_bypassed += 1;
    if (!this.tellsCacheStatus) return '';
    return `Cache-Status: ${uncachedStatus(method, bodyBytes > 0)}\r\n`;
  }

  #sendOn(request: RelayedRequest): void {
    // Made when the first request is to be relayed: a worm's connection needs none.
    this.#relay ??= new Relay(this);
    this.#course = this.#relay;
    this.#relay.start(request);
  }
}

/** Answers the request in hand by ourselves. */
export function writeRefusal(
  { request, socket, parts, memory }: AnswersOwner,
  refusal: Refusal,
  keepsOpen: boolean,
): void {
  if (refusal.counter !== undefined) parts.statistics.add(refusal.counter);
  const { status, explanation } = refusal;
  request.status = status;
  request.error = refusal.error;
  const answer = {
    status,
    explanation,
    requestId: request.id,
    close: !keepsOpen,
    asJson: request.wantsJson,
    hstsLine: memory.hstsLine,
  };
  const written = answerText(answer, parts.nowMs(), request.isHead);
  request.bytes = written.bodyBytes;
  socket.write(written.text, 'latin1');
  logRequest(request, parts);
}
