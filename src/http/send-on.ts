/** A humble request of the front on its way: to the cache, or to its site's origin, and the answer back. */
import type { ServerResponse } from 'node:http';
import { linesOf, readerOf } from '../cache/fields.ts';
import { keyPrefix, toldPrefix } from '../cache/key.ts';
import { type Forward, lookupFields } from '../cache/lookup.ts';
import { AddressList } from '../config/address-list.ts';
import type { Watched } from '../delivery/recipient.ts';
import type { OriginFaultCode } from '../upstream/faults.ts';
import { originFaults } from '../upstream/faults.ts';
import { forward } from '../upstream/forward.ts';
import { linesText } from '../upstream/hop-by-hop.ts';
import type { OriginChoice } from '../upstream/origin.ts';
import type { Site } from '../upstream/origins.ts';
import { uncachedForward, uncachedStatus } from './delivered-head.ts';
import { announcesBody, type Exchange, hostOf, waitsForContinue } from './exchange.ts';
import { withOrigins } from './find-origins.ts';
import { FrontDelivery } from './front-delivery.ts';
import { countRetry, forwardingFacts, refuse } from './handle.ts';
import { editHead } from './head-text.ts';
import { outgoingHeaders } from './outgoing-headers.ts';
import type { FrontParts } from './policy.ts';
import { type Refusal, refusals } from './refusals.ts';

/** Sends a humble request to its site's origin, once that is found, and the answer back. */
export function sendOn(
  exchange: Exchange,
  site: Site,
  res: ServerResponse,
  parts: FrontParts,
): void {
  const prefix = site.settings.cache ? askedPrefix(exchange, site) : undefined;
  const watched = watch(exchange, site, prefix);
  if (watched?.method === 'PURGE')
    return refuse(exchange, res, purge(exchange, watched, parts), parts);
  const onRefused = (refusal: Refusal) => refuse(exchange, res, refusal, parts);
  const onFound = (origins: OriginChoice) => {
    const sending: Sending = { exchange, site, origins, res, parts, watched };
    if (prefix !== undefined && mayAsk(sending)) return deliver(sending);
    // A HEAD that the cache is not asked about may be answered by what no key knows of.
    const noted = watched?.method === 'HEAD' ? undefined : watched;
    sendTo({ ...sending, watched: noted }, watched && passBy(watched, exchange, parts));
  };
  withOrigins(exchange, site, parts, { isUpgrade: false, onFound, onRefused });
}

interface Sending {
  readonly exchange: Exchange;
  readonly site: Site;
  readonly origins: OriginChoice;
  readonly res: ServerResponse;
  readonly parts: FrontParts;
  /** Undefined: the site has no cache. */
  readonly watched: Watched | undefined;
}

/** `prefix`: that of the key that the cache could be asked for. */
function watch(exchange: Exchange, site: Site, prefix: string | undefined): Watched | undefined {
  if (!site.settings.cache) return undefined;
  const { req, target, atMs } = exchange;
  return {
    method: req.method ?? '',
    keyPrefix: prefix ?? ownPrefix(exchange, site),
    target,
    // As the origin is sent it: what it does not see cannot have made its answer another one.
    header: readerOf(outgoingHeaders(req.rawHeaders, forwardingFacts(exchange, false))),
    requestMs: atMs,
  };
}

/** Takes what is stored for the request's target out of the cache, if its client may. */
function purge({ client }: Exchange, watched: Watched, parts: FrontParts): Refusal {
  const { purgeAllow } = parts.policy().settings.cache;
  if (!new AddressList(purgeAllow).has(client)) return refusals.purge;
  const count = parts.deliveries.purge(watched.keyPrefix + watched.target);
  return count === 0
    ? refusals.nothingPurged
    : { status: 200, explanation: `Stored answers taken out of the cache: ${count}.` };
}

function ownPrefix(exchange: Exchange, site: Site): string {
  return keyPrefix(site.settings.name, exchange.arrival.proto, hostOf(exchange) ?? '');
}

/** As in fast-turn.ts: for the scheme and host that the origin is told; undefined: they stand in no key. */
function askedPrefix(exchange: Exchange, site: Site): string | undefined {
  const { req, arrival, peerTrusted } = exchange;
  const told = readerOf(peerTrusted ? linesOf(req.rawHeaders) : []);
  return toldPrefix(site.settings.name, {
    scheme: arrival.proto,
    host: hostOf(exchange) ?? '',
    forwardedProto: told('x-forwarded-proto'),
    forwardedHost: told('x-forwarded-host'),
  });
}

