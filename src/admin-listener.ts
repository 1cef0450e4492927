/** The admin server on its address: bound at the start, and at a reload that moves it. */
import { EventStream } from './admin/event-stream.ts';
import { type SourceFigures, takeFigures } from './admin/figures.ts';
import { type AdminParts, startAdminServer } from './admin/server.ts';
import type { Clock } from './clock.ts';
import type { HostPort, Settings } from './config/shape.ts';
import type { FastifyInstance } from './fastify.ts';
import { isSameAddress } from './listen-addresses.ts';
import { type InspectorParts, inspectRequest } from './request-inspector.ts';
import { listenFailure } from './start-failure.ts';

export interface RunningAdmin {
  readonly address: HostPort;
  readonly app: FastifyInstance;
}

export interface AdminListenerOptions
  extends Pick<
    AdminParts,
    'context' | 'statistics' | 'latencies' | 'origins' | 'ready' | 'written'
  > {
  /** The settings in force. */
  readonly current: () => Settings;
  readonly clock: Clock;
  /** What the request path decides by. */
  readonly inspectorParts: () => InspectorParts;
  /** The file of PROXY.LOG. */
  readonly proxyLog: () => string;
  /** The sources of connections that have most waiting. */
  readonly sources: () => readonly SourceFigures[];
}

/** Undefined when there is to be none; throws when its address cannot be had. */
export async function bindAdmin(
  { admin }: Settings,
  { current, clock, inspectorParts, sources, proxyLog, ...parts }: AdminListenerOptions,
): Promise<RunningAdmin | undefined> {
  const address = admin.listen;
  if (address === undefined) return undefined;
  try {
    const app = await startAdminServer(address, {
      ...parts,
      // Before a reload is through, the settings in force are not yet those of a new address.
      admin: () => (isSameAddress(current().admin.listen, address) ? current().admin : admin),
      events: new EventStream(clock, () =>
        takeFigures(parts.context, parts.statistics, parts.latencies, sources()),
      ),
      inspect: (text) => inspectRequest(text, inspectorParts(), proxyLog()),
      lineBytesMax: () => current().limits.consoleLineBytesMax,
      nowMs: () => clock.nowMs(),
    });
    return { address, app };
  } catch (error) {
    throw listenFailure(address, error);
  }
}
