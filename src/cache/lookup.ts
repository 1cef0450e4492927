/**
 * THE decision of a look-up (RFC 9111 §4): is a request answered from the store, and if not, what is the
 * origin asked? `plainHit` is the ordinary case, for the fast path; `lookUp` is all of it. Both count the
 * use of an answer, and change nothing else.
 */
import type { Directives } from './cache-control.ts';
import { preconditionsHold, validationLines } from './conditional.ts';
import type { StoredAnswer } from './entry.ts';
import { type HeaderLine, type HeaderReader, hasContent } from './fields.ts';
import { requestDirectives } from './policy.ts';
import { isSelectedBy } from './vary.ts';

/** The request fields, in lower case, that a look-up has to know about: with one of them `plainHit` is not asked. */
export const lookupFields: readonly string[] = [
  'authorization',
  'cache-control',
  'content-length',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  'pragma',
  'range',
  'transfer-encoding',
];

/** Why a request goes to the origin; the words of `fwd` in Cache-Status (RFC 9211 §2.2). */
export type Forward = 'bypass' | 'method' | 'uri-miss' | 'vary-miss' | 'request' | 'stale';

/** What keeps a GET or HEAD from the store; the words of `detail` in Cache-Status. */
export type BypassDetail = 'authorization' | 'precondition' | 'content';

export type Lookup =
  /** Answered from the store; with `refresh`, stale, and to be revalidated behind the client's back. */
  | { readonly kind: 'hit'; readonly answer: StoredAnswer; readonly refresh: Refresh | undefined }
  /** The origin is asked first, about `answer`. */
  | {
      readonly kind: 'revalidate';
      readonly answer: StoredAnswer;
      readonly forward: 'request' | 'stale';
      readonly refresh: Refresh;
      /** Until then the stored answer stands in for an origin that fails; a time in milliseconds. */
      readonly onErrorUntilMs: number;
    }
  /** Nothing is stored for it. */
  | { readonly kind: 'miss'; readonly forward: 'uri-miss' | 'vary-miss' }
  /** The cache stands aside: the answer is relayed; judgeStoring still says whether it is stored. */
  | {
      readonly kind: 'bypass';
      readonly forward: 'bypass' | 'method' | 'request';
      readonly detail: BypassDetail | undefined;
    }
  /** 504: the client wanted a stored answer or none (RFC 9111 §5.2.1.7). */
  | { readonly kind: 'only-if-cached' };

/** What the origin is sent beside the client's request; behind the client's back, a GET. */
export interface Refresh {
  /**
   * In place of the fields named in `replacedByValidation`; empty when the stored answer has no validator,
   * and the request then goes as the client sent it, or, behind its back, without those fields.
   */
  readonly lines: readonly HeaderLine[];
}

/** The stored answer that a request selects: of several that match, the one with the latest Date (RFC 9111 §4.1). */
export function selectAnswer(
  answers: readonly StoredAnswer[],
  header: HeaderReader,
): StoredAnswer | undefined {
  let selected: StoredAnswer | undefined;
  for (const answer of answers) {
    if (selected !== undefined && answer.dateMs <= selected.dateMs) continue;
    if (isSelectedBy(answer, header)) selected = answer;
  }
  return selected;
}

/**
 * The fresh answer to a GET or HEAD without any of `lookupFields`; undefined when `lookUp` has to decide.
 * Allocates nothing.
 */
export function plainHit(
  answers: readonly StoredAnswer[],
  header: HeaderReader,
  nowMs: number,
): StoredAnswer | undefined {
  const first = answers[0] as StoredAnswer;
  const isAlone = answers.length === 1 && first.varyFields.length === 0;
  const answer = isAlone ? first : selectAnswer(answers, header);
  if (answer === undefined || nowMs >= answer.freshUntilMs) return undefined;
  answer.uses += 1;
  answer.lastUsedMs = nowMs;
  return answer;
}

export interface LookupRequest {
  readonly method: string;
  readonly header: HeaderReader;
}

/** Decides about any request; `answers` are those of its key. */
export function lookUp(
  request: LookupRequest,
  answers: readonly StoredAnswer[] | undefined,
  rules: { readonly ignoresClientNoCache: boolean },
  nowMs: number,
): Lookup {
  const { method, header } = request;
  if (method !== 'GET' && method !== 'HEAD') return bypass('method');
  if (hasContent(header)) return bypass('bypass', 'content');
  const directives = requestDirectives(header);
  const found = decide({ header, directives, rules, nowMs }, answers);
  if (directives.has('only-if-cached') && (found.kind !== 'hit' || found.refresh !== undefined)) {
    return { kind: 'only-if-cached' };
  }
  if (found.kind === 'hit') {
    found.answer.uses += 1;
    found.answer.lastUsedMs = nowMs;
  }
  return found;
}

