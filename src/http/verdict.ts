/**
 * What happens to a request that was screened: the pattern set's answer, and what NeverBlock, Mode and
 * VirusAction make of it. Counts it, too, so that every lane counts alike.
 */
import type { AddressList } from '../config/address-list.ts';
import { type SourceReason, unpaddedText } from '../log/access.ts';
import type { Provenance } from '../virus/change.ts';
import { cutWindow } from '../virus/pattern.ts';
import { humble, keywordIndexOf } from '../virus/screen.ts';
import type { BlockedSource } from '../virus/sources.ts';
import type { FrontParts, Policy, Screening } from './policy.ts';

/** `pass` goes on to an origin; the others end here. */
export type Verdict = 'pass' | 'slip' | 'drop';

/** A request that matched a pattern, or whose source is blocked, and what was made of it. */
export interface PatternMatch {
  readonly mark: 'slip' | 'drop' | 'detect' | 'never-block';
  /** The pattern, the confirmed keyword, or why the source is blocked. */
  readonly matched: Uint8Array | string | SourceReason;
  readonly from: Provenance | 'source';
}

/** What a verdict needs to know of a request. */
export interface Judged {
  readonly id: string;
  readonly client: string;
  /** In origin-form. */
  readonly target: string;
  /** The connection's peer is a balancer or CDN that carries other clients' requests too. */
  readonly peerTrusted: boolean;
  /** Whom the site trusts. */
  readonly proxies: AddressList | undefined;
  /** When the request came, in milliseconds since the epoch. */
  readonly atMs: number;
  /** The request line as the client sent it, latin1. */
  readonly rawLine: string;
  match: PatternMatch | undefined;
  /** It matched nothing, and holds a keyword. */
  holdsKeyword: boolean;
}

/** Screens a request by its request string, and judges it. */
export function judge(
  request: Judged & { readonly requestString: string },
  policy: Policy,
  parts: FrontParts,
): Verdict {
  if (policy.screen === undefined) return 'pass';
  const answer = policy.screen.screen(request.requestString);
  request.holdsKeyword = answer === humble && policy.screen.holdsKeyword;
  const source = answer === humble ? blockedSource(request, parts) : undefined;
  if (source !== undefined) {
    const mark = markOf(request, policy);
    noteSource(request, source, mark, parts);
    return mark === 'slip' || mark === 'drop' ? mark : 'pass';
  }
  countScreened(answer !== humble, parts.nowMs(), parts);
  if (answer <= humble && parts.suspects.isWatching) {
    const bytes = Buffer.from(request.requestString, 'latin1');
    countWindow(request, bytes, 0, bytes.length, policy, parts);
  }
  if (answer === humble) return 'pass';
  const mark = markOf(request, policy);
  noteMatch(request, answer, mark, parts);
  return mark === 'slip' || mark === 'drop' ? mark : 'pass';
}

/** Whether `judge` would slip the request; counts nothing. */
export function wouldSlip(
  request: Judged & { readonly requestString: string },
  policy: Policy,
  parts: FrontParts,
): boolean {
  if (policy.screen === undefined) return false;
  const isHumble = policy.screen.screen(request.requestString) === humble;
  if (isHumble && blockedSource(request, parts) === undefined) return false;
  return markOf(request, policy) === 'slip';
}

/** Whether what a request does is its client's doing: a trusted proxy may have named none. */
export function hasSource({
  client,
  peerTrusted,
  proxies,
}: Pick<Judged, 'client' | 'peerTrusted' | 'proxies'>): boolean {
  return !peerTrusted || proxies?.has(client) !== true;
}

/** The source of a request, if it is blocked. */
export function blockedSource(
  request: Pick<Judged, 'client' | 'peerTrusted' | 'proxies' | 'atMs'>,
  { sources }: FrontParts,
): BlockedSource | undefined {
  if (sources.isQuiet || !hasSource(request)) return undefined;
  return sources.find(request.client, request.atMs);
}

/** Counts a request that matched nothing and whose source is blocked, and notes it for the log. */
export function noteSource(
  request: Judged,
  { address, misses, viruses, cause }: BlockedSource,
  mark: PatternMatch['mark'],
  { statistics, sources }: FrontParts,
): void {
  const counts = { misses: misses.length, viruses: viruses.length };
  const matched = { ...counts, byConsole: cause === 'console' };
  request.match = { mark, matched, from: 'source' };
  if (mark !== 'never-block') {
    sources.renew(address, request.atMs);
    statistics.add('source_requests');
  }
  statistics.add(countersByMark[mark]);
}

/**
 * Counts the window of a request that matches no pattern, whose request string is bytes[start, end), and
 * hands it over for the keyword check when it has become suspect. So is one that is blocked by a
 * confirmed keyword: its pattern is to be learned all the same.
 */
export function countWindow(
  request: Judged,
  bytes: Buffer,
  start: number,
  end: number,
  policy: Policy,
  parts: FrontParts,
): void {
  const { suspects } = parts;
  const hash = policy.screen?.windowHash ?? 0;
  if (suspects.isWatching && suspects.tally(bytes, start, end, hash)) {
    offerSuspect(request, bytes.toString('latin1', start, end), policy, parts);
  }
}

function offerSuspect(
  request: Judged,
  requestString: string,
  policy: Policy,
  { suspects }: FrontParts,
): void {
  const { client, target, rawLine: requestLine, atMs } = request;
  // What is never blocked says nothing about what is to be blocked.
  if (policy.neverBlock.covers(client, target)) return suspects.withdraw();
  const { patternStartOffset, patternSize } = policy.settings.virus;
  const pattern = cutWindow(requestString, patternStartOffset, patternSize);
  suspects.offer({ pattern, requestString, requestLine, client, atMs });
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

/** Counts a virus request by what screening answered, and notes for the log what was made of it. */
export function noteMatch(
  request: Judged,
  answer: number,
  mark: PatternMatch['mark'],
  parts: FrontParts,
): void {
  if (answer > humble) {
    parts.patterns.hit(answer, request.atMs);
    const { pattern, from } = parts.patterns.entry(answer);
    request.match = { mark, matched: pattern, from };
  } else {
    const { keyword } = parts.keywordScreen.hit(keywordIndexOf(answer), request.atMs);
    request.match = { mark, matched: keyword, from: `auto(${keyword})` };
    parts.statistics.add('keyword_requests');
  }
  if (mark !== 'never-block') noteVirusSource(request, parts);
  parts.statistics.add(countersByMark[mark]);
}

/** A virus request counts for its source, unless nobody knows which that is. */
function noteVirusSource(request: Judged, { virusSources, sources }: FrontParts): void {
  virusSources.note(request.client, request.atMs);
  if (!sources.isWatching || !hasSource(request)) return;
  const matched = request.match?.matched;
  const text = matched instanceof Uint8Array ? unpaddedText(matched) : String(matched);
  const { client, target, id: requestId } = request;
  sources.noteVirus({ client, target, requestId }, text, request.atMs);
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
  policy: Screening,
): PatternMatch['mark'] {
  const { virus } = policy.settings;
  if (policy.neverBlock.covers(request.client, request.target)) return 'never-block';
  if (virus.mode === 'detect') return 'detect';
  return request.peerTrusted ? 'drop' : virus.action;
}
