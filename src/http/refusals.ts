/**
 * What wormgate refuses by itself, as one table: what the client is answered, what the log calls it,
 * which counter it adds to. Faults of origins are in upstream/faults.ts.
 */
import type { CounterName } from '../statistics.ts';

/** A refusal by ourselves. */
export interface Refusal {
  readonly status: number;
  readonly explanation: string;
  /** For the log; undefined for blocked and malformed requests, which the log tells otherwise. */
  readonly error?: string;
  readonly counter?: CounterName;
  /** When to try again, in seconds (RFC 9110 §10.2.3). */
  readonly retryAfter?: number;
  /** Where else to ask. */
  readonly location?: string;
}

export const refusals = {
  blocked: {
    status: 400,
    explanation:
      'This request was blocked because it looks like one that a worm or a scanner sends.',
  },
  malformedLine: {
    status: 400,
    explanation: 'The request line is not one that HTTP/1.1 knows.',
    counter: 'requests_malformed',
  },
  brokenHead: {
    status: 400,
    explanation: 'The request breaks the grammar of HTTP/1.1.',
    error: 'ambiguous_head',
    counter: 'requests_malformed',
  },
  brokenBody: {
    status: 400,
    explanation: 'The request body breaks the grammar of HTTP/1.1.',
    error: 'ambiguous_body',
    counter: 'requests_malformed',
  },
  connect: {
    status: 405,
    explanation: 'This proxy opens no tunnels; it serves web sites.',
    error: 'connect_refused',
    counter: 'requests_unsupported',
  },
  privateHost: {
    status: 403,
    explanation: 'The site stands for a private address, to which this proxy does not connect.',
    error: 'private_address',
    counter: 'dynamic_refused',
  },
  purge: {
    status: 403,
    explanation: 'This address may not take anything out of the cache (PurgeAllow).',
    error: 'purge_not_allowed',
  },
  nothingPurged: {
    status: 404,
    explanation: 'Nothing is stored for this address.',
  },
  notCached: {
    status: 504,
    explanation: 'Only a stored answer was asked for, and none is stored.',
    error: 'only_if_cached',
  },
  lateHead: {
    status: 408,
    explanation: 'The request head did not arrive in time.',
    error: 'head_timeout',
    counter: 'request_header_timeouts',
  },
  lateBody: {
    status: 408,
    explanation: 'The request body did not arrive in time.',
    error: 'body_timeout',
    counter: 'request_body_timeouts',
  },
  bodyTooLarge: {
    status: 413,
    explanation: 'The request body is larger than this proxy accepts.',
    error: 'body_too_large',
    counter: 'request_body_too_large',
  },
  lineTooLong: {
    status: 414,
    explanation: 'The request line is longer than this proxy accepts.',
    error: 'line_too_long',
    counter: 'request_line_too_long',
  },
  expectation: {
    status: 417,
    explanation: 'The only expectation understood here is 100-continue.',
    error: 'expectation',
    counter: 'requests_unsupported',
  },
  misdirected: {
    status: 421,
    explanation: 'This proxy serves no site of that name.',
    error: 'misdirected',
    counter: 'requests_misdirected',
  },
  headTooLarge: {
    status: 431,
    explanation: 'The request head is larger than this proxy accepts.',
    error: 'head_too_large',
    counter: 'request_headers_too_large',
  },
  tooManyHeaders: {
    status: 431,
    explanation: 'The request has more header lines than this proxy accepts.',
    error: 'too_many_headers',
    counter: 'request_headers_too_large',
  },
  unknownMethod: {
    status: 501,
    explanation: 'This proxy does not know the request method.',
    error: 'unknown_method',
    counter: 'requests_unsupported',
  },
  unknownHost: {
    status: 502,
    explanation: 'The address of the site is not known.',
    error: 'name_unknown',
    counter: 'dynamic_name_failures',
  },
  throttled: {
    status: 503,
    explanation: 'This proxy connects to one new host at a time, and too many wait.',
    error: 'throttled',
    counter: 'dynamic_dropped',
    retryAfter: 1,
  },
  namesBusy: {
    status: 503,
    explanation: 'Too many names are being looked up.',
    error: 'name_busy',
    counter: 'dynamic_name_failures',
    retryAfter: 1,
  },
  nameTimeout: {
    status: 504,
    explanation: 'The address of the site could not be found out in time.',
    error: 'name_timeout',
    counter: 'dynamic_name_failures',
  },
} as const satisfies Record<string, Refusal>;
