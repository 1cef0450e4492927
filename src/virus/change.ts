/**
 * What can happen to the pattern database, as values: the messages that the control plane sends to
 * the data plane, the records of the journal, and what a console command turns into.
 */

/**
 * Where a pattern or keyword came from: `console` (typed), `ncf` (a script run on the console or
 * VIRPAT.NCF), `shipped` (PROXY.CFG and its PatternFiles), `auto(KEYWORD)` (learned).
 */
export type Provenance = 'console' | 'ncf' | 'shipped' | `auto(${string})`;

/** The settings that the console changes while the server runs, by their PROXY.CFG names. */
export type TunableName =
  | 'HitThreshold'
  | 'RefreshInterval'
  | 'EnablePatternAutoUpdate'
  | 'MaxVirusPatterns';

/** `pattern` is always PatternSize bytes, zero-padded; `keyword` is latin1 text, one character a byte. */
export type Change =
  | {
      readonly kind: 'add';
      readonly pattern: Uint8Array;
      readonly origLength: number;
      readonly from: Provenance;
      readonly atMs: number;
    }
  | { readonly kind: 'del'; readonly pattern: Uint8Array; readonly origLength: number }
  | { readonly kind: 'clear' }
  | {
      readonly kind: 'add-keyword';
      readonly keyword: string;
      readonly from: Provenance;
      readonly atMs: number;
    }
  | { readonly kind: 'del-keyword'; readonly keyword: string }
  | { readonly kind: 'set'; readonly name: TunableName; readonly value: number };

/**
 * What became of a change. `refused` carries a sentence for the operator; `unchanged` means that the
 * database already was as asked, such as an `add` of what is there.
 */
export type Outcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'unchanged'; readonly message: string }
  | { readonly kind: 'refused'; readonly message: string };
