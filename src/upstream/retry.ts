/**
 * Whether a request whose origin has failed goes to another one, for both lanes. Pure.
 */
import type { LimitSettings } from '../config/shape.ts';
import type { OriginFaultCode } from './faults.ts';

/** How far a request has come when its origin fails, before the answer has begun. */
export interface FailedTry {
  readonly fault: OriginFaultCode;
  /** The connection to the origin never stood, so that nothing was sent on it. */
  readonly isUnsent: boolean;
  /** A part of the body has been read, and cannot be had once more. */
  readonly bodyBegun: boolean;
  /** It may be sent twice: its method allows it (RFC 9110 §9.2.2), and it has no body. */
  readonly isRepeatable: boolean;
  /** An interim answer of the origin was passed on. */
  readonly hasAnswered: boolean;
  /** On how many origins it has been tried, this one included. */
  readonly tries: number;
  /** Since the request came; negative when the clock was set back. */
  readonly ageMs: number;
}

/** Whether another origin may be asked. */
export function mayMove(failed: FailedTry, limits: LimitSettings): boolean {
  if (failed.tries >= limits.originTriesMax || failed.ageMs > limits.originRetryMs) return false;
  if (failed.fault === 'origin_busy' || failed.isUnsent) return !failed.bodyBegun;
  return failed.isRepeatable && !failed.hasAnswered;
}
