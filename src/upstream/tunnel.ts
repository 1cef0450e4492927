/**
 * Upgraded connections (RFC 9110 §7.8): WebSocket and whatever else client and origin agree upon. The
 * library only lets `websocket` pass, so it is shown that name and the real one is put on the wire.
 * After 101 the bytes are the two ends' own affair; only an idle connection is closed.
 */
import type { ClientRequest, IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { LimitSettings } from '../config/shape.ts';
import { watchForEnd } from './early-end.ts';
import { OriginError, type OriginFaultCode, originFaultOf } from './faults.ts';
import { FirstReachable } from './first-reachable.ts';
import { type HeaderLine, headerLines, withoutHopByHop } from './hop-by-hop.ts';
import type { OriginChoice } from './origin.ts';
import { setHeaderLines } from './origin-request.ts';
import { proxy } from './proxy.ts';

/** One request to switch protocols. */
export interface Tunnel {
  readonly origins: OriginChoice;
  readonly target: string;
  /** End-to-end header lines; Connection and Upgrade are added here. */
  readonly headers: readonly HeaderLine[];
  /** The protocols of the client's Upgrade header, as sent. */
  readonly protocols: string;
  readonly limits: LimitSettings;
  /** One origin could not be reached, and another is tried. */
  onRetry(hasMoved: boolean): void;
  /** The origin has answered: 101, or another status when it declines. */
  onAnswer(status: number): void;
  /** The origin failed before it answered; the socket is still the caller's to write a reply on. */
  onFault(fault: OriginFaultCode): void;
  /** The client closed its connection before the origin answered. */
  onClientGone(): void;
  /** Body bytes, or bytes of the new protocol, on their way to the client. */
  onBytes(count: number): void;
  /** Nothing moved for UpgradeTimeout. */
  onIdle(): void;
}

interface Passage {
  readonly tunnel: Tunnel;
  readonly connection: FirstReachable;
  answered: boolean;
}

const passages = new WeakMap<IncomingMessage, Passage>();

/** Connects client and origin; `head` holds bytes that the client sent behind its request. */
export function openTunnel(
  req: IncomingMessage,
  client: Socket,
  head: Buffer,
  tunnel: Tunnel,
): void {
  const { origins, limits } = tunnel;
  const connection = new FirstReachable(origins, limits, () => tunnel.onRetry(true));
  passages.set(req, { tunnel, connection, answered: false });
  const names: Record<string, string> = { connection: 'Upgrade', upgrade: 'websocket' };
  for (const [name, value] of tunnel.headers) names[name.toLowerCase()] = value;
  req.headers = names;
  // The connection is ours, TLS included: to the library every origin is a plain one. Its own timeout
  // would close the client's connection before an answer could be written.
  const target = new URL(`http://${connection.origin?.url.host ?? 'origin.invalid'}`);
  proxy.ws(req, client, { target, agent: connection }, head).catch(() => {});
}

proxy.on('proxyReqWs', (proxyReq, req, client) => {
  const passage = passages.get(req);
  if (passage === undefined) return;
  const { tunnel } = passage;
  setHeaderLines(proxyReq, [
    ...tunnel.headers,
    ['Connection', 'Upgrade'],
    ['Upgrade', tunnel.protocols],
  ]);
  proxyReq.path = tunnel.target;
  limitAnswer(proxyReq, tunnel.limits.originTimeoutMs);
  const abandon = () => {
    if (!passage.answered) tunnel.onClientGone();
    passage.answered = true;
    passage.connection.abandon();
    proxyReq.destroy();
  };
  client.prependOnceListener('close', abandon);
  const unwatch = watchForEnd(client, tunnel.limits.headerBytesMax);
  proxyReq.prependOnceListener('response', (answer: IncomingMessage) => {
    passage.answered = true;
    answer.headers = declineHeaders(answer.rawHeaders);
    passage.connection.origin?.noteHead(answer.statusCode ?? 502);
    passage.connection.origin?.noteWhole(answer.statusCode ?? 502);
    tunnel.onAnswer(answer.statusCode ?? 502);
    client.setTimeout(tunnel.limits.sendTimeoutMs, () => client.destroy());
    answer.on('data', (chunk: Buffer) => tunnel.onBytes(chunk.length));
    answer.once('end', () => proxyReq.destroy());
    answer.setTimeout(tunnel.limits.originReadTimeoutMs, () => client.destroy());
  });
  proxyReq.prependOnceListener('upgrade', (answer: IncomingMessage, origin: Duplex) => {
    passage.answered = true;
    client.removeListener('close', abandon);
    unwatch();
    // The library writes the 101 from this object: give it the origin's own case.
    answer.headers = inOriginalCase([...headerLines(answer.rawHeaders)]);
    passage.connection.origin?.noteHead(101);
    passage.connection.origin?.noteWhole(101);
    tunnel.onAnswer(101);
    // Once the library has connected the two: a listener of ours would be given the first bytes alone.
    process.nextTick(() => origin.on('data', (chunk: Buffer) => tunnel.onBytes(chunk.length)));
    if (origin instanceof Socket) watch(client, origin, tunnel);
  });
});

/** Header lines as an object, which the library writes in its order; repeated names become lists. */
function inOriginalCase(lines: readonly HeaderLine[]): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {};
  const spelled = new Map<string, string>();
  for (const [name, value] of lines) {
    const key = spelled.get(name.toLowerCase()) ?? name;
    spelled.set(name.toLowerCase(), key);
    const present = headers[key];
    if (present === undefined) headers[key] = value;
    else headers[key] = [...(Array.isArray(present) ? present : [present]), value];
  }
  return headers;
}

