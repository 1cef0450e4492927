/**
 * An origin's answer taken apart: its head as lines, its content without the framing that it came in, its
 * trailers. For whoever keeps an answer, or frames it anew; answer-relay.ts passes one on as it is.
 */
import type { AnswerScanner } from './answer-head.ts';
import { AnswerSink } from './answer-sink.ts';
import { ChunkScanner, type OnContent } from './chunk-scanner.ts';
import { type HeaderLine, headerLines, withoutHopByHop } from './hop-by-hop.ts';
import { readTrailers } from './trailers.ts';
import { textOf } from './wire-grammar.ts';

/** The head of an answer, without what is hop-by-hop. */
export interface AnswerHead {
  readonly status: number;
  /** The reason phrase, latin1; may be empty. */
  readonly reason: string;
  /** In their order and case; Content-Length among them, if the origin gave one. */
  readonly lines: readonly HeaderLine[];
  /** The same with what is hop-by-hop. */
  readonly received: readonly HeaderLine[];
  /** In bytes; -1 when only the end of the body will tell. */
  readonly contentLength: number;
}

/** Whom the parts are for. */
export interface ContentTaker {
  onHead(head: AnswerHead): void;
  /** bytes[start, end) are overwritten as soon as the call is over. */
  readonly onContent: OnContent;
  /** The answer is whole. */
  onEnd(trailers: readonly HeaderLine[]): void;
}

const statusLineStart = 'HTTP/1.1 200'.length;
const noTrailers: readonly HeaderLine[] = [];

/** The head that `head` read from `bytes`. */
export function answerHead(head: AnswerScanner, bytes: Buffer): AnswerHead {
  const rawHeaders = head.rawHeaders(bytes);
  const reasonStart = head.start + statusLineStart + 1;
  const reasonEnd = head.fieldsStart - 2;
  return {
    status: head.status,
    reason: reasonStart < reasonEnd ? textOf(bytes, reasonStart, reasonEnd) : '',
    lines: withoutHopByHop(rawHeaders),
    received: [...headerLines(rawHeaders)],
    contentLength: head.contentLength,
  };
}

export class AnswerContent extends AnswerSink {
  readonly #taker: ContentTaker;
  readonly #chunks: ChunkScanner;

  constructor(taker: ContentTaker) {
    super();
    this.#taker = taker;
    this.#chunks = new ChunkScanner((bytes, start, end) => taker.onContent(bytes, start, end));
  }

  override begin(head: AnswerScanner, bytes: Buffer, end: number, isHead: boolean): void {
    this.frame(head, isHead);
    if (this.source === 'chunked') this.#chunks.begin();
    // Before the head is told of, because who hears of it may have others read heads.
    const from = head.end;
    this.#taker.onHead(answerHead(head, bytes));
    this.take(bytes, from, end);
  }

  override take(bytes: Buffer, from: number, end: number): void {
    switch (this.source) {
      case 'none':
        this.hasSurplus = from < end;
        return this.#end(noTrailers);
      case 'length': {
        const contentEnd = Math.min(end, from + this.left);
        this.left -= contentEnd - from;
        this.hasSurplus = contentEnd < end;
        this.#content(bytes, from, contentEnd);
        if (this.left === 0) this.#end(noTrailers);
        return;
      }
      case 'chunked':
        return this.#takeChunks(bytes, from, end);
      case 'close':
        return this.#content(bytes, from, end);
    }
  }

  override finish(): void {
    this.#end(noTrailers);
  }

  #content(bytes: Buffer, start: number, end: number): void {
    this.contentBytes += end - start;
    if (start < end) this.#taker.onContent(bytes, start, end);
  }

  #takeChunks(bytes: Buffer, from: number, end: number): void {
    const chunks = this.#chunks;
    chunks.read(bytes, from, end);
    this.isBroken = chunks.isBroken;
    if (chunks.isBroken) return;
    this.contentBytes = chunks.contentBytes;
    if (!chunks.isOver) return;
    this.hasSurplus = chunks.end < end;
    const trailers = readTrailers(chunks.trailers);
    this.isBroken = trailers === undefined;
    if (trailers !== undefined) this.#end(trailers);
  }

  #end(trailers: readonly HeaderLine[]): void {
    if (this.isOver) return;
    this.isOver = true;
    this.#taker.onEnd(trailers);
  }
}
