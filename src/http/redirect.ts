/** Leads clients that come in the clear to TLS, where a site asks for it. */
import { bareHost, type Site } from '../upstream/origins.ts';
import { type Exchange, hostOf } from './exchange.ts';
import { type Refusal, refusals } from './refusals.ts';

const httpsPort = 443;

/** The redirect that a humble request is answered with; undefined: it goes on to its origin. */
export function redirectOf(exchange: Exchange, site: Site): Refusal | undefined {
  const { redirectPort } = site.settings.tls;
  if (redirectPort === undefined || exchange.arrival.proto === 'https') return undefined;
  if (exchange.peerTrusted && cameOverTls(exchange)) return undefined;
  const host = bareHost(hostOf(exchange) ?? '');
  // HTTP/1.0 without Host: nobody knows where to.
  if (host === '') return refusals.misdirected;
  const { method } = exchange.req;
  const port = redirectPort === httpsPort ? '' : `:${redirectPort}`;
  const path = exchange.target === '*' ? '/' : exchange.target;
  return {
    // 308 keeps the method; for GET and HEAD, which need no such care, 301 is understood everywhere.
    status: method === 'GET' || method === 'HEAD' ? 301 : 308,
    explanation: 'This site is served over TLS only.',
    counter: 'tls_redirects',
    location: `https://${host}${port}${path}`,
  };
}

/** What a trusted proxy says about its own client's connection. */
function cameOverTls({ req }: Exchange): boolean {
  const proto = req.headers['x-forwarded-proto'];
  return typeof proto === 'string' && /^\s*https\s*(,|$)/i.test(proto);
}
