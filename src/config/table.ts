/**
 * The form of the settings table: sections of rows, one row a key. The rows themselves are in
 * settings.ts. Reading, range checks, the shipped PROXY.CFG and docs/settings.md all follow the rows.
 */
import { integer, type ValueType } from './value.ts';

/** One key of PROXY.CFG. */
export interface Row<T> {
  readonly type: ValueType<T>;
  /** As it would be written in the file. */
  readonly default: string;
  /** What the default text does not say by itself, e.g. `the same as ProxyLog`. */
  readonly defaultNote?: string;
  /** The value written into the shipped PROXY.CFG; without it the key is there as a comment. */
  readonly shipped?: string;
  /** A value for the documents, where the default shows nothing. */
  readonly example?: string;
  /** True: a reload (SIGHUP) changes it. False: it takes a restart. */
  readonly live: boolean;
  /** True: an empty or missing value is a fault. */
  readonly required?: boolean;
  /** True: the key is `Name1`, `Name2` …, the row's own key ending in N. */
  readonly numbered?: boolean;
  /** What the key does and when to change it, in sentences good enough to print. */
  readonly help: string;
}

/** The rows of a section; `V` maps each key to the type of its value. */
export type Rows<V> = { readonly [K in keyof V]: Row<V[K]> };

/** One section of PROXY.CFG. */
export interface SectionTable<V> {
  readonly name: string;
  /** True: `[Name WORD]`, any number of times. */
  readonly named?: boolean;
  /** The word that the shipped PROXY.CFG gives a named section. */
  readonly shippedWord?: string;
  readonly help: string;
  readonly rows: Rows<V>;
}

/** A section as the documents and the check of unknown keys see it. */
export interface AnySection extends Omit<SectionTable<unknown>, 'rows'> {
  readonly rows: Readonly<Record<string, Row<unknown>>>;
}

/** Fixes the types of a section's values from its rows. */
export function defineSection<V>(section: SectionTable<V>): SectionTable<V> {
  return section;
}

/** The row of a whole number that a reload changes. */
export function countRow(
  options: { readonly min: number; readonly max: number; readonly default: number },
  help: string,
  unit = '',
): Row<number> {
  return { type: integer(options, unit), default: String(options.default), live: true, help };
}
