/**
 * THE table of console commands, after the paper's "Command Line-Based Configuration" and
 * "Miscellaneous Tasks". One row is one form of a command: its word, the options that the form needs
 * and its prose. What the grammar accepts, the syntax quoted in error messages, the help, completion
 * and docs/console.md are all made from these rows and cannot disagree. What a command does is in
 * console.ts.
 */
import { origLengthRange } from '../config/pattern-value.ts';
import { tunableRanges } from '../config/virus-rows.ts';
import type { CommandRow, CommandWord, OptionRow } from './command-row.ts';
import { sourceRows } from './source-rows.ts';

export type { CommandRow, CommandWord, OptionRow } from './command-row.ts';

const pattern: OptionRow = {
  letter: 'p',
  kind: 'string',
  placeholder: '"PATTERN"',
  bare: false,
  help: 'the bytes at PatternStartOffset of the request string, at most PatternSize of them',
};

const origLength: OptionRow = {
  letter: 'o',
  kind: 'integer',
  placeholder: 'ORIGLENGTH',
  ...origLengthRange,
  help: 'the length in bytes of the whole request string that the pattern was taken from',
};

const keyword: OptionRow = {
  letter: 'k',
  kind: 'string',
  placeholder: 'KEYWORD',
  bare: true,
  help: 'the text that makes a suspect request a virus request, whatever its case',
};

/** The two options that every command understands: they print its help instead of carrying it out. */
export const helpOptions: readonly OptionRow[] = [
  { letter: 'h', kind: 'flag', help: 'print help' },
  { letter: '?', kind: 'flag', help: 'print help' },
];

function helpRow(option: OptionRow): CommandRow {
  return {
    word: '',
    options: [option],
    inStateFile: false,
    help: 'print this help',
    details:
      'After a command word it prints the help of that command. "virus" alone prints it too.',
    examples: [`virus -${option.letter}`, `virus add -${option.letter}`],
  };
}

/** `virus accept` and `virus reject`; the original length may be typed, too, as for `virus del`. */
function proposalRows(
  word: 'accept' | 'reject',
  prose: { readonly help: string; readonly details: string },
): CommandRow[] {
  const form = { word, inStateFile: false, ...prose };
  const example = `virus ${word} -p "wp-admin/admin-a"`;
  return [
    { ...form, options: [pattern], examples: [example] },
    { ...form, options: [pattern, origLength], examples: [`${example} -o 52`] },
  ];
}

