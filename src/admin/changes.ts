/**
 * What a console command does to the pattern database, as changes, and how what became of them is
 * told. Shared by the console and by the NCF files that are run at start. Commits nothing.
 */
import { quote } from '../config/quoted.ts';
import type { Change, LearningChange, Outcome, Provenance } from '../virus/change.ts';
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
  const origLength = command.options.get('o');
  const { from, atMs } = origin;
  const length = Number(origLength);
  const typed = origLength === undefined ? {} : { origLength: length };
  const changes = {
    add: { kind: 'add', pattern, origLength: length, from, atMs },
    del: { kind: 'del', pattern, origLength: length },
    accept: { kind: 'accept', pattern, ...typed, atMs },
    reject: { kind: 'reject', pattern, ...typed },
  } as const satisfies Record<string, Change>;
  return { ok: true, changes: [changes[command.word as keyof typeof changes]] };
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
  if (options.has('p')) return patternChange(command, origin);
  if (word === 'add' || word === 'del') return keywordChange(command, origin);
  if (word !== '') return { ok: true, changes: [] };
  if (options.has('c')) return { ok: true, changes: [{ kind: 'clear' }] };
  const changes = [...options].flatMap(([letter, value]): Change[] => {
    const row = commandRows('').find((each) => each.options[0]?.letter === letter);
    return row?.sets === undefined ? [] : [{ kind: 'set', name: row.sets, value: Number(value) }];
  });
  return { ok: true, changes };
}

type AutomaticChange = Exclude<LearningChange, { kind: 'accept' | 'reject' }>;

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
    case 'accept':
      return `Accepted "${formatPattern(change.pattern)}": it blocks from now on.`;
    case 'reject':
      return `Rejected "${formatPattern(change.pattern)}": it will not be learned.`;
    default:
      return describeLearning(change);
  }
}

/** What Auto Update did by itself; no console command does these. */
function describeLearning(change: AutomaticChange): string {
  switch (change.kind) {
    case 'propose': {
      const { pattern, origLength } = change.proposal;
      return `Proposed "${formatPattern(pattern)}", original length ${origLength}.`;
    }
    case 'expire':
      return `Deleted "${formatPattern(change.pattern)}", original length ${change.origLength}: it was not seen any more.`;
    case 'lapse':
      return `No longer proposed: "${formatPattern(change.pattern)}", which was not seen any more.`;
    case 'seen':
      return `Noted ${change.hits} hits of "${formatPattern(change.pattern)}".`;
    case 'confirm-keyword':
      return `Confirmed the keyword ${quote(change.keyword)}.`;
    case 'unconfirm-keyword':
      return `The keyword ${quote(change.keyword)} is no longer confirmed.`;
  }
}

/** What became of a change, in a sentence. */
export function describeOutcome(change: Change, outcome: Outcome): string {
  return outcome.kind === 'done' ? describeChange(change) : outcome.message;
}
