/** A request's head as text: a field of it, and the same head with other lines. */
import type { HeaderReader } from '../cache/fields.ts';
import type { HeadEdit } from '../delivery/recipient.ts';
import { linesText } from '../upstream/hop-by-hop.ts';

const lineEnd = '\r\n';

/** Reads fields of `text`, a head in which no name stands twice. */
export function headerOf(text: string): HeaderReader {
  let fields: Map<string, string> | undefined;
  return (name) => {
    fields ??= fieldsOf(text);
    return fields.get(name);
  };
}

function fieldsOf(text: string): Map<string, string> {
  const fields = new Map<string, string>();
  const lines = text.split(lineEnd);
  for (const line of lines.slice(1)) {
    const colon = line.indexOf(':');
    if (colon > 0) fields.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
  }
  return fields;
}

/** The head without some fields and with others. */
export function editHead(text: string, { without, isGet, lines }: HeadEdit): string {
  let kept = isGet ? text.replace(/^HEAD /, 'GET ') : text;
  if (without.size > 0) {
    const isKept = (line: string) => !without.has(line.slice(0, line.indexOf(':')).toLowerCase());
    kept = kept
      .split(lineEnd)
      .filter((line, index) => index === 0 || isKept(line))
      .join(lineEnd);
  }
  if (lines.length === 0) return kept;
  return kept.slice(0, -lineEnd.length) + linesText(lines) + lineEnd;
}
