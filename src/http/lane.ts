/** What a connection of the fast path and the fast path as a whole know of each other. */
import type { Socket } from 'node:net';
import type { Arrival } from './arrival.ts';
import type { FrontParts } from './policy.ts';
import type { Unread } from './unread-bytes.ts';

export interface LaneConnection {
  readonly socket: Socket;
  /** Ends the connection if no request is in hand. */
  endIfIdle(): void;
  /** Looks whether something has been waited for too long. */
  check(): void;
}

export interface Lane {
  readonly parts: FrontParts;
  /** The key of the listen address. */
  readonly listen: string;
  readonly arrival: Arrival;
  /** Counts up every `tickMs`; the only clock of waits, since wall-clock time may step. */
  readonly tick: number;
  /** Connections are to end behind their next answer. */
  readonly isClosing: boolean;
  /** The drain's time is up: what ends now, we ended. */
  readonly isCutting: boolean;
  /** The connection is over. */
  forget(connection: LaneConnection): void;
  /** The connection goes to the front. */
  giveAway(connection: LaneConnection, unread: Unread): void;
}
