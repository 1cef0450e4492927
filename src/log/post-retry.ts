/** What is made of a POST: delivered, tried again and when, or given up. Pure. */

/** How a POST went. */
export type PostOutcome =
  | {
      readonly kind: 'answered';
      readonly status: number;
      readonly retryAfter: string | undefined;
      /** Undefined: it was too long, or broke off. */
      readonly content?: Uint8Array;
    }
  | { readonly kind: 'failed'; readonly reason: string };

export type PostVerdict = 'delivered' | 'retry' | 'refused';

const retryDelayMinMs = 1000;
const retryDelayMaxMs = 60_000;
/** A receiver that asks for more would have us lose what comes meanwhile. */
const retryAfterMaxMs = 300_000;

/** Whether a status that is no 2xx may be over soon. */
export type MayPass = (status: number) => boolean;

/** Of a webhook: 429 and 5xx. */
export const passesAtWebhook: MayPass = (status) => status === 429 || status >= 500;

/** Of a collector: what the specification of OTLP/HTTP calls retryable; a bare 500 is not. */
export const passesAtCollector: MayPass = (status) =>
  status === 429 || status === 502 || status === 503 || status === 504;

/** Nobody there may be over soon; what else is no 2xx, and does not pass, will be answered alike again. */
export function judgePost(outcome: PostOutcome, mayPass: MayPass): PostVerdict {
  if (outcome.kind === 'failed') return 'retry';
  const { status } = outcome;
  if (status >= 200 && status < 300) return 'delivered';
  return mayPass(status) ? 'retry' : 'refused';
}

/** As a reason for the operator. */
export function describePost(outcome: PostOutcome): string {
  return outcome.kind === 'failed' ? outcome.reason : `status ${outcome.status}`;
}

/**
 * How long to wait after so many failures in a row (≥ 1): twice as long after each, a quarter more or
 * less by `random` (0 to 1) so that several senders do not come back at once; Retry-After if that is longer.
 */
export function retryDelayMs(
  failures: number,
  outcome: PostOutcome,
  nowMs: number,
  random: number,
): number {
  const doubled = Math.min(retryDelayMinMs * 2 ** (failures - 1), retryDelayMaxMs);
  const backoffMs = Math.round(doubled * (0.75 + random / 2));
  if (outcome.kind === 'failed') return backoffMs;
  const askedMs = Math.min(readRetryAfter(outcome.retryAfter, nowMs), retryAfterMaxMs);
  return Math.max(backoffMs, askedMs);
}

/** In milliseconds from `nowMs` (RFC 9110 §10.2.3); what cannot be read asks for nothing. */
function readRetryAfter(value: string | undefined, nowMs: number): number {
  if (value === undefined) return 0;
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  const atMs = /GMT$/.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(atMs) ? 0 : Math.max(0, atMs - nowMs);
}
