/**
 * Where a pattern or keyword came from, as text. In a fleet the name of the node that brought it follows
 * behind an `@`, as in `console@proxy-2` or `auto(cmd.exe)@proxy-2`. Pure.
 */

/** Where it came from on the machine that brought it. */
export type LocalProvenance = 'console' | 'ncf' | 'shipped' | `auto(${string})` | `miss(${string})`;

/**
 * `console` (typed), `ncf` (a script run on the console or VIRPAT.NCF), `shipped` (PROXY.CFG and its
 * PatternFiles), `auto(KEYWORD)` (learned because it came often), `miss(KEYWORD)` (learned from one request
 * that an origin refused); in a fleet with `@NODE`.
 */
export type Provenance = LocalProvenance | `${LocalProvenance}@${string}`;

/** What the name of a node looks like; so none ends in a parenthesis. */
export const nodeNamePattern = /^[A-Za-z0-9._-]{1,63}$/;

const form = /^(?:console|ncf|shipped|(?:auto|miss)\(([\s\S]*)\))(?:@[A-Za-z0-9._-]{1,63})?$/;

export function isProvenance(value: unknown): value is Provenance {
  return typeof value === 'string' && form.test(value);
}

/** The keyword in `auto(KEYWORD)` and `miss(KEYWORD)`; undefined for what was not learned. */
export function learnedKeyword(from: string): string | undefined {
  return form.exec(from)?.[1];
}

/** With the node that brought it, unless it says one already. `shipped` is every node's own. */
export function broughtBy(from: Provenance, node: string): Provenance {
  if (from === 'shipped' || !/^(?:console|ncf|(?:auto|miss)\([\s\S]*\))$/.test(from)) return from;
  return `${from as LocalProvenance}@${node}`;
}
