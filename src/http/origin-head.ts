/**
 * The head that an origin is sent for a request of the fast path: the client's lines as they came,
 * copied in runs, and what outgoing-headers.ts adds, in the same places. The same bytes as the front
 * sends through Node.
 */

import type { RequestTrace } from '../log/tracer.ts';
import { type Arrival, versionOf } from './arrival.ts';
import { viaName } from './head.ts';
import { forwardedHop } from './outgoing-headers.ts';
import { fieldKinds, type HeadScanner } from './request-head.ts';
import { withTrace } from './tracing.ts';

/** What is the same for all requests of a client connection for one host. */
export interface Forwarder {
  /** The connection's peer. */
  readonly peer: string;
  readonly peerTrusted: boolean;
  /** As in the Host header. */
  readonly host: string;
  readonly arrival: Arrival;
  /** Our line of Via. */
  readonly via: string;
  /** What stands behind the client's lines when none of them has a say in it. */
  readonly tail: string;
}

/** How Node's agent asks for a connection that stays open. */
const keepAlive = 'Connection: keep-alive\r\n\r\n';

/** Prepares what `originHead` adds. */
export function makeForwarder(options: Omit<Forwarder, 'via' | 'tail'>): Forwarder {
  const { peer, host, arrival } = options;
  const via = `Via: ${versionOf(arrival, '1.1')} ${viaName}\r\n`;
  const forwarded = `X-Forwarded-For: ${peer}\r\nX-Forwarded-Proto: ${arrival.proto}\r\n`;
  const tail = `${via}${forwarded}X-Forwarded-Host: ${host}\r\n${keepAlive}`;
  return { ...options, via, tail };
}

/** The same head as `originHead` has made, with our traceparent behind the other lines. */
export function tracedHead(sent: string, trace: RequestTrace): string {
  return withTrace(sent.slice(0, -keepAlive.length), trace) + keepAlive;
}

/** The whole head for the origin; `text` is the client's head, which `head` read at its start. */
export function originHead(head: HeadScanner, text: string, forwarder: Forwarder): string {
  const linesEnd = text.length - 2;
  if (!head.hasSpecialFields) return text.slice(0, linesEnd) + forwarder.tail;
  const { peer, peerTrusted, host, arrival } = forwarder;
  let lines = '';
  let runStart = 0;
  let { via } = forwarder;
  let hops = '';
  let proto = `X-Forwarded-Proto: ${arrival.proto}\r\n`;
  let forwardedHost = `X-Forwarded-Host: ${host}\r\n`;
  for (let index = 0; index < head.fieldCount; index += 1) {
    const kind = head.kinds[index] as number;
    const valueEnd = head.valueEnds[index] as number;
    if (kind < fieldKinds.connection) continue;
    if (kind === fieldKinds.via) {
      // Lines of one name stand together, ours last (RFC 9110 §7.6.3).
      lines += text.slice(runStart, valueEnd + 2) + via;
      via = '';
      runStart = valueEnd + 2;
      continue;
    }
    const isForwarding = kind >= fieldKinds.forwardedFor;
    if (isForwarding && peerTrusted && kind !== fieldKinds.forwardedFor) {
      if (kind === fieldKinds.forwardedProto) proto = '';
      if (kind === fieldKinds.forwardedHost) forwardedHost = '';
      if (kind === fieldKinds.forwarded) {
        lines += `${text.slice(runStart, valueEnd + 2)}Forwarded: ${forwardedHop(peer, arrival.proto)}\r\n`;
        runStart = valueEnd + 2;
      }
      continue;
    }
    if (isForwarding && peerTrusted) {
      hops = `${text.slice(head.valueStarts[index], valueEnd)}, `;
    }
    lines += text.slice(runStart, head.nameStarts[index]);
    runStart = valueEnd + 2;
  }
  lines += text.slice(runStart, linesEnd);
  return `${lines}${via}X-Forwarded-For: ${hops}${peer}\r\n${proto}${forwardedHost}${keepAlive}`;
}
