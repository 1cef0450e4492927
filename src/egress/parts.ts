/** What the files of the gateway share: its settings, the parts it works with, and what it tells. */
import type { Statistics } from '../statistics.ts';
import type { ThrottledSources } from '../throttle/sources.ts';
import type { Resolver } from './resolver.ts';
import type { Target } from './target.ts';

/** `[Egress]`, and the limits that hold here. */
export interface EgressSettings {
  readonly allow: readonly string[];
  /** Ranges of ports, both ends included. */
  readonly allowPorts: readonly (readonly [first: number, last: number])[];
  readonly allowPrivate: boolean;
  /** `user:password`; empty: nobody is asked. */
  readonly credentials: string;
  readonly connectionsMax: number;
  readonly sourceConnectionsMax: number;
  readonly headerTimeoutMs: number;
  readonly headerBytesMax: number;
  readonly connectTimeoutMs: number;
  readonly originTimeoutMs: number;
  readonly idleTimeoutMs: number;
}

export interface GatewayParts {
  readonly settings: () => EgressSettings;
  readonly sources: ThrottledSources;
  readonly resolver: Resolver;
  readonly statistics: Statistics;
  /** One line a request, when it is over or refused. */
  readonly log: (entry: EgressEntry) => void;
  readonly nowMs: () => number;
}

/** What the log tells of a request through the gateway. */
export interface EgressEntry {
  readonly client: string;
  readonly atMs: number;
  readonly requestLine: string;
  /** Undefined: the client had gone. */
  readonly status: number | undefined;
  readonly bytes: number;
  /** Why it was refused, in a word. */
  readonly error: string | undefined;
}

/** Where a request may go: the address to connect to. */
export interface Passage extends Target {
  readonly address: string;
}
