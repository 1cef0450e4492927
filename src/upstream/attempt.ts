/** One request on its way to an origin, and how far it has come. State only; forward.ts acts on it. */
import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http';
import type { LimitSettings } from '../config/shape.ts';
import type { OriginFaultCode } from './faults.ts';
import type { HeaderLine } from './hop-by-hop.ts';
import type { Origin, OriginChoice } from './origin.ts';
import type { Leave } from './origin-queue.ts';

/** What is to be sent, and whom to tell what becomes of it. */
export interface Forwarding {
  readonly origins: OriginChoice;
  /** The request target in origin-form, or `*`. */
  readonly target: string;
  readonly headers: readonly HeaderLine[];
  /** True when the request announces a body. */
  readonly hasBody: boolean;
  readonly chunked: boolean;
  /** True when the client waits for 100 Continue before it sends the body. */
  readonly expectsContinue: boolean;
  readonly limits: LimitSettings;
  /** The value of Strict-Transport-Security for an answer that has none; empty: none. */
  readonly hsts: string;
  /** The value of Cache-Status; undefined: none is added. */
  readonly cacheStatus: string | undefined;
  /** The head of the origin's answer. */
  onHead(status: number, rawHeaders: readonly string[]): void;
  /** Milliseconds since the epoch, now. */
  nowMs(): number;
  /** The request is sent once more; `hasMoved`: to another origin. */
  onRetry(hasMoved: boolean): void;
  /** The origin failed before its answer began: the client is still owed one. */
  onFault(fault: OriginFaultCode): void;
  /** The body outgrew MaxRequestBody on its way. */
  onBodyTooLarge(): void;
  /** The origin broke off, or fell silent, in the middle of its answer; the client's connection closes. */
  onCutShort(isTimeout: boolean): void;
  /** Body bytes on their way to the client. */
  onBytes(count: number): void;
}

export interface Attempt {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly forwarding: Forwarding;
  /** When it began, in milliseconds since the epoch. */
  readonly atMs: number;
  /** The origin in use; undefined before the first is chosen. */
  origin: Origin | undefined;
  /** Origins that have failed the request. */
  readonly tried: Origin[];
  /** The connection in use stands, TLS included. */
  isConnected: boolean;
  /** An interim answer of an origin was passed on. */
  hasAnswered: boolean;
  /** The library's request; undefined until a connection is assigned to it. */
  proxyReq: ClientRequest | undefined;
  /** The origin's answer, once its head is there. */
  proxyRes: IncomingMessage | undefined;
  /** What its connection had received before the request was sent. */
  bytesReadBefore: number;
  /** Gives the place at the origin back. */
  leave: Leave;
  retriedStale: boolean;
  /** Part of the body was read, so that it cannot be sent once more. */
  bodyBegun: boolean;
  /** 100 Continue was relayed. */
  continued: boolean;
  timedOut: boolean;
  /** The answer was received whole. */
  complete: boolean;
}
