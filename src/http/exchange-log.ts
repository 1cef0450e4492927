/**
 * The line that a request leaves in the access log: the paper's forms for slipped, dropped and
 * malformed requests, common log format for all others.
 */
import type { AccessOutcome } from '../log/access.ts';
import type { LatencyLane } from '../log/latency.ts';
import { meaningOf } from '../virus/learning.ts';
import { cutWindow } from '../virus/pattern.ts';
import { loggedLine } from './arrival.ts';
import { askedHost } from './client-address.ts';
import { type Exchange, hostOf, type LoggedRequest } from './exchange.ts';
import type { FrontParts } from './policy.ts';
import { endTrace } from './request-span.ts';
import { hasSource } from './verdict.ts';

/** Writes the exchange's line, once however often it is called. */
export function logExchange(exchange: Exchange, parts: FrontParts): void {
  if (exchange.logged) return;
  exchange.logged = true;
  const { requestString: text } = exchange;
  const isSound = exchange.line !== undefined;
  const place = { text, requestStart: 0, requestEnd: text.length, mayNormalize: true };
  const { referer, forwardedHost } = exchange.fields;
  const host = askedHost(hostOf(exchange), forwardedHost, exchange.peerTrusted);
  logRequest({ ...exchange, isSound, host, referer, ...place }, parts, 'front');
}

/**
 * Writes a request's line, unless it is an ordinary one and LogRequests leaves those out. Records its span,
 * notes how long it took, and for Auto Update what was served.
 */
export function logRequest(
  request: LoggedRequest,
  parts: FrontParts,
  lane: LatencyLane = 'fast',
): void {
  const nowMs = parts.nowMs();
  const { settings, tracer } = parts.policy();
  parts.latencies[lane].note(nowMs - request.atMs);
  if (tracer !== undefined) endTrace(request, tracer, nowMs);
  const isTold = parts.suspects.isWatching || parts.sources.isWatching;
  const isMiss = isTold && request.isRedirected !== true && noteAnswer(request, parts);
  const isOrdinary = request.isSound && request.match === undefined && request.error === undefined;
  if (isOrdinary && settings.log.requests === 'blocked') return;
  parts.logAccess({
    client: request.client,
    atMs: request.atMs,
    requestLine: loggedLine(request.rawLine, request.arrival.isHttp2),
    outcome: outcomeOf(request, isMiss),
  });
}

/** Notes what an origin has and what it has not; other answers say neither. True: it was a miss. */
function noteAnswer(request: LoggedRequest, parts: FrontParts): boolean {
  const { served, missing, keywordScreen, suspects, sources } = parts;
  const { text, requestStart, requestEnd, holdsKeyword, match, status, error } = request;
  const atMs = parts.nowMs();
  const meaning = meaningOf(status ?? 0);
  if (meaning !== 'served') {
    if (suspects.isWatching && meaning === 'missing' && error === undefined) {
      missing.note(text, requestStart, requestEnd, atMs);
    }
    return sources.isWatching && isRefused(request, parts) && noteMiss(request, atMs, parts);
  }
  if (!request.isSound) return false;
  if (!suspects.isWatching) {
    served.notePath(text, requestStart, requestEnd, request.mayNormalize, atMs);
    return false;
  }
  served.note(text, requestStart, requestEnd, atMs);
  // What matched was not searched to its end.
  if (holdsKeyword || match !== undefined) {
    const requestString = text.slice(requestStart, requestEnd);
    for (const each of keywordScreen.noteServed(requestString, atMs))
      served.noteKeyword(each, atMs);
  }
  return false;
}

/** Ends that leave it true what the origin has answered. */
const laterEnds: ReadonlySet<string> = new Set(['client_gone', 'send_timeout', 'drained']);

/** Whether an origin has refused a humble request of a client that is known. */
function isRefused(request: LoggedRequest, { sources }: FrontParts): boolean {
  const { status, isSound, match, error } = request;
  if (!isSound || match !== undefined || !sources.isRefusal(status ?? 0)) return false;
  return (error === undefined || laterEnds.has(error)) && hasSource(request);
}

/** Counts a miss, and hands it over for the keyword check. */
function noteMiss(request: LoggedRequest, atMs: number, parts: FrontParts): boolean {
  const { client, target, id: requestId, status = 0, referer, host } = request;
  const requestString = request.text.slice(request.requestStart, request.requestEnd);
  const watched = { client, target, requestId };
  const answer = { requestString, status, referer, host, atMs };
  const verdict = parts.sources.noteAnswer(watched, answer);
  const isRefused = verdict === 'miss' || verdict === 'referred';
  if (isRefused && parts.suspects.isWatching) {
    const { patternStartOffset, patternSize } = parts.policy().settings.virus;
    const pattern = cutWindow(requestString, patternStartOffset, patternSize);
    const { rawLine: requestLine } = request;
    parts.suspects.offerMiss({ pattern, requestString, requestLine, client, atMs });
  }
  return verdict === 'miss';
}

function outcomeOf(request: LoggedRequest, isMiss: boolean): AccessOutcome {
  const { match, error, status, bytes, id: requestId } = request;
  if (!request.isSound) return { kind: 'malformed', status: status ?? 400, bytes, requestId };
  const answered = {
    kind: 'answered',
    status,
    bytes,
    ...(error !== undefined && { error: { code: error, requestId } }),
    ...(isMiss && { missId: requestId }),
  } as const;
  if (match === undefined) return answered;
  const reason = { matched: match.matched, from: match.from, requestId };
  if (match.mark === 'slip') return { kind: 'slipped', reason };
  if (match.mark === 'drop') return { kind: 'dropped', bytes, reason };
  return { ...answered, passed: { ...reason, because: match.mark } };
}
