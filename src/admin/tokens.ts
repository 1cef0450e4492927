/**
 * Cuts a console line into words, as the paper's BNF does: white space is blanks and tabs, a string
 * stands between quotation marks. Knows no commands; grammar.ts does.
 */
import { shown } from '../config/fault.ts';
import { unescapeText } from '../config/quoted.ts';

/** One word of a line. */
export interface Token {
  /** As typed; for a string what its escapes stand for. Latin1, one character a byte. */
  readonly text: string;
  readonly quoted: boolean;
  /** Where it begins; the first column is 1. */
  readonly column: number;
}

/** The words of a line, or what is wrong and where. */
export type Tokens =
  | { readonly ok: true; readonly tokens: readonly Token[] }
  | { readonly ok: false; readonly message: string; readonly column: number };

const blanks = /[\t ]*/y;
const bareWord = /[^\t "]+/y;
// The body of a string with its end; a backslash takes the character after it along.
const quotedBody = /((?:[^"\\]|\\[\s\S])*)("?)/y;
const unprintable = /[^\x20-\x7e\x80-\xff\t]/;

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

/** Cuts `line`; line ends at its end are left out. */
export function cutTokens(line: string): Tokens {
  const text = line.replace(/[\r\n]+$/, '');
  const strange = text.search(unprintable);
  if (strange !== -1) {
    const what =
      text.charCodeAt(strange) > 0xff ? 'a character that is not one byte' : 'a control character';
    return { ok: false, message: `${what} must be written as \\xHH`, column: strange + 1 };
  }
  const tokens: Token[] = [];
  let at = matchAt(blanks, text, 0)?.[0].length ?? 0;
  while (at < text.length) {
    const column = at + 1;
    const quoted = text.charAt(at) === '"';
    const match = quoted ? matchAt(quotedBody, text, at + 1) : matchAt(bareWord, text, at);
    const length = (match?.[0].length ?? 0) + (quoted ? 1 : 0);
    if (!quoted) {
      tokens.push({ text: match?.[0] ?? '', quoted, column });
    } else {
      if (match?.[2] !== '"') {
        const message =
          'the string has no closing quotation mark; within it \\" and \\\\ are escapes';
        return { ok: false, message, column };
      }
      const body = unescapeText(match[1] ?? '');
      if (!body.ok) return { ok: false, message: body.message, column };
      if (body.text === '') return { ok: false, message: 'the string is empty', column };
      tokens.push({ text: body.text, quoted, column });
    }
    at += length;
    const gap = matchAt(blanks, text, at)?.[0].length ?? 0;
    if (gap === 0 && at < text.length) {
      const next = shown(text.charAt(at));
      return { ok: false, message: `a blank is missing before ${next}`, column: at + 1 };
    }
    at += gap;
  }
  return { ok: true, tokens };
}
