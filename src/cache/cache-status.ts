/**
 * The Cache-Status field (RFC 9211): how the cache handled a request, in one line for the one who looks
 * into a slow or an old answer.
 */
import type { StoredAnswer } from './entry.ts';
import type { Forward } from './lookup.ts';

/** The name under which we are a member of the field. */
const cacheName = 'wormgate';

/** How much longer an answer is fresh, in whole seconds; negative for a stale one (RFC 9211 §2.6). */
export function ttlSeconds(answer: StoredAnswer, nowMs: number): number {
  return Math.floor((answer.freshUntilMs - nowMs) / 1000);
}

/** The value for an answer from the store. */
export function hitStatus(answer: StoredAnswer, nowMs: number, detail?: string): string {
  const ttl = ttlSeconds(answer, nowMs);
  return `${cacheName}; hit; ttl=${ttl}${detail === undefined ? '' : detailText(detail)}`;
}

export interface ForwardStatus {
  readonly forward: Forward;
  /** The origin's status; undefined when there is none. */
  readonly originStatus?: number | undefined;
  /** The time that what was stored or freshened is fresh for. */
  readonly ttlSeconds?: number | undefined;
  readonly isStored?: boolean;
  /** Another client's request was answered along with this one's. */
  readonly isCollapsed?: boolean;
  readonly detail?: string | undefined;
}

/** The value for an answer that the origin was asked for. */
export function forwardStatus(status: ForwardStatus): string {
  let text = `${cacheName}; fwd=${status.forward}`;
  if (status.originStatus !== undefined) text += `; fwd-status=${status.originStatus}`;
  if (status.ttlSeconds !== undefined) text += `; ttl=${status.ttlSeconds}`;
  if (status.isStored === true) text += '; stored';
  if (status.isCollapsed === true) text += '; collapsed';
  return status.detail === undefined ? text : text + detailText(status.detail);
}

/** As a token where it is one, else as a string without what a string cannot hold (RFC 9651 §3.3). */
function detailText(detail: string): string {
  if (/^[A-Za-z*][!#$%&'*+\-.^_`|~0-9A-Za-z:/]*$/.test(detail)) return `; detail=${detail}`;
  const printable = detail.replace(/[^\x20-\x7e]/g, '?').replace(/["\\]/g, '\\$&');
  return `; detail="${printable}"`;
}
