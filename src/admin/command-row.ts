/** The form of the table of console commands; the rows are in commands.ts. */
import type { TunableName } from '../virus/change.ts';

/** The word after `virus`; empty for the commands that consist of options alone. */
export type CommandWord =
  | ''
  | 'add'
  | 'del'
  | 'accept'
  | 'reject'
  | 'list'
  | 'dump'
  | 'show'
  | 'origins'
  | 'sources'
  | 'fleet'
  | 'source'
  | 'forgive'
  | 'block'
  | 'run';

/** One option: a flag, or one that takes an integer or a string. */
export type OptionRow =
  | { readonly letter: string; readonly kind: 'flag'; readonly help: string }
  | {
      readonly letter: string;
      readonly kind: 'integer';
      readonly placeholder: string;
      readonly min: number;
      readonly max: number;
      readonly help: string;
    }
  | {
      readonly letter: string;
      readonly kind: 'string';
      readonly placeholder: string;
      /** Whether the paper prints the value without quotation marks. */
      readonly bare: boolean;
      readonly help: string;
    };

/** One form of a command. */
export interface CommandRow {
  readonly word: CommandWord;
  /** All of them must be given, in any order. */
  readonly options: readonly OptionRow[];
  /** The placeholder of the one value that stands without an option. */
  readonly operand?: string;
  /** The setting that it changes; such forms may share one line. */
  readonly sets?: TunableName;
  /** Whether it may stand in a state file: VIRPAT.NCF or one of PatternFiles. */
  readonly inStateFile: boolean;
  /** A clause for the list of commands. */
  readonly help: string;
  /** A sentence or two more. */
  readonly details: string;
  /** Commands as they are typed. */
  readonly examples: readonly string[];
}
