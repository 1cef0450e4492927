/** The admin server on its address: bound at the start, and at a reload that moves it. */
import { startAdminServer } from './admin/server.ts';
import type { HostPort, Settings } from './config/shape.ts';
import type { FastifyInstance } from './fastify.ts';
import { isSameAddress } from './listen-addresses.ts';
import { listenFailure } from './start-failure.ts';
import type { Statistics } from './statistics.ts';
import type { OriginRow } from './upstream/origins.ts';

export interface RunningAdmin {
  readonly address: HostPort;
  readonly app: FastifyInstance;
}

export interface AdminListenerOptions {
  /** The settings in force. */
  readonly current: () => Settings;
  readonly statistics: Statistics;
  /** The origins of all sites. */
  readonly origins: () => readonly OriginRow[];
  readonly ready: () => boolean;
}

/** Undefined when there is to be none; throws when its address cannot be had. */
export async function bindAdmin(
  { admin }: Settings,
  { current, statistics, origins, ready }: AdminListenerOptions,
): Promise<RunningAdmin | undefined> {
  const address = admin.listen;
  if (address === undefined) return undefined;
  try {
    const app = await startAdminServer(address, {
      // Before a reload is through, the settings in force are not yet those of a new address.
      admin: () => (isSameAddress(current().admin.listen, address) ? current().admin : admin),
      statistics,
      origins,
      ready,
    });
    return { address, app };
  } catch (error) {
    throw listenFailure(address, error);
  }
}
