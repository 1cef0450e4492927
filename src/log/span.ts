/**
 * A span of kind SERVER: one request, in the terms of OpenTelemetry's semantic conventions for HTTP. Pure.
 * otlp.ts makes bytes of it. Neither the query of a target nor any header but Host stands in it.
 */
import { type SourceReason, unpaddedText } from './access.ts';
import { escapeClient, escapeText } from './escape.ts';

export type SpanAttribute = string | number;

/** A span, as it waits to be sent. */
export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  /** Undefined: it begins its trace. */
  readonly parentSpanId: string | undefined;
  /** The tracestate that belongs to it. */
  readonly traceState: string | undefined;
  /** Of low cardinality: the method. */
  readonly name: string;
  /** Milliseconds since the epoch, with fractions. */
  readonly startMs: number;
  readonly endMs: number;
  readonly isError: boolean;
  readonly attributes: Readonly<Record<string, SpanAttribute>>;
}

/** What is told of a request. Texts are latin1, as they were received. */
export interface SpanFacts {
  readonly requestId: string;
  readonly method: string;
  /** In origin form; undefined: the request line breaks the grammar. */
  readonly target: string | undefined;
  readonly scheme: 'http' | 'https';
  /** As in Host; undefined: there is none that is one. */
  readonly host: string | undefined;
  readonly client: string;
  /** `1.0`, `1.1` or `2`. */
  readonly httpVersion: string | undefined;
  /** Undefined: there was no answer. */
  readonly status: number | undefined;
  /** The log's word for what we answered ourselves, or for how it ended. */
  readonly error: string | undefined;
  /** Undefined: it was not screened. */
  readonly verdict: 'pass' | 'slip' | 'drop' | 'detect' | 'never-block' | undefined;
  /** The pattern that matched, or the confirmed keyword, or why the source is blocked. */
  readonly matched: Uint8Array | string | SourceReason | undefined;
  /** What the cache made of it, in the words of RFC 9211. */
  readonly cache: string | undefined;
}

/** The methods that the conventions name; a client can make up any number of others. */
const knownMethods = new Set([
  ...['CONNECT', 'DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT', 'QUERY', 'TRACE'],
]);

/** What of a text that a client chose is told, in characters. */
const textLengthMax = 1024;

/** A longer tracestate is passed on, but does not wait with the span; receivers need take no more (§3.3.1.5). */
const stateLengthMax = 512;

/** Where a span belongs, and when it was. */
export interface SpanPlace {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly state: string | undefined;
  /** Milliseconds since the epoch. */
  readonly startMs: number;
  readonly durationMs: number;
}

/** The span of a request that is over. Holds on to nothing that the request was read from. */
export function serverSpan(facts: SpanFacts, place: SpanPlace): Span {
  const { parentSpanId, state, startMs, durationMs } = place;
  const isShort = state !== undefined && state.length <= stateLengthMax;
  return {
    traceId: copied(place.traceId),
    spanId: place.spanId,
    parentSpanId: parentSpanId === undefined ? undefined : copied(parentSpanId),
    traceState: isShort ? copied(state) : undefined,
    name: knownMethods.has(facts.method) ? facts.method : 'HTTP',
    startMs,
    endMs: startMs + durationMs,
    isError: isSpanError(facts),
    attributes: spanAttributes(facts),
  };
}

/** A part of a head keeps the whole of it in memory; a copy does not. */
function copied(latin1: string): string {
  return Buffer.from(latin1, 'latin1').toString('latin1');
}

/** Whether the fault was the server's: 5xx, or an answer that its origin did not finish. */
function isSpanError({ status, error }: Pick<SpanFacts, 'status' | 'error'>): boolean {
  return (status ?? 0) >= 500 || error?.startsWith('origin_') === true;
}

/** The attributes, those that are not known left out. */
function spanAttributes(facts: SpanFacts): Record<string, SpanAttribute> {
  const { method, target, host, matched, status, error } = facts;
  const isKnown = knownMethods.has(method);
  const isSource = typeof matched === 'object' && 'misses' in matched;
  const known: Record<string, SpanAttribute | undefined> = {
    'http.request.method': isKnown ? method : '_OTHER',
    'http.request.method_original': isKnown ? undefined : clientText(method),
    'url.scheme': facts.scheme,
    // A query may hold what only its client and the origin should know: tokens, names, signatures.
    'url.path': target === undefined ? undefined : clientText(target.split('?', 1)[0] ?? ''),
    ...serverOf(host),
    'client.address': copied(escapeClient(facts.client)),
    'network.protocol.version': facts.httpVersion,
    'http.response.status_code': status,
    'error.type': isSpanError(facts) ? (error ?? String(status)) : undefined,
    'wormgate.request_id': facts.requestId,
    'wormgate.verdict': facts.verdict,
    'wormgate.pattern':
      matched instanceof Uint8Array ? escapeText(unpaddedText(matched)) : undefined,
    'wormgate.keyword': typeof matched === 'string' ? escapeText(matched) : undefined,
    'wormgate.reason': isSource ? 'source' : undefined,
    'wormgate.cache': facts.cache,
    'wormgate.error': error,
  };
  const attributes: Record<string, SpanAttribute> = {};
  for (const [name, value] of Object.entries(known)) {
    if (value !== undefined) attributes[name] = value;
  }
  return attributes;
}

function clientText(latin1: string): string {
  return copied(escapeText(latin1.slice(0, textLengthMax)));
}

function serverOf(host: string | undefined): Record<string, SpanAttribute | undefined> {
  const [, name, port] = /^(\[.*\]|[^:]*)(?::(\d+))?$/.exec(host ?? '') ?? [];
  if (name === undefined || name === '') return {};
  return {
    'server.address': clientText(name.replace(/^\[(.*)\]$/, '$1')),
    'server.port': port === undefined ? undefined : Number(port),
  };
}
