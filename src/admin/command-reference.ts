/**
 * The command table as prose: the replies of `virus -h` and `virus add -h`, the completion of the
 * interactive console, and docs/console.md. Holds no fact of its own about any command.
 */
import { cacheSyntax } from './cache-commands.ts';
import {
  type CommandRow,
  type CommandWord,
  commandOptions,
  commandRows,
  commandTable,
  commandWords,
  findCommandWord,
  type OptionRow,
  rowSyntax,
} from './commands.ts';

const grammarNotes: readonly string[] = [
  'Options begin with - or /. A value is an integer, or a string in quotation marks in which \\xHH,',
  '\\" and \\\\ stand for a byte, a quotation mark and a backslash. A keyword without blanks may do',
  'without the quotation marks. Several settings (-t -r -e -m) may be given in one line.',
];

function optionRange(option: OptionRow): string {
  return option.kind === 'integer' ? ` (${option.min}-${option.max})` : '';
}

/** The list of all commands, one line each: the reply to `virus -h`. */
export function renderHelp(): string {
  const width = Math.max(...commandTable.map((row) => rowSyntax(row).length));
  const lines = commandTable.map((row) => `${rowSyntax(row).padEnd(width)}  ${row.help}`);
  return [...lines, '', ...grammarNotes].join('\n');
}

/** What every form of one command does: the reply to `virus add -h`. */
export function renderCommandHelp(word: CommandWord): string {
  if (word === '') return renderHelp();
  return commandRows(word)
    .map((row) =>
      [
        rowSyntax(row),
        `  ${row.help}. ${row.details}`,
        ...row.options.map((option) => `  -${option.letter}  ${option.help}${optionRange(option)}`),
        ...row.examples.map((example) => `  Example: ${example}`),
      ].join('\n'),
    )
    .join('\n\n');
}

/** `fragment` is the end of the line that every candidate would replace. */
export interface Completion {
  readonly candidates: readonly string[];
  readonly fragment: string;
}

/** What could come next in a line that is being typed. */
export function completeLine(line: string): Completion {
  const words = line.split(/[\t ]+/);
  const fragment = words.pop() ?? '';
  const startingSo = (candidates: readonly string[]): Completion => ({
    candidates: candidates.filter((text) => text.startsWith(fragment)).map((text) => `${text} `),
    fragment,
  });
  const [first, second] = words;
  if (first === undefined) return startingSo(['virus', 'cache', 'exit', '23']);
  if (first.toLowerCase() === 'cache') {
    const next = words.slice(1).join(' ').toLowerCase();
    return startingSo({ '': ['show', 'purge'], show: ['newest'], purge: ['all'] }[next] ?? []);
  }
  if (first.toLowerCase() !== 'virus') return startingSo([]);
  const word = second === undefined ? '' : (findCommandWord(second) ?? '');
  const options = [...commandOptions(word).values()];
  const before = words.at(-1) ?? '';
  const awaitsValue = options.some(
    (option) => option.kind !== 'flag' && before === `-${option.letter}`,
  );
  if (awaitsValue) return startingSo([]);
  const unused = options
    .map((option) => `-${option.letter}`)
    .filter((text) => !words.includes(text));
  return startingSo(second === undefined ? [...commandWords, ...unused] : unused);
}

function referenceSection(row: CommandRow): string {
  const options = row.options.map((option) => {
    const value = option.kind === 'flag' ? '' : ` ${option.placeholder}`;
    return `- \`-${option.letter}${value}\`: ${option.help}${optionRange(option)}`;
  });
  const sets = row.sets === undefined ? [] : [`Changes the setting \`${row.sets}\`.`, ''];
  return [
    `### \`${rowSyntax(row)}\``,
    '',
    `${row.help.charAt(0).toUpperCase()}${row.help.slice(1)}. ${row.details}`,
    '',
    ...sets,
    ...(options.length === 0 ? [] : [...options, '']),
    '```',
    ...row.examples,
    '```',
    '',
  ].join('\n');
}

/** docs/console.md, whole. */
export function renderConsoleReference(): string {
  return `# Console commands

<!-- Made from src/admin/commands.ts by \`npm run generate\`; edit it there. -->

A command is typed after \`npx wormgate virus\`, on \`npx wormgate console\`, or stands in an NCF file
that \`virus run\` carries out. It reaches the running server through the unix socket \`console.sock\` in
the data folder, which only the user that runs the server may open.

## Grammar

- A line is \`virus\`, then a command word or none, then options, with blanks or tabs between them.
- \`virus\` and the command words may be typed in any case; option letters are lower case.
- An option is \`-\` or \`/\` and a letter. An option that takes a value is followed by a blank and the
  value. Flags may be written together.
- A value is an integer without leading zeros, or a string of one or more bytes in quotation marks.
- In a string, \`\\xHH\` is the byte with that hexadecimal value, \`\\"\` a quotation mark and \`\\\\\` a
  backslash. Control characters must be written so; any other byte may stand for itself.
- A keyword may do without the quotation marks when it has no blank, quotation mark or backslash and
  does not begin with \`-\` or \`/\`.
- \`-t\`, \`-r\`, \`-e\` and \`-m\` may be given together in one line, and are then carried out together.
- A shell takes the quotation marks away; \`npx wormgate virus\` puts them back around the argument
  that follows an option. Backslashes are passed on as typed: put such a value in single quotes.

A command is answered with one line or a table on stdout and exit code 0. One that is refused is
answered on stderr, with its place and the right syntax, and exit code 1. While \`ScanVirusPatterns=0\`
every line but \`virus origins\` and those of the cache is answered \`virus command not found\`. Every command and the first line of its reply are
recorded in the file that \`ConsoleLog\` names.

## The cache

Lines that begin with \`cache\` are for the cache, whatever \`ScanVirusPatterns\` says. They are typed on the
console, or after \`npx wormgate\`; in a shell, put what holds \`?\`, \`&\` or \`*\` in quotation marks.

| typed | what it does |
|---|---|
${cacheSyntax.map(([typed, clause]) => `| \`${typed}\` | ${clause} |`).join('\n')}

## Commands

${commandTable.map(referenceSection).join('\n')}`;
}
