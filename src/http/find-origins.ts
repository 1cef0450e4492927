/**
 * Which origins a request goes to: those of its site, or, where a site has none of its own, the host that
 * the request names, which may have to wait for its turn at the virus throttle.
 */
import { Origin, type OriginChoice } from '../upstream/origin.ts';
import { bareHost, type Site } from '../upstream/origins.ts';
import { type Exchange, hostOf } from './exchange.ts';
import type { FrontParts } from './policy.ts';
import type { Refusal } from './refusals.ts';

/**
 * How a request's origins are wanted, and who is told: now or later, one of the two once, or none when the
 * client has gone.
 */
export interface Finding {
  /** It asks for a tunnel, which needs a connection of its own. */
  readonly isUpgrade: boolean;
  onFound(origins: OriginChoice): void;
  onRefused(refusal: Refusal): void;
}

/** Finds the origins of a request. */
export function withOrigins(
  exchange: Exchange,
  site: Site,
  parts: FrontParts,
  { isUpgrade, onFound, onRefused }: Finding,
): void {
  if (!site.isDynamic) return onFound(site);
  const { socket } = exchange.req;
  const host = bareHost(hostOf(exchange) ?? '');
  parts
    .findOrigin({ host, site, socket, isUpgrade })
    .then((found) => {
      if (found === undefined || socket.destroyed) return;
      if (found instanceof Origin) onFound(found);
      else onRefused(found);
    })
    .catch(() => socket.destroy());
}
