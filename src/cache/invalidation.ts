/**
 * What an unsafe request makes invalid (RFC 9111 §4.4): once the origin has carried it out, what is stored
 * for its target, and for the Location and Content-Location of the answer where they are of the same origin.
 */
import { firstValueOf, type HeaderLine } from './fields.ts';
import { parsePurgeTarget, urlOfKey } from './key.ts';

/** Methods that are registered as safe; every other one may have changed something (RFC 9110 §9.2.1). */
const safeMethods = new Set([
  'GET',
  'HEAD',
  'OPTIONS',
  'TRACE',
  'QUERY',
  'SEARCH',
  'PROPFIND',
  'REPORT',
]);

export interface CarriedOut {
  readonly method: string;
  /** As of `keyPrefix`. */
  readonly keyPrefix: string;
  /** In origin-form. */
  readonly target: string;
  readonly status: number;
  readonly lines: readonly HeaderLine[];
}

/** The keys whose stored answers have to go; none after a safe request or an error. */
export function invalidatedKeys({
  method,
  keyPrefix,
  target,
  status,
  lines,
}: CarriedOut): string[] {
  if (safeMethods.has(method) || status < 200 || status > 399) return [];
  const keys = new Set([keyPrefix + target]);
  for (const field of ['location', 'content-location']) {
    const reference = firstValueOf(lines, field);
    const other = reference === undefined ? undefined : targetOf(reference, keyPrefix, target);
    if (other !== undefined) keys.add(keyPrefix + other);
  }
  return [...keys];
}

/** The target in origin-form that a URI reference leads to; undefined when it leads to another origin. */
function targetOf(reference: string, keyPrefix: string, base: string): string | undefined {
  const origin = urlOfKey(keyPrefix);
  const bare = reference.trim().replace(/#.*$/, '');
  if (bare.startsWith('/') && !bare.startsWith('//')) return bare;
  const absolute = bare.startsWith('//') ? origin.slice(0, origin.indexOf('/')) + bare : bare;
  if (/^[a-z][a-z0-9+.-]*:/i.test(absolute)) {
    const parsed = parsePurgeTarget(absolute, false);
    if (!parsed.ok || !parsed.url.startsWith(`${origin}/`)) return undefined;
    return parsed.url.slice(origin.length);
  }
  if (bare === '') return base;
  try {
    // What is relative is resolved against a path alone, whatever the host is made of.
    const resolved = new URL(bare, `http://origin.invalid${base}`);
    return resolved.pathname + resolved.search;
  } catch {
    return undefined;
  }
}
