/**
 * The grammar of console commands, from the paper's BNF:
 * `COMMAND ::= "virus" [command] *((options | option-value-pairs) white-space) new-line`.
 * A line becomes a command or one sentence that says what is wrong, at which column, and how the
 * command is typed. Which commands and options there are is in commands.ts. `virus` and the command
 * words are taken in any case; option letters are lower case. Carries nothing out.
 */
import { shown } from '../config/fault.ts';
import { quote } from '../config/quoted.ts';
import {
  type CommandRow,
  type CommandWord,
  commandOptions,
  commandRows,
  commandSyntax,
  commandWords,
  findCommandWord,
  helpOptions,
  type OptionRow,
} from './commands.ts';
import { cutTokens, type Token } from './tokens.ts';

/** `true` for a flag; strings are latin1, one character a byte. */
export type OptionValue = true | number | string;

/** A command that obeys the table: its options fit one of its forms, its values their ranges. */
export interface Command {
  readonly word: CommandWord;
  /** By letter, in the order typed. */
  readonly options: ReadonlyMap<string, OptionValue>;
  /** The value that stands without an option: the FILE of `virus run FILE`. */
  readonly operand: string | undefined;
  /** True for `virus`, `virus -h`, `virus add -?` and the like. */
  readonly asksHelp: boolean;
}

/** A command, or a sentence for the operator. */
export type ParsedLine =
  | { readonly ok: true; readonly command: Command }
  | { readonly ok: false; readonly message: string };

interface Fault {
  readonly message: string;
  readonly column: number;
}

const optionText = /^[-/][a-zA-Z?]+$/;
const integerText = /^(?:0|[1-9][0-9]*)$/;
const helpLetters: readonly string[] = helpOptions.map((option) => option.letter);

function quotedAlternative(text: string): string {
  return `write it in quotation marks: ${quote(text)}`;
}

function refuse(fault: Fault, word: CommandWord | undefined): ParsedLine {
  const syntax =
    word === undefined
      ? `virus [${commandWords.join('|')}] OPTIONS; "virus -h" lists all commands`
      : commandSyntax(word);
  return { ok: false, message: `Column ${fault.column}: ${fault.message}. Syntax: ${syntax}` };
}

function readInteger(option: OptionRow & { kind: 'integer' }, token: Token): number | Fault {
  const { letter, min, max } = option;
  const message = `-${letter} takes an integer from ${min} to ${max}, not ${shown(token.text)}`;
  if (token.quoted || !integerText.test(token.text)) return { message, column: token.column };
  const value = Number(token.text);
  return value >= min && value <= max ? value : { message, column: token.column };
}

function readString(option: OptionRow & { kind: 'string' }, token: Token): string | Fault {
  if (token.quoted) return token.text;
  const { letter, bare } = option;
  const where = { column: token.column };
  if (!bare)
    return { message: `the value of -${letter}: ${quotedAlternative(token.text)}`, ...where };
  if (/^[-/]/.test(token.text)) {
    const message = `the value of -${letter} begins as an option does; ${quotedAlternative(token.text)}`;
    return { message, ...where };
  }
  if (token.text.includes('\\')) {
    const message = `the value of -${letter} holds a backslash; ${quotedAlternative(token.text)}`;
    return { message, ...where };
  }
  return token.text;
}

function readValue(option: OptionRow, token: Token | undefined, end: number): OptionValue | Fault {
  if (option.kind === 'flag') return true;
  if (token === undefined || (!token.quoted && /^[-/][a-zA-Z?]$/.test(token.text))) {
    const message = `-${option.letter} needs a value, ${option.placeholder}`;
    return { message, column: token?.column ?? end };
  }
  return option.kind === 'integer' ? readInteger(option, token) : readString(option, token);
}

function isFault(value: OptionValue | Fault): value is Fault {
  return typeof value === 'object';
}

function unknownOption(word: CommandWord, letter: string, token: Token): Fault {
  const known = commandOptions(word);
  const name = word === '' ? 'virus' : `virus ${word}`;
  const takes = [...known.keys()].map((key) => `-${key}`).join(', ');
  const lower = letter.toLowerCase();
  if (lower !== letter && known.has(lower)) {
    const message = `option letters are lower case: -${lower}, not ${shown(token.text)}`;
    return { message, column: token.column };
  }
  return { message: `"${name}" takes ${takes}, not ${shown(token.text)}`, column: token.column };
}

interface Options {
  readonly values: Map<string, OptionValue>;
  operand: string | undefined;
}

function addOption(options: Options, letter: string, value: OptionValue, column: number) {
  if (options.values.has(letter)) return { message: `-${letter} is given twice`, column };
  options.values.set(letter, value);
  return undefined;
}

