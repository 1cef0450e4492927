/**
 * How the arguments of a shell become a console line and the names of files. A shell takes quotation
 * marks away; the console's grammar needs them around strings, so they are put back. Knows the
 * grammar only through the command table.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { commandOptions, findCommandWord } from '../admin/commands.ts';
import { packageFolder } from '../config/package-folder.ts';

/** The data folder when `--data` is not given. */
export const defaultDataFolder = 'data';

/** The configuration file when `--config` is not given. */
export const defaultConfigFile = join('config', 'PROXY.CFG');

/** `config/PROXY.CFG` of the working folder, or the package's own where there is none. */
export function findConfigFile(): string {
  if (existsSync(defaultConfigFile)) return defaultConfigFile;
  const shipped = join(packageFolder(), defaultConfigFile);
  return existsSync(shipped) ? shipped : defaultConfigFile;
}

/** The data folder and what comes after it, or what is wrong with it. */
export type DataArguments =
  | { readonly ok: true; readonly dataFolder: string; readonly rest: readonly string[] }
  | { readonly ok: false; readonly message: string };

/** Takes `--data DIR` or `--data=DIR` off the front of `args`; the rest is left as it is. */
export function takeDataFolder(args: readonly string[]): DataArguments {
  const [first, second] = args;
  const refused: DataArguments = { ok: false, message: '--data needs the name of a folder' };
  if (first?.startsWith('--data=') === true) {
    const dataFolder = first.slice('--data='.length);
    return dataFolder === '' ? refused : { ok: true, dataFolder, rest: args.slice(1) };
  }
  if (first !== '--data') return { ok: true, dataFolder: defaultDataFolder, rest: args };
  if (second === undefined || second === '') return refused;
  return { ok: true, dataFolder: second, rest: args.slice(2) };
}

/** Text typed in UTF-8 as the console wants it: latin1, one character a byte. */
export function toLatin1(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

/** The reverse of `toLatin1`, for file names. */
export function fromLatin1(text: string): string {
  return Buffer.from(text, 'latin1').toString('utf8');
}

const quotedWhole = /^"(?:[^"\\]|\\[\s\S])*"$/;
const escapeOrQuote = /\\[\s\S]|"/g;
const controlCharacter = /[^\x20-\x7e\x80-\xff]/g;

function quoteArgument(text: string): string {
  const escaped = text.replace(
    controlCharacter,
    (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
  if (quotedWhole.test(escaped)) return escaped;
  // An escape stays as typed; a quotation mark that is not part of one becomes one.
  return `"${escaped.replace(escapeOrQuote, (piece) => (piece === '"' ? '\\"' : piece))}"`;
}

/** A console line, latin1, or why the arguments cannot be one. */
export type ArgumentLine =
  | { readonly ok: true; readonly line: string }
  | { readonly ok: false; readonly message: string };

/**
 * The console line that `program` and `args` stand for. The argument after an option that takes a
 * string is put in quotation marks, unless it has them; everything else is passed on as typed.
 */
export function consoleLine(args: readonly string[], program = 'virus'): ArgumentLine {
  if (args.some((arg) => arg.includes('\ufffd'))) {
    const message = 'an argument is not UTF-8; write its bytes as \\xHH';
    return { ok: false, message };
  }
  const options = commandOptions(findCommandWord(args[0] ?? '') ?? '');
  const words = [program];
  let awaited: 'string' | 'integer' | undefined;
  for (const arg of args.map(toLatin1)) {
    const isPlain = /^[^\s"]+$/.test(arg);
    if (awaited === 'string' || (awaited === 'integer' && !isPlain) || arg === '') {
      words.push(quoteArgument(arg));
      awaited = undefined;
    } else {
      words.push(arg);
      const option = /^[-/][a-zA-Z?]$/.test(arg) ? options.get(arg.charAt(1)) : undefined;
      const takesValue = awaited === undefined && option !== undefined && option.kind !== 'flag';
      awaited = takesValue ? option.kind : undefined;
    }
  }
  return { ok: true, line: words.join(' ') };
}
