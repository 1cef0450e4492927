/** What the gateway refuses by itself, as a table: answer, log word, counter; and how it is said. */
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { CounterName } from '../statistics.ts';

export interface EgressRefusal {
  readonly status: number;
  readonly explanation: string;
  /** A word for the log. */
  readonly error: string;
  readonly counter: CounterName;
  /** Further header lines. */
  readonly headers?: Readonly<Record<string, string>>;
}

const retryAfter = { 'Retry-After': '1' };

export const egressRefusals = {
  client: {
    status: 403,
    explanation: 'This address may not use the gateway (Allow).',
    error: 'client_not_allowed',
    counter: 'egress_refused',
  },
  credentials: {
    status: 407,
    explanation: 'The gateway asks for a user and a password.',
    error: 'no_credentials',
    counter: 'egress_refused',
    headers: { 'Proxy-Authenticate': 'Basic realm="wormgate"' },
  },
  target: {
    status: 400,
    explanation: 'The gateway takes CONNECT HOST:PORT, and http:// URLs.',
    error: 'bad_target',
    counter: 'egress_refused',
  },
  malformed: {
    status: 400,
    explanation: 'The request breaks the grammar of HTTP/1.1.',
    error: 'malformed',
    counter: 'egress_malformed',
  },
  headTooLarge: {
    status: 431,
    explanation: 'The request head is larger than the gateway accepts (MaxHeaderBytes).',
    error: 'head_too_large',
    counter: 'egress_malformed',
  },
  headTimeout: {
    status: 408,
    explanation: 'The request head did not arrive in time (HeaderTimeout).',
    error: 'head_timeout',
    counter: 'egress_malformed',
  },
  port: {
    status: 403,
    explanation: 'No connection is made to this port (AllowPorts).',
    error: 'port_not_allowed',
    counter: 'egress_refused',
  },
  private: {
    status: 403,
    explanation: 'The name stands for a private address, or for this machine (AllowPrivate).',
    error: 'private_address',
    counter: 'egress_refused',
  },
  unknown: {
    status: 502,
    explanation: 'The name is not known.',
    error: 'name_unknown',
    counter: 'egress_name_failures',
  },
  timeout: {
    status: 504,
    explanation: 'The name server did not answer in time.',
    error: 'name_timeout',
    counter: 'egress_name_failures',
  },
  busy: {
    status: 503,
    explanation: 'Too many names are being looked up.',
    error: 'names_busy',
    counter: 'egress_name_failures',
    headers: retryAfter,
  },
  dropped: {
    status: 503,
    explanation:
      'This server connects to too many new hosts, and too many of its requests wait already (virus throttle).',
    error: 'throttled',
    counter: 'egress_dropped',
    headers: retryAfter,
  },
  blocked: {
    status: 503,
    explanation: 'This server shows virus-like activity and reaches no new host (virus throttle).',
    error: 'virus_like_activity',
    counter: 'egress_dropped',
    headers: retryAfter,
  },
  full: {
    status: 503,
    explanation: 'Too many servers use the gateway at once.',
    error: 'too_many_sources',
    counter: 'egress_dropped',
    headers: retryAfter,
  },
  stopping: {
    status: 503,
    explanation: 'The gateway is stopping.',
    error: 'stopping',
    counter: 'egress_dropped',
    headers: retryAfter,
  },
  unreachable: {
    status: 502,
    explanation: 'The host could not be reached.',
    error: 'host_unreachable',
    counter: 'egress_connect_failures',
  },
  /** Found out within the answer, when none can be given any more. */
  cutShort: {
    status: 502,
    explanation: 'The host ended its answer early.',
    error: 'host_cut_short',
    counter: 'egress_connect_failures',
  },
  connectTimeout: {
    status: 504,
    explanation: 'The host did not answer in time.',
    error: 'host_timeout',
    counter: 'egress_connect_failures',
  },
} as const satisfies Record<string, EgressRefusal>;

function bodyOf({ status, explanation }: EgressRefusal): string {
  return `${status} ${explanation}\n`;
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/** Answers a request; gives the bytes of the body. Where a request body follows, the connection is closed. */
export function refuseRequest(
  req: IncomingMessage,
  res: ServerResponse,
  refusal: EgressRefusal,
): number {
  const body = bodyOf(refusal);
  res.writeHead(refusal.status, {
    ...refusal.headers,
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
    ...(hasBody(req) && { Connection: 'close' }),
  });
  res.end(req.method === 'HEAD' ? undefined : body);
  req.resume();
  return body.length;
}

/** How long a client whose tunnel was refused may take to close its side, in milliseconds. */
const lingerMs = 1_000;

/** Answers a CONNECT; gives the bytes of the body. */
export function refuseTunnel(client: Duplex, refusal: EgressRefusal): number {
  const body = bodyOf(refusal);
  const lines = Object.entries(refusal.headers ?? {}).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  const head =
    `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status]}\r\n${lines.join('')}` +
    `Content-Type: text/plain; charset=utf-8\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n`;
  client.end(`${head}${body}`);
  // Whoever does not close its side must not hold the connection.
  const timer = setTimeout(() => client.destroy(), lingerMs).unref();
  client.once('close', () => clearTimeout(timer));
  client.resume();
  return body.length;
}
