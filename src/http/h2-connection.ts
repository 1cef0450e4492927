/**
 * One HTTP/2 connection: its limits, its idle time, its end. Frames, flow control and header compression
 * are Node's; each stream becomes a connection of HTTP/1.1 to the lanes (h2-stream.ts).
 */
import {
  constants,
  performServerHandshake,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { TLSSocket } from 'node:tls';
import { processUpMs } from '../clock.ts';
import { plainRequest } from './h2-request.ts';
import { type StreamOwner, StreamSocket } from './h2-stream.ts';
import type { FrontParts } from './policy.ts';
import { ResetBudget } from './reset-budget.ts';

/** The most header lines of a request that Node reads; MaxHeaders is below, and has an answer. */
const headerPairsMax = 2200;
/** As in HTTP/1.1: how long answers may take to a client that has ended its side. */
const halfClosedMs = 500;
/** How long a connection that is over has to tell its client so, in milliseconds. */
const farewellMs = 1000;

export class H2Connection implements StreamOwner {
  readonly #socket: TLSSocket;
  readonly #peer: string;
  readonly #parts: FrontParts;
  readonly #serve: (stream: StreamSocket) => void;
  readonly #session: ServerHttp2Session;
  readonly #streams = new Set<StreamSocket>();
  readonly #resets = new ResetBudget();
  #idleTimer: NodeJS.Timeout | undefined;
  /** We ended it: what its streams report now is not the client's doing. */
  #isEnded = false;
  /** No further requests are taken. */
  #isFinishing = false;

  /** `serve` takes each request, as a connection of its own. */
  constructor(
    socket: TLSSocket,
    peer: string,
    parts: FrontParts,
    serve: (stream: StreamSocket) => void,
  ) {
    const { limits } = parts.policy().settings;
    this.#socket = socket;
    this.#peer = peer;
    this.#parts = parts;
    this.#serve = serve;
    this.#session = performServerHandshake(socket, {
      maxSessionMemory: limits.h2SessionMemoryMiB,
      maxHeaderListPairs: headerPairsMax,
      settings: {
        maxConcurrentStreams: limits.h2StreamsMax,
        maxHeaderListSize: limits.h2HeaderBytesMax,
        enablePush: false,
        enableConnectProtocol: false,
      },
    });
    const session = this.#session;
    parts.statistics.add('h2_connections');
    session.on(
      'stream',
      (stream: ServerHttp2Stream, _fields: object, flags: number, rawHeaders: string[]) => {
        this.#take(stream, flags, rawHeaders);
      },
    );
    session.on('error', () => {
      if (!this.#isEnded) parts.statistics.add('h2_connection_errors');
      this.#isEnded = true;
      this.#hangUpSoon();
    });
    // The listener lets clients end their side first; what they wait for then gets a moment.
    socket.once('end', () => {
      const waitMs = this.#streams.size === 0 ? 0 : halfClosedMs;
      setTimeout(() => socket.destroy(), waitMs).unref();
    });
    socket.once('close', () => clearTimeout(this.#idleTimer));
    // A first request is due as soon as the first head of an HTTP/1.1 connection is.
    this.#idleAfter(limits.headerTimeoutMs);
  }

  /** Calls `action` when the connection is over. */
  onceClosed(action: () => void): void {
    this.#socket.once('close', action);
  }

  /** Takes no further requests, lets those under way finish for `drainMs`, then closes. */
  async close(drainMs: number): Promise<void> {
    if (this.#socket.destroyed) return;
    const closed = new Promise<void>((resolve) => this.#socket.once('close', () => resolve()));
    this.#finish();
    const timer = setTimeout(() => this.#hangUp(), drainMs);
    await closed;
    clearTimeout(timer);
  }

  onReset(): void {
    if (this.#isEnded || this.#socket.destroyed) return;
    const { statistics, policy } = this.#parts;
    statistics.add('h2_resets');
    if (!this.#resets.note(processUpMs(), policy().settings.limits.h2ResetsMax)) return;
    statistics.add('h2_floods');
    this.#isEnded = true;
    const flood = new Error('the client takes back more requests than MaxH2Resets');
    this.#session.destroy(flood, constants.NGHTTP2_ENHANCE_YOUR_CALM);
    this.#hangUpSoon();
  }

  onHungUp(): void {
    this.#hangUp();
  }

  onRefused(): void {
    this.#finish();
  }

  onClosed(stream: StreamSocket): void {
    this.#streams.delete(stream);
    if (this.#streams.size > 0 || this.#socket.destroyed) return;
    if (this.#isFinishing) return this.#hangUpSoon();
    this.#idleAfter(this.#parts.policy().settings.limits.keepAliveTimeoutMs);
  }

  #take(stream: ServerHttp2Stream, flags: number, rawHeaders: readonly string[]): void {
    const { statistics } = this.#parts;
    stream.on('error', () => {});
    statistics.add('h2_requests');
    // Taken back already: nobody waits for an answer.
    if (stream.destroyed || stream.closed || stream.aborted) return this.onReset();
    const { limits } = this.#parts.policy().settings;
    // Node holds this against clients only that have acknowledged our settings.
    if (listBytes(rawHeaders) > limits.h2HeaderBytesMax) {
      statistics.add('request_headers_too_large');
      stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
      return;
    }
    const hasBody = (flags & constants.NGHTTP2_FLAG_END_STREAM) === 0;
    const request = plainRequest(rawHeaders, hasBody);
    if (request === undefined) {
      statistics.add('h2_requests_malformed');
      stream.close(constants.NGHTTP2_PROTOCOL_ERROR);
      return;
    }
    clearTimeout(this.#idleTimer);
    const connection = new StreamSocket(stream, request, this.#peer, this);
    this.#streams.add(connection);
    this.#serve(connection);
  }

  #idleAfter(waitMs: number): void {
    clearTimeout(this.#idleTimer);
    this.#idleTimer = setTimeout(() => this.#finish(), waitMs);
  }

  /** Nothing is left to be waited for, but a client that is told so may not close. */
  #hangUpSoon(): void {
    clearTimeout(this.#idleTimer);
    this.#idleTimer = setTimeout(() => this.#hangUp(), farewellMs);
  }

  /** Tells the client that no further requests are taken; closed when those under way are answered. */
  #finish(): void {
    this.#isFinishing = true;
    if (!this.#session.closed && !this.#session.destroyed) this.#session.close();
    if (this.#streams.size === 0) this.#hangUpSoon();
  }

  #hangUp(): void {
    this.#isEnded = true;
    this.#socket.destroy();
  }
}

/** RFC 9113 §6.5.2: what a line costs besides its letters. */
const lineOverheadBytes = 32;

/** The size of a header list as HTTP/2 counts it. */
function listBytes(rawHeaders: readonly string[]): number {
  let byteCount = (rawHeaders.length / 2) * lineOverheadBytes;
  for (const text of rawHeaders) byteCount += text.length;
  return byteCount;
}