/** Every form of every command, in the order in which the help lists them. */
export const commandTable: readonly CommandRow[] = [
  {
    word: 'add',
    options: [pattern, origLength],
    inStateFile: true,
    help: 'add a virus pattern',
    details:
      'Requests whose window is the pattern are blocked from now on. A pattern shorter than PatternSize is filled up with zero bytes, as the window of a short request is.',
    examples: ['virus add -p "default.ida?NNNN" -o 385', 'virus add -p "\\x90\\x90\\"\\\\" -o 64'],
  },
  {
    word: 'add',
    options: [keyword],
    inStateFile: true,
    help: 'add a keyword',
    details:
      'A suspect request that contains the keyword is taken for a virus request and its pattern is added. The text is taken as it is, whatever its case, in the request as it came and percent-decoded.',
    examples: ['virus add -k cmd.exe', 'virus add -k "/root exe"'],
  },
  {
    word: 'del',
    options: [pattern, origLength],
    inStateFile: true,
    help: 'delete a virus pattern',
    details:
      'The pattern and the original length must both be those that were added. Auto Update does not learn it again, and if it was learned, its keyword blocks nothing more by itself.',
    examples: ['virus del -p "default.ida?NNNN" -o 385'],
  },
  {
    word: 'del',
    options: [keyword],
    inStateFile: true,
    help: 'delete a keyword',
    details: 'Patterns that were learned through the keyword stay.',
    examples: ['virus del -k cmd.exe'],
  },
  ...proposalRows('accept', {
    help: 'add a proposed pattern',
    details:
      'The pattern is one that Auto Update proposed instead of adding it; "virus list" shows them and why. It blocks from now on.',
  }),
  ...proposalRows('reject', {
    help: 'turn down a proposed pattern',
    details:
      'The pattern is neither proposed nor learned again, and its keyword blocks nothing by itself. To take that back, add the pattern with "virus add". Deleting the keyword and adding it anew lets the keyword alone count again.',
  }),
  {
    word: 'list',
    options: [],
    inStateFile: false,
    help: 'list the patterns',
    details:
      'A table of the patterns in the order in which they were added, with where each came from, its hits and its last hit; then a table of those that were learned, with the request that each was learned from, and one of those that are proposed and why they were not added. Each shows the first 1000; "virus dump" writes all patterns.',
    examples: ['virus list'],
  },
  {
    word: 'list',
    options: [{ letter: 'k', kind: 'flag', help: 'list the keywords instead of the patterns' }],
    inStateFile: false,
    help: 'list the keywords',
    details:
      'A table of the keywords, with where each came from, since when it is confirmed, and how many requests it has blocked by itself since the start.',
    examples: ['virus list -k'],
  },
  {
    word: 'dump',
    options: [],
    inStateFile: false,
    help: 'write all patterns and keywords to VIRPAT.NCF',
    details:
      'The file lies in the data folder, is replaced whole, consists of "virus add" commands and is run at the next start.',
    examples: ['virus dump'],
  },
  {
    word: 'show',
    options: [],
    inStateFile: false,
    help: 'print the Virus Pattern Configuration screen once',
    details: 'Values that differ from PROXY.CFG are marked with the value written there.',
    examples: ['virus show'],
  },
  {
    word: 'origins',
    options: [],
    inStateFile: false,
    help: 'list the origins and whether they work',
    details:
      "A table of each site's origins. STATE is up, slow start, down (left out after failures) or failed (left out after checks). IN USE counts requests and upgraded connections, WAITING the requests that wait for a connection, FAILURES those of requests and checks; LAST FAILURE says why. docs/origins.md tells the rest.",
    examples: ['virus origins'],
  },
  ...sourceRows,
  {
    word: 'fleet',
    options: [],
    inStateFile: false,
    help: 'list the machines of the fleet',
    details:
      "Whether the fleet's engine can be reached, and what is wrong if not; how many commands of this machine wait for it; and a table of the machines. BEHIND counts the commands that one has not followed yet, WAITING those of its own that wait. Without the engine the table is as it was seen last. docs/scale.md tells the rest.",
    examples: ['virus fleet'],
  },
  {
    word: 'run',
    options: [],
    operand: 'FILE',
    inStateFile: false,
    help: 'run the console commands of an NCF file',
    details:
      'One "virus" command a line; blank lines and lines that begin with #, ; or REM are skipped. A line that fails is reported as FILE:LINE: message and the rest is carried out. A script cannot run another.',
    examples: ['virus run data/VIRPAT.NCF'],
  },
  {
    word: '',
    options: [
      {
        letter: 't',
        kind: 'integer',
        placeholder: 'THRESHOLD',
        ...tunableRanges.HitThreshold,
        help: 'requests within one refresh interval',
      },
    ],
    sets: 'HitThreshold',
    inStateFile: false,
    help: 'set the hit threshold',
    details:
      'More than this many identical windows within one refresh interval make a request suspect. It must be greater than the Ave Non Virus Hit Rate.',
    examples: ['virus -t 300', 'virus -t 300 -r 12'],
  },
  {
    word: '',
    options: [
      {
        letter: 'r',
        kind: 'integer',
        placeholder: 'INTERVAL',
        ...tunableRanges.RefreshInterval,
        help: 'seconds',
      },
    ],
    sets: 'RefreshInterval',
    inStateFile: false,
    help: 'set the refresh interval, in seconds',
    details: 'The interval over which identical requests and the hit rates are counted.',
    examples: ['virus -r 10'],
  },
  {
    word: '',
    options: [
      {
        letter: 'e',
        kind: 'integer',
        placeholder: '0|1',
        ...tunableRanges.EnablePatternAutoUpdate,
        help: '1: on, 0: off',
      },
    ],
    sets: 'EnablePatternAutoUpdate',
    inStateFile: false,
    help: 'switch the auto update on (1) or off (0)',
    details: 'Auto update learns the patterns of suspect requests that contain a keyword.',
    examples: ['virus -e 1', 'virus -e 0'],
  },
  {
    word: '',
    options: [
      {
        letter: 'm',
        kind: 'integer',
        placeholder: 'MAX',
        ...tunableRanges.MaxVirusPatterns,
        help: 'patterns',
      },
    ],
    sets: 'MaxVirusPatterns',
    inStateFile: false,
    help: 'set the maximum number of patterns',
    details: 'Patterns beyond it are refused; those already in the database stay.',
    examples: ['virus -m 100000'],
  },
  {
    word: '',
    options: [{ letter: 'c', kind: 'flag', help: 'clear' }],
    inStateFile: true,
    help: 'clear all patterns',
    details: 'Keywords stay, but none of them is confirmed any more.',
    examples: ['virus -c'],
  },
  ...helpOptions.map(helpRow),
];

/** The command words, in the order of the table. */
export const commandWords: readonly CommandWord[] = [
  ...new Set(commandTable.map((row) => row.word).filter((word) => word !== '')),
];

/** The command word that `text` spells in any case, or undefined. */
export function findCommandWord(text: string): CommandWord | undefined {
  const lower = text.toLowerCase();
  return commandWords.find((word) => word === lower);
}

const rowsByWord = new Map<CommandWord, readonly CommandRow[]>(
  (['', ...commandWords] as const).map((word) => [
    word,
    commandTable.filter((row) => row.word === word),
  ]),
);

/** The forms of a command. */
export function commandRows(word: CommandWord): readonly CommandRow[] {
  return rowsByWord.get(word) ?? [];
}

const optionsByWord = new Map<CommandWord, ReadonlyMap<string, OptionRow>>(
  [...rowsByWord].map(([word, rows]) => [
    word,
    new Map(
      [...rows.flatMap((row) => row.options), ...helpOptions].map((row) => [row.letter, row]),
    ),
  ]),
);

/** The options that any form of a command knows, help included, by their letter. */
export function commandOptions(word: CommandWord): ReadonlyMap<string, OptionRow> {
  return optionsByWord.get(word) ?? new Map();
}

function optionSyntax(option: OptionRow): string {
  return option.kind === 'flag' ? `-${option.letter}` : `-${option.letter} ${option.placeholder}`;
}

/** How one form is typed, e.g. `virus add -k KEYWORD`. */
export function rowSyntax(row: CommandRow): string {
  const words = ['virus', row.word, row.operand ?? '', ...row.options.map(optionSyntax)];
  return words.filter((word) => word !== '').join(' ');
}

/** How a command is typed, all its forms in one line. */
export function commandSyntax(word: CommandWord): string {
  const rows = commandRows(word);
  const settings = rows.filter((row) => row.sets !== undefined);
  const forms = rows.filter((row) => row.sets === undefined).map(rowSyntax);
  if (settings.length > 0) {
    const choices = settings.flatMap((row) => row.options).map((row) => `[${optionSyntax(row)}]`);
    forms.unshift(`virus ${choices.join(' ')}`);
  }
  return forms.join(' or ');
}
