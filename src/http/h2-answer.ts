/**
 * Reads what the lanes write to a client, HTTP/1.1, for a client that speaks HTTP/2: interim answers,
 * the head, content without its framing, trailers. One answer; the writers are ours, so anything that
 * breaks the grammar is an answer that was cut short.
 */
import { AnswerScanner } from '../upstream/answer-head.ts';
import { type HeaderLine, withoutHopByHop } from '../upstream/hop-by-hop.ts';

export interface AnswerHead {
  readonly status: number;
  /** Without what ends at one connection. */
  readonly lines: readonly HeaderLine[];
  /** The connection would be closed behind it. */
  readonly closes: boolean;
  readonly hasBody: boolean;
  /** The head says how long it is, so that a client can tell when it was cut short. */
  readonly hasLength: boolean;
}

export interface AnswerSink {
  onInterim(status: number, lines: readonly HeaderLine[]): void;
  onHead(head: AnswerHead): void;
  /** A piece of the content, in bytes that are soon used for something else. */
  onContent(bytes: Buffer): void;
}

/** One for all answers: a head is read in one go. */
const scanner = new AnswerScanner();

const lineFeed = 0x0a;
const lineEndBytes = 2;

type Phase = 'head' | 'length' | 'size' | 'chunk' | 'chunkEnd' | 'trailers' | 'close' | 'over';

export class AnswerReader {
  readonly #isHead: boolean;
  readonly #sink: AnswerSink;
  #phase: Phase = 'head';
  /** Bytes of a head or a line that has not arrived whole. */
  #held: Buffer | undefined;
  /** What is left of the content, the chunk or its line end. */
  #left = 0;
  readonly trailers: HeaderLine[] = [];
  isBroken = false;

  /** `isHead`: the request was HEAD. */
  constructor(isHead: boolean, sink: AnswerSink) {
    this.#isHead = isHead;
    this.#sink = sink;
  }

  /** The head was read. */
  get hasBegun(): boolean {
    return this.#phase !== 'head';
  }

  get isOver(): boolean {
    return this.#phase === 'over';
  }

  /** Reads on. */
  take(bytes: Buffer): void {
    let rest = this.#held === undefined ? bytes : Buffer.concat([this.#held, bytes]);
    this.#held = undefined;
    while (rest.length > 0 && !this.isBroken && this.#phase !== 'over') {
      const count = this.#step(rest);
      if (count === 0) {
        if (!this.isBroken) this.#held = Buffer.from(rest);
        return;
      }
      rest = rest.subarray(count);
    }
  }

  /** The lane has written all it had. */
  end(): void {
    if (this.#phase === 'close') this.#phase = 'over';
  }

  /** Reads one thing off the beginning; gives its size, 0 when it has not arrived whole. */
  #step(bytes: Buffer): number {
    switch (this.#phase) {
      case 'head':
        return this.#readHead(bytes);
      case 'length':
      case 'chunk':
      case 'close':
        return this.#readContent(bytes);
      case 'chunkEnd': {
        const count = Math.min(this.#left, bytes.length);
        this.#left -= count;
        if (this.#left === 0) this.#phase = 'size';
        return count;
      }
      default:
        return this.#readLine(bytes);
    }
  }

  #readHead(bytes: Buffer): number {
    const reading = scanner.read(bytes, 0, bytes.length);
    this.isBroken = reading === 'odd';
    if (reading !== 'whole') return 0;
    const { status, end, isChunked, contentLength, willClose } = scanner;
    const lines = withoutHopByHop(scanner.rawHeaders(bytes));
    if (status < 200) {
      this.#sink.onInterim(status, lines);
      return end;
    }
    const isBodyless = this.#isHead || status === 204 || status === 304 || contentLength === 0;
    this.#left = contentLength;
    if (isBodyless) this.#phase = 'over';
    else if (isChunked) this.#phase = 'size';
    else this.#phase = contentLength > 0 ? 'length' : 'close';
    this.#sink.onHead({
      status,
      lines,
      closes: willClose,
      hasBody: !isBodyless,
      hasLength: contentLength >= 0,
    });
    return end;
  }

  #readContent(bytes: Buffer): number {
    if (this.#phase === 'close') {
      this.#sink.onContent(bytes);
      return bytes.length;
    }
    const count = Math.min(this.#left, bytes.length);
    this.#sink.onContent(bytes.subarray(0, count));
    this.#left -= count;
    if (this.#left > 0) return count;
    this.#left = lineEndBytes;
    this.#phase = this.#phase === 'length' ? 'over' : 'chunkEnd';
    return count;
  }

  /** A line that gives a chunk's size, or one of the trailer section. */
  #readLine(bytes: Buffer): number {
    const at = bytes.indexOf(lineFeed);
    if (at < 0) return 0;
    const line = bytes.toString('latin1', 0, at).trimEnd();
    if (this.#phase === 'size') {
      this.#left = Number.parseInt(line, 16);
      this.isBroken = !/^[0-9a-f]+$/i.test(line);
      this.#phase = this.#left === 0 ? 'trailers' : 'chunk';
    } else if (line === '') {
      this.#phase = 'over';
    } else {
      const colon = line.indexOf(':');
      this.trailers.push([line.slice(0, colon), line.slice(colon + 1).trim()]);
    }
    return at + 1;
  }
}

/**
 * Header lines as Node's HTTP/2 takes them: names in lower case, repeated ones as lists. Of a field that
 * may stand once only, which Node insists on, the first is kept.
 */
export function fieldsOf(lines: readonly HeaderLine[]): Record<string, string | string[]> {
  // Without a prototype, because a field may have any name.
  const fields: Record<string, string | string[]> = Object.create(null);
  for (const [name, value] of lines) {
    const key = name.toLowerCase();
    const present = fields[key];
    if (present === undefined) fields[key] = value;
    else if (!singleFields.has(key)) fields[key] = [present, value].flat();
  }
  return fields;
}

const singleFields = new Set([
  'access-control-allow-credentials',
  'access-control-max-age',
  'access-control-request-method',
  'age',
  'authorization',
  'content-encoding',
  'content-language',
  'content-length',
  'content-location',
  'content-md5',
  'content-range',
  'content-type',
  'date',
  'dnt',
  'etag',
  'expires',
  'from',
  'host',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  'last-modified',
  'location',
  'max-forwards',
  'proxy-authorization',
  'range',
  'referer',
  'retry-after',
  'tk',
  'upgrade-insecure-requests',
  'user-agent',
  'x-content-type-options',
]);
