/** Names to addresses within the limits of the settings, put together. */
import type { Clock } from './clock.ts';
import type { Settings } from './config/shape.ts';
import type { NameServers } from './egress/name-servers.ts';
import { Resolver } from './egress/resolver.ts';

export interface NameLookupOptions {
  readonly settings: () => Settings;
  readonly clock: Clock;
  readonly nameServers: NameServers;
}

/** One with a memory and a bound of its own. */
export function makeResolver({ settings, clock, nameServers }: NameLookupOptions): Resolver {
  return new Resolver({
    clock,
    timeoutMs: () => settings().limits.nameTimeoutMs,
    lookupsMax: () => settings().limits.nameLookupsMax,
    lifetimeMs: () => settings().limits.nameLifetimeMs,
    namesMax: () => settings().limits.dynamicOriginsMax,
    ask: (host) => nameServers.addressesOf(host),
  });
}
