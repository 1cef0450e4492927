/**
 * The line that a request leaves in the access log: the paper's forms for slipped, dropped and
 * malformed requests, common log format for all others.
 */
import type { AccessOutcome } from '../log/access.ts';
import type { LatencyLane } from '../log/latency.ts';
import { meaningOf } from '../virus/learning.ts';
import { loggedLine } from './arrival.ts';
import type { Exchange, LoggedRequest } from './exchange.ts';
import type { FrontParts } from './policy.ts';
import { endTrace } from './request-span.ts';

/** Writes the exchange's line, once however often it is called. */
export function logExchange(exchange: Exchange, parts: FrontParts): void {
  if (exchange.logged) return;
  exchange.logged = true;
  const { requestString: text } = exchange;
  const isSound = exchange.line !== undefined;
  const place = { text, requestStart: 0, requestEnd: text.length };
  logRequest({ ...exchange, isSound, ...place }, parts, 'front');
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
  if (parts.suspects.isWatching && request.isRedirected !== true) noteAnswer(request, parts);
  const isOrdinary = request.isSound && request.match === undefined && request.error === undefined;
  if (isOrdinary && settings.log.requests === 'blocked') return;
  parts.logAccess({
    client: request.client,
    atMs: request.atMs,
    requestLine: loggedLine(request.rawLine, request.arrival.isHttp2),
    outcome: outcomeOf(request),
  });
}

/** Notes what an origin has and what it has not; other answers say neither. */
function noteAnswer(request: LoggedRequest, parts: FrontParts): void {
  const { served, missing, keywordScreen, nowMs } = parts;
  const { text, requestStart, requestEnd, holdsKeyword, match, status, error } = request;
  const atMs = nowMs();
  const meaning = meaningOf(status ?? 0);
  if (meaning === 'missing' && error === undefined) {
    missing.note(text, requestStart, requestEnd, atMs);
  }
  if (meaning !== 'served' || !request.isSound) return;
  served.note(text, requestStart, requestEnd, atMs);
  // What matched was not searched to its end.
  if (holdsKeyword || match !== undefined)
    keywordScreen.noteServed(text.slice(requestStart, requestEnd), atMs);
}

function outcomeOf(request: LoggedRequest): AccessOutcome {
  const { match, error, status, bytes, id: requestId } = request;
  if (!request.isSound) return { kind: 'malformed', status: status ?? 400, bytes, requestId };
  const answered = {
    kind: 'answered',
    status,
    bytes,
    ...(error !== undefined && { error: { code: error, requestId } }),
  } as const;
  if (match === undefined) return answered;
  const reason = { matched: match.matched, from: match.from, requestId };
  if (match.mark === 'slip') return { kind: 'slipped', reason };
  if (match.mark === 'drop') return { kind: 'dropped', bytes, reason };
  return { ...answered, passed: { ...reason, because: match.mark } };
}
