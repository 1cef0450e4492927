/**
 * What a console command does to the pattern database, as changes, and how what became of them is
 * told. Shared by the console and by the NCF files that are run at start. Commits nothing.
 */
import { quote } from '../config/quoted.ts';
import type { Change, Outcome, Provenance } from '../virus/change.ts';
import { formatPattern, padPattern } from '../virus/pattern.ts';
import { commandRows } from './commands.ts';
import type { Command } from './grammar.ts';

/** What a command alone does not tell. */
export interface ChangeOrigin {
  /** Bytes. */
  readonly patternSize: number;
  readonly from: Provenance;
  readonly atMs: number;
}

/** The changes of a command, none when it only asks for something; or a sentence. */
export type CommandChanges =
  | { readonly ok: true; readonly changes: readonly Change[] }
  | { readonly ok: false; readonly message: string };

function patternChange(command: Command, origin: ChangeOrigin): CommandChanges {
  const bytes = Buffer.from(String(command.options.get('p')), 'latin1');
  const pattern = padPattern(bytes, origin.patternSize);
  if (pattern === undefined) {
    const message = `The pattern has ${bytes.length} bytes; PatternSize allows ${origin.patternSize}.`;
    return { ok: false, message };
  }
  const origLength = Number(command.options.get('o'));
  const { from, atMs } = origin;
  const change: Change =
    command.word === 'add'
      ? { kind: 'add', pattern, origLength, from, atMs }
      : { kind: 'del', pattern, origLength };
  return { ok: true, changes: [change] };
}

function keywordChange(command: Command, { from, atMs }: ChangeOrigin): CommandChanges {
  const keyword = String(command.options.get('k'));
  const change: Change =
    command.word === 'add'
      ? { kind: 'add-keyword', keyword, from, atMs }
      : { kind: 'del-keyword', keyword };
  return { ok: true, changes: [change] };
}

/** Turns a command into the changes that carry it out, in the order typed. */
export function commandChanges(command: Command, origin: ChangeOrigin): CommandChanges {
  const { word, options, asksHelp } = command;
  if (asksHelp) return { ok: true, changes: [] };
  if (word === 'add' || word === 'del') {
    return options.has('k') ? keywordChange(command, origin) : patternChange(command, origin);
  }
  if (word !== '') return { ok: true, changes: [] };
  if (options.has('c')) return { ok: true, changes: [{ kind: 'clear' }] };
  const changes = [...options].flatMap(([letter, value]): Change[] => {
    const row = commandRows('').find((each) => each.options[0]?.letter === letter);
    return row?.sets === undefined ? [] : [{ kind: 'set', name: row.sets, value: Number(value) }];
  });
  return { ok: true, changes };
}

function describeChange(change: Change): string {
  switch (change.kind) {
    case 'add':
      return `Added "${formatPattern(change.pattern)}", original length ${change.origLength}.`;
    case 'del':
      return `Deleted "${formatPattern(change.pattern)}", original length ${change.origLength}.`;
    case 'add-keyword':
      return `Added the keyword ${quote(change.keyword)}.`;
    case 'del-keyword':
      return `Deleted the keyword ${quote(change.keyword)}.`;
    case 'clear':
      return 'Cleared all patterns.';
    case 'set':
      return `${change.name} is now ${change.value}.`;
  }
}

/** What became of a change, in a sentence. */
export function describeOutcome(change: Change, outcome: Outcome): string {
  return outcome.kind === 'done' ? describeChange(change) : outcome.message;
}
