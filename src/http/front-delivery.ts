/**
 * A request of the front, answered by the cache: from the store, or as the origin's answer arrives there.
 * The counterpart of fast-delivery.ts, for a response of node:http.
 */
import type { ServerResponse } from 'node:http';
import { answerFrom } from '../cache/answer.ts';
import type { StoredAnswer } from '../cache/entry.ts';
import type { BypassDetail, Forward } from '../cache/lookup.ts';
import type { AnswerReader, ArrivingAnswer } from '../delivery/arriving-answer.ts';
import type { DeliveryRequest, Fetched, Recipient, WaitingRoom } from '../delivery/recipient.ts';
import type { OriginFaultCode } from '../upstream/faults.ts';
import type { HeaderLine } from '../upstream/hop-by-hop.ts';
import { cacheStatus, needsWhole, toldAge } from './delivered-head.ts';

/** The request, as it is told what became of it. */
export interface DeliveryOwner {
  nowMs(): number;
  readonly tellsCacheStatus: boolean;
  /** Strict-Transport-Security, as a value; empty: none. */
  readonly hsts: string;
  /** How the request is answered. */
  onCache(forward: Forward | 'hit'): void;
  onBytes(count: number): void;
  /**
   * The request is sent on by itself; the value of Cache-Status, if one is to be sent. `isTelling`: the
   * answer to a HEAD says something about what is stored.
   */
  onAlone(cacheStatus: string | undefined, isTelling: boolean): void;
  onOnlyIfCached(): void;
  onFault(code: OriginFaultCode): void;
  onCutShort(isTimeout: boolean): void;
  /** The client reads too slowly. */
  onTooSlow(): void;
}

export class FrontDelivery implements Recipient, AnswerReader {
  readonly request: DeliveryRequest;
  readonly needsWhole: boolean;
  readonly idleRelay = undefined;
  forward: Forward = 'uri-miss';
  bypassDetail: BypassDetail | undefined;
  isCollapsed = false;
  isLoner = false;
  room: WaitingRoom | undefined;
  readonly #res: ServerResponse;
  readonly #owner: DeliveryOwner;
  #arriving: ArrivingAnswer | undefined;
  #isBlocked = false;

