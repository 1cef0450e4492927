/** What a relay is asked for, and what it asks of the client's side. */
import type { Socket } from 'node:net';
import type { LimitSettings } from '../config/shape.ts';
import type { AnswerScanner } from './answer-head.ts';
import type { AnswerSink } from './answer-sink.ts';
import type { OriginFaultCode } from './faults.ts';
import type { OriginChoice } from './origin.ts';

/** A request as it is to be sent. */
export interface RelayedRequest {
  readonly origins: OriginChoice;
  /** The head for the origin, latin1, the blank line included. */
  readonly head: string;
  readonly isHead: boolean;
  /** It may be sent twice: its method allows it, and it has no body. */
  readonly isRepeatable: boolean;
  /** Length of the body, in bytes. */
  readonly bodyBytes: number;
  readonly limits: LimitSettings;
  /** When it came, in milliseconds since the epoch. */
  readonly atMs: number;
}

/** The client's side of a relay. */
export interface RelayClient {
  /** Who takes the answer whose head was read from `bytes`. */
  sinkFor(head: AnswerScanner, bytes: Buffer): AnswerSink;
  /** Milliseconds since the epoch, now. */
  nowMs(): number;
  /** An interim answer, as text. */
  writeInterim(text: string): void;
  /**
   * Asked when a piece was handed on: the client has not taken all of it, and is to be waited for with
   * `whenTaken`.
   */
  isBehind(): boolean;
  /** The origin said or took something, or a wait for it begins. */
  onActivity(): void;
  /**
   * Calls `action` when the client has taken all that was written, unless it goes or takes too long:
   * now, or then. Meanwhile it is the client that is waited for, whatever `Relay.awaited` says.
   */
  whenTaken(action: () => void): void;
  /** The origin takes the body from now on, through `Relay.sendBody`. */
  onBodyWanted(): void;
  /** The origin has taken what it was given. */
  onBodyDrained(): void;
  /** The request is sent once more; `hasMoved`: to another origin. */
  onRetry(hasMoved: boolean): void;
  /** The origin failed before its answer began: the client is still owed one. */
  onFault(code: OriginFaultCode): void;
  /** The origin failed within its answer: the client's connection has to be closed. */
  onCutShort(isTimeout: boolean): void;
  /** The client has taken the whole answer. */
  onAnswered(): void;
}

/** Whom a relay waits for: `origin` before its answer, `answer` within it. */
export type Awaited = 'place' | 'connection' | 'body' | 'origin' | 'answer' | 'nothing';

const nothing = Buffer.alloc(0);

/** Calls `action` when everything written to the socket so far has gone out, or the socket is closed. */
export function whenFlushed(socket: Socket, action: () => void): void {
  socket.write(nothing, action);
}
