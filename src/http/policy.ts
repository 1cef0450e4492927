/**
 * What the request path decides by, and the parts it works with. A policy is made whole from the
 * settings at start and at each reload, and swapped in one assignment.
 */
import type { Socket } from 'node:net';
import type { Settings } from '../config/shape.ts';
import type { Deliveries } from '../delivery/deliveries.ts';
import type { AccessEntry } from '../log/access.ts';
import type { Latencies } from '../log/latency.ts';
import type { Tracer } from '../log/tracer.ts';
import type { Statistics } from '../statistics.ts';
import type { Origin } from '../upstream/origin.ts';
import type { Site, SiteTable } from '../upstream/origins.ts';
import type { HitRates } from '../virus/hit-rates.ts';
import type { KeywordScreen } from '../virus/keyword-screen.ts';
import type { NeverBlock } from '../virus/never-block.ts';
import type { PatternSet } from '../virus/pattern-set.ts';
import type { Screen } from '../virus/screen.ts';
import type { ServedMemory } from '../virus/served-memory.ts';
import type { SourceGate } from '../virus/source-watch.ts';
import type { Suspects } from '../virus/suspects.ts';
import type { VirusSources } from '../virus/virus-sources.ts';
import type { ListenerTable } from './listeners.ts';
import type { Refusal } from './refusals.ts';

/** How requests are judged. */
export interface Screening {
  readonly settings: Settings;
  readonly neverBlock: NeverBlock;
  /** Undefined: ScanVirusPatterns=0, nothing is screened. */
  readonly screen: Screen | undefined;
}

export interface Policy extends Screening {
  /** Undefined: no Endpoint is set, nothing is traced. */
  readonly tracer: Tracer | undefined;
  readonly sites: SiteTable;
  readonly listeners: ListenerTable;
}

/** A request to a site whose origin is the host that the request names. */
export interface DynamicRequest {
  /** Lower case, without a port. */
  readonly host: string;
  readonly site: Site;
  /** The client's connection: who has gone waits no longer. */
  readonly socket: Socket;
  /** It asks for a tunnel, which needs a connection of its own. */
  readonly isUpgrade: boolean;
}

/** Where such a request goes, once it may; a refusal; or undefined: the client has gone meanwhile. */
export type FindOrigin = (request: DynamicRequest) => Promise<Origin | Refusal | undefined>;

/** What the fronts of all listen addresses share. */
export interface FrontParts {
  /** The policy in force now. */
  policy(): Policy;
  readonly patterns: PatternSet;
  readonly hitRates: HitRates;
  readonly virusSources: VirusSources;
  readonly sources: SourceGate;
  readonly suspects: Suspects;
  readonly keywordScreen: KeywordScreen;
  readonly served: Pick<ServedMemory, 'note' | 'notePath' | 'noteKeyword'>;
  readonly missing: Pick<ServedMemory, 'note'>;
  readonly findOrigin: FindOrigin;
  readonly deliveries: Deliveries;
  readonly statistics: Statistics;
  readonly latencies: Latencies;
  nowMs(): number;
  /** True once the server is on its way out: answers then close their connections. */
  draining(): boolean;
  logAccess(entry: AccessEntry): void;
  /**
   * The listening sockets belong to another process, which would offer a connection that Node refuses again
   * and again: MaxConnections is looked at after accepting alone.
   */
  readonly sharesListeners: boolean;
}
