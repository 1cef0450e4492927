/**
 * Listens in on a connection's raw bytes, because Node's parser hands on a request line that is no
 * longer what the client sent (blanks are dropped, other protocols' versions accepted). Follows the
 * framing from head to body to the next head, never searching, so that nothing inside a body can
 * pass for a request line. Holds at most one head and one packet.
 */
import type { Socket } from 'node:net';
import { BodySkipper, type Framing } from './body-skipper.ts';

const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const headEnd = '\r\n\r\n';

/** A request head as it was received. */
export interface RawHead {
  /** The request line without its line end, latin1. */
  readonly line: string;
  /** The size of the whole head, the blank line included. */
  readonly byteCount: number;
}

export class RequestTap {
  readonly #socket: Socket;
  readonly #bytesMax: number;
  readonly #onOverflow: () => void;
  readonly #listener = (packet: Buffer) => this.#note(packet);
  #held: Buffer = Buffer.alloc(0);
  /** Where in `#held` the unclaimed bytes begin: a head, or a line of a chunked body. */
  #cursor = 0;
  #body: BodySkipper | undefined;

  /** `bytesMax`: the longest head, and the longest line within a body; more calls `onOverflow`. */
  constructor(socket: Socket, bytesMax: number, onOverflow: () => void) {
    this.#socket = socket;
    this.#bytesMax = bytesMax;
    this.#onOverflow = onOverflow;
    // Before the parser's own listener, so that a packet is known here when its requests are reported.
    socket.prependListener('data', this.#listener);
  }

  /** Stops listening, because the connection no longer speaks HTTP. */
  stop(): void {
    this.#socket.removeListener('data', this.#listener);
  }

  #note(packet: Buffer): void {
    const rest = this.#held.subarray(this.#cursor);
    this.#held = rest.length === 0 ? packet : Buffer.concat([rest, packet]);
    this.#cursor = 0;
    this.#skip();
    if (this.#pendingBytes() > this.#bytesMax) this.#onOverflow();
  }

  /** Moves the cursor behind the body, and behind the empty lines that may stand before a head. */
  #skip(): void {
    if (this.#body !== undefined) {
      this.#cursor = this.#body.skip(this.#held, this.#cursor);
      if (!this.#body.isOver) return;
      this.#body = undefined;
    }
    while (isLineEnd(this.#held[this.#cursor])) this.#cursor += 1;
  }

  /** How much of the head or line that begins at the cursor is here. */
  #pendingBytes(): number {
    const end = this.#body === undefined ? this.#held.indexOf(headEnd, this.#cursor, 'latin1') : -1;
    return (end < 0 ? this.#held.length : end + headEnd.length) - this.#cursor;
  }

  /**
   * The raw head of the request that the parser reports now, once each; undefined when the bytes at
   * its place say something else. `framing`: how the parser understood the head.
   */
  takeHead(method: string, url: string, framing: Framing): RawHead | undefined {
    const start = this.#cursor;
    const end = this.#held.indexOf(headEnd, start, 'latin1');
    if (this.#body !== undefined || end < 0) return undefined;
    const line = lineAt(this.#held, start);
    if (!line.startsWith(`${method} `)) return undefined;
    if (!line.slice(method.length).trimStart().startsWith(url)) return undefined;
    this.#cursor = end + headEnd.length;
    this.#body = new BodySkipper(framing);
    this.#skip();
    return { line, byteCount: end + headEnd.length - start };
  }

  /** What was received of the head that the parser refused: from its first byte on, at most `bytesMax`. */
  refusedBytes(): Buffer {
    if (this.#body !== undefined) return Buffer.alloc(0);
    return this.#held.subarray(this.#cursor, this.#cursor + this.#bytesMax);
  }
}

function isLineEnd(byte: number | undefined): boolean {
  return byte === lineFeed || byte === carriageReturn;
}

/** The latin1 text from `at` to the line end. */
function lineAt(bytes: Buffer, at: number): string {
  const end = bytes.indexOf(lineFeed, at);
  const textEnd = end > at && bytes[end - 1] === carriageReturn ? end - 1 : end;
  return bytes.toString('latin1', at, textEnd);
}
