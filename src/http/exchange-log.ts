/**
 * The line that an exchange leaves in the access log: the paper's forms for slipped, dropped and
 * malformed requests, common log format for all others.
 */
import type { AccessEntry, AccessOutcome } from '../log/access.ts';
import type { Exchange } from './exchange.ts';
import type { FrontParts } from './policy.ts';

/** Writes the exchange's line, once however often it is called. */
export function logExchange(exchange: Exchange, parts: FrontParts): void {
  if (exchange.logged) return;
  exchange.logged = true;
  const entry: AccessEntry = {
    client: exchange.client,
    atMs: exchange.atMs,
    requestLine: exchange.rawLine,
    outcome: outcomeOf(exchange),
  };
  parts.logAccess(entry);
}

function outcomeOf(exchange: Exchange): AccessOutcome {
  const { match, error, status, bytes, id: requestId } = exchange;
  if (exchange.line === undefined) {
    return { kind: 'malformed', status: status ?? 400, bytes, requestId };
  }
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
