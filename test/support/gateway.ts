/** An egress gateway in the test's own process, with names and a throttle of the test's making. */
import { systemClock } from '../../src/clock.ts';
import { EgressGateway } from '../../src/egress/gateway.ts';
import type { EgressEntry, EgressSettings } from '../../src/egress/parts.ts';
import { Resolver } from '../../src/egress/resolver.ts';
import { Statistics } from '../../src/statistics.ts';
import { ThrottledSources } from '../../src/throttle/sources.ts';
import type { ThrottleSettings } from '../../src/throttle/throttle.ts';
import type { Cleanup } from './cleanup.ts';
import { RawClient } from './raw-client.ts';

const names: Record<string, readonly string[]> = {
  'site.test': ['127.0.0.2'],
  'mixed.test': ['10.0.0.1', '127.0.0.3'],
  'private.test': ['10.0.0.1'],
};

export interface StartedGateway {
  readonly port: number;
  readonly statistics: Statistics;
  readonly events: string[];
  readonly log: EgressEntry[];
  readonly sources: ThrottledSources;
  readonly resolver: Resolver;
  settings: EgressSettings;
  /** Stops it as the server does. */
  stop(drainMs: number): Promise<void>;
}

/** `throttle`: what is to differ from a small queue and a short delay. */
export async function startGateway(
  t: Cleanup,
  changed: Partial<EgressSettings> = {},
  throttle: Partial<ThrottleSettings> = {},
): Promise<StartedGateway> {
  const statistics = new Statistics();
  const events: string[] = [];
  const log: EgressEntry[] = [];
  const settings: EgressSettings = {
    allow: ['127.0.0.0/8'],
    allowPorts: [[1, 65_535]],
    allowPrivate: true,
    credentials: '',
    connectionsMax: 2_000,
    sourceConnectionsMax: 1_500,
    headerTimeoutMs: 5_000,
    headerBytesMax: 16_384,
    connectTimeoutMs: 1_000,
    originTimeoutMs: 5_000,
    idleTimeoutMs: 5_000,
    ...changed,
  };
  const sources = new ThrottledSources({
    clock: systemClock,
    onFull: () => {},
    isOn: () => true,
    isOrigin: () => false,
    settings: () => ({
      workingSetSize: 5,
      delayMs: 200,
      queueSize: 20,
      highWaterMark: 16,
      lowWaterMark: 8,
      ...throttle,
    }),
    blockMs: () => undefined,
    sourcesMax: () => 100,
    onEvent: (source, event) => events.push(`${source} ${event}`),
  });
  const resolver = new Resolver({
    clock: systemClock,
    timeoutMs: () => 300,
    lookupsMax: () => 10,
    lifetimeMs: () => 1_000,
    namesMax: () => 10,
    ask: async (host) => {
      if (host.endsWith('silent.test')) await new Promise(() => {});
      const found = names[host];
      if (found === undefined) throw new Error('ENOTFOUND');
      return found;
    },
  });
  const gateway = new EgressGateway({
    settings: () => settings,
    sources,
    resolver,
    statistics,
    log: (entry) => log.push(entry),
    nowMs: () => systemClock.nowMs(),
  });
  const listening = await gateway.listen(0, '127.0.0.1');
  t.after(async () => {
    sources.close();
    await gateway.close(0);
  });
  const stop = (drainMs: number) => gateway.close(drainMs);
  return { port: listening, statistics, events, log, sources, resolver, settings, stop };
}

/** A CONNECT, with whatever is answered to it. */
export async function tunnelTo(
  gateway: number,
  authority: string,
  from = '127.0.0.1',
): Promise<RawClient> {
  const client = await RawClient.connect(gateway, from);
  client.send(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
  await client.until(() => client.text.includes('\r\n\r\n') || client.closed, 'an answer');
  return client;
}

/** The status of the first answer; 0 before there is one. */
export function firstStatus(client: RawClient): number {
  return Number(/^HTTP\/1\.1 (\d+)/.exec(client.text)?.[1] ?? 0);
}
