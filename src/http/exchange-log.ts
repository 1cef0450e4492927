/**
 * The line that a request leaves in the access log: the paper's forms for slipped, dropped and
 * malformed requests, common log format for all others.
 */
import type { AccessOutcome } from '../log/access.ts';
import type { Exchange, LoggedRequest } from './exchange.ts';
import type { FrontParts } from './policy.ts';

/** Writes the exchange's line, once however often it is called. */
export function logExchange(exchange: Exchange, parts: FrontParts): void {
  if (exchange.logged) return;
  exchange.logged = true;
  logRequest({ ...exchange, isSound: exchange.line !== undefined }, parts);
}

/** Writes a request's line, unless it is an ordinary one and LogRequests leaves those out. */
export function logRequest(request: LoggedRequest, parts: FrontParts): void {
  const isOrdinary = request.isSound && request.match === undefined && request.error === undefined;
  if (isOrdinary && parts.policy().settings.log.requests === 'blocked') return;
  parts.logAccess({
    client: request.client,
    atMs: request.atMs,
    requestLine: request.rawLine,
    outcome: outcomeOf(request),
  });
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
  const reason = { pattern: match.pattern, from: match.from, requestId };
  if (match.mark === 'slip') return { kind: 'slipped', reason };
  if (match.mark === 'drop') return { kind: 'dropped', bytes, reason };
  return { ...answered, passed: { ...reason, because: match.mark } };
}
