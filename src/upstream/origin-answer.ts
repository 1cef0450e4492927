/**
 * The origin's answer on its way to the client: header lines in their case and order without what is
 * hop-by-hop, the body with back-pressure, trailers, and an end that cannot be mistaken for another.
 */
import type { IncomingMessage } from 'node:http';
import { answerFieldCountMax } from './answer-head.ts';
import { hstsName } from './answer-text.ts';
import type { Attempt } from './attempt.ts';
import { OriginError } from './faults.ts';
import { type HeaderLine, usableTrailers, withoutHopByHop } from './hop-by-hop.ts';
import { pairs } from './origin-request.ts';

/** Begins to relay; `proxyRes` has its head, and its body is still to come. */
export function relayAnswer(attempt: Attempt, proxyRes: IncomingMessage): void {
  const { req, res, forwarding } = attempt;
  if (!writeHead(attempt, proxyRes)) {
    attempt.proxyReq?.destroy(new OriginError('origin_garbage'));
    return;
  }
  const status = proxyRes.statusCode ?? 0;
  attempt.origin?.noteHead(status);
  proxyRes.once('error', () => {
    if (res.destroyed) return;
    attempt.origin?.noteCutShort(attempt.timedOut);
    forwarding.onCutShort(attempt.timedOut);
  });
  let hasBegun = false;
  proxyRes.on('data', (chunk: Buffer) => {
    hasBegun = true;
    forwarding.onBytes(chunk.length);
  });
  proxyRes.prependOnceListener('end', () => {
    attempt.complete = true;
    attempt.origin?.noteWhole(status);
    const trailers = usableTrailers(proxyRes.rawTrailers);
    if (trailers.length > 0 && res.chunkedEncoding) res.addTrailers(pairs(trailers));
    const { proxyReq } = attempt;
    if (proxyReq === undefined || proxyReq.writableFinished) return;
    // Answered before the body was read: nobody wants the rest, but the client may want to send it.
    req.unpipe(proxyReq);
    req.resume();
    proxyReq.destroy();
  });
  proxyRes.pipe(res);
  // Node would keep the head back until the body begins, which may be long after.
  process.nextTick(() => {
    if (!hasBegun && !res.writableEnded && !res.destroyed) res.flushHeaders();
  });
}

/** Writes the answer's head; false when there is no such head in HTTP. */
function writeHead(attempt: Attempt, proxyRes: IncomingMessage): boolean {
  const { req, res, forwarding } = attempt;
  const status = proxyRes.statusCode ?? 0;
  // A switch of protocols that nobody asked for, or a number that is none (RFC 9110 §15). Numbers
  // above 599 have no meaning either, but some sites use them.
  if (status < 200 || !isStrict(proxyRes)) return false;
  const isOld = req.httpVersionMinor === 0;
  const lines = answerLines(proxyRes, { status, isOld, isHead: req.method === 'HEAD' });
  forwarding.onHead(status, proxyRes.rawHeaders);
  const { hsts, cacheStatus } = forwarding;
  if (cacheStatus !== undefined) lines.push(['Cache-Status', cacheStatus]);
  if (hsts !== '' && !lines.some(([name]) => name.toLowerCase() === hstsName.toLowerCase())) {
    lines.push([hstsName, hsts]);
  }
  // The client will not send its body now, or will it? Nobody could tell it from the next request.
  const bodyUnsure = forwarding.expectsContinue && !attempt.continued && !req.complete;
  if (bodyUnsure) res.shouldKeepAlive = false;
  // For HTTP/1.1 an open connection is the rule and needs no header (RFC 9112 §9.3).
  if (!isOld && res.shouldKeepAlive) res.removeHeader('connection');
  try {
    res.writeHead(status, proxyRes.statusMessage, lines.flat());
    return true;
  } catch {
    // Node's writer is stricter than its parser about the reason phrase.
    return false;
  }
}

/** What Node's parser lets through and two readers could understand differently, or in part. */
function isStrict({ httpVersion, headers, rawHeaders }: IncomingMessage): boolean {
  const coding = headers['transfer-encoding'];
  return (
    (httpVersion === '1.1' || httpVersion === '1.0') &&
    (coding === undefined || coding.toLowerCase() === 'chunked') &&
    rawHeaders.length <= 2 * answerFieldCountMax
  );
}

/** The lines to send, for the framing that Node will choose. */
function answerLines(
  proxyRes: IncomingMessage,
  client: { readonly status: number; readonly isOld: boolean; readonly isHead: boolean },
): HeaderLine[] {
  const lines = withoutHopByHop(proxyRes.rawHeaders);
  const bodyless = client.isHead || client.status === 204 || client.status === 304;
  const hasLength = lines.some(([name]) => name.toLowerCase() === 'content-length');
  const isChunked = !bodyless && !hasLength && !client.isOld;
  return lines.filter(([name]) => {
    const key = name.toLowerCase();
    // RFC 9110 §8.6 forbids a length here, and a client might wait for it.
    if (key === 'content-length') return client.status !== 204;
    return key !== 'trailer' || isChunked;
  });
}
