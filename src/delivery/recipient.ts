/** A client's request as the cache sees it, and the one who answers it. */

import type { StoredAnswer } from '../cache/entry.ts';
import type { HeaderLine, HeaderReader } from '../cache/fields.ts';
import type { BypassDetail, Forward, LookupRequest } from '../cache/lookup.ts';
import type { LimitSettings } from '../config/shape.ts';
import type { OriginFaultCode } from '../upstream/faults.ts';
import type { OriginChoice } from '../upstream/origin.ts';
import type { Relay } from '../upstream/relay.ts';
import type { RelayClient } from '../upstream/relay-client.ts';
import type { ArrivingAnswer } from './arriving-answer.ts';

/** What is changed in the head that a client's request would be sent on with. */
export interface HeadEdit {
  /** Names in lower case. */
  readonly without: ReadonlySet<string>;
  /** The whole is asked for, whatever the client's method. */
  readonly isGet: boolean;
  readonly lines: readonly HeaderLine[];
}

/** Valid for as long as it is held, also when its client has been answered. */
export interface DeliveryRequest extends LookupRequest {
  readonly key: string;
  readonly origins: OriginChoice;
  /** The head for the origin, latin1, the blank line included. */
  originHead(edit: HeadEdit): string;
  readonly limits: LimitSettings;
  /** Accept-Encoding: requests that differ in it are mostly answered otherwise. */
  readonly coding: string;
  /** None of `lookupFields` is present. */
  readonly isPlain: boolean;
  /** Where it is noted what the answer to a HEAD tells. */
  readonly watched: Watched;
}

/** A request that may tell something about what is stored: an unsafe one, or a HEAD. */
export interface Watched {
  readonly method: string;
  /** As of `keyPrefix`. */
  readonly keyPrefix: string;
  /** In origin-form. */
  readonly target: string;
  readonly header: HeaderReader;
  readonly requestMs: number;
}

/** How the origin took part in an answer. */
export interface Fetched {
  /** Undefined: it failed. */
  readonly originStatus: number | undefined;
  readonly isStored: boolean;
  readonly detail: string | undefined;
  /** For this client beside the stored lines. */
  readonly lines: readonly HeaderLine[];
}

/** What a recipient waits at. */
export interface WaitingRoom {
  leave(recipient: Recipient): void;
  /** It reads no more. */
  noteLeft(): void;
}

/** Who answers a client's request. One of the calls ends the wait, but for `onInterim`. */
export interface Recipient {
  readonly request: DeliveryRequest;
  /** A relay that has nothing to do, for the fetch to use. */
  readonly idleRelay: Relay | undefined;
  /** How the request was handled, for Cache-Status. */
  forward: Forward;
  /** Why the cache stood aside, if it did. */
  bypassDetail: BypassDetail | undefined;
  isCollapsed: boolean;
  /** It has waited for what was not for it, and goes its own way. */
  isLoner: boolean;
  /** Where it waits, or what it reads; to be left when the client goes. */
  room: WaitingRoom | undefined;
  /** It is of no use before it is whole, as for a condition or a part of it. */
  readonly needsWhole: boolean;
  /** An answer from the store; `fetched`: the origin was asked. */
  onStored(answer: StoredAnswer, fetched: Fetched | undefined): void;
  /** The answer arrives, to be read from there; `fetched` is how it looks by now. */
  onArriving(answer: ArrivingAnswer, fetched: Fetched): void;
  /**
   * The answer is for this request alone. Who takes the relay over is its client from now on; undefined:
   * an arriving answer will do.
   */
  takeOver(relay: Relay, fetched: Fetched): RelayClient | undefined;
  /** The cache has nothing for it and keeps nothing of it: it is sent on by itself. */
  onAlone(): void;
  /** The client wanted a stored answer, and there is none. */
  onOnlyIfCached(): void;
  onFault(code: OriginFaultCode): void;
  /** An interim answer, as text. */
  onInterim(text: string): void;
}