/** Reads the flags of one word such as `-h` or `-hc`, of which none takes a value. */
function readFlags(word: CommandWord, token: Token, options: Options): Fault | undefined {
  const known = commandOptions(word);
  for (const letter of token.text.slice(1)) {
    const option = known.get(letter);
    if (option === undefined) return unknownOption(word, letter, token);
    if (option.kind !== 'flag') {
      const message = `-${letter} takes a value, so a blank and the value must follow it`;
      return { message, column: token.column };
    }
    const fault = addOption(options, letter, true, token.column);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function readOptions(
  word: CommandWord,
  tokens: readonly Token[],
  end: number,
  options: Options,
): Fault | undefined {
  const takesOperand = commandRows(word).some((row) => row.operand !== undefined);
  for (let index = 0; index < tokens.length; index += 1) {
    const token = tokens[index]!;
    const { column, text } = token;
    const isKnown =
      optionText.test(text) && text.length === 2 && commandOptions(word).has(text.charAt(1));
    if (takesOperand && options.operand === undefined && (token.quoted || !isKnown)) {
      options.operand = text;
    } else if (token.quoted || !optionText.test(text)) {
      return { message: `an option was expected, not ${shown(text)}`, column };
    } else {
      const option = text.length === 2 ? commandOptions(word).get(text.charAt(1)) : undefined;
      if (option === undefined || option.kind === 'flag') {
        const fault = readFlags(word, token, options);
        if (fault !== undefined) return fault;
      } else {
        index += 1;
        const value = readValue(option, tokens[index], end);
        if (isFault(value)) return value;
        const fault = addOption(options, option.letter, value, column);
        if (fault !== undefined) return fault;
      }
    }
  }
  return undefined;
}

function formLetters(row: CommandRow): readonly string[] {
  return row.options.map((option) => option.letter);
}

function dashed(letters: readonly string[]): string {
  return letters.map((letter) => `-${letter}`).join(' and ');
}

/** The first two of the options given that stand in no form together. */
function conflict(rows: readonly CommandRow[], given: readonly string[]): readonly string[] {
  const forms = rows.map(formLetters);
  for (const [index, one] of given.entries()) {
    const other = given
      .slice(index + 1)
      .find((letter) => !forms.some((form) => form.includes(one) && form.includes(letter)));
    if (other !== undefined) return [one, other];
  }
  return given;
}

/** What keeps the options given from being one of the command's forms. */
function formFault(word: CommandWord, options: Options, end: number): Fault | undefined {
  const given = [...options.values.keys()];
  const rows = commandRows(word);
  const operand = rows.find((row) => row.operand !== undefined)?.operand?.toLowerCase();
  if (operand !== undefined) {
    if (options.operand === undefined) return { message: `the ${operand} is missing`, column: end };
    const isForm = (row: CommandRow) => {
      const letters = formLetters(row);
      return letters.length === given.length && given.every((letter) => letters.includes(letter));
    };
    if (rows.some(isForm)) return undefined;
    const article = operand === 'address' ? 'an' : 'a';
    return {
      message: `${dashed(given)} and ${article} ${operand} do not go together`,
      column: end,
    };
  }
  const sets = new Set(rows.filter((row) => row.sets !== undefined).flatMap(formLetters));
  if (given.length > 0 && given.every((letter) => sets.has(letter))) return undefined;
  const holding = rows.filter((row) => given.every((letter) => formLetters(row).includes(letter)));
  if (holding.some((row) => row.options.length === given.length)) return undefined;
  const nearest = holding[0];
  if (nearest === undefined) {
    return { message: `${dashed(conflict(rows, given))} do not go together`, column: end };
  }
  const missing = formLetters(nearest).filter((letter) => !options.values.has(letter));
  return {
    message: `${dashed(missing)} ${missing.length === 1 ? 'is' : 'are'} missing`,
    column: end,
  };
}

/** Parses one line. `line` is latin1, one character a byte, with or without its line end. */
export function parseLine(line: string): ParsedLine {
  const cut = cutTokens(line);
  if (!cut.ok) return refuse(cut, undefined);
  const [first, second] = cut.tokens;
  if (first === undefined || first.quoted || first.text.toLowerCase() !== 'virus') {
    const message = 'a console command begins with the word virus';
    return refuse({ message, column: first?.column ?? 1 }, undefined);
  }
  const hasWord = second !== undefined && (second.quoted || !/^[-/]/.test(second.text));
  const word = hasWord && !second.quoted ? findCommandWord(second.text) : '';
  if (word === undefined || (hasWord && second.quoted)) {
    const message = `there is no command ${shown(second?.text ?? '')}`;
    return refuse({ message, column: second?.column ?? 1 }, undefined);
  }
  const end = line.replace(/[\t \r\n]+$/, '').length + 1;
  const options: Options = { values: new Map(), operand: undefined };
  const fault = readOptions(word, cut.tokens.slice(hasWord ? 2 : 1), end, options);
  if (fault !== undefined) return refuse(fault, word);
  const given = [...options.values.keys()];
  const asksHelp =
    given.some((letter) => helpLetters.includes(letter)) || (word === '' && given.length === 0);
  const isLone =
    options.operand === undefined && given.every((letter) => helpLetters.includes(letter));
  const misfit = asksHelp && isLone ? undefined : formFault(word, options, end);
  if (misfit !== undefined) return refuse(misfit, word);
  return {
    ok: true,
    command: { word, options: options.values, operand: options.operand, asksHelp },
  };
}

/** Types a command, strings in quotation marks; parsing that gives the same command again. */
export function renderCommand(command: Command): string {
  const words = ['virus', command.word];
  if (command.operand !== undefined) words.push(quote(command.operand));
  for (const [letter, value] of command.options) {
    words.push(`-${letter}`);
    if (value !== true) words.push(typeof value === 'number' ? String(value) : quote(value));
  }
  return words.filter((word) => word !== '').join(' ');
}
