/**
 * One HTTP/2 stream as a connection of HTTP/1.1 with a single request, so that both lanes serve it as they
 * serve every other: they read a head and a body from it and write an answer to it. Flow control holds in
 * both directions: what is not taken here is not asked of the client, and the other way round.
 */
import { constants, type ServerHttp2Stream } from 'node:http2';
import { Socket } from 'node:net';
import { type HeaderLine, linesText } from '../upstream/hop-by-hop.ts';
import { type AnswerHead, AnswerReader, type AnswerSink, fieldsOf } from './h2-answer.ts';
import type { PlainRequest } from './h2-request.ts';

/** What the stream's connection wants to know. */
export interface StreamOwner {
  /** The client took the request back. */
  onReset(): void;
  /** The lanes closed the connection without an answer. */
  onHungUp(): void;
  /** The lanes refused the request and closed the connection behind the answer. */
  onRefused(): void;
  onClosed(stream: StreamSocket): void;
}

/** Our own refusals of requests that nobody should go on listening to have it. */
const refusedStatus = 400;

type WriteDone = (error?: Error | null) => void;

export class StreamSocket extends Socket implements AnswerSink {
  readonly #stream: ServerHttp2Stream;
  readonly #owner: StreamOwner;
  readonly #request: PlainRequest;
  readonly #answer: AnswerReader;
  /** Content that was read and not yet written to the stream. */
  #content: Buffer[] = [];
  /** Tells the lanes that they may write more; undefined: they may. */
  #onTaken: WriteDone | undefined;
  #requestTrailers: readonly string[] = [];
  #requestIsWhole: boolean;
  /** We closed the stream, or its answer is whole: what ends now, the client did not. */
  #isOurs = false;

