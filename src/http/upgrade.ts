/**
 * Requests to switch protocols (RFC 9110 §7.8), screened like all others. `h2c` is never passed on:
 * what follows on such a connection would be requests that nobody screens. Ignoring an upgrade is
 * every server's right, so these requests, and upgrades with a method other than GET, go back to the
 * parser without the offer and are served as plain HTTP/1.1.
 */
import { watchForEnd } from '../upstream/early-end.ts';
import { originFaults } from '../upstream/faults.ts';
import { headerLines } from '../upstream/hop-by-hop.ts';
import type { OriginChoice } from '../upstream/origin.ts';
import { openTunnel } from '../upstream/tunnel.ts';
import type { Connection } from './connection.ts';
import { announcesBody, type Exchange } from './exchange.ts';
import { logExchange } from './exchange-log.ts';
import { withOrigins } from './find-origins.ts';
import { countRetry, findRefusal, forwardingFacts, keepsOpen } from './handle.ts';
import { hstsLineOf } from './hsts.ts';
import { outgoingHeaders } from './outgoing-headers.ts';
import type { FrontParts } from './policy.ts';
import { type Refusal, refusals } from './refusals.ts';
import { answerText } from './reply.ts';
import { judge } from './verdict.ts';

/** Protocols that carry requests of their own, which nobody would screen. */
const carriesRequests = /^(h2|http\/|tls\/)/;

/** Decides about one upgrade; `handBack` gives the connection back to the parser, with unread bytes. */
export function takeUpgrade(
  exchange: Exchange,
  connection: Connection,
  head: Buffer,
  parts: FrontParts,
  handBack: (unread: Buffer) => void,
): void {
  const isConnect = exchange.req.method === 'CONNECT';
  if (!isConnect && exchange.line !== undefined && !isSwitchable(exchange)) {
    return handBack(Buffer.concat([withoutOffer(exchange), head]));
  }
  parts.statistics.add('requests');
  connection.socket.once('close', () => logExchange(exchange, parts));
  const policy = parts.policy();
  const turnDown = (refusal: Refusal) => {
    refuseSwitch(exchange, connection, refusal, parts);
    // What a trusted peer carries for others goes on (handle.ts).
    if (keepsOpen(exchange, refusal, parts)) handBack(head);
    else connection.end();
  };
  if (exchange.line === undefined) return turnDown(refusals.malformedLine);
  if (isConnect) return turnDown(refusals.connect);
  const verdict = judge(exchange, policy, parts);
  if (verdict === 'slip') {
    connection.socket.destroy();
    return;
  }
  if (verdict === 'drop') return turnDown(refusals.blocked);
  const refusal = findRefusal(exchange, policy);
  if (refusal !== undefined) return turnDown(refusal);
  switchProtocols(exchange, connection, head, parts);
}

function refuseSwitch(
  exchange: Exchange,
  connection: Connection,
  refusal: Refusal,
  parts: FrontParts,
): void {
  if (refusal.counter !== undefined) parts.statistics.add(refusal.counter);
  const { status, explanation, error } = refusal;
  exchange.status = status;
  exchange.error = error;
  exchange.isRedirected = refusal.location !== undefined;
  const answer = {
    status,
    explanation,
    requestId: exchange.id,
    close: !keepsOpen(exchange, refusal, parts),
    asJson: false,
    retryAfter: refusal.retryAfter,
    location: refusal.location,
    hstsLine: hstsLineOf(exchange.site?.settings.tls, exchange.arrival),
    ...(status === 405 && { allow: 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS' }),
  };
  const { text, bodyBytes } = answerText(answer, parts.nowMs(), false);
  connection.socket.write(text, 'latin1');
  exchange.bytes = bodyBytes;
  logExchange(exchange, parts);
}

function isSwitchable(exchange: Exchange): boolean {
  const { req } = exchange;
  const protocols = (req.headers.upgrade ?? '').toLowerCase().split(',');
  const isPlain = req.method !== 'GET' || req.httpVersionMinor === 0;
  // Bytes behind such a head would be the body's to one side and the new protocol's to the other.
  if (isPlain || announcesBody(exchange.fields)) return false;
  return !protocols.some((protocol) => carriesRequests.test(protocol.trim()));
}

/** The request's head as sent, without Upgrade and what belongs to it. */
function withoutOffer(exchange: Exchange): Buffer {
  const lines = [exchange.rawLine];
  for (const [name, value] of headerLines(exchange.req.rawHeaders)) {
    const key = name.toLowerCase();
    if (key === 'upgrade' || key === 'http2-settings') continue;
    if (key !== 'connection') {
      lines.push(`${name}: ${value}`);
      continue;
    }
    const tokens = value.split(',').map((token) => token.trim());
    const kept = tokens.filter((token) => !/^(upgrade|http2-settings)$/i.test(token));
    if (kept.length > 0) lines.push(`${name}: ${kept.join(', ')}`);
  }
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}

function switchProtocols(
  exchange: Exchange,
  connection: Connection,
  head: Buffer,
  parts: FrontParts,
): void {
  const { site } = exchange;
  if (site === undefined) return;
  const stopWatching = site.isDynamic
    ? watchForEnd(connection.socket, parts.policy().settings.limits.headerBytesMax)
    : () => {};
  const onRefused = (refusal: Refusal) => {
    stopWatching();
    refuseSwitch(exchange, connection, refusal, parts);
    connection.end();
  };
  const onFound = (origins: OriginChoice) => {
    stopWatching();
    switchTo(exchange, origins, connection, head, parts);
  };
  withOrigins(exchange, site, parts, { isUpgrade: true, onFound, onRefused });
}

function switchTo(
  exchange: Exchange,
  origins: OriginChoice,
  connection: Connection,
  head: Buffer,
  parts: FrontParts,
): void {
  const { limits } = parts.policy().settings;
  const { req } = exchange;
  const { socket } = connection;
  parts.statistics.add('requests_forwarded');
  openTunnel(req, socket, head, {
    origins,
    target: exchange.target,
    headers: outgoingHeaders(req.rawHeaders, forwardingFacts(exchange, false)),
    protocols: req.headers.upgrade ?? '',
    limits,
    onRetry: (hasMoved) => countRetry(hasMoved, parts),
    onAnswer: (status) => {
      exchange.status = status;
      if (status === 101) parts.statistics.add('upgrades');
    },
    onBytes: (count) => {
      exchange.bytes += count;
    },
    onFault: (code) => {
      const { status, explanation, counter } = originFaults[code];
      refuseSwitch(exchange, connection, { status, explanation, error: code, counter }, parts);
      connection.end();
    },
    onClientGone: () => {
      exchange.error = 'client_gone';
      parts.statistics.add('client_aborts');
    },
    onIdle: () => {
      parts.statistics.add('upgrade_timeouts');
      exchange.error = 'idle';
    },
  });
}
