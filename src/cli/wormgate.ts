#!/usr/bin/env node
/**
 * The program `wormgate`: reads the command line and hands over to the command. Runs when
 * it is loaded. What follows `virus` is the console's own grammar and is not read here.
 */
import yargs, { type Arguments } from 'yargs';
import { packageVersion } from '../config/package-folder.ts';
import {
  defaultConfigFile,
  defaultDataFolder,
  findConfigFile,
  takeDataFolder,
} from './arguments.ts';
import { outliveReaders, processOutput } from './output.ts';

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
  return await runTune(logs, textOption(options, 'config'), output);
}

const config = {
  type: 'string',
  describe: 'The configuration file',
  default: findConfigFile(),
  defaultDescription: defaultConfigFile,
  requiresArg: true,
} as const;

const data = {
  type: 'string',
  describe: 'The data folder',
  default: defaultDataFolder,
  requiresArg: true,
} as const;

const source = {
  type: 'string',
  describe: 'One server behind the egress gateway, by its address, or accelerator',
  requiresArg: true,
} as const;

const advise = {
  type: 'boolean',
  describe: 'Print the settings that follow from what was measured',
} as const;

async function runCommand(args: readonly string[]): Promise<number> {
  let exitCode = 0;
  const running = (command: (options: Arguments) => Promise<number>) => {
    return async (options: Arguments) => {
      exitCode = await command(options);
    };
  };
  await yargs(args)
    .scriptName('wormgate')
    .usage('$0 COMMAND [OPTIONS]')
    .locale('en')
    .parserConfiguration({ 'duplicate-arguments-array': false, 'parse-numbers': false })
    .command(
      'start',
      'Run the accelerators in the foreground',
      (parser) => parser.option('config', config).option('data', data),
      running(start),
    )
    .command(
      'check',
      'Check the configuration file and print every fault',
      (parser) => parser.option('config', config),
      running(check),
    )
    .command(
      'console',
      'Open the console of the running server: menu, screen and commands',
      (parser) => parser.option('data', data),
      running(openConsole),
    )
    .command(
      'status',
      'Print the status report of the virus throttle of the running server',
      (parser) => parser.option('data', data).option('source', source).option('advise', advise),
      running(status),
    )
    .command(
      'tune <logs..>',
      'Read access logs and recommend a threshold and an interval for Auto Update',
      (parser) =>
        parser
          // Else the last of several logs would be the only one.
          .parserConfiguration({ 'duplicate-arguments-array': true, 'parse-numbers': false })
          .positional('logs', { type: 'string', describe: 'Log files, plain or gzip; -: stdin' })
          .option('config', config),
      running((options) => tune(options, args)),
    )
    // Carried out by `main`, which reads neither of them here.
    .command(
      'virus',
      'Send one console command to the running server: wormgate virus -h lists them',
    )
    .command('cache', 'Show or purge what the running server has cached: wormgate cache -h')
    .demandCommand(1, 'a command is needed')
    .strictCommands()
    .strict()
    .version(packageVersion())
    .help()
    .exitProcess(false)
    .fail((message, error) => {
      // YError is the name of the parser's own complaints about the command line.
      if (error !== null && error !== undefined && error.name !== 'YError') throw error;
      throw new UsageError(message ?? error?.message ?? 'the command line is not understood');
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

process.exitCode = await main(process.argv.slice(2));
