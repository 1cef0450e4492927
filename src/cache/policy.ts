/**
 * May an answer be stored, and how long is it fresh (RFC 9111 §§3, 4.2)? The only file that imports
 * http-cache-semantics, which is asked about a canonical form of the message: directives read by
 * cache-control.ts, dates by http-date.ts. What the library does not know is decided here; the list is in
 * docs/decisions/0012-cache-packages.md. Whether a request may be answered is lookup.ts's.
 */
import CachePolicy from 'http-cache-semantics';
import {
  type Directives,
  deltaSecondsMax,
  parseCacheControl,
  parseTargeted,
} from './cache-control.ts';
import {
  firstValueOf,
  type HeaderLine,
  type HeaderReader,
  hasContent,
  valuesOf,
} from './fields.ts';
import { formatHttpDate, parseHttpDate } from './http-date.ts';
import { varyFields } from './vary.ts';

/** What the operator has set; times in milliseconds. */
export interface PolicyRules {
  /** For answers that say nothing about freshness and have no Last-Modified; 0: they are not fresh. */
  readonly defaultTtlMs: number;
  /** 0-1: the part of the time since Last-Modified for which an answer is fresh by heuristics. */
  readonly heuristicFraction: number;
  readonly heuristicMaxMs: number;
  /** For answers that do not say stale-while-revalidate or stale-if-error themselves. */
  readonly staleWhileRevalidateMs: number;
  readonly staleIfErrorMs: number;
  /** Requests' own no-cache, no-store, max-age, min-fresh and Pragma are ignored. */
  readonly ignoresClientNoCache: boolean;
}

/** A request and the head of its answer; times in milliseconds since the epoch. */
export interface Exchange {
  readonly method: string;
  readonly header: HeaderReader;
  /** A final status. */
  readonly status: number;
  /** The answer's lines as received. */
  readonly lines: readonly HeaderLine[];
  /** When the request was sent, and when the answer's head was there. */
  readonly requestMs: number;
  readonly responseMs: number;
}

/** How long an answer can be used, and for what; times in milliseconds. */
export interface Freshness {
  /** The age that it had when it was received (RFC 9111 §4.2.3). */
  readonly initialAgeMs: number;
  readonly lifetimeMs: number;
  /** Never served stale (RFC 9111 §4.2.4). */
  readonly mustRevalidate: boolean;
  /** How long behind its lifetime it may be served while it is revalidated, or when that fails (RFC 5861). */
  readonly staleWhileRevalidateMs: number;
  readonly staleIfErrorMs: number;
  /** It may answer requests with Authorization (RFC 9111 §3.5). */
  readonly allowsCredentials: boolean;
  /** Fields that may not be stored, in lower case (`no-cache="…"`, `private="…"`). */
  readonly omittedFields: readonly string[];
}

/** Why an answer is not stored; the words of `detail` in Cache-Status. */
export type StoreRefusal =
  | 'method'
  | 'content'
  | 'status'
  | 'partial'
  | 'request-no-store'
  | 'no-store'
  | 'private'
  | 'authorization'
  | 'cookie'
  | 'set-cookie'
  | 'vary-star'
  | 'not-fresh';

/** Whether a refusal is the request's fault: it says nothing about what is stored. */
export function isOfRequest(refusal: StoreRefusal): boolean {
  return ofRequest.has(refusal);
}

const ofRequest: ReadonlySet<StoreRefusal> = new Set([
  'content',
  'request-no-store',
  'authorization',
  'cookie',
]);

export type Storing =
  | { readonly ok: true; readonly freshness: Freshness }
  | { readonly ok: false; readonly refusal: StoreRefusal };

/** Statuses whose meaning for caches we know, as must-understand asks (RFC 9111 §5.2.2.3). */
const understood = new Set([
  200, 201, 202, 203, 204, 205, 300, 301, 302, 303, 307, 308, 400, 401, 402, 403, 404, 405, 406,
  408, 409, 410, 411, 413, 414, 415, 417, 421, 422, 426, 500, 501, 502, 503, 504, 505,
]);

/**
 * Never stored: answers to a part or a condition of one request (RFC 9110 §§15.4.5, 15.5.13, 15.5.17),
 * and those that RFC 6585 forbids.
 */
const neverStored = new Set([206, 304, 412, 416, 428, 429, 431, 511]);

/** Statuses that may be fresh by heuristics (RFC 9110 §15.1), as far as they are stored at all. */
const heuristic = new Set([200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501]);

