/**
 * Whoever takes an origin's answer from a relay: how its body is framed (RFC 9112 §6.3), how much of it
 * was taken, and whether the connection can be used again. What is made of the bytes is decided by who
 * extends it.
 */
import type { AnswerScanner } from './answer-head.ts';

/** How the origin frames the body. */
export type BodySource = 'none' | 'length' | 'chunked' | 'close';

export abstract class AnswerSink {
  isOver = false;
  isBroken = false;
  status = 0;
  /** Content bytes handed on. */
  contentBytes = 0;
  protected source: BodySource = 'none';
  /** Of a body with a length: what is still to come, in bytes. */
  protected left = 0;
  protected hasSurplus = false;
  #willClose = false;
  #keepAliveSeconds = -1;

  /** Takes the head that `head` read from `bytes`, and what of the body is behind it. */
  abstract begin(head: AnswerScanner, bytes: Buffer, end: number, isHead: boolean): void;

  /** Takes bytes[from, end) of the body. */
  abstract take(bytes: Buffer, from: number, end: number): void;

  /** A body that ends with its connection is over. */
  abstract finish(): void;

  /** Begins with a head. */
  protected frame(head: AnswerScanner, isHead: boolean): void {
    this.isOver = false;
    this.isBroken = false;
    this.contentBytes = 0;
    this.hasSurplus = false;
    this.status = head.status;
    this.source = sourceOf(head, isHead);
    this.left = head.contentLength;
    this.#willClose = head.willClose;
    this.#keepAliveSeconds = head.keepAliveSeconds;
  }

  /** The end of the connection is the end of the body. */
  get endsWithConnection(): boolean {
    return this.source === 'close';
  }

  /** Whether the origin's connection can carry another request after this answer. */
  get mayReuse(): boolean {
    return !this.#willClose && !this.hasSurplus && this.source !== 'close';
  }

  /** How long the connection may be idle: what the origin says, a second earlier, at most `idleMsMax`. */
  idleMs(idleMsMax: number): number {
    if (this.#keepAliveSeconds < 0) return idleMsMax;
    return Math.min(idleMsMax, this.#keepAliveSeconds * 1000 - 1000);
  }
}

function sourceOf(head: AnswerScanner, isHead: boolean): BodySource {
  if (isHead || head.status === 204 || head.status === 304) return 'none';
  if (head.isChunked) return 'chunked';
  if (head.contentLength === 0) return 'none';
  return head.contentLength > 0 ? 'length' : 'close';
}
