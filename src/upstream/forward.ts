/**
 * Forwards a request to an origin and its answer to the client, over the proxy library, which ends
 * either side when the other is gone. Here is the course of it: the place at the origin, the
 * connection, one retry where that is safe, the next origin, and a fault's name.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Attempt, Forwarding } from './attempt.ts';
import { OriginError, type OriginFaultCode, originFaultOf } from './faults.ts';
import type { Origin } from './origin.ts';
import { relayAnswer } from './origin-answer.ts';
import { BodySource, loweredHeaders, prepareRequest, sendBody } from './origin-request.ts';
import { proxy } from './proxy.ts';
import { mayMove } from './retry.ts';

const idempotentMethods = new Set([
  'GET',
  'HEAD',
  'OPTIONS',
  'TRACE',
  'PUT',
  'DELETE',
  'QUERY',
  'PROPFIND',
  'REPORT',
  'SEARCH',
]);

/** True for methods that may be sent twice (RFC 9110 §9.2.2). */
export function isIdempotent(method: string): boolean {
  return idempotentMethods.has(method);
}

const attempts = new WeakMap<IncomingMessage, Attempt>();

/** Sends the request on; answers, faults and byte counts come back through the callbacks. */
export function forward(req: IncomingMessage, res: ServerResponse, forwarding: Forwarding): void {
  const attempt: Attempt = {
    req,
    res,
    forwarding,
    atMs: forwarding.nowMs(),
    origin: undefined,
    tried: [],
    isConnected: false,
    hasAnswered: false,
    proxyReq: undefined,
    proxyRes: undefined,
    bytesReadBefore: 0,
    leave: () => {},
    retriedStale: false,
    bodyBegun: false,
    continued: false,
    timedOut: false,
    complete: false,
  };
  attempts.set(req, attempt);
  if (!forwarding.hasBody) req.resume();
  // Also when the answer was ours and the origin still waits for the rest of a body.
  res.once('close', () => {
    if (!attempt.complete) attempt.proxyReq?.destroy();
    attempt.leave();
  });
  const origin = forwarding.origins.choose([]);
  if (origin === undefined) forwarding.onFault('origin_unreachable');
  else queueUp(attempt, origin);
}

function queueUp(attempt: Attempt, origin: Origin): void {
  const { forwarding } = attempt;
  attempt.origin = origin;
  const { originQueueMax } = forwarding.limits;
  const bounds = { runningMax: origin.connectionsMax, waitingMax: originQueueMax };
  let timer: NodeJS.Timeout | undefined;
  let isWaiting = true;
  const leave = origin.queue.enter(bounds, () => {
    isWaiting = false;
    clearTimeout(timer);
    send(attempt, false);
  });
  if (leave === undefined) return failTry(attempt, 'origin_busy', true);
  attempt.leave = () => {
    clearTimeout(timer);
    leave();
  };
  if (!isWaiting) return;
  timer = setTimeout(() => {
    attempt.leave();
    failTry(attempt, 'origin_busy', true);
  }, forwarding.limits.originTimeoutMs);
}

function send(attempt: Attempt, fresh: boolean): void {
  const { req, res, forwarding, origin } = attempt;
  if (origin === undefined) return;
  attempt.proxyReq = undefined;
  attempt.isConnected = false;
  // The library decides about connection reuse and framing by these names; the lines that are really
  // sent are set when the connection is there.
  req.headers = loweredHeaders(forwarding.headers);
  const options = {
    target: origin.url,
    agent: fresh ? origin.fresh : origin.pool,
    buffer: new BodySource(() => sendBody(attempt)),
  };
  // What fails is reported through the error event; the promise only repeats it.
  proxy.web(req, res, options).catch(() => {});
}

proxy.on('proxyReq', (proxyReq, req) => {
  const attempt = attempts.get(req);
  if (attempt === undefined) return;
  attempt.proxyReq = proxyReq;
  attempt.bytesReadBefore = proxyReq.socket?.bytesRead ?? 0;
  proxyReq.once('close', () => {
    if (attempt.proxyReq !== proxyReq) return;
    // After the agent has its connection back, so that whoever is next may use it.
    process.nextTick(attempt.leave);
    // An upgrade that nobody asked for is the one case that Node reports as no error.
    if (!attempt.res.headersSent) fail(attempt, new OriginError('origin_garbage'));
  });
  prepareRequest(attempt, proxyReq);
});

proxy.on('proxyRes', (proxyRes, req, res) => {
  const attempt = attempts.get(req);
  if (attempt === undefined || res.headersSent || res.destroyed) return;
  attempt.proxyRes = proxyRes;
  relayAnswer(attempt, proxyRes);
});

proxy.on('error', (error, req) => {
  const attempt = req === undefined ? undefined : attempts.get(req);
  if (attempt !== undefined) fail(attempt, error);
});

/** The origin failed: sends the request once more where that is safe, or reports the fault. */
function fail(attempt: Attempt, error: Error): void {
  const { res, forwarding, proxyReq } = attempt;
  if (res.destroyed || res.writableEnded) return;
  // What came behind a whole answer is no part of it, and its connection is gone already.
  if (res.headersSent && attempt.proxyRes?.complete) return;
  if (res.headersSent) {
    attempt.origin?.noteCutShort(attempt.timedOut);
    forwarding.onCutShort(attempt.timedOut);
    res.destroy();
    return;
  }
  const fault = originFaultOf(error);
  const saidNothing = proxyReq?.socket?.bytesRead === attempt.bytesReadBefore;
  const isStale = proxyReq?.reusedSocket === true && saidNothing && fault === 'origin_closed';
  // That it had gone stale says nothing about the origin.
  if (isStale && !isRepeatable(attempt)) return forwarding.onFault(fault);
  if (isStale && !attempt.retriedStale) {
    attempt.retriedStale = true;
    forwarding.onRetry(false);
    return send(attempt, true);
  }
  failTry(attempt, fault, !attempt.isConnected, error);
}

function isRepeatable({ req, forwarding }: Attempt): boolean {
  return !forwarding.hasBody && isIdempotent(req.method ?? '');
}

/** The origin failed before its answer began: goes on to another where that is safe. */
function failTry(attempt: Attempt, fault: OriginFaultCode, isUnsent: boolean, error?: Error): void {
  const { forwarding, origin, tried, bodyBegun, hasAnswered } = attempt;
  if (origin === undefined) return;
  origin.noteFault(fault, error instanceof OriginError ? undefined : error);
  tried.push(origin);
  const failed = {
    ...{ fault, isUnsent, bodyBegun, isRepeatable: isRepeatable(attempt), hasAnswered },
    tries: tried.length,
    ageMs: forwarding.nowMs() - attempt.atMs,
  };
  const next = mayMove(failed, forwarding.limits) ? forwarding.origins.choose(tried) : undefined;
  if (next === undefined) return forwarding.onFault(fault);
  // The library listens anew for each try, and their number is bounded.
  attempt.req.setMaxListeners(0);
  attempt.res.setMaxListeners(0);
  attempt.leave();
  attempt.proxyReq = undefined;
  attempt.retriedStale = false;
  attempt.timedOut = false;
  forwarding.onRetry(true);
  queueUp(attempt, next);
}