interface Asked {
  readonly header: HeaderReader;
  readonly directives: Directives;
  readonly rules: { readonly ignoresClientNoCache: boolean };
  readonly nowMs: number;
}

function decide(asked: Asked, answers: readonly StoredAnswer[] | undefined): Lookup {
  const { header, directives, nowMs } = asked;
  if (answers === undefined || answers.length === 0) return { kind: 'miss', forward: 'uri-miss' };
  const answer = selectAnswer(answers, header);
  if (answer === undefined) return { kind: 'miss', forward: 'vary-miss' };
  // What is stored may be what others see who have not said who they are (RFC 9111 §3.5).
  if (header('authorization') !== undefined && !answer.allowsCredentials) {
    return bypass('bypass', 'authorization');
  }
  if (!preconditionsHold(answer, header, nowMs)) return bypass('request', 'precondition');
  if (wantsLater(answer, asked)) return revalidate(answer, 'request', directives);
  if (nowMs < answer.freshUntilMs) return { kind: 'hit', answer, refresh: undefined };
  if (acceptsStale(answer, directives, nowMs)) return { kind: 'hit', answer, refresh: undefined };
  if (nowMs < answer.staleWhileRevalidateUntilMs) {
    return { kind: 'hit', answer, refresh: { lines: validationLines(answer) } };
  }
  return revalidate(answer, 'stale', directives);
}

function bypass(forward: 'bypass' | 'method' | 'request', detail?: BypassDetail): Lookup {
  return { kind: 'bypass', forward, detail };
}

/** Whether the client wants a later answer than the stored one (RFC 9111 §5.2.1). */
function wantsLater(answer: StoredAnswer, { header, directives, rules, nowMs }: Asked): boolean {
  if (rules.ignoresClientNoCache) return false;
  if (directives.has('no-cache')) return true;
  if (header('cache-control') === undefined && isPragmaNoCache(header)) return true;
  const maxAge = directives.seconds('max-age');
  // A time that cannot be read is taken for 0; 0 asks for an answer from the origin.
  if (maxAge !== undefined && !(maxAge > 0 && nowMs - answer.bornMs <= maxAge * 1000)) return true;
  const minFresh = directives.seconds('min-fresh');
  return minFresh !== undefined && !(answer.freshUntilMs - nowMs >= minFresh * 1000);
}

/** RFC 9111 §5.4: what clients of HTTP/1.0 say instead of Cache-Control. */
function isPragmaNoCache(header: HeaderReader): boolean {
  const pragma = header('pragma');
  return pragma?.split(',').some((part) => part.trim().toLowerCase() === 'no-cache') === true;
}

/** Whether the client takes an answer this stale (`max-stale`), and the origin has not forbidden it. */
function acceptsStale(answer: StoredAnswer, directives: Directives, nowMs: number): boolean {
  if (answer.mustRevalidate || !directives.has('max-stale')) return false;
  const seconds = directives.seconds('max-stale') as number;
  // Without a value, any age will do.
  if (Number.isNaN(seconds)) return directives.standsAlone('max-stale');
  return nowMs - answer.freshUntilMs <= seconds * 1000;
}

function revalidate(
  answer: StoredAnswer,
  forward: 'request' | 'stale',
  directives: Directives,
): Lookup {
  // RFC 5861 §4: the client may allow it, too, but not what the origin has forbidden.
  const seconds = answer.mustRevalidate ? undefined : directives.seconds('stale-if-error');
  const byClientMs = seconds === undefined ? 0 : answer.freshUntilMs + (seconds || 0) * 1000;
  // Whoever asked for the origin's word gets nothing else, unless he says so.
  const byOriginMs = forward === 'stale' ? answer.staleIfErrorUntilMs : 0;
  const onErrorUntilMs = Math.max(byOriginMs, byClientMs);
  const refresh = { lines: validationLines(answer) };
  return { kind: 'revalidate', answer, forward, refresh, onErrorUntilMs };
}

/** Whether an answer of the origin counts as its failure, for stale-if-error (RFC 5861 §4). */
export function isOriginFailure(status: number): boolean {
  return status === 500 || status === 502 || status === 503 || status === 504;
}
