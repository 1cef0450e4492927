/**
 * The grammar of PROXY.CFG: sections and entries with their lines. It knows no key and no type, and
 * finds no duplicates; the table in settings.ts and load.ts do.
 *
 * A line is empty, a comment (its first character that is not a blank is `;` or `#`), or items one
 * after another: `[Section]` and `Key=Value`. The paper prints several on one line, and values may
 * hold blanks, so this rule says where a value ends. A value runs to the end of its line, unless a
 * blank is followed by
 * - `[Name]` without a `:` after it (`[::1]:80` is an address, not a section), or
 * - a word of letters, digits, `_` or `-` and then `=`, from the value's second word on
 *   (the first is the value's own, so that `Token = c2VjcmV0=` is one entry). `weight=` and `maxconn=`
 *   are no such words, and so can be no keys: they stand within the value of Origin.
 * Neither ends the value inside quotation marks or after a comma. A quotation mark opens a quoted
 * part at the beginning of a word. After a section header a comment may follow on the same line.
 */
import { type Fault, shown } from './fault.ts';
import { quotedEnd } from './quoted.ts';

/** `Key=Value`; the value as written, blanks around it removed, quotation marks kept. */
export interface IniEntry {
  readonly key: string;
  readonly value: string;
  readonly line: number;
}

/** `[Name]` with the entries up to the next header; runs of blanks in the name are one blank. */
export interface IniSection {
  readonly name: string;
  readonly line: number;
  readonly entries: readonly IniEntry[];
}

/** All that was found; what stands in `faults` is in no section. */
export interface Ini {
  readonly sections: readonly IniSection[];
  readonly faults: readonly Fault[];
  readonly lineCount: number;
}

const closedHeader = /\[[^[\]]*\]/y;
const header = /\[[^[\]]*\](?!:)/y;
const laterEntry = /(?!(?:weight|maxconn)=)[A-Za-z][A-Za-z0-9_-]*[ \t]*=/iy;

function matches(pattern: RegExp, text: string, at: number): boolean {
  pattern.lastIndex = at;
  return pattern.test(text);
}

function isBlank(character: string): boolean {
  return character === ' ' || character === '\t';
}

function skipBlanks(text: string, at: number): number {
  while (isBlank(text.charAt(at))) at += 1;
  return at;
}

// String.trim would also take the byte 0xA0, which ends some UTF-8 characters.
function trimBlanks(text: string): string {
  const start = skipBlanks(text, 0);
  let end = text.length;
  while (end > start && isBlank(text.charAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

/** The index at which the value that begins at `start` ends; blanks before it may remain. */
function valueEnd(text: string, start: number): number {
  let at = skipBlanks(text, start);
  if (at > start && matches(header, text, at)) return start;
  while (at < text.length) {
    // Here a word begins: at the value's start, after a blank or after a comma.
    if (text.charAt(at) === '"') at = quotedEnd(text, at);
    while (at < text.length && !isBlank(text.charAt(at)) && text.charAt(at) !== ',') at += 1;
    if (at === text.length) return at;
    const wordEnd = at;
    at = skipBlanks(text, at);
    if (text.charAt(at) === ',') at = skipBlanks(text, at + 1);
    else if (matches(header, text, at) || matches(laterEntry, text, at)) return wordEnd;
  }
  return text.length;
}

class IniBuilder {
  readonly sections: { name: string; line: number; entries: IniEntry[] }[] = [];
  readonly faults: Fault[] = [];

  #fault(line: number, key: string, message: string): void {
    this.faults.push({ line, section: this.sections.at(-1)?.name ?? '', key, message });
  }

  /** Takes one item of `text` at `at`, which is not blank; returns where the next may begin. */
  takeItem(text: string, at: number, line: number): number {
    return text.charAt(at) === '['
      ? this.#takeHeader(text, at, line)
      : this.#takeEntry(text, at, line);
  }

  #takeHeader(text: string, at: number, line: number): number {
    const closed = matches(closedHeader, text, at);
    const end = closed ? closedHeader.lastIndex : text.length;
    const name = trimBlanks(text.slice(at + 1, closed ? end - 1 : end)).replace(/[ \t]+/g, ' ');
    this.sections.push({ name, line, entries: [] });
    if (!closed) this.#fault(line, '', 'the section header is not closed with ]');
    else if (name === '') this.#fault(line, '', 'the section has no name');
    const next = skipBlanks(text, end);
    return text.charAt(next) === ';' || text.charAt(next) === '#' ? text.length : next;
  }

  #takeEntry(text: string, at: number, line: number): number {
    const equals = text.indexOf('=', at);
    if (equals === -1) {
      const what = shown(text.slice(at));
      this.#fault(line, '', `${what} is neither [Section] nor Key=Value nor a comment`);
      return text.length;
    }
    const key = trimBlanks(text.slice(at, equals));
    const end = valueEnd(text, equals + 1);
    const section = this.sections.at(-1);
    if (key === '') this.#fault(line, '', 'there is no key before the =');
    else if (section === undefined) this.#fault(line, key, 'it stands before the first [Section]');
    else section.entries.push({ key, value: trimBlanks(text.slice(equals + 1, end)), line });
    return skipBlanks(text, end);
  }
}

/** Reads the text of a PROXY.CFG, decoded as latin1 or as UTF-8; never throws. */
export function parseIni(text: string): Ini {
  const lines = text.replace(/^(?:\ufeff|\u00ef\u00bb\u00bf)/, '').split(/\r\n|\n|\r/);
  const builder = new IniBuilder();
  for (const [index, written] of lines.entries()) {
    const content = trimBlanks(written);
    if (content.startsWith(';') || content.startsWith('#')) continue;
    let at = 0;
    while (at < content.length) at = builder.takeItem(content, at, index + 1);
  }
  const lineCount = lines.length > 1 && lines.at(-1) === '' ? lines.length - 1 : lines.length;
  return { sections: builder.sections, faults: builder.faults, lineCount };
}
