/**
 * The key of a stored answer (RFC 9111 §2): the accelerator's name, a tab, and the target URI, byte for
 * byte as the client wrote it, except that the host is in lower case and a default port is left out.
 */

const defaultPorts = { http: '80', https: '443' } as const;

export type Scheme = keyof typeof defaultPorts;

/** The scheme that X-Forwarded-Proto names; of a list the first; otherwise the connection's own. */
export function toldScheme(forwardedProto: string | undefined, own: Scheme): Scheme {
  const first = forwardedProto?.split(',')[0]?.trim().toLowerCase();
  return first === 'http' || first === 'https' ? first : own;
}

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
export function keyPrefix(accelerator: string, scheme: Scheme, host: string): string {
  return `${accelerator}\t${scheme}://${keyHost(scheme, host)}`;
}

/** The target URI that a key stands for. */
export function urlOfKey(key: string): string {
  return key.slice(key.indexOf('\t') + 1);
}

/** A URL or the beginning of one, as an operator writes it; or what is wrong with it. */
export type PurgeTarget =
  | { readonly ok: true; readonly url: string }
  | { readonly ok: false; readonly message: string };

/**
 * Reads `http://HOST/PATH` as it stands in keys. Without a path it is `/`. A fragment is refused: no
 * request has one, so no key does.
 */
export function parsePurgeTarget(text: string): PurgeTarget {
  const [, scheme = '', host = '', rest = ''] =
    /^(https?):\/\/([^/?#\s@]+)((?:[/?#]\S*)?)$/i.exec(text) ?? [];
  if (host === '') {
    return { ok: false, message: 'a URL is needed, as in http://www.example.com/path' };
  }
  if (rest.includes('#')) return { ok: false, message: 'a URL of a request has no fragment' };
  const word = scheme.toLowerCase() === 'https' ? 'https' : 'http';
  const target = rest.startsWith('/') ? rest : `/${rest}`;
  return { ok: true, url: `${word}://${keyHost(word, host)}${target}` };
}
