/**
 * An origin's answer on its way to the client's socket, on the fast path: head and first content in
 * one write, content as it comes, and an end that cannot be mistaken for another. The counterpart of
 * origin-answer.ts. Knows how the body is framed (RFC 9112 §6.3), not who sends it.
 */
import type { Socket } from 'node:net';
import { AnswerScanner } from './answer-head.ts';
import { answerText, compactHead, type Framing, missingHsts } from './answer-text.ts';
import { ChunkScanner } from './chunk-scanner.ts';
import { linesText, usableTrailers } from './hop-by-hop.ts';
import { textOf } from './wire-grammar.ts';

/** Up to this size head and content are written as one text, which costs least. */
const oneTextBytesMax = 16_384;

/** How the origin frames the body. */
type Source = 'none' | 'length' | 'chunked' | 'close';

/** Whom the answer is for. */
export interface AnswerClient {
  readonly socket: Socket;
  /** Our side of the connection ends behind the answer. */
  readonly closesAfter: boolean;
  /** Strict-Transport-Security for an answer that has none, as a whole line; empty: none. */
  readonly hstsLine: string;
  /** Milliseconds since the epoch, now. */
  nowMs(): number;
}

export class AnswerRelay {
  readonly #client: AnswerClient;
  readonly #chunks = new ChunkScanner();
  #source: Source = 'none';
  #left = 0;
  #willClose = false;
  #keepAliveSeconds = -1;
  #hasSurplus = false;
  hasBegun = false;
  isOver = false;
  isBroken = false;
  status = 0;
  /** Content bytes handed to the client. */
  contentBytes = 0;

  constructor(client: AnswerClient) {
    this.#client = client;
  }

  /** Forgets the answer before. */
  reset(): void {
    this.hasBegun = false;
    this.isOver = false;
    this.isBroken = false;
    this.status = 0;
    this.contentBytes = 0;
    this.#hasSurplus = false;
  }

