/**
 * Finds the end of a request body within a connection's raw bytes (RFC 9112 §§6, 7.1), so that the
 * tap knows where the next head begins. It only counts: Node's parser judges the grammar, and gives
 * the connection up at the first fault.
 */

/** How a request's head says that its body is framed. */
export interface Framing {
  readonly chunked: boolean;
  /** In bytes; 0 when the head announces no body, or a chunked one. */
  readonly contentLength: number;
}

const lineFeed = 0x0a;
const lineEndLength = 2;

export class BodySkipper {
  #phase: 'data' | 'size' | 'trailers' | 'over';
  readonly #chunked: boolean;
  /** Bytes of the body or chunk that are still to come. */
  #left: number;

  constructor(framing: Framing) {
    this.#chunked = framing.chunked;
    this.#left = framing.contentLength;
    if (framing.chunked) this.#phase = 'size';
    else this.#phase = framing.contentLength > 0 ? 'data' : 'over';
  }

  /** True when the whole body was skipped. */
  get isOver(): boolean {
    return this.#phase === 'over';
  }

  /** The offset behind those of bytes[from…] that are the body's; an incomplete line is left in place. */
  skip(bytes: Buffer, from: number): number {
    let at = from;
    while (this.#phase !== 'over') {
      if (this.#phase === 'data') {
        const length = Math.min(this.#left, bytes.length - at);
        at += length;
        this.#left -= length;
        if (this.#left > 0) return at;
        this.#phase = this.#chunked ? 'size' : 'over';
        continue;
      }
      const lineEnd = bytes.indexOf(lineFeed, at);
      if (lineEnd < 0) return at;
      this.#takeLine(bytes.toString('latin1', at, lineEnd));
      at = lineEnd + 1;
    }
    return at;
  }

  #takeLine(line: string): void {
    if (this.#phase === 'trailers') {
      if (line === '' || line === '\r') this.#phase = 'over';
      return;
    }
    const size = Number.parseInt(line, 16);
    if (size === 0) {
      this.#phase = 'trailers';
      return;
    }
    // Not a number: the parser has found that out too, and nothing more is asked of this connection.
    this.#left = Number.isNaN(size) ? Number.POSITIVE_INFINITY : size + lineEndLength;
    this.#phase = 'data';
  }
}
