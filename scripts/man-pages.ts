/**
 * The man pages: wormgate(1) from the table of the program's commands, virus(1) from that of the console,
 * PROXY.CFG(5) from that of the settings. scripts/generate.ts writes them.
 */
import { cacheSyntax } from '../src/admin/cache-commands.ts';
import { type CommandRow, commandTable, type OptionRow, rowSyntax } from '../src/admin/commands.ts';
import { type ProgramCommand, programCommands } from '../src/cli/program-commands.ts';
import { packageVersion } from '../src/config/package-folder.ts';
import { configurationHead, defaultText } from '../src/config/reference.ts';
import { settingsTable } from '../src/config/settings.ts';
import type { AnySection, Row } from '../src/config/table.ts';
import {
  bold,
  further,
  page,
  paragraph,
  prose,
  section,
  synopsis,
  term,
  title,
  typedLines,
} from './roff.ts';

type Pair = readonly [tag: string, meaning: string];

/** A clause as a sentence. */
function sentence(clause: string): string {
  return `${clause.charAt(0).toUpperCase()}${clause.slice(1)}.`;
}

function terms(pairs: readonly Pair[]): string[] {
  return pairs.map(([tag, meaning]) => term(bold(tag), prose(meaning)));
}

function typedCommand({ word, options, operand }: ProgramCommand): string {
  const typedOptions = Object.entries(options).map(([name, { kind, placeholder }]) =>
    kind === 'none' ? `[--${name}]` : `[--${name} ${placeholder}]`,
  );
  const values = operand?.choices?.join('|') ?? operand?.name.toUpperCase();
  return [
    ...['wormgate', word, ...typedOptions],
    ...(values === undefined ? [] : [operand?.isList === true ? `${values}...` : values]),
    ...(word === 'virus' || word === 'cache' ? ['[--data DIR]', 'COMMAND'] : []),
  ].join(' ');
}

function programCommand(row: ProgramCommand): string {
  const options = Object.entries(row.options).map(([name, option]) => {
    const value = option.kind === 'none' ? '' : ` ${option.placeholder}`;
    const byDefault =
      option.defaultText === undefined ? '' : `; by default \`${option.defaultText}\``;
    return term(synopsis(`--${name}${value}`), prose(`${option.help}${byDefault}.`));
  });
  return [
    term(synopsis(typedCommand(row)), prose(`${row.help}. ${row.details}`.trim())),
    ...(options.length === 0 ? [] : ['.RS', ...options, '.RE']),
  ].join('\n');
}

const signals: readonly Pair[] = [
  [
    'SIGTERM, SIGINT',
    'No new connections. Requests under way have `DrainSeconds` to finish. A second one ends at once.',
  ],
  [
    'SIGHUP',
    'The configuration is read again, taken over whole or not at all, and the log files are opened again.',
  ],
];

const exitCodes: readonly Pair[] = [
  ['0', 'Done.'],
  ['1', 'It cannot start, the command is refused, or a log cannot be read; stderr says why.'],
  ['2', 'The configuration has faults.'],
  ['3', 'No server runs on that data folder.'],
];

const dataFiles: readonly Pair[] = [
  ['config/PROXY.CFG', 'The configuration, or the shipped one where the folder has none.'],
  ['data/PROXY.LOG', 'The log.'],
  ['data/hp-vt.log', 'The log of the virus throttle.'],
  ['data/virus.journal', 'What the console has changed and Auto Update has learned.'],
  ['data/VIRPAT.NCF', 'The last `virus dump`, run at each start.'],
  ['data/console.sock', "The console's socket, for the server's user alone."],
];

