/**
 * Vary (RFC 9111 §4.1): which request fields select a stored answer, and their values in a form in which
 * those that mean the same are the same. An absent field matches an absent one only.
 */
import { type HeaderLine, type HeaderReader, valuesOf } from './fields.ts';

/** Fields that name the client to the origin, whatever the client has sent: no two clients have them alike. */
const nobodyElses = new Set(['*', 'forwarded', 'x-forwarded-for']);

/** The field names of all Vary lines, in lower case, sorted, each once; undefined for `*`, which matches nothing. */
export function varyFields(lines: readonly HeaderLine[]): string[] | undefined {
  const names = new Set<string>();
  for (const value of valuesOf(lines, 'vary')) {
    for (const part of value.split(',')) {
      const name = part.trim().toLowerCase();
      if (nobodyElses.has(name)) return undefined;
      if (name !== '') names.add(name);
    }
  }
  return [...names].sort();
}

/** Lists whose members carry their rank with them (`q=`), so that neither order nor case means anything. */
const ranked = new Set(['accept-language', 'accept-encoding', 'accept-charset']);

/** The value of a request field as it is compared; undefined for an absent field. */
export function normalizedValue(field: string, value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  if (!ranked.has(field)) return withoutBlanks(value);
  const members = value.toLowerCase().split(',').map(normalizedMember);
  return members
    .filter((member) => member !== '')
    .sort()
    .join(',');
}

/** `de;q=0.5`; a rank of 1 says what no rank says. */
function normalizedMember(member: string): string {
  const parts = member.split(';').map((part) => part.trim());
  return parts.filter((part) => !/^q=1(?:\.0{0,3})?$/.test(part)).join(';');
}

/** Without blanks around commas and at the ends; what stands in quotation marks is left alone. */
function withoutBlanks(value: string): string {
  if (!value.includes(',')) return value.trim();
  // By splitting, which takes time in proportion; a pattern of blanks and a comma can take its square.
  if (!value.includes('"')) return trimmedList(value);
  let text = '';
  let start = 0;
  for (let open = value.indexOf('"'); open >= 0; open = value.indexOf('"', start)) {
    const end = quotedEnd(value, open);
    text += trimmedList(value.slice(start, open), '.') + value.slice(open, end);
    start = end;
  }
  return (text + trimmedList(value.slice(start), '.')).trim();
}

/** Behind the closing quotation mark, or the end of a text that has none. */
function quotedEnd(value: string, open: number): number {
  let at = open + 1;
  while (at < value.length && value[at] !== '"') at += value[at] === '\\' ? 2 : 1;
  return Math.min(at + 1, value.length);
}

/** With `edge`, the blanks at the ends of the text are kept, because something stands there. */
function trimmedList(text: string, edge = ''): string {
  const parts = `${edge}${text}${edge}`.split(',').map((part) => part.trim());
  const joined = parts.join(',');
  return joined.slice(edge.length, joined.length - edge.length);
}

/** The compared values of `fields` in a request. */
export function varyValues(
  fields: readonly string[],
  header: HeaderReader,
): (string | undefined)[] {
  return fields.map((field) => normalizedValue(field, header(field)));
}

/** What decides whether a stored answer is for a request. */
export interface Selected {
  /** In lower case, sorted. */
  readonly varyFields: readonly string[];
  /** As they were received, and as they are compared. */
  readonly varyRaw: readonly (string | undefined)[];
  readonly varyValues: readonly (string | undefined)[];
}

/** Whether the request's fields select the stored answer. */
export function isSelectedBy(stored: Selected, header: HeaderReader): boolean {
  const { varyFields: fields, varyRaw: raw, varyValues: values } = stored;
  for (let index = 0; index < fields.length; index += 1) {
    const field = fields[index] as string;
    const presented = header(field);
    if (presented === raw[index]) continue;
    if (normalizedValue(field, presented) !== values[index]) return false;
  }
  return true;
}
