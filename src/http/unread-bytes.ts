/**
 * What arrived on a connection and is no request's yet: the beginning of the next head, or of a body
 * that nobody wants and that has to be stepped over.
 */
import { ascii } from '../upstream/wire-grammar.ts';

/** What was read from a socket and is for somebody else to deal with. */
export interface Unread {
  readonly bytes: Buffer;
  /** Nothing comes behind them: the client has ended its side. */
  readonly hasEnded: boolean;
}

const nothing = Buffer.alloc(0);

export class UnreadBytes {
  /** Undefined: there are none. */
  #bytes: Buffer | undefined;
  /** Bytes of a body that nobody wants, still to come. */
  skipLeft = 0;

  get bytes(): Buffer {
    return this.#bytes ?? nothing;
  }

  get length(): number {
    return this.#bytes === undefined ? 0 : this.#bytes.length;
  }

  add(chunk: Buffer): void {
    this.#bytes = this.#bytes === undefined ? chunk : Buffer.concat([this.#bytes, chunk]);
  }

  /** The first `byteCount` bytes are dealt with. */
  consume(byteCount: number): void {
    this.#bytes = byteCount < this.length ? this.#bytes?.subarray(byteCount) : undefined;
  }

  clear(): void {
    this.#bytes = undefined;
  }

  /** Steps over what stands before the next head: an unwanted body, empty lines (RFC 9112 §2.2). */
  skipToHead(): void {
    const bytes = this.#bytes;
    if (bytes === undefined) return;
    let count = Math.min(this.skipLeft, bytes.length);
    this.skipLeft -= count;
    if (this.skipLeft === 0) {
      while (bytes[count] === ascii.carriageReturn || bytes[count] === ascii.lineFeed) count += 1;
    }
    if (count > 0) this.consume(count);
  }
}
