/**
 * What can go wrong between us and an origin, as one table: what the client is answered, what the
 * log calls it, which counter it adds to. Codes that the operating system, TLS or the parser report
 * are mapped on the rows here and nowhere else.
 */
import type { CounterName } from '../statistics.ts';

export interface OriginFault {
  readonly status: 502 | 503 | 504;
  readonly explanation: string;
  readonly counter: CounterName;
}

export const originFaults = {
  origin_unreachable: {
    status: 502,
    explanation: 'The web server behind this proxy cannot be reached.',
    counter: 'origin_connect_failures',
  },
  origin_connect_timeout: {
    status: 504,
    explanation: 'The web server behind this proxy did not accept a connection in time.',
    counter: 'origin_connect_timeouts',
  },
  origin_timeout: {
    status: 504,
    explanation: 'The web server behind this proxy did not answer in time.',
    counter: 'origin_timeouts',
  },
  origin_closed: {
    status: 502,
    explanation: 'The web server behind this proxy closed the connection without an answer.',
    counter: 'origin_failures',
  },
  origin_garbage: {
    status: 502,
    explanation: 'The web server behind this proxy answered with something that is not HTTP.',
    counter: 'origin_failures',
  },
  origin_tls: {
    status: 502,
    explanation: 'The web server behind this proxy could not be verified.',
    counter: 'origin_failures',
  },
  origin_busy: {
    status: 503,
    explanation: 'The web server behind this proxy has as many requests waiting as it may have.',
    counter: 'origin_queue_full',
  },
} as const satisfies Record<string, OriginFault>;

export type OriginFaultCode = keyof typeof originFaults;

/** An error that already knows its row of the table. */
export class OriginError extends Error {
  readonly fault: OriginFaultCode;
  constructor(fault: OriginFaultCode) {
    super(originFaults[fault].explanation);
    this.fault = fault;
  }
}

const unreachable = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EHOSTDOWN',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EADDRNOTAVAIL',
  'EMFILE',
]);

/** The row for an error of node:http, node:net or node:tls. */
export function originFaultOf(error: unknown): OriginFaultCode {
  if (error instanceof OriginError) return error.fault;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (unreachable.has(code)) return 'origin_unreachable';
  if (code === 'ETIMEDOUT') return 'origin_connect_timeout';
  if (code.startsWith('HPE_')) return 'origin_garbage';
  if (
    /^(ERR_TLS|ERR_SSL|ERR_OSSL|EPROTO|CERT_|CRL_|UNABLE_TO|SELF_SIGNED|DEPTH_ZERO|HOSTNAME_|INVALID_|PATH_LENGTH|ERROR_IN_C|UNSPECIFIED)/.test(
      code,
    )
  ) {
    return 'origin_tls';
  }
  return 'origin_closed';
}
