/**
 * Whose request it is. The peer of the connection, unless the peer is a trusted proxy: then the
 * nearest address in X-Forwarded-For, or else in Forwarded (RFC 7239), that is not itself trusted.
 * What an untrusted peer writes into these headers is never believed.
 */
import { isIP } from 'node:net';
import { type AddressList, normalizeAddress } from '../config/address-list.ts';

export interface ClientAddress {
  /** The client's address; IPv4-mapped IPv6 is written as IPv4. */
  readonly client: string;
  /** True when the peer of the connection is in TrustedProxies. */
  readonly peerTrusted: boolean;
}

/** `forwardedFor` and `forwarded` are the values of those headers, repeated lines joined by commas. */
export function clientAddress(
  peer: string,
  forwardedFor: string | undefined,
  forwarded: string | undefined,
  trusted: AddressList,
): ClientAddress {
  const peerAddress = normalizeAddress(peer);
  if (!trusted.has(peerAddress)) return { client: peerAddress, peerTrusted: false };
  const client = clientBehind(peerAddress, forwardedFor, forwarded, trusted);
  return { client, peerTrusted: true };
}

/** The same for a peer that is known to be trusted; its address is in the spelling of the log. */
export function clientBehind(
  peer: string,
  forwardedFor: string | undefined,
  forwarded: string | undefined,
  trusted: AddressList,
): string {
  if (forwardedFor === undefined && forwarded === undefined) return peer;
  const hops =
    forwardedFor === undefined ? forwardedHops(forwarded ?? '') : forwardedFor.split(',');
  let client = peer;
  for (const hop of hops.reverse()) {
    const address = addressOfHop(hop);
    if (address === undefined) break;
    client = address;
    if (!trusted.has(address)) break;
  }
  return client;
}

/**
 * The host that the client has asked for, as far as a page knows it: a trusted proxy may have rewritten
 * Host.
 */
export function askedHost(
  host: string | undefined,
  forwardedHost: string | undefined,
  peerTrusted: boolean,
): string | undefined {
  return peerTrusted ? (forwardedHost?.split(',', 1)[0]?.trim() ?? host) : host;
}

/** The address in one hop: `1.2.3.4`, `1.2.3.4:80`, `2001:db8::1`, `[2001:db8::1]:80`. */
function addressOfHop(hop: string): string | undefined {
  let text = hop.trim();
  if (text.startsWith('[')) text = text.slice(1, Math.max(1, text.indexOf(']')));
  else if (text.split(':').length === 2) text = text.slice(0, text.indexOf(':'));
  return isIP(text) === 0 ? undefined : normalizeAddress(text);
}

/** The `for=` values of a Forwarded header, in order. */
function forwardedHops(forwarded: string): string[] {
  const hops: string[] = [];
  for (const element of forwarded.split(',')) {
    for (const parameter of element.split(';')) {
      const [name, value] = parameter.split('=', 2);
      if (name?.trim().toLowerCase() !== 'for' || value === undefined) continue;
      hops.push(value.trim().replace(/^"|"$/g, ''));
    }
  }
  return hops;
}
