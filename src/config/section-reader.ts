/**
 * Reads the values of one section through its rows. Entries that the table does not know, or that
 * stand twice, are reported when the reader is made; a bad value when it is asked for. Whatever was
 * wrong, `get` gives a usable value, so that the checks go on and find the rest.
 */
import assert from 'node:assert/strict';
import { type Fault, nearest, shown } from './fault.ts';
import type { IniEntry } from './ini.ts';
import { settingsTable } from './settings.ts';
import type { AnySection, Row, SectionTable } from './table.ts';
import type { ValueType } from './value.ts';

/** A section with the entries of all its headers, the repeated ones included. */
export interface MergedSection {
  readonly name: string;
  readonly line: number;
  readonly entries: readonly IniEntry[];
}

/** What a reader needs of the file around it. */
export interface ReaderOptions {
  /** The section's name in faults. */
  readonly name: string;
  /** Undefined when the file has no such section: every value is the default. */
  readonly section: MergedSection | undefined;
  readonly report: (fault: Fault) => void;
}

/** One `NameN` entry, its value read. */
export interface NumberedValue<T> {
  readonly number: number;
  readonly line: number;
  /** Undefined when the value was bad, which has been reported. */
  readonly value: T | undefined;
}

// As the file writes it: lower-case `pattern12` is the numbered key `PatternN` with 12.
const numberedKey = /^([a-z]+)([1-9][0-9]{0,8})$/;

function numberedName(key: string): { readonly stem: string; readonly number: number } | undefined {
  const parts = numberedKey.exec(key.toLowerCase());
  return parts === null ? undefined : { stem: `${parts[1]}n`, number: Number(parts[2]) };
}

function unknownKeyMessage(key: string, table: AnySection): string {
  const home = settingsTable.find((section) =>
    Object.keys(section.rows).some((name) => name.toLowerCase() === key.toLowerCase()),
  );
  const names = Object.keys(table.rows);
  if (home !== undefined && home !== table) return `unknown key here; it belongs in [${home.name}]`;
  const near = nearest(key, names);
  return near === undefined
    ? `unknown key; the section knows ${names.join(', ')}`
    : `unknown key; did you mean ${near}?`;
}

/** The values of one section, each by its key. */
export class SectionReader<V> {
  readonly #table: SectionTable<V>;
  readonly #options: ReaderOptions;
  readonly #entries = new Map<string, IniEntry>();
  readonly #badKeys = new Set<string>();
  readonly #numbered: {
    readonly stem: string;
    readonly number: number;
    readonly entry: IniEntry;
  }[] = [];

  constructor(table: SectionTable<V> & AnySection, options: ReaderOptions) {
    this.#table = table;
    this.#options = options;
    const plainKeys = new Map<string, string>();
    const stems = new Set<string>();
    for (const [key, row] of Object.entries<Row<unknown>>(table.rows)) {
      if (row.numbered === true) stems.add(key.toLowerCase());
      else plainKeys.set(key.toLowerCase(), key);
    }
    for (const entry of options.section?.entries ?? []) {
      const key = entry.key.toLowerCase();
      const first = this.#entries.get(key);
      const numbered = numberedName(key);
      const isNumbered = numbered !== undefined && stems.has(numbered.stem);
      if (first !== undefined) {
        this.report(entry.line, entry.key, `it already stands on line ${first.line}`);
      } else if (plainKeys.has(key) || isNumbered) {
        this.#entries.set(key, entry);
        if (isNumbered) this.#numbered.push({ ...numbered, entry });
      } else {
        this.report(entry.line, entry.key, unknownKeyMessage(entry.key, table));
      }
    }
  }

  /** The section's name in faults. */
  get name(): string {
    return this.#options.name;
  }

  /** The section's own line; 0 when the file does not have it. */
  get line(): number {
    return this.#options.section?.line ?? 0;
  }

  /** Reports a fault of this section. */
  report(line: number, key: string, message: string): void {
    this.#options.report({ line, section: this.#options.name, key, message });
  }

  /** Whether the file has the key. */
  has(key: keyof V & string): boolean {
    return this.#entries.has(key.toLowerCase());
  }

  /** Whether `get` has found the key's value bad, and given the default in its place. */
  isBad(key: keyof V & string): boolean {
    return this.#badKeys.has(key);
  }

  /** The key's line, or the section's when the file does not have the key. */
  lineOf(key: keyof V & string): number {
    return this.#entries.get(key.toLowerCase())?.line ?? this.line;
  }

  /** The key's value, or its default when the key is missing or its value bad. */
  get<K extends keyof V & string>(key: K): V[K] {
    const row = this.#table.rows[key];
    const entry = this.#entries.get(key.toLowerCase());
    if (row.required === true && (entry?.value ?? '') === '') {
      this.#badKeys.add(key);
      this.report(this.lineOf(key), key, 'it is required');
    } else if (entry !== undefined) {
      const value = this.#read(row.type, key, entry);
      if (value !== undefined) return value.read;
      this.#badKeys.add(key);
    }
    const fallback = row.type.parse(row.default);
    assert(fallback.ok, `the default of ${key} does not have the type of its row`);
    return fallback.value;
  }

  /** Every entry of a numbered key (`PatternN`), in the order of the file. */
  getNumbered<K extends keyof V & string>(key: K): readonly NumberedValue<V[K]>[] {
    const { type } = this.#table.rows[key];
    return this.#numbered
      .filter(({ stem }) => stem === key.toLowerCase())
      .map(({ number, entry }) => ({
        number,
        line: entry.line,
        value: this.#read(type, entry.key, entry)?.read,
      }));
  }

  #read<T>(type: ValueType<T>, key: string, entry: IniEntry): { readonly read: T } | undefined {
    const parsed = type.parse(entry.value);
    if (parsed.ok) return { read: parsed.value };
    const isEmpty = entry.value === '';
    const messages = isEmpty ? [`it is empty; allowed is ${type.description}`] : parsed.messages;
    for (const message of messages) this.report(entry.line, key, message);
    return undefined;
  }
}

/** The sentence for a section that the table does not know. */
export function unknownSectionMessage(name: string): string {
  const names = settingsTable.map((section) => section.name);
  const near = nearest(name, names);
  return near === undefined
    ? `unknown section; the sections are ${names.map((known) => `[${known}]`).join(', ')}`
    : `unknown section; did you mean ${shown(`[${near}]`)}?`;
}