/** One that the library understands and does not think fresh by heuristics: stands for all others. */
const plainStatus = 302;

/** The library, asked about lifetimes alone: those do not depend on the present. */
class TimelessPolicy extends CachePolicy {
  override now(): number {
    return 0;
  }
}

/** The directives for a shared cache in front of an origin, and whether Expires counts beside them. */
function directivesOf(lines: readonly HeaderLine[]): {
  readonly directives: Directives;
  readonly isTargeted: boolean;
} {
  const targeted = parseTargeted(valuesOf(lines, 'cdn-cache-control'));
  return targeted === undefined
    ? { directives: parseCacheControl(valuesOf(lines, 'cache-control')), isTargeted: false }
    : { directives: targeted, isTargeted: true };
}

/** Decides whether an answer may be stored. Its body must turn out to be whole as well. */
export function judgeStoring(exchange: Exchange, rules: PolicyRules): Storing {
  const { method, header, status, lines } = exchange;
  if (method !== 'GET') return refused('method');
  if (hasContent(header)) return refused('content');
  if (status === 206) return refused('partial');
  if (status < 200 || neverStored.has(status)) return refused('status');
  if (!rules.ignoresClientNoCache && requestDirectives(header).has('no-store')) {
    return refused('request-no-store');
  }
  const { directives, isTargeted } = directivesOf(lines);
  if (directives.has('must-understand')) {
    if (!understood.has(status)) return refused('status');
  } else if (directives.has('no-store')) return refused('no-store');
  const privateFields = directives.fields('private');
  if (directives.has('private') && privateFields === undefined) return refused('private');
  if (firstValueOf(lines, 'set-cookie') !== undefined) return refused('set-cookie');
  if (varyFields(lines) === undefined) return refused('vary-star');
  const allowsCredentials = ['public', 's-maxage', 'must-revalidate'].some((name) =>
    directives.has(name),
  );
  const hasCredentials = header('authorization') !== undefined;
  if (hasCredentials && !allowsCredentials) return refused('authorization');

  const message: Message = { exchange, directives, isTargeted };
  if (isPersonal(message)) return refused('cookie');
  const policy = libraryPolicy(message, rules);
  if (!policy.storable()) return refused('status');
  const freshness: Freshness = {
    initialAgeMs: initialAgeMs(exchange),
    lifetimeMs: lifetimeMs(message, policy, rules),
    allowsCredentials,
    omittedFields: [...(privateFields ?? []), ...(directives.fields('no-cache') ?? [])],
    ...staleness(message, rules),
  };
  return isUsable(freshness, lines) ? { ok: true, freshness } : refused('not-fresh');
}

function refused(refusal: StoreRefusal): Storing {
  return { ok: false, refusal };
}

/** The directives of a request. */
export function requestDirectives(header: HeaderReader): Directives {
  const value = header('cache-control');
  return parseCacheControl(value === undefined ? [] : [value]);
}

interface Message {
  readonly exchange: Exchange;
  readonly directives: Directives;
  readonly isTargeted: boolean;
}

/** The library's view of the message, written so that it cannot be misread. */
function libraryPolicy({ exchange, directives, isTargeted }: Message, rules: PolicyRules) {
  const { header, status, lines, responseMs } = exchange;
  const written: string[] = [];
  for (const name of ['s-maxage', 'max-age']) {
    const seconds = directives.seconds(name);
    // RFC 9111 §4.2.1: freshness information that cannot be read makes an answer stale.
    if (seconds !== undefined) written.push(`${name}=${Number.isNaN(seconds) ? 0 : seconds}`);
  }
  for (const name of ['public', 'must-revalidate']) {
    if (directives.has(name)) written.push(name);
  }
  if (isNoCache(directives)) written.push('no-cache');
  const headers: Record<string, string> = {
    'cache-control': written.join(', '),
    date: formatHttpDate(dateMs(lines, responseMs)),
  };
  const expires = isTargeted ? undefined : firstValueOf(lines, 'expires');
  // RFC 9111 §5.3: an invalid date is one in the past.
  if (expires !== undefined) headers.expires = canonicalDate(expires, responseMs) ?? epoch;
  const lastModified = canonicalDate(firstValueOf(lines, 'last-modified'), responseMs);
  if (lastModified !== undefined) headers['last-modified'] = lastModified;
  const authorization = header('authorization');
  return new TimelessPolicy(
    { method: 'GET', headers: authorization === undefined ? {} : { authorization } },
    { status: heuristic.has(status) ? status : plainStatus, headers },
    { shared: true, cacheHeuristic: rules.heuristicFraction },
  );
}