  constructor(request: DeliveryRequest, res: ServerResponse, owner: DeliveryOwner) {
    this.request = request;
    this.needsWhole = needsWhole(request);
    this.#res = res;
    this.#owner = owner;
    res.once('close', () => this.#leave());
  }

  onStored(stored: StoredAnswer, fetched: Fetched | undefined): void {
    const nowMs = this.#owner.nowMs();
    this.#owner.onCache(fetched === undefined ? 'hit' : this.forward);
    const { status, reason, lines, bodyStart, bodyEnd } = answerFrom(stored, this.request, nowMs);
    const seconds = toldAge(stored, fetched, nowMs);
    const age: HeaderLine[] = seconds === undefined ? [] : [['Age', String(seconds)]];
    const more = [...(fetched?.lines ?? []), ...age, ...this.#addedLines(lines, stored, fetched)];
    if (!this.#writeHead(status, reason, [...lines, ...more])) return;
    this.#owner.onBytes(bodyEnd - bodyStart);
    this.#res.end(stored.body.subarray(bodyStart, bodyEnd));
  }

  onArriving(answer: ArrivingAnswer, fetched: Fetched): void {
    const { status, reason, lines, contentLength } = answer.head;
    this.#owner.onCache(this.forward);
    const mayChunk = this.#res.req.httpVersionMinor > 0;
    const isChunked = mayChunk && contentLength < 0 && status !== 204 && status !== 304;
    const kept = lines.filter(([name]) => {
      const key = name.toLowerCase();
      if (key === 'content-length') return status !== 204;
      return key !== 'trailer' || isChunked;
    });
    this.#arriving = answer;
    answer.join(this);
    const added = this.#addedLines(lines, undefined, fetched);
    if (!this.#writeHead(status, reason, [...kept, ...added])) return;
    this.onProgress();
    // Node would keep the head back until the body begins, which may be long after.
    if (this.#arriving !== undefined) this.#res.flushHeaders();
  }

  takeOver(): undefined {
    return undefined;
  }

  onAlone(): void {
    this.#owner.onCache(this.forward);
    this.#owner.onAlone(this.#cacheStatus(undefined, undefined), this.bypassDetail === undefined);
  }

  onOnlyIfCached(): void {
    this.#owner.onOnlyIfCached();
  }

  onFault(code: OriginFaultCode): void {
    this.#owner.onFault(code);
  }

  onInterim(text: string): void {
    const { socket, req } = this.#res;
    // Hints are optional: who does not keep up goes without, and HTTP/1.0 knows none.
    if (req.httpVersionMinor > 0 && socket?.writableLength === 0) socket.write(text, 'latin1');
  }

  onCutShort(isTimeout: boolean): void {
    this.#arriving = undefined;
    this.#owner.onCutShort(isTimeout);
    this.#res.destroy();
  }

  onTooSlow(): void {
    this.#arriving = undefined;
    this.#owner.onTooSlow();
    this.#res.destroy();
  }

  onProgress(): void {
    const answer = this.#arriving;
    if (answer === undefined || this.#isBlocked) return;
    const piece = answer.read(this);
    this.#owner.onBytes(piece.length);
    const isTaken = piece.length === 0 || this.#res.write(piece);
    if (answer.isOver) return this.#end(answer);
    if (isTaken) return;
    this.#isBlocked = true;
    this.#res.once('drain', () => {
      this.#isBlocked = false;
      this.onProgress();
    });
  }

  #end(answer: ArrivingAnswer): void {
    const { trailers } = answer;
    this.#arriving = undefined;
    answer.leave(this);
    if (trailers.length > 0 && this.#res.chunkedEncoding) {
      this.#res.addTrailers(trailers.map(([name, value]): [string, string] => [name, value]));
    }
    this.#res.end();
  }

  /** The client has gone, or has its answer. */
  #leave(): void {
    this.#arriving?.leave(this);
    this.#arriving = undefined;
    this.room?.leave(this);
    this.room?.noteLeft();
  }

  #cacheStatus(stored: StoredAnswer | undefined, fetched: Fetched | undefined): string | undefined {
    const { tellsCacheStatus } = this.#owner;
    return tellsCacheStatus ? cacheStatus(this, stored, fetched, this.#owner.nowMs()) : undefined;
  }

  #addedLines(
    lines: readonly HeaderLine[],
    stored: StoredAnswer | undefined,
    fetched: Fetched | undefined,
  ): HeaderLine[] {
    const added: HeaderLine[] = [];
    const status = this.#cacheStatus(stored, fetched);
    if (status !== undefined) added.push(['Cache-Status', status]);
    const { hsts } = this.#owner;
    const isTold = lines.some(([name]) => name.toLowerCase() === hstsKey);
    if (hsts !== '' && !isTold) added.push(['Strict-Transport-Security', hsts]);
    return added;
  }

  /** False when there is no such head in HTTP: Node's writer is stricter about the reason phrase. */
  #writeHead(status: number, reason: string, lines: readonly HeaderLine[]): boolean {
    const { req } = this.#res;
    // For HTTP/1.1 an open connection is the rule and needs no header (RFC 9112 §9.3).
    if (req.httpVersionMinor > 0 && this.#res.shouldKeepAlive) this.#res.removeHeader('connection');
    try {
      this.#res.writeHead(status, reason, lines.flat());
      return true;
    } catch {
      this.#arriving?.leave(this);
      this.#arriving = undefined;
      this.room?.noteLeft();
      this.#owner.onFault('origin_garbage');
      return false;
    }
  }
}

const hstsKey = 'strict-transport-security';
