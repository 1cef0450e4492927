/**
 * The data plane, or all of them, as the control plane sees them: one in this process, whose messages are
 * function calls, or one in each worker process (workers.ts).
 */
import type { CacheConsole } from './admin/cache-commands.ts';
import type { Settings } from './config/shape.ts';
import type { CurrentCertificate, DataPlane } from './data-plane.ts';
import type { OriginRow } from './upstream/origins.ts';

export interface DataPlanes {
  /** Listens; throws with a sentence when that cannot be. */
  start(): Promise<void>;
  /** Does what can fail of taking over other settings; throws with a sentence, nothing has changed then. */
  prepare(next: Settings): Promise<void>;
  abandon(): Promise<void>;
  /** Takes over settings that were prepared. */
  adopt(next: Settings): Promise<void>;
  renewCertificates(current: CurrentCertificate): void;
  /** Resolves when what the control plane has changed is in force everywhere. */
  applied(): Promise<void>;
  /** Resolves when the control plane has been told of all that happened before. */
  reported(): Promise<void>;
  readonly cache: CacheConsole;
  origins(): readonly OriginRow[];
  /** Whether an origin is configured on that host. */
  hasOrigin(host: string): boolean;
  /** From now on answers end their connections. */
  noteDraining(): void;
  /** Stops listening, and lets answers under way finish for `drainMs`. */
  close(drainMs: number): Promise<void>;
  /** Lets go of everything else, once it is closed. */
  end(): Promise<void>;
}

/** The data plane of a single process. */
export function inThisProcess(plane: DataPlane): DataPlanes {
  const { store, deliveries } = plane.caching;
  return {
    start: () => plane.start(),
    prepare: (next) => plane.prepare(next),
    abandon: () => plane.abandon(),
    adopt: async (next) => plane.adopt(next),
    renewCertificates: (current) => plane.renewCertificates(current),
    applied: async () => {},
    reported: async () => {},
    cache: {
      totals: () => store.totals,
      list: (order, max) => store.list(order, max),
      purge: (url, isPrefix) => deliveries.purgeUrl(url, isPrefix),
      purgeAll: () => deliveries.purgeUrl('', true),
    },
    origins: () => plane.origins.rows(),
    hasOrigin: (host) => plane.origins.hasHost(host),
    noteDraining: () => plane.noteDraining(),
    close: (drainMs) => plane.close(drainMs),
    end: () => plane.end(),
  };
}
