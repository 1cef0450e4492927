/**
 * Cache directives: the Cache-Control field (RFC 9111 §5.2), read member by member so that nothing within
 * quotation marks counts and a broken member spoils itself alone; and targeted fields (RFC 9213), which
 * are Structured Fields and count as a whole or not at all.
 */
import { parseDictionary } from './dictionary.ts';

/** The longest time in a directive, in seconds (RFC 9111 §1.2.2). */
export const deltaSecondsMax = 2_147_483_648;

interface Directive {
  /** Without quotation marks and escapes; undefined for a directive that stands alone. */
  readonly value: string | undefined;
  /** Neither `name`, nor `name=token`, nor `name="text"`. */
  readonly isBroken: boolean;
}

/** The directives of a message. */
export class Directives {
  readonly #directives: ReadonlyMap<string, readonly Directive[]>;

  constructor(directives: ReadonlyMap<string, readonly Directive[]>) {
    this.#directives = directives;
  }

  /** Whether the directive is there in any form: a broken restriction still restricts. */
  has(name: string): boolean {
    return this.#directives.has(name);
  }

  /**
   * The time that a directive gives, in seconds; undefined without the directive, NaN for one that gives
   * none. Of several the first counts (RFC 9111 §4.2.1).
   */
  seconds(name: string): number | undefined {
    const first = this.#directives.get(name)?.[0];
    if (first === undefined) return undefined;
    if (first.isBroken || first.value === undefined || !/^[0-9]+$/.test(first.value)) {
      return Number.NaN;
    }
    return Math.min(Number(first.value), deltaSecondsMax);
  }

  /** Whether the directive is there without a value. */
  standsAlone(name: string): boolean {
    const first = this.#directives.get(name)?.[0];
    return first !== undefined && !first.isBroken && first.value === undefined;
  }

  /**
   * The field names, in lower case, that `no-cache="…"` or `private="…"` is restricted to; undefined when
   * the directive is missing or stands for the whole answer.
   */
  fields(name: string): string[] | undefined {
    const all = this.#directives.get(name);
    if (all === undefined) return undefined;
    const names: string[] = [];
    for (const { value, isBroken } of all) {
      if (isBroken || value === undefined) return undefined;
      const parts = value.split(',').map((part) => part.trim().toLowerCase());
      names.push(...parts.filter((part) => part !== ''));
    }
    return names.length === 0 ? undefined : names;
  }
}

/** No directive at all. */
export const noDirectives = new Directives(new Map());

const tokenCharacter = /[!#$%&'*+\-.^_`|~0-9A-Za-z]/;

/** Reads the values of all Cache-Control lines of a message, in order. */
export function parseCacheControl(values: readonly string[]): Directives {
  if (values.length === 0) return noDirectives;
  const directives = new Map<string, Directive[]>();
  for (const text of values) {
    let at = 0;
    while (at < text.length) {
      const member = readMember(text, at);
      at = member.end;
      if (member.name === '') continue;
      const all = directives.get(member.name);
      if (all === undefined) directives.set(member.name, [member]);
      else all.push(member);
    }
  }
  return new Directives(directives);
}

interface Member extends Directive {
  /** In lower case; empty where no member begins. */
  readonly name: string;
  /** Behind its comma. */
  readonly end: number;
}

function readMember(text: string, start: number): Member {
  let at = skipBlanks(text, start);
  const nameEnd = tokenEnd(text, at);
  const name = text.slice(at, nameEnd).toLowerCase();
  at = nameEnd;
  let value: string | undefined;
  let isBroken = false;
  if (text[at] === '=') {
    const read = readValue(text, at + 1);
    value = read.value;
    isBroken = read.isBroken;
    at = read.end;
  }
  at = skipBlanks(text, at);
  if (at < text.length && text[at] !== ',') {
    isBroken = true;
    at = memberEnd(text, at);
  }
  return { name, value, isBroken, end: at + 1 };
}

function readValue(text: string, start: number): Directive & { readonly end: number } {
  if (text[start] !== '"') {
    const end = tokenEnd(text, start);
    return { value: text.slice(start, end), isBroken: end === start, end };
  }
  let value = '';
  let at = start + 1;
  while (at < text.length && text[at] !== '"') {
    if (text[at] === '\\') at += 1;
    value += text[at] ?? '';
    at += 1;
  }
  return { value, isBroken: at >= text.length, end: Math.min(at + 1, text.length) };
}

function tokenEnd(text: string, start: number): number {
  let at = start;
  while (at < text.length && tokenCharacter.test(text.charAt(at))) at += 1;
  return at;
}

function skipBlanks(text: string, start: number): number {
  let at = start;
  while (text[at] === ' ' || text[at] === '\t') at += 1;
  return at;
}

/** The next comma outside quotation marks. */
function memberEnd(text: string, start: number): number {
  let isQuoted = false;
  let at = start;
  for (; at < text.length; at += 1) {
    if (isQuoted && text[at] === '\\') at += 1;
    else if (text[at] === '"') isQuoted = !isQuoted;
    else if (text[at] === ',' && !isQuoted) break;
  }
  return Math.min(at, text.length);
}

/** Directives whose argument is a time. */
const timed = new Set(['max-age', 's-maxage', 'stale-while-revalidate', 'stale-if-error']);
/** Directives that may name fields. */
const qualified = new Set(['no-cache', 'private']);
/** Directives that stand alone. */
const plain = new Set([
  'no-store',
  'must-revalidate',
  'proxy-revalidate',
  'public',
  'must-understand',
  'no-transform',
]);

/**
 * Reads the lines of a targeted field (RFC 9213 §2.1). Undefined: there are none, or the field is empty,
 * broken or gives a directive an argument of the wrong type, and has to be treated as missing.
 */
export function parseTargeted(values: readonly string[]): Directives | undefined {
  if (values.length === 0) return undefined;
  const members = parseDictionary(values.join(', '));
  if (members === undefined || members.size === 0) return undefined;
  const directives = new Map<string, readonly Directive[]>();
  for (const [name, { type, text }] of members) {
    if (type === 'boolean' && text === '0') continue;
    if (timed.has(name) && type !== 'integer') return undefined;
    if (plain.has(name) && type !== 'boolean') return undefined;
    if (qualified.has(name) && type !== 'boolean' && type !== 'string') return undefined;
    directives.set(name, [{ value: type === 'boolean' ? undefined : text, isBroken: false }]);
  }
  return new Directives(directives);
}
