/**
 * How long the fast path waits, and for whom. Counted in ticks of its own, because wall-clock time may
 * step, and a timer for every wait would cost more than what it guards.
 */
import type { LimitSettings } from '../config/shape.ts';
import type { Awaited } from './relay-client.ts';

/** How often it is looked at who keeps us waiting for too long, in milliseconds. */
export const tickMs = 250;

/** What is waited for: what a relay waits for, the client, a next request, a head, a body nobody wants. */
export type Wait = Awaited | 'client' | 'next' | 'head' | 'rest';

/** How long that may take, in milliseconds; endless where others keep the time. */
function waitMs(wait: Wait, limits: LimitSettings): number {
  switch (wait) {
    case 'next':
      return limits.keepAliveTimeoutMs;
    case 'head':
      return limits.headerTimeoutMs;
    case 'rest':
    case 'body':
      return limits.bodyTimeoutMs;
    case 'connection':
      return limits.connectTimeoutMs;
    case 'place':
    case 'origin':
      return limits.originTimeoutMs;
    case 'answer':
      return limits.originReadTimeoutMs;
    // Node's own timer, because it sees the client take parts of what waits.
    case 'client':
    case 'nothing':
      return Number.POSITIVE_INFINITY;
  }
}

/** Whether a wait that has lasted `ticks` is certainly too long. */
export function isOverdue(wait: Wait, ticks: number, limits: LimitSettings): boolean {
  return ticks > Math.ceil(waitMs(wait, limits) / tickMs) + 1;
}
