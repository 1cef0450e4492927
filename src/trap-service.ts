/**
 * The SNMP traps, put together: where they go, which wormgate they are from, how names become addresses,
 * and what the throttle's log tells of them.
 */
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { type Clock, processUpMs } from './clock.ts';
import type { Settings } from './config/shape.ts';
import type { NameServers } from './egress/name-servers.ts';
import { formatThrottleMessage } from './log/throttle-log.ts';
import { TrapSender } from './log/traps.ts';
import { makeResolver } from './name-lookups.ts';
import type { Statistics } from './statistics.ts';

export interface TrapServiceOptions {
  readonly settings: () => Settings;
  readonly dataFolder: string;
  readonly clock: Clock;
  readonly statistics: Statistics;
  readonly nameServers: NameServers;
  /** A line for the ThrottleLog. */
  readonly record: (text: string) => void;
}

/** Ready at once; without sinks it does nothing. */
export function startTraps(options: TrapServiceOptions): TrapSender {
  const { settings, dataFolder, clock, statistics, record } = options;
  // One of its own: what the gateway's clients ask for must not keep it from asking.
  const resolver = makeResolver(options);
  return new TrapSender({
    settings: () => settings().snmp,
    origin: {
      instance: `${hostname()}:${resolve(dataFolder)}`,
      startMs: clock.nowMs() - processUpMs(),
    },
    upMs: processUpMs,
    statistics,
    resolve: async (host) => {
      const resolution = await resolver.resolve(host, 'traps');
      return resolution.ok ? resolution.addresses : [];
    },
    note: (tag, text) => record(formatThrottleMessage(tag, clock.nowMs(), text)),
  });
}