/** The headers of an answer that declines; the library looks for the names of its framing in lower case. */
function declineHeaders(rawHeaders: readonly string[]): Record<string, string | string[]> {
  const framing = [...headerLines(rawHeaders)].filter(
    ([name]) => name.toLowerCase() === 'transfer-encoding',
  );
  const lines = [...withoutHopByHop(rawHeaders), ...framing].map(([name, value]): HeaderLine => {
    const key = name.toLowerCase();
    return key === 'content-length' || key === 'transfer-encoding' ? [key, value] : [name, value];
  });
  return inOriginalCase(lines);
}

/** Ends a request that the origin does not answer in time. */
function limitAnswer(proxyReq: ClientRequest, originTimeoutMs: number): void {
  const fail = () => proxyReq.destroy(new OriginError('origin_timeout'));
  const timer = setTimeout(fail, originTimeoutMs);
  const stop = () => clearTimeout(timer);
  for (const event of ['response', 'upgrade', 'close']) proxyReq.once(event, stop);
}

/** Closes both ends when either is gone or nothing has moved for UpgradeTimeout. */
function watch(client: Socket, origin: Socket, tunnel: Tunnel): void {
  const idle = () => {
    tunnel.onIdle();
    client.destroy();
    origin.destroy();
  };
  client.once('close', () => origin.destroySoon());
  origin.once('close', () => client.destroySoon());
  // The library clears socket timeouts when it connects the two, after this listener has run.
  setImmediate(() => {
    client.setTimeout(tunnel.limits.upgradeTimeoutMs, idle);
    origin.setTimeout(tunnel.limits.upgradeTimeoutMs, idle);
  });
}

proxy.on('error', (error, req, client) => {
  const passage = req === undefined ? undefined : passages.get(req);
  // A client that goes away is reported here, too; its `close` is still to come.
  if (passage === undefined || passage.answered || client?.destroyed) return;
  passage.answered = true;
  const fault = originFaultOf(error);
  // What kept the connection from standing was noted where it was tried.
  if (passage.connection.isConnected) passage.connection.origin?.noteFault(fault);
  passage.tunnel.onFault(fault);
});
