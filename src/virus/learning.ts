/**
 * What becomes of a suspect in which a virus keyword was found (the paper, "Adding New Virus
 * Keywords": "the request is labelled a virus request and its pattern is added to the database"). A
 * pattern condemns every request that shares its window, so what was lately served to anybody is
 * proposed and not added: valid requests are never blocked. Pure; who asks and who carries it out is
 * auto-update.ts.
 */
import {
  type Change,
  type Proposal,
  type ProposalReason,
  type Sample,
  sampleBytesMax,
} from './change.ts';
import { foldKeyword } from './keyword-list.ts';
import type { Suspect } from './suspects.ts';

/**
 * What an answer says of a request: an origin gave it what it asked for or sent it elsewhere, does not
 * have it, or neither; the sender may have brought about any other answer.
 */
export function meaningOf(status: number): 'served' | 'missing' | undefined {
  if (status === 404 || status === 410) return 'missing';
  return status >= 100 && status < 400 ? 'served' : undefined;
}

/** What is known of a suspect that holds a keyword. */
export interface Evidence {
  /** Its pattern is in the database by now. */
  readonly isKnown: boolean;
  /** The operator rejected its pattern, or deleted it. */
  readonly isRejected: boolean;
  /** What of it was lately served, if anything. */
  readonly served: 'window' | 'path' | undefined;
  /** An origin has lately answered its window or its path with 404 or 410. */
  readonly isMissing: boolean;
  /** Its window says something of the keyword (`reachesKeyword`). */
  readonly reachesKeyword: boolean;
  /** A request that holds the keyword was lately served. */
  readonly isKeywordServed: boolean;
  /** Its pattern is proposed already. */
  readonly proposal: Proposal | undefined;
  /** AutoUpdateAction. */
  readonly action: 'add' | 'propose';
}

/** `confirms`: the keyword counts as confirmed once the pattern is in the database. */
export type Decision =
  | { readonly kind: 'add'; readonly confirms: boolean }
  | { readonly kind: 'propose'; readonly reason: ProposalReason; readonly confirms: boolean }
  | { readonly kind: 'leave'; readonly why: 'known' | 'rejected' | 'folder' };

/** A decision to do something. */
export type Learning = Exclude<Decision, { kind: 'leave' }>;

const servedReasons = { window: 'window-served', path: 'path-served' } as const;

/** Decides about a suspect that holds a keyword. */
export function decide(evidence: Evidence): Decision {
  const { isKnown, isRejected, served, isMissing, isKeywordServed, proposal, action } = evidence;
  if (isKnown) return { kind: 'leave', why: 'known' };
  if (isRejected) return { kind: 'leave', why: 'rejected' };
  if (!evidence.reachesKeyword) return { kind: 'leave', why: 'folder' };
  if (served !== undefined) {
    return { kind: 'propose', reason: servedReasons[served], confirms: false };
  }
  // Any other answer the sender may have brought about, or no origin was asked at all.
  if (!isMissing) return { kind: 'propose', reason: 'not-missing', confirms: false };
  // What was served once stays proposed when that is no longer remembered, after a restart say.
  if (proposal?.reason === 'window-served' || proposal?.reason === 'path-served') {
    return { kind: 'propose', reason: proposal.reason, confirms: false };
  }
  if (action === 'propose') {
    return { kind: 'propose', reason: 'action', confirms: !isKeywordServed };
  }
  return { kind: 'add', confirms: !isKeywordServed };
}

/** So much of a keyword has to lie in the window, in bytes: `/.e` of `/.env` says what it is. */
const reachBytes = 3;

/**
 * Whether a suspect's window, which ends at `windowEnd` of its request string, says something of the
 * keyword that the request holds. Where it ends before, it is the name of a folder that readers may be in,
 * and a single miss is not to shut that.
 */
export function reachesKeyword(suspect: Suspect, keyword: string, windowEnd: number): boolean {
  if (suspect.isMiss !== true) return true;
  const at = foldKeyword(suspect.requestString).indexOf(foldKeyword(keyword));
  return at !== -1 && at + Math.min(reachBytes, keyword.length) <= windowEnd;
}

/** What a decision does to the database; `known` is the proposal of the same pattern that waits. */
export function learningChange(
  decision: Learning,
  suspect: Suspect,
  keyword: string,
  known: Proposal | undefined,
): Change {
  return decision.kind === 'add'
    ? addition(decision, suspect, keyword)
    : proposal(decision, suspect, keyword, known);
}

/** What is kept of a suspect's request. */
export function sampleOf({ requestLine, client }: Suspect): Sample {
  // A copy: a part of a string keeps the whole alive, which may be a head of many kilobytes.
  const bytes = Buffer.from(requestLine.slice(0, sampleBytesMax), 'latin1');
  return { requestLine: bytes.toString('latin1'), source: client };
}

function addition(
  { confirms }: Extract<Learning, { kind: 'add' }>,
  suspect: Suspect,
  keyword: string,
): Change {
  const { pattern, requestString, atMs, isMiss } = suspect;
  const origLength = requestString.length;
  const from = isMiss === true ? (`miss(${keyword})` as const) : (`auto(${keyword})` as const);
  return { kind: 'add', pattern, origLength, from, atMs, sample: sampleOf(suspect), confirms };
}

/** A proposal; one that waits already keeps its sample, and is seen once more. */
function proposal(
  { reason, confirms }: Extract<Learning, { kind: 'propose' }>,
  suspect: Suspect,
  keyword: string,
  known: Proposal | undefined,
): Change {
  const { pattern, requestString, atMs } = suspect;
  const first = known ?? {
    pattern,
    origLength: requestString.length,
    keyword,
    sample: sampleOf(suspect),
    firstSeenMs: atMs,
    times: 0,
  };
  const times = first.times + 1;
  return { kind: 'propose', proposal: { ...first, reason, confirms, lastSeenMs: atMs, times } };
}
