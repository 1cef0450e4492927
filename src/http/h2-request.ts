/**
 * The request of an HTTP/2 stream as the same request in HTTP/1.1 (RFC 9113 §8.3), which is what the lanes
 * read, screen and send on. Where the two could mean different things to two readers, there is no such
 * request. Node has refused most of what RFC 9113 forbids already; nothing here relies on that.
 */
import { headerLines } from '../upstream/hop-by-hop.ts';

/** How the lanes learn where the body ends. */
export type BodyFraming = 'none' | 'length' | 'chunked';

export interface PlainRequest {
  readonly method: string;
  /** The head in HTTP/1.1, latin1, the blank line included. */
  readonly head: string;
  readonly framing: BodyFraming;
}

const tokenText = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
const methodText = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** No blank, no control character; what is not ASCII the lanes refuse with an answer. */
const targetText = /^[\x21-\x7e\x80-\xff]+$/;
/** RFC 9113 §8.2.1. */
const valueText = /^(?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?$/;

/** RFC 9113 §8.3.1; extended CONNECT (RFC 8441) is not offered. */
const pseudoFields = new Set([':method', ':scheme', ':authority', ':path']);

/** Means something to one connection of HTTP/1.1 only (RFC 9113 §8.2.2). */
const connectionFields = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
]);

interface Fields {
  readonly pseudo: ReadonlyMap<string, string>;
  readonly hosts: readonly string[];
  /** Name, value. */
  readonly lines: readonly (readonly [string, string])[];
  readonly hasLength: boolean;
}

/**
 * The request, or undefined when its fields are those of none. `rawHeaders`: names and values in turn, as
 * received; `hasBody`: the stream goes on behind them.
 */
export function plainRequest(
  rawHeaders: readonly string[],
  hasBody: boolean,
): PlainRequest | undefined {
  const fields = readFields(rawHeaders);
  if (fields === undefined) return undefined;
  const method = fields.pseudo.get(':method');
  const target = targetOf(fields.pseudo, method);
  if (method === undefined || !methodText.test(method) || target === undefined) return undefined;
  const framing = hasBody ? (fields.hasLength ? 'length' : 'chunked') : 'none';
  let head = `${method} ${target} HTTP/1.1\r\n`;
  for (const host of hostsOf(fields)) head += `Host: ${host}\r\n`;
  for (const [name, value] of fields.lines) head += `${name}: ${value}\r\n`;
  if (framing === 'chunked') head += 'Transfer-Encoding: chunked\r\n';
  return { method, head: `${head}\r\n`, framing };
}

function readFields(rawHeaders: readonly string[]): Fields | undefined {
  const pseudo = new Map<string, string>();
  const hosts: string[] = [];
  const lines: [string, string][] = [];
  let cookie: [string, string] | undefined;
  let hasLength = false;
  for (const [name, value] of headerLines(rawHeaders)) {
    if (name.startsWith(':')) {
      if (pseudo.has(name) || !pseudoFields.has(name)) return undefined;
      pseudo.set(name, value);
      continue;
    }
    if (!tokenText.test(name) || !valueText.test(value)) return undefined;
    if (connectionFields.has(name)) return undefined;
    if (name === 'te' && value !== 'trailers') return undefined;
    if (name === 'host') hosts.push(value);
    else if (name === 'cookie' && cookie !== undefined) cookie[1] += `; ${value}`;
    else {
      const line: [string, string] = [name, value];
      // RFC 9113 §8.2.3: crumbs of one header.
      if (name === 'cookie') cookie = line;
      if (name === 'content-length') hasLength = true;
      lines.push(line);
    }
  }
  return { pseudo, hosts, lines, hasLength };
}

/** The request target; undefined where scheme, path and authority do not make one. */
function targetOf(pseudo: ReadonlyMap<string, string>, method: string | undefined) {
  const authority = pseudo.get(':authority');
  // An authority that is no host is the lanes' to refuse; one that ends the line is nobody's.
  if (authority !== undefined && !targetText.test(authority)) return undefined;
  if (method === 'CONNECT') return authority;
  const path = pseudo.get(':path');
  // Certificates stand for https; a request for anything else came the wrong way (RFC 9110 §7.4).
  if (pseudo.get(':scheme') !== 'https' || path === undefined) return undefined;
  return targetText.test(path) && /^[/*]/.test(path) ? path : undefined;
}

/** One host; or both, which the lanes refuse, where :authority and Host disagree (RFC 9113 §8.3.1). */
function hostsOf({ pseudo, hosts }: Fields): readonly string[] {
  const authority = pseudo.get(':authority');
  if (authority === undefined || authority === '') return hosts;
  const others = hosts.filter((host) => host.toLowerCase() !== authority.toLowerCase());
  return [authority, ...others];
}
