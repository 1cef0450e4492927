/** The heads of answers that come from the cache or through it, as text for a socket. */
import type { ClientAnswer } from '../cache/answer.ts';
import { forwardStatus, hitStatus, ttlSeconds } from '../cache/cache-status.ts';
import { ageSeconds, type StoredAnswer } from '../cache/entry.ts';
import type { LookupRequest } from '../cache/lookup.ts';
import type { Fetched, Recipient } from '../delivery/recipient.ts';
import type { AnswerHead } from '../upstream/answer-content.ts';
import { type HeaderLine, linesText } from '../upstream/hop-by-hop.ts';
import { httpDate } from '../upstream/http-date.ts';
import { textOf } from '../upstream/wire-grammar.ts';

const secondMs = 1000;

/** What a connection adds to each answer. */
export interface AddedLines {
  /** Milliseconds since the epoch, now. */
  nowMs(): number;
  /** Whole lines; empty: none. */
  readonly hstsLine: string;
  /** Of the answer in hand, where it is passed on as it comes. */
  cacheStatusLine: string;
  /** Whether Cache-Status is sent at all. */
  readonly tellsCacheStatus: boolean;
  /** The connection is closed behind the answer. */
  readonly closesAfter: boolean;
}

/** Whether an answer is of use to the request only when it is whole. */
export function needsWhole({ header, method }: LookupRequest): boolean {
  return method !== 'GET' || wholeFields.some((name) => header(name) !== undefined);
}

const wholeFields = ['range', 'if-none-match', 'if-modified-since'] as const;

type Handled = Pick<Recipient, 'forward' | 'isCollapsed' | 'bypassDetail'>;

/** Why the cache is not asked about a request, in a word. */
export function uncachedForward(method: string): 'method' | 'bypass' {
  return method !== 'GET' && method !== 'HEAD' ? 'method' : 'bypass';
}

/** The value of Cache-Status for a request that the cache is not asked about. */
export function uncachedStatus(method: string, hasContent: boolean): string {
  if (uncachedForward(method) === 'method') return methodStatus;
  return hasContent ? contentStatus : bypassStatus;
}

const methodStatus = forwardStatus({ forward: 'method' });
const contentStatus = forwardStatus({ forward: 'bypass', detail: 'content' });
const bypassStatus = forwardStatus({ forward: 'bypass' });

/** The value of Cache-Status; `stored`: what is answered with, `fetched`: the origin was asked. */
export function cacheStatus(
  { forward, isCollapsed, bypassDetail }: Handled,
  stored: StoredAnswer | undefined,
  fetched: Fetched | undefined,
  nowMs: number,
): string {
  if (stored !== undefined && fetched === undefined) return hitStatus(stored, nowMs);
  return forwardStatus({
    forward,
    isCollapsed,
    originStatus: fetched?.originStatus,
    isStored: fetched?.isStored === true,
    detail: fetched === undefined ? bypassDetail : fetched.detail,
    ttlSeconds: fetched?.isStored === true && stored ? ttlSeconds(stored, nowMs) : undefined,
  });
}

/** The same as a whole line, if it is sent. */
export function cacheStatusLine(
  recipient: Handled,
  stored: StoredAnswer | undefined,
  fetched: Fetched | undefined,
  added: Pick<AddedLines, 'tellsCacheStatus' | 'nowMs'>,
): string {
  if (!added.tellsCacheStatus) return '';
  return `Cache-Status: ${cacheStatus(recipient, stored, fetched, added.nowMs())}\r\n`;
}

/** The line for an answer that was relayed by the cache. */
export function passedLine(originStatus: number, detail: string): string {
  return `Cache-Status: ${forwardStatus({ forward: 'uri-miss', originStatus, detail })}\r\n`;
}

