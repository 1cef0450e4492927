/**
 * The request as the origin receives it: the client's header lines in their case, the body streamed
 * once the connection stands, the framing of chunked bodies, Expect and trailers.
 */
import type { ClientRequest } from 'node:http';
import { Stream } from 'node:stream';
import type { Attempt } from './attempt.ts';
import { type HeaderLine, usableTrailers } from './hop-by-hop.ts';
import { interimText } from './interim.ts';
import { limitConnecting, limitSilence, whenConnected } from './origin-timeouts.ts';

/** Gives the request its lines in the client's case; repeated names become repeated lines. */
export function setHeaderLines(proxyReq: ClientRequest, lines: readonly HeaderLine[]): void {
  const grouped = new Map<string, { name: string; values: string[] }>();
  for (const [name, value] of lines) {
    const key = name.toLowerCase();
    const group = grouped.get(key);
    if (group === undefined) grouped.set(key, { name, values: [value] });
    else group.values.push(value);
  }
  for (const name of proxyReq.getHeaderNames()) {
    // Node writes these itself: how it uses the connection, and the origin's own name for a client
    // that sent no Host, as HTTP/1.0 allows.
    const isNodes = name === 'connection' || name === 'host';
    if (grouped.has(name) || !isNodes) proxyReq.removeHeader(name);
  }
  for (const { name, values } of grouped.values()) {
    proxyReq.setHeader(name, values.length === 1 ? (values[0] ?? '') : values);
  }
}

/**
 * Stands in for the client's request where the library would begin to read the body too early: before
 * the connection stands, when another origin might still have to be tried.
 */
export class BodySource extends Stream {
  readonly #begin: () => void;

  constructor(begin: () => void) {
    super();
    this.#begin = begin;
  }

  override pipe<T extends NodeJS.WritableStream>(destination: T): T {
    this.#begin();
    return destination;
  }
}

/** Completes the library's request, which has a connection by now but has written nothing. */
export function prepareRequest(attempt: Attempt, proxyReq: ClientRequest): void {
  const { forwarding, res } = attempt;
  setHeaderLines(proxyReq, forwarding.headers);
  // Header lines are latin1 texts; Node would write a head that has no body yet as UTF-8.
  proxyReq.socket?.setDefaultEncoding('latin1');
  proxyReq.path = forwarding.target;
  if (proxyReq.socket !== null) {
    whenConnected(proxyReq.socket, () => {
      attempt.isConnected = true;
    });
  }
  if (proxyReq.socket?.connecting) limitConnecting(proxyReq, forwarding.limits.connectTimeoutMs);
  limitSilence(attempt, proxyReq);
  if (forwarding.expectsContinue) {
    proxyReq.setHeader('Expect', '100-continue');
    proxyReq.once('continue', () => {
      attempt.continued = true;
      attempt.hasAnswered = true;
      res.writeContinue();
    });
    proxyReq.flushHeaders();
  }
  proxyReq.on('information', ({ statusCode, rawHeaders }) => {
    if (res.headersSent || res.destroyed || res.req.httpVersionMinor === 0) return;
    const text = interimText(statusCode, rawHeaders);
    if (text === '') return;
    attempt.hasAnswered = true;
    // Past Node's own writers, which change the lines; a request at its turn has the socket to itself.
    res.socket?.write(text, 'latin1');
  });
}

/** Sends the body, as fast as the origin takes it; `attempt.proxyReq` has its connection. */
export function sendBody(attempt: Attempt): void {
  const { proxyReq, forwarding } = attempt;
  if (proxyReq === undefined || proxyReq.socket === null) return;
  if (!forwarding.hasBody) {
    // Node would announce a length of 0, for some methods, that the client did not.
    proxyReq.useChunkedEncodingByDefault = false;
    proxyReq.end();
    return;
  }
  whenConnected(proxyReq.socket, () => streamBody(attempt, proxyReq));
}

function streamBody(attempt: Attempt, proxyReq: ClientRequest): void {
  const { req, forwarding } = attempt;
  if (proxyReq.destroyed || req.destroyed) return;
  const bytesMax = forwarding.limits.requestBodyBytesMax;
  let byteCount = 0;
  attempt.bodyBegun = true;
  req.on('data', (chunk: Buffer) => {
    const before = byteCount;
    byteCount += chunk.length;
    if (bytesMax === 0 || byteCount <= bytesMax || before > bytesMax) return;
    req.unpipe(proxyReq);
    forwarding.onBodyTooLarge();
    proxyReq.destroy();
  });
  if (forwarding.chunked) {
    req.prependOnceListener('end', () => {
      const trailers = usableTrailers(req.rawTrailers);
      if (trailers.length > 0) proxyReq.addTrailers(pairs(trailers));
    });
  }
  // Node would keep the head back until the body begins, and a client may wait to be told to begin.
  if (req.readableLength === 0) proxyReq.flushHeaders();
  req.pipe(proxyReq);
}

/** Header lines in the form that Node takes trailers in. */
export function pairs(lines: readonly HeaderLine[]): [string, string][] {
  return lines.map(([name, value]) => [name, value]);
}

/** The header lines by lower-case name, as the library wants them for its decisions. */
export function loweredHeaders(lines: readonly HeaderLine[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of lines) {
    const key = name.toLowerCase();
    // The library would close the connection behind a body without a length.
    if (key !== 'transfer-encoding') headers[key] = value;
  }
  return headers;
}
