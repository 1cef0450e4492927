/**
 * Headers that belong to one connection and end there (RFC 9110 §7.6.1). Works on Node's raw header
 * lists (name, value, name, value …), so that case, order and repetition of the others are kept.
 */

const hopByHop = new Set([
  'connection',
  'proxy-connection',
  'keep-alive',
  'te',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  'proxy-authenticate',
  'proxy-authorization',
]);

/**
 * A sender may not have these stripped by naming them in Connection: framing would break, or the
 * origin would not learn whom it answers.
 */
const neverNamed = new Set([
  'host',
  'content-length',
  'content-type',
  'date',
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
]);

/** Fields that would change a message's meaning from behind (RFC 9110 §6.5.1). */
const neverTrailers = new Set([
  'host',
  'content-length',
  'content-type',
  'content-encoding',
  'content-range',
  'trailer',
  'expect',
  'authorization',
  'cookie',
  'set-cookie',
  'cache-control',
]);

/** One header line: name and value as received. */
export type HeaderLine = readonly [name: string, value: string];

/** The pairs of a raw header list. */
export function* headerLines(rawHeaders: readonly string[]): Generator<HeaderLine> {
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    yield [rawHeaders[index] ?? '', rawHeaders[index + 1] ?? ''];
  }
}

/** The raw header list without what is hop-by-hop, the fields that Connection names included. */
export function withoutHopByHop(rawHeaders: readonly string[]): HeaderLine[] {
  const named = new Set<string>();
  for (const [name, value] of headerLines(rawHeaders)) {
    if (name.toLowerCase() !== 'connection') continue;
    for (const token of value.split(',')) named.add(token.trim().toLowerCase());
  }
  const kept: HeaderLine[] = [];
  for (const line of headerLines(rawHeaders)) {
    const name = line[0].toLowerCase();
    if (hopByHop.has(name) || (named.has(name) && !neverNamed.has(name))) continue;
    kept.push(line);
  }
  return kept;
}

/** The raw trailer list without what has no place there. */
export function usableTrailers(rawTrailers: readonly string[]): HeaderLine[] {
  return withoutHopByHop(rawTrailers).filter(([name]) => !neverTrailers.has(name.toLowerCase()));
}

/** Header lines as text, each with its line end. */
export function linesText(lines: readonly HeaderLine[]): string {
  return lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
}