  constructor(stream: ServerHttp2Stream, request: PlainRequest, peer: string, owner: StreamOwner) {
    super({ allowHalfOpen: true });
    this.#stream = stream;
    this.#owner = owner;
    this.#request = request;
    this.#requestIsWhole = request.framing === 'none';
    this.#answer = new AnswerReader(request.method === 'HEAD', this);
    Object.defineProperty(this, 'remoteAddress', { value: peer });
    this.push(Buffer.from(request.head, 'latin1'));
    stream.on('error', () => {});
    stream.on('timeout', () => this.emit('timeout'));
    stream.once('close', () => this.#onStreamClosed());
    stream.on('trailers', (_fields, _flags, rawTrailers?: readonly string[]) => {
      this.#requestTrailers = rawTrailers ?? [];
    });
    stream.on('data', (chunk: Buffer) => this.#takeBody(chunk));
    stream.once('end', () => this.#endBody());
  }

  override _read(): void {
    this.#stream.resume();
  }

  override _write(chunk: Buffer | string, encoding: BufferEncoding, done: WriteDone): void {
    this.#take(typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk);
    this.#flush(done);
  }

  override _writev(
    pieces: { readonly chunk: Buffer | string; readonly encoding: BufferEncoding }[],
    done: WriteDone,
  ): void {
    for (const { chunk, encoding } of pieces) {
      this.#take(typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk);
    }
    this.#flush(done);
  }

  override _final(done: WriteDone): void {
    this.#answer.end();
    this.#closeStream();
    done();
  }

  override _destroy(error: Error | null, done: WriteDone): void {
    this.#closeStream();
    super._destroy(error, (failure) => done(failure));
  }

  // Node's timer of the stream sees the client take parts of what waits.
  override setTimeout(waitMs: number, action?: () => void): this {
    if (action !== undefined && waitMs === 0) this.removeListener('timeout', action);
    else if (action !== undefined) this.once('timeout', action);
    if (!this.#stream.destroyed) this.#stream.setTimeout(waitMs);
    return this;
  }

  onInterim(status: number, lines: readonly HeaderLine[]): void {
    const { headersSent, closed } = this.#stream;
    if (closed || headersSent) return;
    this.#stream.additionalHeaders({ ':status': status, ...fieldsOf(lines) });
  }

  onHead(head: AnswerHead): void {
    if (this.#stream.closed) return;
    if (head.closes && head.status === refusedStatus) this.#owner.onRefused();
    // RFC 9110 §15: what has no meaning is a fault of the server; Node sends no such number.
    const status = head.status > 599 ? 500 : head.status;
    // With it, Node never ends a stream by itself: closing one would first make its content look whole.
    const waitForTrailers = head.hasBody && !head.hasLength;
    const fields = { ':status': status, ...fieldsOf(head.lines) };
    this.#stream.respond(fields, { endStream: !head.hasBody, waitForTrailers });
    if (!waitForTrailers) return;
    this.#stream.once('wantTrailers', () => {
      this.#stream.sendTrailers(fieldsOf(this.#answer.trailers));
    });
  }

  onContent(bytes: Buffer): void {
    // The lanes use their buffers again as soon as they are told that they may.
    this.#content.push(Buffer.from(bytes));
  }

  #take(bytes: Buffer): void {
    try {
      this.#answer.take(bytes);
    } catch {
      // Node's HTTP/2 is stricter about header fields than HTTP/1.1 is.
      this.#answer.isBroken = true;
    }
  }

  /** Writes what was read; `done` when the client has taken so much that more may come. */
  #flush(done: WriteDone): void {
    const stream = this.#stream;
    const [first, ...others] = this.#content;
    this.#content = [];
    if (this.#answer.isBroken) this.#closeStream();
    if (this.#answer.isOver) this.#isOurs = true;
    if (stream.closed || stream.writableEnded) return done();
    const bytes = others.length > 0 ? Buffer.concat([first as Buffer, ...others]) : first;
    this.#onTaken = done;
    if (bytes !== undefined) stream.write(bytes, () => this.#finishWrite());
    if (this.#answer.isOver) {
      stream.end();
      // Nobody wants the rest of the body (RFC 9113 §8.1).
      if (!this.#requestIsWhole) stream.close(constants.NGHTTP2_NO_ERROR);
    }
    if (bytes === undefined || stream.writableLength < stream.writableHighWaterMark) {
      this.#finishWrite();
    }
  }

  /** The client has taken enough of what was written last. */
  #finishWrite(): void {
    const done = this.#onTaken;
    this.#onTaken = undefined;
    done?.();
  }

  #takeBody(chunk: Buffer): void {
    if (this.destroyed || this.readableEnded) return;
    const bytes =
      this.#request.framing === 'chunked'
        ? Buffer.concat([Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, lineEnd])
        : chunk;
    if (!this.push(bytes)) this.#stream.pause();
  }

  #endBody(): void {
    this.#requestIsWhole = true;
    if (this.#request.framing !== 'chunked' || this.destroyed) return;
    const lines: HeaderLine[] = [];
    for (let index = 0; index + 1 < this.#requestTrailers.length; index += 2) {
      const [name = '', value = ''] = this.#requestTrailers.slice(index, index + 2);
      if (trailerLine.test(`${name}: ${value}`)) lines.push([name, value]);
    }
    this.push(Buffer.from(`0\r\n${linesText(lines)}\r\n`, 'latin1'));
  }

  /** The lanes are done with this connection: so is the stream, whole or not. */
  #closeStream(): void {
    const stream = this.#stream;
    if (stream.closed || stream.destroyed) return;
    const { isOver, hasBegun } = this.#answer;
    const isWhole = isOver && stream.headersSent;
    this.#isOurs = true;
    if (isWhole) {
      if (!stream.writableEnded) stream.end();
      if (!this.#requestIsWhole) stream.close(constants.NGHTTP2_NO_ERROR);
    } else {
      stream.close(hasBegun ? constants.NGHTTP2_INTERNAL_ERROR : constants.NGHTTP2_CANCEL);
      if (!hasBegun) this.#owner.onHungUp();
    }
  }

  #onStreamClosed(): void {
    if (!this.#isOurs) this.#owner.onReset();
    this.#isOurs = true;
    this.#owner.onClosed(this);
    if (!this.#answer.isOver) {
      this.destroy();
      return;
    }
    // Closed because it was taken whole: the lanes hear of that first.
    this.#finishWrite();
    setImmediate(() => this.destroy());
  }
}

const lineEnd = Buffer.from('\r\n', 'latin1');
const trailerLine = /^[!#$%&'*+\-.^_`|~0-9a-z]+: [\t\x20-\x7e\x80-\xff]*$/;
