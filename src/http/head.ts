/**
 * What is wrong with a request head that Node's parser let through (RFC 9112 §§3, 5, 6). Node refuses
 * bare line feeds, folded lines, blanks before a colon and Content-Length beside Transfer-Encoding by
 * itself; here is the rest of what two servers could read differently.
 */
import type { IncomingMessage } from 'node:http';
import { headerLines } from '../upstream/hop-by-hop.ts';

/** The header fields that decide about framing and routing, gathered in one pass. */
export interface HeadFields {
  readonly hosts: readonly string[];
  readonly transferEncodings: readonly string[];
  /** NaN: it is not a number, or given twice. */
  readonly contentLength: number | undefined;
  readonly forwardedFor: string | undefined;
  readonly forwarded: string | undefined;
  readonly forwardedHost: string | undefined;
  readonly referer: string | undefined;
  readonly expect: string | undefined;
  /** In lower case. */
  readonly accept: string;
  readonly viaHops: number;
  readonly lineCount: number;
}

/** The name that we put into Via. */
export const viaName = 'wormgate';

/** How many times our own name may already stand in Via before the request is taken for a loop. */
const viaHopsMax = 5;

/** Gathers the fields of a raw header list. */
export function readHeadFields(rawHeaders: readonly string[]): HeadFields {
  const hosts: string[] = [];
  const transferEncodings: string[] = [];
  const forwardedFor: string[] = [];
  const forwarded: string[] = [];
  let contentLength: number | undefined;
  let forwardedHost: string | undefined;
  let referer: string | undefined;
  let expect: string | undefined;
  let accept = '';
  let viaHops = 0;
  for (const [name, value] of headerLines(rawHeaders)) {
    switch (name.toLowerCase()) {
      case 'host':
        hosts.push(value.trim());
        break;
      case 'transfer-encoding':
        transferEncodings.push(value.trim().toLowerCase());
        break;
      case 'content-length':
        contentLength =
          contentLength === undefined && /^[0-9]+$/.test(value) ? Number(value) : Number.NaN;
        break;
      case 'x-forwarded-for':
        forwardedFor.push(value);
        break;
      case 'forwarded':
        forwarded.push(value);
        break;
      case 'x-forwarded-host':
        forwardedHost = value;
        break;
      case 'referer':
        referer = value.trim();
        break;
      case 'expect':
        expect = value.trim();
        break;
      case 'accept':
        accept = value.toLowerCase();
        break;
      case 'via':
        viaHops += value.split(',').filter((hop) => hop.trim().split(' ')[1] === viaName).length;
        break;
    }
  }
  return {
    hosts,
    transferEncodings,
    contentLength,
    forwardedFor: forwardedFor.length === 0 ? undefined : forwardedFor.join(','),
    forwarded: forwarded.length === 0 ? undefined : forwarded.join(','),
    forwardedHost,
    referer,
    expect,
    accept,
    viaHops,
    lineCount: rawHeaders.length / 2,
  };
}

// RFC 3986 §3.2: a registered name, an IPv4 address or an IP literal, and an optional port.
const hostGrammar = /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9\-._~%!$&'()*+;=]*)(:[0-9]{0,5})?$/;

/** True when the text may stand in Host. */
export function isHost(text: string): boolean {
  return hostGrammar.test(text);
}

/**
 * The first ambiguity found, as a sentence for the client; or undefined. `authority`: that of an
 * absolute-form target.
 */
export function ambiguityOf(
  request: Pick<IncomingMessage, 'httpVersionMinor'>,
  fields: HeadFields,
  authority: string | undefined,
): string | undefined {
  if (authority !== undefined && (/^(:|$)/.test(authority) || !isHost(authority))) {
    return 'The request target names no host.';
  }
  const isOld = request.httpVersionMinor === 0;
  const fault = hostFault(fields, isOld) ?? framingFault(fields, isOld);
  if (fault !== undefined) return fault;
  if (fields.viaHops >= viaHopsMax) return 'The request came through this proxy too often.';
  return undefined;
}

function hostFault(fields: HeadFields, isOld: boolean): string | undefined {
  if (fields.hosts.length > 1) return 'The request has more than one Host header.';
  const host = fields.hosts[0];
  if (host === undefined && !isOld) return 'The request has no Host header.';
  if (host !== undefined && !isHost(host)) return 'The Host header is not a host name.';
  return undefined;
}

function framingFault(fields: HeadFields, isOld: boolean): string | undefined {
  if (Number.isNaN(fields.contentLength)) {
    return 'The Content-Length header is not one number.';
  }
  if (fields.transferEncodings.length > 1) {
    return 'The request has more than one Transfer-Encoding header.';
  }
  const coding = fields.transferEncodings[0];
  if (coding !== undefined && isOld) return 'HTTP/1.0 knows no Transfer-Encoding.';
  if (coding !== undefined && coding !== 'chunked') {
    return 'The only Transfer-Encoding understood here is chunked.';
  }
  if (coding !== undefined && fields.contentLength !== undefined) {
    return 'The request has both Content-Length and Transfer-Encoding.';
  }
  return undefined;
}
