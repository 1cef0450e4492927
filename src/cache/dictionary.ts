/**
 * Dictionaries of Structured Fields (RFC 9651 §4.2.2), as far as cache directives need them: the whole
 * grammar is checked, parameters are read and forgotten, and inner lists are known by their kind alone.
 */

/** A member's value: its type, and its text without what marks the type. */
export interface DictionaryItem {
  readonly type: 'integer' | 'decimal' | 'string' | 'token' | 'bytes' | 'boolean' | 'date' | 'list';
  readonly text: string;
}

const keyPattern = /[a-z*][a-z0-9_\-.*]*/y;
const blanksPattern = /[ \t]*/y;
const spacesPattern = / */y;

const itemPatterns: readonly (readonly [DictionaryItem['type'], RegExp])[] = [
  ['decimal', /(-?[0-9]{1,12}\.[0-9]{1,3})/y],
  ['integer', /(-?[0-9]{1,15})(?![0-9.])/y],
  ['string', /"((?:[ !#-[\]-~]|\\["\\])*)"/y],
  ['token', /([A-Za-z*][!#$%&'*+\-.^_`|~0-9A-Za-z:/]*)/y],
  ['bytes', /:([A-Za-z0-9+/=]*):/y],
  ['boolean', /\?([01])/y],
  ['date', /@(-?[0-9]{1,15})(?![0-9.])/y],
];

/** The members in order; of two with one key the later counts. Undefined when the grammar is broken. */
export function parseDictionary(text: string): Map<string, DictionaryItem> | undefined {
  let start = 0;
  let end = text.length;
  while (start < end && text[start] === ' ') start += 1;
  while (end > start && text[end - 1] === ' ') end -= 1;
  return new Reader(text.slice(start, end)).dictionary();
}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  dictionary(): Map<string, DictionaryItem> | undefined {
    const members = new Map<string, DictionaryItem>();
    while (this.#at < this.#text.length) {
      const key = this.#take(keyPattern);
      if (key === undefined) return undefined;
      const item = this.#skip('=') ? this.#value() : ({ type: 'boolean', text: '1' } as const);
      if (item === undefined || !this.#parameters()) return undefined;
      members.delete(key);
      members.set(key, item);
      this.#take(blanksPattern);
      if (this.#at === this.#text.length) return members;
      if (!this.#skip(',')) return undefined;
      this.#take(blanksPattern);
      if (this.#at === this.#text.length) return undefined;
    }
    return members;
  }

  #value(): DictionaryItem | undefined {
    return this.#text[this.#at] === '(' ? this.#innerList() : this.#item();
  }

  #item(): DictionaryItem | undefined {
    for (const [type, pattern] of itemPatterns) {
      pattern.lastIndex = this.#at;
      const found = pattern.exec(this.#text);
      if (found === null) continue;
      this.#at = pattern.lastIndex;
      const text = found[1] ?? '';
      return { type, text: type === 'string' ? text.replace(/\\(.)/g, '$1') : text };
    }
    return undefined;
  }

  #innerList(): DictionaryItem | undefined {
    const start = this.#at;
    this.#at += 1;
    for (;;) {
      const spaces = this.#take(spacesPattern) ?? '';
      if (this.#skip(')')) break;
      const isFirst = this.#at === start + 1 + spaces.length;
      if (spaces === '' && !isFirst) return undefined;
      if (this.#item() === undefined || !this.#parameters()) return undefined;
    }
    return { type: 'list', text: this.#text.slice(start, this.#at) };
  }

  #parameters(): boolean {
    while (this.#skip(';')) {
      this.#take(spacesPattern);
      if (this.#take(keyPattern) === undefined) return false;
      if (this.#skip('=') && this.#item() === undefined) return false;
    }
    return true;
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  #skip(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }
}
