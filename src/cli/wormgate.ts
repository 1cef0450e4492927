#!/usr/bin/env node
/**
 * The program `wormgate`: reads the command line and hands over to the command. Runs when
 * it is loaded. What follows `virus` is the console's own grammar and is not read here.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import yargs, { type Arguments, type Argv } from 'yargs';
import { packageFolder, packageVersion } from '../config/package-folder.ts';
import { takeDataFolder } from './arguments.ts';
import { outliveReaders, processOutput } from './output.ts';
import { type ProgramCommand, type ProgramWord, programCommands } from './program-commands.ts';

const output = processOutput();

class UsageError extends Error {}

function textOption(options: Arguments, name: string): string {
  const given = options[name];
  const value: unknown = Array.isArray(given) ? given.at(-1) : given;
  if (typeof value !== 'string' || value === '') throw new UsageError(`--${name} needs a value`);
  return value;
}

// A command's module is loaded when it is wanted: `wormgate virus` need not wait for the server's.
async function start(options: Arguments): Promise<number> {
  outliveReaders();
  const { runServer } = await import('../run-server.ts');
  return await runServer({
    configFile: textOption(options, 'config'),
    dataFolder: textOption(options, 'data'),
  });
}

async function check(options: Arguments): Promise<number> {
  const { formatFault, formatWarning, loadSettings } = await import('../config/load.ts');
  const file = textOption(options, 'config');
  const loaded = loadSettings(file);
  if (loaded.ok) {
    for (const warning of loaded.warnings) output.complain(formatWarning(warning));
    output.print(`${file}: ok`);
  } else for (const fault of loaded.faults) output.complain(formatFault(fault));
  return loaded.ok ? 0 : 2;
}

async function openConsole(options: Arguments): Promise<number> {
  const { runConsole } = await import('./console.ts');
  return await runConsole(textOption(options, 'data'));
}

async function status(options: Arguments): Promise<number> {
  const { runStatus } = await import('./status-command.ts');
  const source = typeof options.source === 'string' ? options.source : undefined;
  const isAdvice = options.advise === true;
  return await runStatus(textOption(options, 'data'), { source, isAdvice }, output);
}

async function tune(options: Arguments, args: readonly string[]): Promise<number> {
  const { runTune } = await import('./tune-command.ts');
  const named = Array.isArray(options.logs) ? options.logs.map(String) : [];
  // The parser drops a lone dash.
  const logs = args.includes('-') ? [...named, '-'] : named;
  const configFile = textOption(options, 'config');
  const verdictFile = typeof options.verdicts === 'string' ? options.verdicts : undefined;
  return await runTune({ files: logs, configFile, verdictFile }, output);
}

function completion(options: Arguments): number {
  const name = options.shell === 'zsh' ? '_wormgate' : 'wormgate.bash';
  const file = join(packageFolder(), 'packaging', 'completion', name);
  output.print(readFileSync(file, 'utf8').trimEnd());
  return 0;
}

type Carry = (options: Arguments, args: readonly string[]) => number | Promise<number>;

/** `virus` and `cache` are carried out by `main`, which reads their words differently. */
const carriers: Readonly<Partial<Record<ProgramWord, Carry>>> = {
  start,
  check,
  console: openConsole,
  status,
  tune,
  completion,
};

function addArguments(parser: Argv, { options, operand }: ProgramCommand): Argv {
  for (const [name, option] of Object.entries(options)) {
    parser.option(name, {
      type: option.kind === 'none' ? 'boolean' : 'string',
      describe: option.help,
      requiresArg: option.kind !== 'none',
      ...(option.default !== undefined && { default: option.default }),
      ...(option.defaultText !== undefined && { defaultDescription: option.defaultText }),
    });
  }
  if (operand === undefined) return parser;
  const { name, help, choices, isList } = operand;
  // Else the last of several would be the only one.
  if (isList) {
    parser.parserConfiguration({ 'duplicate-arguments-array': true, 'parse-numbers': false });
  }
  return parser.positional(name, {
    type: 'string',
    describe: help,
    ...(choices !== undefined && { choices }),
  });
}

/** As the parser wants a command's operand written. */
function typedForm({ word, operand }: ProgramCommand): string {
  if (operand === undefined) return word;
  return `${word} <${operand.name}${operand.isList ? '..' : ''}>`;
}

/** A complaint of the parser, on one line; what it says of a missing operand is about its insides. */
function ownWords(complaint: string): string {
  if (complaint.startsWith('Not enough non-option')) return 'the command needs something more';
  return complaint.replaceAll(/\s*\n\s*/g, ' ');
}

async function runCommand(args: readonly string[]): Promise<number> {
  let exitCode = 0;
  const parser = yargs(args)
    .scriptName('wormgate')
    .usage('$0 COMMAND [OPTIONS]')
    .locale('en')
    .parserConfiguration({ 'duplicate-arguments-array': false, 'parse-numbers': false });
  for (const row of programCommands) {
    const carry: Carry | undefined = carriers[row.word];
    parser.command(
      typedForm(row),
      row.help,
      (own) => addArguments(own, row),
      async (options: Arguments) => {
        exitCode = (await carry?.(options, args)) ?? 0;
      },
    );
  }
  await parser
    .demandCommand(1, 'a command is needed')
    .strictCommands()
    .strict()
    .version(packageVersion())
    .help()
    .exitProcess(false)
    .fail((message, error) => {
      // YError is the name of the parser's own complaints about the command line.
      if (error !== null && error !== undefined && error.name !== 'YError') throw error;
      throw new UsageError(
        ownWords(message ?? error?.message ?? 'the command line is not understood'),
      );
    })
    .parseAsync();
  return exitCode;
}

async function main(args: readonly string[]): Promise<number> {
  const front = takeDataFolder(args);
  const word = front.ok ? front.rest[0] : undefined;
  if (front.ok && (word === 'virus' || word === 'cache')) {
    // --data may stand before the word, or behind it.
    const before = args.slice(0, args.length - front.rest.length);
    const rest = [...before, ...front.rest.slice(1)];
    if (word === 'virus') return await (await import('./virus-command.ts')).runVirus(rest, output);
    return await (await import('./cache-command.ts')).runCache(rest, output);
  }
  try {
    return await runCommand(args);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    output.complain(`wormgate: ${error.message}; wormgate --help lists the commands`);
    return 1;
  }
}

void main(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
});
