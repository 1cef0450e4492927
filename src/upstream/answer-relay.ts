/**
 * An origin's answer on its way to the client's socket, on the fast path: head and first content in
 * one write, content as it comes, and an end that cannot be mistaken for another. The counterpart of
 * origin-answer.ts. Knows how the body is framed (RFC 9112 §6.3), not who sends it.
 */
import type { Socket } from 'node:net';
import type { AnswerScanner } from './answer-head.ts';
import { AnswerSink, type BodySource } from './answer-sink.ts';
import { answerText, compactHead, type Framing, missingHsts } from './answer-text.ts';
import { ChunkScanner } from './chunk-scanner.ts';
import { linesText } from './hop-by-hop.ts';
import { readTrailers } from './trailers.ts';
import { textOf } from './wire-grammar.ts';

/** Up to this size head and content are written as one text, which costs least. */
const oneTextBytesMax = 16_384;

/** Writes a head and bytes[from, end) behind it, in one piece where that is cheap. */
export function writeTogether(
  socket: Socket,
  head: string,
  bytes: Buffer,
  from: number,
  end: number,
): void {
  const count = end - from;
  if (head.length + count <= oneTextBytesMax) {
    socket.write(count === 0 ? head : head + textOf(bytes, from, end), 'latin1');
    return;
  }
  socket.cork();
  socket.write(head, 'latin1');
  socket.write(bytes.subarray(from, end));
  socket.uncork();
}

/** Whom the answer is for. */
export interface AnswerClient {
  readonly socket: Socket;
  /** Our side of the connection ends behind the answer. */
  readonly closesAfter: boolean;
  /** Strict-Transport-Security for an answer that has none, as a whole line; empty: none. */
  readonly hstsLine: string;
  /** Another whole line to add; empty: none. */
  readonly cacheStatusLine: string;
  /** Milliseconds since the epoch, now. */
  nowMs(): number;
}

export class AnswerRelay extends AnswerSink {
  readonly #client: AnswerClient;
  readonly #chunks = new ChunkScanner();

  constructor(client: AnswerClient) {
    super();
    this.#client = client;
  }

  /** Writes the head that `head` read from `bytes`, and what of the body is behind it. */
  override begin(head: AnswerScanner, bytes: Buffer, end: number, isHead: boolean): void {
    this.frame(head, isHead);
    if (this.source === 'chunked') this.#chunks.begin();
    const options = {
      framing: framingFor(this.source),
      closes: this.#client.closesAfter,
      addedLines: this.#client.cacheStatusLine + missingHsts(head, bytes, this.#client.hstsLine),
    };
    const start = this.source === 'close' ? -1 : compactHead(head, bytes, options);
    if (start >= 0) return this.#relay('', bytes, start, head.end, end);
    const text = answerText(head, bytes, options, this.#client);
    this.#relay(text, bytes, head.end, head.end, end);
  }

  override take(bytes: Buffer, from: number, end: number): void {
    this.#relay('', bytes, from, from, end);
  }

  override finish(): void {
    this.#client.socket.write('0\r\n\r\n', 'latin1');
    this.isOver = true;
  }

  /**
   * Writes `text`, then bytes[start, from), which need no further look, then what of bytes[from, end)
   * is the body's.
   */
  #relay(text: string, bytes: Buffer, start: number, from: number, end: number): void {
    switch (this.source) {
      case 'none':
        this.hasSurplus = from < end;
        this.isOver = true;
        return this.#write(text, bytes, start, from);
      case 'length': {
        const bodyEnd = Math.min(end, from + this.left);
        this.left -= bodyEnd - from;
        this.contentBytes += bodyEnd - from;
        this.hasSurplus = bodyEnd < end;
        this.isOver = this.left === 0;
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
    this.hasSurplus = chunks.isOver && chunks.end < end;
    if (chunks.suffix === '') {
      return this.#write(text + chunks.prefix, bytes, chunks.passStart, chunks.passEnd);
    }
    const lines = readTrailers(chunks.trailers);
    this.isBroken = lines === undefined;
    socket.cork();
    this.#write(text + chunks.prefix, bytes, chunks.passStart, chunks.passEnd);
    if (lines !== undefined) {
      socket.write(`${chunks.suffix}${linesText(lines)}\r\n`, 'latin1');
    }
    socket.uncork();
  }

  #write(text: string, bytes: Buffer, from: number, end: number): void {
    const { socket } = this.#client;
    if (text !== '') writeTogether(socket, text, bytes, from, end);
    else if (from < end) socket.write(bytes.subarray(from, end));
  }
}

function framingFor(source: BodySource): Framing {
  return source === 'close' ? 'chunked' : source;
}
