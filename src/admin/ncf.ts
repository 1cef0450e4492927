/**
 * NCF files: scripts of console commands, one a line (the paper, "Updating the Database via a Script
 * (NCF File)"). Lines may end in CRLF; blank lines and lines that begin with `#`, `;` or the word
 * REM are comments; a byte order mark is skipped. Text is latin1, one character a byte. Here they are
 * read as what `virus run` sends to the console, and as the files that hold the state at start. Reads
 * no file.
 */
import type { Change } from '../virus/change.ts';
import { type ChangeOrigin, commandChanges } from './changes.ts';
import { commandRows, commandTable, rowSyntax } from './commands.ts';
import { type Command, parseLine } from './grammar.ts';

/** A line that is neither blank nor a comment; the first line of a file is 1. */
export interface NcfLine {
  readonly line: number;
  /** Without its line end and the blanks around it. */
  readonly text: string;
}

/** What is wrong with a line. */
export interface NcfFault {
  readonly line: number;
  readonly message: string;
}

const byteOrderMark = '\xef\xbb\xbf';
const comment = /^(?:$|[#;]|rem(?:[\t ]|$))/i;
const blanksAround = /^[\t ]+|[\t \r]+$/g;

/** Line `line` of a file, `raw` without its newline; undefined when it is blank or a comment. */
export function readNcfLine(raw: string, line: number): NcfLine | undefined {
  const shown = line === 1 && raw.startsWith(byteOrderMark) ? raw.slice(byteOrderMark.length) : raw;
  const text = shown.replace(blanksAround, '');
  return comment.test(text) ? undefined : { line, text };
}

/** The lines of a file that are neither blank nor comments. */
export function* parseNcf(text: string): Generator<NcfLine> {
  let start = 0;
  for (let line = 1; start < text.length; line += 1) {
    const newline = text.indexOf('\n', start);
    const end = newline === -1 ? text.length : newline;
    const read = readNcfLine(text.slice(start, end), line);
    if (read !== undefined) yield read;
    start = end + 1;
  }
}

function mayStandInStateFile(command: Command): boolean {
  if (command.asksHelp) return false;
  const row = commandRows(command.word).find((each) =>
    each.options.every((option) => command.options.has(option.letter)),
  );
  return row?.inStateFile === true;
}

const stateFileSyntax = commandTable
  .filter((row) => row.inStateFile)
  .map(rowSyntax)
  .join(', ');

/**
 * The changes that a file holding state makes (VIRPAT.NCF or one of PatternFiles), in its order, and
 * what is wrong with the other lines. Commands that do not describe patterns or keywords are faults.
 */
export function ncfChanges(
  text: string,
  origin: ChangeOrigin,
): { readonly changes: Change[]; readonly faults: NcfFault[] } {
  const changes: Change[] = [];
  const faults: NcfFault[] = [];
  for (const { line, text: command } of parseNcf(text)) {
    const parsed = parseLine(command);
    if (!parsed.ok) {
      faults.push({ line, message: parsed.message });
    } else if (!mayStandInStateFile(parsed.command)) {
      faults.push({ line, message: `Only these may stand in this file: ${stateFileSyntax}` });
    } else {
      const made = commandChanges(parsed.command, origin);
      if (made.ok) changes.push(...made.changes);
      else faults.push({ line, message: made.message });
    }
  }
  return { changes, faults };
}
