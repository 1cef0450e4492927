/**
 * What happens to a request that was screened: the pattern set's answer, and what NeverBlock, Mode and
 * VirusAction make of it. Counts it, too, so that every lane counts alike.
 */
import type { Provenance } from '../virus/change.ts';
import type { FrontParts, Policy } from './policy.ts';

/** `pass` goes on to an origin; the others end here. */
export type Verdict = 'pass' | 'slip' | 'drop';

/** A request that matched a pattern, and what was made of it. */
export interface PatternMatch {
  readonly mark: 'slip' | 'drop' | 'detect' | 'never-block';
  readonly pattern: Uint8Array;
  readonly from: Provenance;
}

/** What a verdict needs to know of a request. */
export interface Judged {
  readonly client: string;
  /** In origin-form. */
  readonly target: string;
  /** The connection's peer is a balancer or CDN that carries other clients' requests too. */
  readonly peerTrusted: boolean;
  /** When the request came, in milliseconds since the epoch. */
  readonly atMs: number;
  match: PatternMatch | undefined;
}

/** Screens a request by its request string, and judges it. */
export function judge(
  request: Judged & { readonly requestString: string },
  policy: Policy,
  parts: FrontParts,
): Verdict {
  if (policy.screen === undefined) return 'pass';
  const entryIndex = policy.screen.screen(request.requestString);
  countScreened(entryIndex >= 0, parts.nowMs(), parts);
  if (entryIndex < 0) return 'pass';
  const mark = markOf(request, policy);
  noteMatch(request, entryIndex, mark, parts);
  return mark === 'slip' || mark === 'drop' ? mark : 'pass';
}

/** Whether `judge` would slip the request; counts nothing. */
export function wouldSlip(request: Judged & { readonly requestString: string }, policy: Policy) {
  if (policy.screen === undefined || policy.screen.screen(request.requestString) < 0) return false;
  return markOf(request, policy) === 'slip';
}

/** Counts a request that was screened. */
export function countScreened(
  isVirus: boolean,
  nowMs: number,
  parts: Pick<FrontParts, 'hitRates' | 'statistics'>,
): void {
  const { totals } = parts.statistics;
  parts.hitRates.note(isVirus, nowMs);
  if (isVirus) totals.virus_requests += 1;
  else totals.non_virus_requests += 1;
}

/** Counts a request that matched the entry, and notes on it for the log what was made of it. */
export function noteMatch(
  request: Judged,
  entryIndex: number,
  mark: PatternMatch['mark'],
  parts: FrontParts,
): void {
  parts.patterns.hit(entryIndex, request.atMs);
  const { pattern, from } = parts.patterns.entry(entryIndex);
  request.match = { mark, pattern, from };
  if (mark !== 'never-block') parts.virusSources.note(request.client, request.atMs);
  parts.statistics.add(countersByMark[mark]);
}

const countersByMark = {
  slip: 'requests_slipped',
  drop: 'requests_dropped',
  detect: 'requests_detected',
  'never-block': 'requests_never_block',
} as const;

/** What is made of a virus request, without counting anything. */
export function markOf(
  request: Pick<Judged, 'client' | 'target' | 'peerTrusted'>,
  policy: Policy,
): PatternMatch['mark'] {
  const { virus } = policy.settings;
  if (policy.neverBlock.covers(request.client, request.target)) return 'never-block';
  if (virus.mode === 'detect') return 'detect';
  return request.peerTrusted ? 'drop' : virus.action;
}
