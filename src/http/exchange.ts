/**
 * One request and what becomes of it: read from the head when it arrives, filled in while it is
 * handled, logged once when it is over.
 */
import type { IncomingMessage } from 'node:http';
import type { AddressList } from '../config/address-list.ts';
import type { RequestTrace } from '../log/tracer.ts';
import type { Site } from '../upstream/origins.ts';
import type { Arrival } from './arrival.ts';
import type { Framing } from './body-skipper.ts';
import { clientAddress } from './client-address.ts';
import type { Connection } from './connection.ts';
import { type HeadFields, readHeadFields } from './head.ts';
import type { FrontParts } from './policy.ts';
import { nextRequestId } from './request-id.ts';
import {
  parseRequestLine,
  type RequestLine,
  reduceToOriginForm,
  requestStringOf,
} from './request-line.ts';
import { traceOf } from './tracing.ts';
import type { PatternMatch } from './verdict.ts';

/** What the log tells of a request, whichever lane it took. */
export interface LoggedRequest {
  readonly id: string;
  readonly atMs: number;
  readonly client: string;
  /** Over HTTP/2 the line below is that of the same request in HTTP/1.1. */
  readonly arrival: Arrival;
  /** The request line as the client sent it, latin1. */
  readonly rawLine: string;
  /** False: the line breaks the grammar. */
  readonly isSound: boolean;
  readonly match: PatternMatch | undefined;
  /** It holds a keyword that is not confirmed. */
  readonly holdsKeyword: boolean;
  /** In origin-form. */
  readonly target: string;
  readonly peerTrusted: boolean;
  /** Whom its site trusts. */
  readonly proxies: AddressList | undefined;
  /** The host that the client has asked for, and what led it there, as it says. */
  readonly host: string | undefined;
  readonly referer: string | undefined;
  /** Its request string is text[requestStart, requestEnd), latin1. */
  readonly text: string;
  readonly requestStart: number;
  readonly requestEnd: number;
  /** False: there is nothing in it to normalise. */
  readonly mayNormalize: boolean;
  /** A short word for what we answered ourselves, e.g. `origin_timeout`. */
  readonly error: string | undefined;
  readonly status: number | undefined;
  /** Body bytes sent. */
  readonly bytes: number;
  /** The trace that it belongs to; undefined: its headers were not read, or nothing is traced. */
  readonly trace?: RequestTrace | undefined;
  /** It was led elsewhere: its answer says nothing about what there is. */
  readonly isRedirected?: boolean;
}

export interface Exchange {
  readonly id: string;
  readonly atMs: number;
  readonly req: IncomingMessage;
  readonly arrival: Arrival;
  /** The request line as the client sent it, latin1. */
  readonly rawLine: string;
  /** The size of the head as sent, in bytes. */
  readonly headByteCount: number;
  /** Undefined: the line breaks the grammar that Node's parser is forgiving about. */
  readonly line: RequestLine | undefined;
  /** Origin-form target, or `*`. */
  readonly target: string;
  /** The authority of an absolute-form target, which then counts instead of Host. */
  readonly authority: string | undefined;
  readonly requestString: string;
  readonly fields: HeadFields;
  readonly site: Site | undefined;
  readonly peer: string;
  readonly client: string;
  readonly peerTrusted: boolean;
  /** Undefined: nothing is traced. */
  readonly trace: RequestTrace | undefined;
  readonly proxies: AddressList | undefined;
  match: PatternMatch | undefined;
  holdsKeyword: boolean;
  /** A short word for what we answered ourselves, e.g. `origin_timeout`. */
  error: string | undefined;
  status: number | undefined;
  bytes: number;
  isRedirected: boolean;
  logged: boolean;
}

/** Reads the head of the request that the parser reports now on a connection of `listen`. */
export function beginExchange(
  req: IncomingMessage,
  connection: Connection,
  listen: string,
  parts: FrontParts,
): Exchange {
  const fields = readHeadFields(req.rawHeaders);
  const head = connection.tap.takeHead(req.method ?? '', req.url ?? '', framingOf(fields));
  const line = head === undefined ? undefined : parseRequestLine(head.line);
  const reduced = line === undefined ? undefined : reduceToOriginForm(line);
  const { sites, tracer } = parts.policy();
  const host = reduced?.authority ?? fields.hosts[0];
  const site = sites.find(listen, host);
  const trusted = site?.trustedProxies ?? sites.trustedProxies(listen);
  return {
    id: nextRequestId(),
    atMs: parts.nowMs(),
    req,
    arrival: connection.arrival,
    rawLine: head?.line ?? `${req.method} ${req.url} HTTP/${req.httpVersion}`,
    headByteCount: head?.byteCount ?? 0,
    line: reduced === undefined && req.method !== 'CONNECT' ? undefined : line,
    target: reduced?.target ?? '',
    authority: reduced?.authority,
    requestString:
      line === undefined || reduced === undefined ? '' : requestStringOf(line, reduced.target),
    fields,
    site,
    peer: connection.peer,
    ...clientAddress(connection.peer, fields.forwardedFor, fields.forwarded, trusted),
    trace: tracer && traceOf(req.rawHeaders, host, tracer),
    proxies: trusted,
    match: undefined,
    holdsKeyword: false,
    error: undefined,
    status: undefined,
    bytes: 0,
    isRedirected: false,
    logged: false,
  };
}

function framingOf(fields: HeadFields): Framing {
  const chunked = fields.transferEncodings.length > 0;
  return { chunked, contentLength: chunked ? 0 : (fields.contentLength ?? 0) };
}

/** The host that the request is for: the target's authority, else Host. */
export function hostOf(exchange: Exchange): string | undefined {
  return exchange.authority ?? exchange.fields.hosts[0];
}

/** True when the head announces a body (RFC 9112 §6.3). */
export function announcesBody(fields: HeadFields): boolean {
  return fields.transferEncodings.length > 0 || (fields.contentLength ?? 0) > 0;
}

/** True when the client waits for 100 Continue; HTTP/1.0 does not know it (RFC 9110 §10.1.1). */
export function waitsForContinue(exchange: Exchange): boolean {
  const { fields, req } = exchange;
  return fields.expect !== undefined && req.httpVersionMinor > 0 && announcesBody(fields);
}