/** Whether the cache has a say in a request whose scheme and host could stand in a key. */
function mayAsk({ watched, exchange }: Sending): boolean {
  if (watched === undefined || announcesBody(exchange.fields)) return false;
  // Its host and scheme stand in no key.
  if (exchange.peerTrusted && exchange.req.headers.forwarded !== undefined) return false;
  // CGI cannot tell `_` from `-`: such a name may have a say that the cache knows nothing of.
  if (exchange.req.rawHeaders.some((text, index) => index % 2 === 0 && text.includes('_'))) {
    return false;
  }
  return watched.method === 'GET' || watched.method === 'HEAD';
}

/** Counts a request that the cache is not asked about; gives its Cache-Status, if it is told. */
function passBy({ method }: Watched, exchange: Exchange, parts: FrontParts): string | undefined {
  parts.statistics.add('cache_bypassed');
  noteCache(exchange, uncachedForward(method));
  const { sendsCacheStatus } = parts.policy().settings.cache;
  return sendsCacheStatus ? uncachedStatus(method, announcesBody(exchange.fields)) : undefined;
}

function noteCache({ trace }: Exchange, forward: Forward | 'hit'): void {
  if (trace !== undefined) trace.cache = forward;
}

function deliver(sending: Sending): void {
  const { exchange, origins, res, parts, watched } = sending;
  if (watched === undefined) return;
  const { req } = exchange;
  const { settings } = parts.policy();
  const { method, header, target } = watched;
  const facts = forwardingFacts(exchange, false);
  const head = () =>
    `${method} ${target} HTTP/1.1\r\n${linesText(outgoingHeaders(req.rawHeaders, facts))}Connection: keep-alive\r\n\r\n`;
  req.resume();
  const request = {
    key: watched.keyPrefix + target,
    method,
    header,
    origins,
    originHead: (edit: Parameters<typeof editHead>[1]) => editHead(head(), edit),
    limits: settings.limits,
    coding: header('accept-encoding') ?? '',
    isPlain: lookupFields.every((name) => header(name) === undefined),
    watched,
  };
  const delivery = new FrontDelivery(request, res, {
    nowMs: () => parts.nowMs(),
    tellsCacheStatus: settings.cache.sendsCacheStatus,
    hsts: hstsOf(sending),
    onCache: (forward) => noteCache(exchange, forward),
    onBytes: (count) => {
      exchange.bytes += count;
    },
    onAlone: (cacheStatus, isTelling) =>
      sendTo(isTelling ? sending : { ...sending, watched: undefined }, cacheStatus),
    onOnlyIfCached: () => refuse(exchange, res, refusals.notCached, parts),
    onFault: (code) => answerFault(sending, code),
    onCutShort: (isTimeout) => noteCutShort(sending, isTimeout),
    onTooSlow: () => {
      parts.statistics.add('response_send_timeouts');
      exchange.error = 'send_timeout';
    },
  });
  parts.deliveries.serve(delivery);
}

function hstsOf({ exchange, site }: Sending): string {
  return exchange.arrival.proto === 'https' ? site.settings.tls.hsts : '';
}

function answerFault({ exchange, res, parts }: Sending, code: OriginFaultCode): void {
  const { status, explanation, counter } = originFaults[code];
  refuse(exchange, res, { status, explanation, error: code, counter }, parts);
}

function noteCutShort({ exchange, parts }: Sending, isTimeout: boolean): void {
  parts.statistics.add(isTimeout ? 'origin_timeouts' : 'origin_aborts');
  exchange.error = isTimeout ? 'origin_timeout' : 'origin_cut_short';
}

/** Sends the request on by itself; the value of Cache-Status, if one is to be added. */
function sendTo(sending: Sending, cacheStatus: string | undefined): void {
  const { exchange, origins, res, parts, watched } = sending;
  const { req, fields } = exchange;
  const { limits } = parts.policy().settings;
  const chunked = fields.transferEncodings.length > 0;
  parts.statistics.add('requests_forwarded');
  forward(req, res, {
    origins,
    target: exchange.target,
    headers: outgoingHeaders(req.rawHeaders, forwardingFacts(exchange, chunked)),
    hasBody: announcesBody(fields),
    chunked,
    expectsContinue: waitsForContinue(exchange),
    limits,
    hsts: hstsOf(sending),
    cacheStatus,
    onHead: (status, rawHeaders) => {
      if (watched !== undefined) parts.deliveries.note(watched, status, linesOf(rawHeaders));
    },
    nowMs: () => parts.nowMs(),
    onRetry: (hasMoved) => countRetry(hasMoved, parts),
    onFault: (code) => answerFault(sending, code),
    onBodyTooLarge: () => {
      if (!res.headersSent) return refuse(exchange, res, refusals.bodyTooLarge, parts);
      parts.statistics.add('request_body_too_large');
      exchange.error = 'body_too_large';
      res.destroy();
    },
    onCutShort: (isTimeout) => noteCutShort(sending, isTimeout),
    onBytes: (count) => {
      exchange.bytes += count;
    },
  });
}
