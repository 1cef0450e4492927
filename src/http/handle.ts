/**
 * THE request path, read from top to bottom: grammar, screening, limits, site, origin. A request comes
 * here at its turn on its connection, before any routing, because a worm's request may be one that a
 * router refuses to read.
 */
import type { ServerResponse } from 'node:http';
import { versionOf } from './arrival.ts';
import { announcesBody, type Exchange, hostOf } from './exchange.ts';
import { ambiguityOf } from './head.ts';
import { hstsLineOf } from './hsts.ts';
import type { FrontParts, Policy } from './policy.ts';
import { redirectOf } from './redirect.ts';
import { type Refusal, refusals } from './refusals.ts';
import { reply } from './reply.ts';
import { judge, wouldSlip } from './verdict.ts';

/** Decides about one request; `goOn` leads a humble one through the web framework to `sendOn`. */
export function handle(
  exchange: Exchange,
  res: ServerResponse,
  parts: FrontParts,
  goOn: () => void,
): void {
  const policy = parts.policy();
  // As where the parser finds it out: not a request, unless it is one to slip (refused-head.ts).
  const isTooLarge = exchange.headByteCount > policy.settings.limits.headerBytesMax;
  if (isTooLarge && !wouldSlip(exchange, policy, parts)) {
    return refuse(exchange, res, refusals.headTooLarge, parts);
  }
  parts.statistics.add('requests');
  if (exchange.line === undefined) return refuse(exchange, res, refusals.malformedLine, parts);
  const verdict = judge(exchange, policy, parts);
  if (verdict === 'slip') {
    exchange.req.socket.destroy();
    return;
  }
  if (verdict === 'drop') return refuse(exchange, res, refusals.blocked, parts);
  const refusal = findRefusal(exchange, policy);
  if (refusal !== undefined) return refuse(exchange, res, refusal, parts);
  goOn();
}

/** The first reason not to forward a humble request, or undefined. */
export function findRefusal(exchange: Exchange, policy: Policy): Refusal | undefined {
  const { limits } = policy.settings;
  const { fields, req } = exchange;
  if (exchange.rawLine.length > limits.requestLineBytesMax) return refusals.lineTooLong;
  if (fields.lineCount > limits.headerCountMax) return refusals.tooManyHeaders;
  const ambiguity = ambiguityOf(req, fields, exchange.authority);
  if (ambiguity !== undefined) {
    return { ...refusals.brokenHead, explanation: ambiguity };
  }
  if (limits.requestBodyBytesMax > 0 && (fields.contentLength ?? 0) > limits.requestBodyBytesMax) {
    return refusals.bodyTooLarge;
  }
  if (exchange.site === undefined) return refusals.misdirected;
  const expect = req.httpVersionMinor > 0 ? fields.expect?.toLowerCase() : undefined;
  if (expect !== undefined && expect !== '100-continue') return refusals.expectation;
  return redirectOf(exchange, exchange.site);
}

/** Answers with a refusal, and closes the connection but for `keepsOpen`. */
export function refuse(
  exchange: Exchange,
  res: ServerResponse,
  refusal: Refusal,
  parts: FrontParts,
): void {
  if (refusal.counter !== undefined) parts.statistics.add(refusal.counter);
  exchange.status = refusal.status;
  exchange.error = refusal.error;
  // What is not stored may be there all the same.
  exchange.isRedirected = refusal.location !== undefined || refusal === refusals.nothingPurged;
  exchange.bytes = reply(exchange.req, res, {
    status: refusal.status,
    explanation: refusal.explanation,
    requestId: exchange.id,
    close: !keepsOpen(exchange, refusal, parts),
    asJson: exchange.fields.accept.includes('application/json'),
    retryAfter: refusal.retryAfter,
    location: refusal.location,
    hstsLine: hstsLineOf(exchange.site?.settings.tls, exchange.arrival),
  });
}

/**
 * True when a refusal leaves the connection open: a trusted peer carries others' requests on it, and who is
 * redirected, purges, or asks for what is stored alone, has done nothing wrong.
 */
export function keepsOpen(exchange: Exchange, refusal: Refusal, parts: FrontParts): boolean {
  const isDrop = refusal === refusals.blocked || refusal === refusals.malformedLine;
  const answersCache = refusal === refusals.nothingPurged || refusal === refusals.notCached;
  const isAnswer = refusal.status < 400 || answersCache;
  const isHarmless = isAnswer && !announcesBody(exchange.fields);
  return ((isDrop && exchange.peerTrusted) || isHarmless) && !parts.draining();
}

/** Counts a request that is sent once more. */
export function countRetry(hasMoved: boolean, { statistics }: FrontParts): void {
  statistics.add('requests_retried');
  if (hasMoved) statistics.add('requests_moved');
}

/** What the origin is told about where the request came from. */
export function forwardingFacts(exchange: Exchange, chunked: boolean) {
  return {
    peer: exchange.peer,
    peerTrusted: exchange.peerTrusted,
    proto: exchange.arrival.proto,
    host: hostOf(exchange),
    hostFromTarget: exchange.authority !== undefined,
    httpVersion: versionOf(exchange.arrival, exchange.req.httpVersion),
    chunked,
    trace: exchange.trace,
  } as const;
}