/** The rest of a stored head behind its lines, the blank line included: the ordinary hit. */
export function hitEnd(stored: StoredAnswer, added: AddedLines, nowMs: number): string {
  const status = added.tellsCacheStatus ? `Cache-Status: ${hitStatus(stored, nowMs)}\r\n` : '';
  const close = added.closesAfter ? 'Connection: close\r\n' : '';
  const hsts = stored.hasHsts ? '' : added.hstsLine;
  return `Age: ${ageSeconds(stored, nowMs)}\r\n${status}${hsts}${close}\r\n`;
}

/** The whole ordinary hit on a GET, as text; made once for all hits of about a second. */
export function hitText(stored: StoredAnswer, added: AddedLines, nowMs: number): string {
  const { written } = stored;
  const { hstsLine } = added;
  const isValid =
    written !== undefined &&
    nowMs < written.untilMs &&
    nowMs >= written.fromMs &&
    written.addedLines === hstsLine;
  if (isValid && !added.closesAfter) return written.text;
  const head = stored.headText + hitEnd(stored, added, nowMs);
  // Through bytes and back: a text put together of parts would be put together at each write.
  const bytes = Buffer.concat([Buffer.from(head, 'latin1'), stored.body]);
  const text = textOf(bytes, 0, bytes.length);
  if (added.closesAfter) return text;
  const ageUntilMs = stored.bornMs + (ageSeconds(stored, nowMs) + 1) * secondMs;
  const ttlUntilMs = stored.freshUntilMs - ttlSeconds(stored, nowMs) * secondMs;
  const untilMs = Math.min(ageUntilMs, ttlUntilMs);
  stored.written = { text, addedLines: hstsLine, fromMs: nowMs, untilMs };
  return text;
}

/**
 * The Age to tell, in seconds; undefined when the origin has answered or confirmed this very request, which
 * is what a missing Age means (RFC 9111 §5.1).
 */
export function toldAge(
  stored: StoredAnswer,
  fetched: Fetched | undefined,
  nowMs: number,
): number | undefined {
  const age = ageSeconds(stored, nowMs);
  return fetched !== undefined && age === 0 ? undefined : age;
}

/** The head of an answer made from a stored one; `statusLine`: the Cache-Status line. */
export function storedHead(
  stored: StoredAnswer,
  { status, reason, lines }: ClientAnswer,
  fetched: Fetched | undefined,
  added: AddedLines,
  statusLine: string,
): string {
  const close = added.closesAfter ? 'Connection: close\r\n' : '';
  const seconds = toldAge(stored, fetched, added.nowMs());
  const age = seconds === undefined ? '' : `Age: ${seconds}\r\n`;
  const begin = `HTTP/1.1 ${status} ${reason}\r\n${linesText(lines)}${linesText(fetched?.lines ?? [])}`;
  return `${begin}${age}${statusLine}${hstsFor(lines, added)}${close}\r\n`;
}

/** The head of an answer that is still arriving. */
export function arrivingHead(
  head: AnswerHead,
  isChunked: boolean,
  added: AddedLines,
  statusLine: string,
): string {
  const { status, reason, lines } = head;
  let text = `HTTP/1.1 ${status} ${reason}\r\n`;
  let hasDate = false;
  for (const [name, value] of lines) {
    const key = name.toLowerCase();
    if (key === 'date') hasDate = true;
    // RFC 9110 §8.6 forbids a length here.
    if (key === 'content-length' && status === 204) continue;
    if (key === 'trailer' && !isChunked) continue;
    text += `${name}: ${value}\r\n`;
  }
  if (!hasDate) text += `Date: ${httpDate(added.nowMs())}\r\n`;
  text += statusLine + hstsFor(lines, added);
  if (added.closesAfter) text += 'Connection: close\r\n';
  return isChunked ? `${text}Transfer-Encoding: chunked\r\n\r\n` : `${text}\r\n`;
}

function hstsFor(lines: readonly HeaderLine[], { hstsLine }: AddedLines): string {
  if (hstsLine === '') return '';
  const hasOwn = lines.some(([name]) => name.toLowerCase() === 'strict-transport-security');
  return hasOwn ? '' : hstsLine;
}