const epoch = formatHttpDate(0);

function canonicalDate(text: string | undefined, nowMs: number): string | undefined {
  const atMs = text === undefined ? Number.NaN : parseHttpDate(text, nowMs);
  return Number.isNaN(atMs) ? undefined : formatHttpDate(atMs);
}

/** `no-cache` for the whole answer. */
function isNoCache(directives: Directives): boolean {
  return directives.has('no-cache') && directives.fields('no-cache') === undefined;
}

/** Whether the origin itself says how long the answer is fresh. */
function isExplicit({ exchange, directives, isTargeted }: Message): boolean {
  if (directives.has('s-maxage') || directives.has('max-age')) return true;
  return !isTargeted && firstValueOf(exchange.lines, 'expires') !== undefined;
}

/** Without a word from the origin, what somebody with a cookie was answered may be for him alone. */
function isPersonal(message: Message): boolean {
  const { exchange, directives } = message;
  const isSaid = isExplicit(message) || directives.has('public');
  return !isSaid && exchange.header('cookie') !== undefined;
}

function lifetimeMs(message: Message, policy: CachePolicy, rules: PolicyRules): number {
  const { exchange, directives } = message;
  const { lines } = exchange;
  const lifetime = Math.min(policy.maxAge(), deltaSecondsMax) * 1000;
  if (isExplicit(message) || isNoCache(directives)) return lifetime;
  const guessed = Math.min(lifetime, rules.heuristicMaxMs);
  const hasModified =
    canonicalDate(firstValueOf(lines, 'last-modified'), exchange.responseMs) !== undefined;
  return hasModified ? guessed : rules.defaultTtlMs;
}

/** When an answer may be used behind its lifetime (RFC 9111 §4.2.4, RFC 5861). */
function staleness(message: Message, rules: PolicyRules) {
  const { directives } = message;
  // s-maxage has the meaning of proxy-revalidate in it (RFC 9111 §5.2.2.10).
  const mustRevalidate =
    isNoCache(directives) ||
    ['must-revalidate', 'proxy-revalidate', 's-maxage'].some((name) => directives.has(name));
  const windowMs = (name: string, otherwiseMs: number): number => {
    if (mustRevalidate) return 0;
    const seconds = directives.seconds(name);
    return seconds === undefined ? otherwiseMs : (seconds || 0) * 1000;
  };
  return {
    mustRevalidate,
    staleWhileRevalidateMs: windowMs('stale-while-revalidate', rules.staleWhileRevalidateMs),
    staleIfErrorMs: windowMs('stale-if-error', rules.staleIfErrorMs),
  };
}

/** Whether there is any request that the stored answer could be of use for. */
function isUsable(freshness: Freshness, lines: readonly HeaderLine[]): boolean {
  return (
    freshness.lifetimeMs > 0 ||
    freshness.staleWhileRevalidateMs > 0 ||
    freshness.staleIfErrorMs > 0 ||
    firstValueOf(lines, 'etag') !== undefined ||
    firstValueOf(lines, 'last-modified') !== undefined
  );
}

/** The Date of an answer, or when it was received if it has none that can be read (RFC 9110 §6.6.1). */
export function dateMs(lines: readonly HeaderLine[], responseMs: number): number {
  const text = firstValueOf(lines, 'date');
  const atMs = text === undefined ? Number.NaN : parseHttpDate(text, responseMs);
  return Number.isNaN(atMs) ? Math.floor(responseMs / 1000) * 1000 : atMs;
}

/** The corrected initial age (RFC 9111 §4.2.3). */
function initialAgeMs({ lines, requestMs, responseMs }: Exchange): number {
  // A Date has whole seconds only: without rounding, every answer would seem half a second old.
  const receivedMs = Math.floor(responseMs / 1000) * 1000;
  const apparentAgeMs = Math.max(0, receivedMs - dateMs(lines, responseMs));
  const correctedMs = ageValue(firstValueOf(lines, 'age')) * 1000 + (responseMs - requestMs);
  return Math.max(apparentAgeMs, correctedMs, 0);
}

/** The seconds of an Age field: the first member's, if it is a number (RFC 9111 §5.1); else 0. */
function ageValue(text: string | undefined): number {
  const digits = /^[ \t]*([0-9]+)[ \t]*(?:[,;]|$)/.exec(text ?? '')?.[1];
  return digits === undefined ? 0 : Math.min(Number(digits), deltaSecondsMax);
}