  /** Writes the head that `head` read from `bytes`, and what of the body is behind it. */
  begin(head: AnswerScanner, bytes: Buffer, end: number, isHead: boolean): void {
    this.hasBegun = true;
    this.status = head.status;
    this.#willClose = head.willClose;
    this.#keepAliveSeconds = head.keepAliveSeconds;
    this.#source = sourceOf(head, isHead);
    this.#left = head.contentLength;
    if (this.#source === 'chunked') this.#chunks.begin();
    const options = {
      framing: framingFor(this.#source),
      closes: this.#client.closesAfter,
      hstsLine: missingHsts(head, bytes, this.#client.hstsLine),
    };
    const start = this.#source === 'close' ? -1 : compactHead(head, bytes, options);
    if (start >= 0) return this.#relay('', bytes, start, head.end, end);
    const text = answerText(head, bytes, options, this.#client);
    this.#relay(text, bytes, head.end, head.end, end);
  }

  /** Hands on bytes[from, end) of the body. */
  take(bytes: Buffer, from: number, end: number): void {
    this.#relay('', bytes, from, from, end);
  }

  /** The end of the connection is the end of the body. */
  get endsWithConnection(): boolean {
    return this.#source === 'close';
  }

  /** Ends a body that ends with its connection. */
  finish(): void {
    this.#client.socket.write('0\r\n\r\n', 'latin1');
    this.isOver = true;
  }

  /** Whether the origin's connection can carry another request after this answer. */
  get mayReuse(): boolean {
    return !this.#willClose && !this.#hasSurplus && this.#source !== 'close';
  }

  /** How long the connection may be idle: what the origin says, a second earlier, at most `idleMsMax`. */
  idleMs(idleMsMax: number): number {
    if (this.#keepAliveSeconds < 0) return idleMsMax;
    return Math.min(idleMsMax, this.#keepAliveSeconds * 1000 - 1000);
  }

  /**
   * Writes `text`, then bytes[start, from), which need no further look, then what of bytes[from, end)
   * is the body's.
   */
  #relay(text: string, bytes: Buffer, start: number, from: number, end: number): void {
    switch (this.#source) {
      case 'none':
        this.#hasSurplus = from < end;
        this.isOver = true;
        return this.#write(text, bytes, start, from);
      case 'length': {
        const bodyEnd = Math.min(end, from + this.#left);
        this.#left -= bodyEnd - from;
        this.contentBytes += bodyEnd - from;
        this.#hasSurplus = bodyEnd < end;
        this.isOver = this.#left === 0;
        return this.#write(text, bytes, start, bodyEnd);
      }
      case 'chunked':
        return this.#relayChunks(text, bytes, from, end);
      case 'close':
        return this.#relayAsChunk(text, bytes, from, end);
    }
  }

  #relayAsChunk(text: string, bytes: Buffer, from: number, end: number): void {
    const { socket } = this.#client;
    const count = end - from;
    this.contentBytes += count;
    if (count === 0) return this.#write(text, bytes, from, end);
    socket.cork();
    this.#write(`${text}${count.toString(16)}\r\n`, bytes, from, end);
    socket.write('\r\n', 'latin1');
    socket.uncork();
  }

  #relayChunks(text: string, bytes: Buffer, from: number, end: number): void {
    const { socket } = this.#client;
    const chunks = this.#chunks;
    chunks.read(bytes, from, end);
    this.isBroken = chunks.isBroken;
    // Nobody can tell which of these bytes to believe.
    if (chunks.isBroken) return;
    this.contentBytes = chunks.contentBytes;
    this.isOver = chunks.isOver;
    this.#hasSurplus = chunks.isOver && chunks.end < end;
    if (chunks.suffix === '') {
      return this.#write(text + chunks.prefix, bytes, chunks.passStart, chunks.passEnd);
    }
    const trailers = readTrailers(chunks.trailers);
    this.isBroken = trailers === undefined;
    socket.cork();
    this.#write(text + chunks.prefix, bytes, chunks.passStart, chunks.passEnd);
    if (trailers !== undefined) socket.write(`${chunks.suffix}${trailers}\r\n`, 'latin1');
    socket.uncork();
  }

  /** Writes the text and bytes[from, end) behind it, in one piece where that is cheap. */
  #write(text: string, bytes: Buffer, from: number, end: number): void {
    const { socket } = this.#client;
    const count = end - from;
    if (text === '') {
      if (count > 0) socket.write(bytes.subarray(from, end));
    } else if (text.length + count <= oneTextBytesMax) {
      socket.write(count === 0 ? text : text + textOf(bytes, from, end), 'latin1');
    } else {
      socket.cork();
      socket.write(text, 'latin1');
      socket.write(bytes.subarray(from, end));
      socket.uncork();
    }
  }
}

function sourceOf(head: AnswerScanner, isHead: boolean): Source {
  if (isHead || head.status === 204 || head.status === 304) return 'none';
  if (head.isChunked) return 'chunked';
  if (head.contentLength === 0) return 'none';
  return head.contentLength > 0 ? 'length' : 'close';
}

function framingFor(source: Source): Framing {
  return source === 'close' ? 'chunked' : source;
}

const trailerScanner = new AnswerScanner();
const anyStatusLine = 'HTTP/1.1 200 OK\r\n';

/** The trailer lines that may be passed on, as text; undefined when they break the grammar. */
function readTrailers(lines: string): string | undefined {
  const bytes = Buffer.from(`${anyStatusLine}${lines}\r\n`, 'latin1');
  if (trailerScanner.read(bytes, 0, bytes.length) !== 'whole') return undefined;
  // Framing that comes behind what it would frame.
  if (trailerScanner.contentLength >= 0 || trailerScanner.isChunked) return undefined;
  return linesText(usableTrailers(trailerScanner.rawHeaders(bytes)));
}