function wormgatePage(): string {
  return page(
    title('WORMGATE', 1, packageVersion()),
    section('NAME', prose('wormgate - reverse HTTP proxy that stops worms and scanners')),
    section('SYNOPSIS', ...programCommands.map((row) => paragraph(synopsis(typedCommand(row))))),
    section(
      'DESCRIPTION',
      paragraph(
        prose(
          'wormgate stands in front of a web server. It compares a few bytes of every request with a set of known patterns. A request that matches is closed without an answer; every other one goes to the web server as it came. Servers behind it reach the outside through its virus throttle.',
        ),
      ),
      paragraph(prose('`wormgate --version` prints the version, `wormgate --help` the commands.')),
    ),
    section('COMMANDS', ...programCommands.map(programCommand)),
    section(
      'CACHE COMMANDS',
      ...cacheSyntax.map(([typed, help]) =>
        term(synopsis(`wormgate ${typed}`), prose(sentence(help))),
      ),
    ),
    section('SIGNALS', ...terms(signals)),
    section('EXIT STATUS', ...terms(exitCodes)),
    section('FILES', ...terms(dataFiles)),
    section('SEE ALSO', `${bold('virus')}(1), ${bold('PROXY.CFG')}(5)`),
  );
}

function consoleOption(option: OptionRow): string {
  const value = option.kind === 'flag' ? '' : ` ${option.placeholder}`;
  const range = option.kind === 'integer' ? ` (${option.min}-${option.max})` : '';
  return term(synopsis(`-${option.letter}${value}`), prose(sentence(`${option.help}${range}`)));
}

function consoleCommand(row: CommandRow): string {
  return [
    term(synopsis(rowSyntax(row)), prose(`${sentence(row.help)} ${row.details}`)),
    ...(row.options.length === 0 ? [] : ['.RS', ...row.options.map(consoleOption), '.RE']),
    typedLines(row.examples),
  ].join('\n');
}

function virusPage(): string {
  return page(
    title('VIRUS', 1, packageVersion()),
    section('NAME', prose('virus - send one console command to a running wormgate')),
    section(
      'SYNOPSIS',
      paragraph(synopsis('virus [--data DIR] COMMAND')),
      paragraph(synopsis('wormgate virus [--data DIR] COMMAND')),
    ),
    section(
      'DESCRIPTION',
      paragraph(
        prose(
          'The command goes to the server that works on the data folder, by default `data`. Its reply is printed on stdout, a refusal on stderr. Only the user that runs the server, and root, may open its socket.',
        ),
      ),
      paragraph(
        prose(
          'Options begin with - or /. A value is an integer, or a string in which \\xHH, \\" and \\\\ stand for a byte, a quotation mark and a backslash; the shell takes quotation marks away, and virus puts them back. -t, -r, -e and -m may be given together.',
        ),
      ),
    ),
    section('COMMANDS', ...commandTable.map(consoleCommand)),
    section('EXIT STATUS', ...terms(exitCodes.filter(([code]) => code !== '2'))),
    section('SEE ALSO', `${bold('wormgate')}(1), ${bold('PROXY.CFG')}(5)`),
  );
}

function setting([key, row]: readonly [string, Row<unknown>]): string {
  const name = row.numbered === true ? key.replace(/N$/, '1') : key;
  const facts = [
    `${row.type.description}. Default: ${defaultText(row, (text) => `\`${text}\``)}.`,
    ...(row.live ? [] : ['Changed by a restart only.']),
  ];
  return [
    term(bold(key), prose(facts.join(' '))),
    further(prose(row.help)),
    ...(row.example === undefined ? [] : [typedLines([`${name}=${row.example}`])]),
  ].join('\n');
}

function settingsSection(table: AnySection): string {
  const name = table.named === true ? `${table.name} NAME` : table.name;
  return section(
    `[${name}]`,
    paragraph(prose(table.help)),
    ...Object.entries(table.rows).map(setting),
  );
}

function configurationPage(): string {
  const [first = '', grammar = ''] = configurationHead.split('\n\n');
  return page(
    title('PROXY.CFG', 5, packageVersion()),
    section('NAME', prose('PROXY.CFG - the configuration of wormgate')),
    section('DESCRIPTION', paragraph(prose(first)), paragraph(prose(grammar))),
    ...settingsTable.map(settingsSection),
    section('SEE ALSO', `${bold('wormgate')}(1), ${bold('virus')}(1)`),
  );
}

/** The pages, by their path within the project. */
export const manPages: readonly { readonly path: string; readonly render: () => string }[] = [
  { path: 'man/wormgate.1', render: wormgatePage },
  { path: 'man/virus.1', render: virusPage },
  { path: 'man/PROXY.CFG.5', render: configurationPage },
];
