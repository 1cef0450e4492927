/**
 * The header list that an origin is sent: what the client sent, in its case and order, without what
 * is hop-by-hop, with Via (RFC 9110 §7.6.3) and X-Forwarded-For, -Proto and -Host. From a peer that
 * is not trusted, forwarding headers are replaced, so that the origin can believe what it reads.
 */
import type { RequestTrace } from '../log/tracer.ts';
import { type HeaderLine, withoutHopByHop } from '../upstream/hop-by-hop.ts';
import { viaName } from './head.ts';
import { isReplacedByTrace, traceparentName } from './tracing.ts';

export interface ForwardingFacts {
  /** The connection's peer. */
  readonly peer: string;
  readonly peerTrusted: boolean;
  readonly proto: 'http' | 'https';
  /** The host asked for: the authority of an absolute-form target, or else Host. */
  readonly host: string | undefined;
  /** True when `host` came from the target and has to replace Host (RFC 9112 §3.2.2). */
  readonly hostFromTarget: boolean;
  readonly httpVersion: string;
  readonly chunked: boolean;
  /** Undefined: what the client says about its trace is passed on as it came. */
  readonly trace: RequestTrace | undefined;
}

const forwardingHeaders = new Set([
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
  'forwarded',
]);

/** True for the names above, and for their spellings with `_`, which CGI cannot tell from `-`. */
function isForwardingHeader(name: string): boolean {
  return forwardingHeaders.has(name.replaceAll('_', '-'));
}

/** The lines to send, Transfer-Encoding included where the body has no known length. */
export function outgoingHeaders(
  rawHeaders: readonly string[],
  facts: ForwardingFacts,
): HeaderLine[] {
  const lines: HeaderLine[] = [];
  const hops: string[] = [];
  const present = new Set<string>();
  for (const line of withoutHopByHop(rawHeaders)) {
    const name = line[0].toLowerCase();
    // Expect is answered hop by hop: the origin is asked by ourselves, and what it says is relayed.
    // A list of trailers to come means nothing where none can be sent.
    if (name === 'expect' || (name === 'trailer' && !facts.chunked)) continue;
    if (isForwardingHeader(name) && !facts.peerTrusted) continue;
    if (facts.trace !== undefined && isReplacedByTrace(name, facts.trace)) continue;
    if (name === 'x-forwarded-for') {
      hops.push(line[1]);
      continue;
    }
    if (name !== 'host' || !facts.hostFromTarget) lines.push(line);
    else if (!present.has(name)) lines.push([line[0], facts.host ?? '']);
    present.add(name);
  }
  if (facts.hostFromTarget && !present.has('host')) lines.unshift(['Host', facts.host ?? '']);
  if (facts.chunked) lines.push(['Transfer-Encoding', 'chunked']);
  lines.push(['Via', `${facts.httpVersion} ${viaName}`]);
  lines.push(['X-Forwarded-For', [...hops, facts.peer].join(', ')]);
  if (!present.has('x-forwarded-proto')) lines.push(['X-Forwarded-Proto', facts.proto]);
  if (!present.has('x-forwarded-host') && facts.host !== undefined) {
    lines.push(['X-Forwarded-Host', facts.host]);
  }
  // Only carried on, never begun: most origins read X-Forwarded-For.
  if (present.has('forwarded')) lines.push(['Forwarded', forwardedHop(facts.peer, facts.proto)]);
  if (facts.trace !== undefined) lines.push([traceparentName, facts.trace.traceparent]);
  return lines;
}

/** Our own element of Forwarded (RFC 7239 §4); an IPv6 address has to be quoted. */
export function forwardedHop(peer: string, proto: string): string {
  const address = peer.includes(':') ? `"[${peer}]"` : peer;
  return `for=${address};proto=${proto}`;
}
