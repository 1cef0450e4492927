/**
 * Header lines as the cache keeps them: what of an answer is stored (RFC 9111 §3.1), and look-ups in a
 * list of lines. Case, order and repetition are kept.
 */

/** One header line: name and value as received. */
export type HeaderLine = readonly [name: string, value: string];

/** Gives a header's value by its name in lower case, several lines joined by `, `; undefined without one. */
export type HeaderReader = (name: string) => string | undefined;

/** What ends at a connection or belongs to one proxy's client (RFC 9111 §3.1, RFC 9110 §7.6.1). */
const neverStored = new Set([
  'connection',
  'proxy-connection',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  // Made anew whenever the answer is used.
  'age',
]);

/** Naming these in Connection does not take them out: an answer without them would be another one. */
const neverNamed = new Set([
  'cache-control',
  'cdn-cache-control',
  'content-encoding',
  'content-length',
  'content-type',
  'date',
  'etag',
  'expires',
  'last-modified',
  'set-cookie',
  'vary',
]);

/** The lines that may be stored; `omitted` are names in lower case that the origin has excluded. */
export function storedLines(
  lines: readonly HeaderLine[],
  omitted: readonly string[] = [],
): HeaderLine[] {
  const named = new Set(omitted);
  for (const [name, value] of lines) {
    if (name.toLowerCase() !== 'connection') continue;
    for (const option of value.split(',')) {
      const key = option.trim().toLowerCase();
      if (!neverNamed.has(key)) named.add(key);
    }
  }
  return lines.filter(([name]) => {
    const key = name.toLowerCase();
    return !neverStored.has(key) && !named.has(key);
  });
}

/** Of the lines that the origin has excluded, those that may be passed on to the one who asked. */
export function omittedLines(
  lines: readonly HeaderLine[],
  omitted: readonly string[],
): readonly HeaderLine[] {
  if (omitted.length === 0) return [];
  return storedLines(lines).filter(([name]) => omitted.includes(name.toLowerCase()));
}

/** Every value of a field, by its name in lower case, in order. */
export function valuesOf(lines: readonly HeaderLine[], key: string): string[] {
  const values: string[] = [];
  for (const [name, value] of lines) {
    if (name.length === key.length && name.toLowerCase() === key) values.push(value);
  }
  return values;
}

/** The value of a field's first line. */
export function firstValueOf(lines: readonly HeaderLine[], key: string): string | undefined {
  for (const [name, value] of lines) {
    if (name.length === key.length && name.toLowerCase() === key) return value;
  }
  return undefined;
}

/**
 * Whether a request has content. For GET it means nothing (RFC 9110 §9.3.1), but an origin that heeds it all
 * the same could be made to fill the cache with an answer that others did not ask for.
 */
export function hasContent(header: HeaderReader): boolean {
  const length = header('content-length');
  return (length !== undefined && length !== '0') || header('transfer-encoding') !== undefined;
}

/** The pairs of a raw header list: name, value, name, value … */
export function linesOf(rawHeaders: readonly string[]): HeaderLine[] {
  const lines: HeaderLine[] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    lines.push([rawHeaders[index] ?? '', rawHeaders[index + 1] ?? '']);
  }
  return lines;
}

/** A reader of a list of lines. */
export function readerOf(lines: readonly HeaderLine[]): HeaderReader {
  return (name) => {
    const values = valuesOf(lines, name);
    return values.length === 0 ? undefined : values.join(', ');
  };
}
