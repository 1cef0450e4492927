/**
 * The key of a stored answer (RFC 9111 §2): the accelerator's name, Host where a trusted peer names another
 * one, and the target URI, with a tab behind each of the first two. The URI is byte for byte as the client
 * wrote it, except that the host is in lower case and a default port is left out.
 */

const defaultPorts = { http: '80', https: '443' } as const;

export type Scheme = keyof typeof defaultPorts;

/** Host and port as they stand in a key; `host` is as in the Host field. */
export function keyHost(scheme: Scheme, host: string): string {
  const lower = host.toLowerCase();
  // An IPv6 address holds colons, too, but ends in a bracket.
  const colon = lower.lastIndexOf(':');
  if (colon < 0 || lower.endsWith(']')) return lower;
  const port = lower.slice(colon + 1);
  return port === '' || port === defaultPorts[scheme] ? lower.slice(0, colon) : lower;
}

/** What all keys of a site under one host begin with; a key is this and the target in origin-form. */
export function keyPrefix(accelerator: string, scheme: Scheme, host: string, ownHost = ''): string {
  return `${accelerator}\t${ownHost}\t${scheme}://${keyHost(scheme, host)}`;
}

/** What a request says about the URI that it is for. */
export interface ToldTarget {
  /** The connection's own scheme. */
  readonly scheme: Scheme;
  /** As in the Host field. */
  readonly host: string;
  /** X-Forwarded-Proto and X-Forwarded-Host of a trusted peer, as the origin is told them. */
  readonly forwardedProto: string | undefined;
  readonly forwardedHost: string | undefined;
}

/**
 * The prefix of keys for such a request; undefined: the origin is told something that has no place in a
 * key, and the request goes past the cache. When two hosts are named, both stand in it.
 */
export function toldPrefix(accelerator: string, told: ToldTarget): string | undefined {
  const { host, forwardedProto, forwardedHost = host } = told;
  if (!isKeyedAsTold(host) || !isKeyedAsTold(forwardedHost)) return undefined;
  if (forwardedProto !== undefined && !Object.hasOwn(defaultPorts, forwardedProto))
    return undefined;
  const scheme = (forwardedProto as Scheme | undefined) ?? told.scheme;
  return keyPrefix(accelerator, scheme, forwardedHost, forwardedHost === host ? '' : host);
}

/** Whether a host stands in a key as the origin is told it, and cannot be taken for more than a host. */
export function isKeyedAsTold(host: string): boolean {
  return /^[a-z0-9._~:[\]-]*$/.test(host);
}

/** The target URI that a key stands for. */
export function urlOfKey(key: string): string {
  return key.slice(key.indexOf('\t', key.indexOf('\t') + 1) + 1);
}

/** Whose answer is stored under a key. */
export function acceleratorOfKey(key: string): string {
  return key.slice(0, key.indexOf('\t'));
}

/** A URL or the beginning of one, as an operator writes it; or what is wrong with it. */
export type PurgeTarget =
  | { readonly ok: true; readonly url: string }
  | { readonly ok: false; readonly message: string };

/**
 * Reads `http://HOST/PATH` as it stands in keys. Without a path it is `/`, unless it is the beginning of
 * URLs. A fragment is refused: no request has one, so no key does.
 */
export function parsePurgeTarget(text: string, isPrefix: boolean): PurgeTarget {
  const [, scheme = '', host = '', rest = ''] =
    /^(https?):\/\/([^/?#\s@]+)((?:[/?#]\S*)?)$/i.exec(text) ?? [];
  if (host === '') {
    return { ok: false, message: 'a URL is needed, as in http://www.example.com/path' };
  }
  if (rest.includes('#')) return { ok: false, message: 'a URL of a request has no fragment' };
  const word = scheme.toLowerCase() === 'https' ? 'https' : 'http';
  // The host may go on.
  if (isPrefix && rest === '') return { ok: true, url: `${word}://${host.toLowerCase()}` };
  const target = rest.startsWith('/') ? rest : `/${rest}`;
  return { ok: true, url: `${word}://${keyHost(word, host)}${target}` };
}
