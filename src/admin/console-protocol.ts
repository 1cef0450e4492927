/**
 * What the console's server and its clients say to each other over the unix socket: JSON messages,
 * one a line, UTF-8. A request holds console lines or asks for the screen; an answer carries the id of
 * its request, and answers come in the order of the requests. After an `error` the server closes the
 * connection. Touches no socket.
 */
import type { ConsoleOrigin } from './console.ts';
import type { Reply } from './reply.ts';
import type { ScreenSnapshot } from './screen.ts';

/** The socket's name in the data folder. */
export const socketName = 'console.sock';

/** The longest message to the server, in bytes, its newline not counted. */
export const messageBytesMax = 1024 * 1024;

/** The most console lines in one message. */
export const messageLinesMax = 500;

/** The longest answer that a client takes, in bytes. */
export const answerBytesMax = 64 * 1024 * 1024;

/** Lines are latin1, one character a byte. */
export type ConsoleRequest =
  | {
      readonly kind: 'lines';
      readonly id: number;
      readonly lines: readonly string[];
      readonly origin: ConsoleOrigin;
    }
  | { readonly kind: 'screen'; readonly id: number }
  | {
      readonly kind: 'status';
      readonly id: number;
      /** Undefined: all sources together. */
      readonly source: string | undefined;
      readonly isAdvice: boolean;
    };

/** `id` is null when the request could not be read or there was none. */
export type ConsoleAnswer =
  | { readonly id: number; readonly replies: readonly Reply[] }
  | { readonly id: number; readonly screen: ScreenSnapshot }
  | { readonly id: number; readonly status: string | null }
  | { readonly id: null; readonly error: string; readonly idle?: true };

/** A request, or what is wrong with the message. */
export type ReadRequest =
  | { readonly ok: true; readonly request: ConsoleRequest }
  | { readonly ok: false; readonly message: string };

function refuse(message: string): ReadRequest {
  return { ok: false, message };
}

/** Reads `text`, one message without its newline. */
export function readRequest(text: string): ReadRequest {
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    return refuse('the message is not JSON');
  }
  if (typeof message !== 'object' || message === null || !('id' in message)) {
    return refuse('the message has no id');
  }
  const { id } = message;
  if (typeof id !== 'number' || !Number.isSafeInteger(id)) {
    return refuse('the id is not an integer');
  }
  if ('screen' in message && message.screen === true) {
    return { ok: true, request: { kind: 'screen', id } };
  }
  if ('status' in message && typeof message.status === 'object' && message.status !== null) {
    const { status } = message;
    const source =
      'source' in status && typeof status.source === 'string' ? status.source : undefined;
    const isAdvice = 'isAdvice' in status && status.isAdvice === true;
    return { ok: true, request: { kind: 'status', id, source, isAdvice } };
  }
  const lines = 'lines' in message ? message.lines : undefined;
  if (!Array.isArray(lines) || !lines.every((line) => typeof line === 'string')) {
    return refuse('the message has no lines');
  }
  if (lines.length > messageLinesMax) {
    return refuse(`the message has ${lines.length} lines; at most ${messageLinesMax} are allowed`);
  }
  const origin = 'origin' in message ? message.origin : 'console';
  if (origin !== 'console' && origin !== 'ncf') return refuse('the origin is unknown');
  return { ok: true, request: { kind: 'lines', id, lines, origin } };
}

/** Cuts a byte stream into messages, none longer than `bytesMax`. */
export class MessageCutter {
  readonly #bytesMax: number;
  #pieces: Buffer[] = [];
  #pieceBytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** The messages that `chunk` completes; undefined once a message is too long. */
  push(chunk: Buffer): string[] | undefined {
    const messages: string[] = [];
    let start = 0;
    for (let end = chunk.indexOf(0x0a); end !== -1; end = chunk.indexOf(0x0a, start)) {
      if (!this.#keep(chunk.subarray(start, end))) return undefined;
      messages.push(Buffer.concat(this.#pieces).toString('utf8'));
      this.#pieces = [];
      this.#pieceBytes = 0;
      start = end + 1;
    }
    return this.#keep(chunk.subarray(start)) ? messages : undefined;
  }

  #keep(piece: Buffer): boolean {
    this.#pieceBytes += piece.length;
    if (this.#pieceBytes > this.#bytesMax) return false;
    if (piece.length > 0) this.#pieces.push(piece);
    return true;
  }
}
