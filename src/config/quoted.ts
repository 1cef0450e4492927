/**
 * Quoted strings as PROXY.CFG, NCF files and the console write them, so that any bytes can be typed
 * and printed: `\xHH`, `\"` and `\\` are escapes, other printable ASCII and the bytes from 0x80 up
 * stand for themselves. Text is latin1 throughout, one character a byte. Control characters must be
 * escaped, so that a quoted string never breaks a line. Knows nothing of patterns or keywords.
 */

/** The unescaped latin1 text, or a sentence saying what is wrong with it. */
export type Unescaped =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly message: string };

const twoHexDigits = /^[0-9a-fA-F]{2}$/;

function hex(code: number): string {
  return code.toString(16).padStart(2, '0');
}

function refuse(message: string): Unescaped {
  return { ok: false, message };
}

/** Undoes the escapes of `body`, the latin1 text between the quotation marks. */
export function unescapeText(body: string): Unescaped {
  let text = '';
  let at = 0;
  while (at < body.length) {
    const character = body.charAt(at);
    const code = body.charCodeAt(at);
    if (character === '\\') {
      const kind = body.charAt(at + 1);
      const digits = body.slice(at + 2, at + 4);
      if (kind === '\\' || kind === '"') {
        text += kind;
        at += 2;
      } else if (kind === 'x' && twoHexDigits.test(digits)) {
        text += String.fromCharCode(Number.parseInt(digits, 16));
        at += 4;
      } else if (kind === 'x') {
        return refuse('the escape \\x needs two hexadecimal digits, as in \\x0a');
      } else if (kind === '') {
        return refuse('it ends in a single \\; a backslash is written \\\\');
      } else {
        const shown = escapeText(kind);
        return refuse(`the escape \\${shown} is unknown; use \\xHH, \\" or \\\\`);
      }
    } else if (character === '"') {
      return refuse('a quotation mark inside it must be written \\"');
    } else if (code < 0x20 || code === 0x7f) {
      return refuse(`a control character must be escaped, here as \\x${hex(code)}`);
    } else if (code > 0xff) {
      return refuse('it holds a character that is not one byte; write its bytes as \\xHH');
    } else {
      text += character;
      at += 1;
    }
  }
  return { ok: true, text };
}

/** Writes latin1 text in printable ASCII; `unescapeText` gives the same text back. */
export function escapeText(latin1: string): string {
  let body = '';
  for (const character of latin1) {
    const code = character.charCodeAt(0);
    if (character === '"' || character === '\\') body += `\\${character}`;
    else if (code >= 0x20 && code < 0x7f) body += character;
    else body += `\\x${hex(code & 0xff)}`;
  }
  return body;
}

/** Undoes `quote`: `text` must begin and end with a quotation mark. */
export function unquote(text: string): Unescaped {
  if (text.length < 2 || !text.startsWith('"') || !text.endsWith('"')) {
    return refuse('it must stand between quotation marks');
  }
  return unescapeText(text.slice(1, -1));
}

/** Puts latin1 text between quotation marks, escaped. */
export function quote(latin1: string): string {
  return `"${escapeText(latin1)}"`;
}

/**
 * Where the quoted part that opens at `at` ends: the index after its closing quotation mark, or the
 * length of `text` when it is not closed.
 */
export function quotedEnd(text: string, at: number): number {
  let index = at + 1;
  while (index < text.length) {
    const character = text.charAt(index);
    if (character === '"') return index + 1;
    index += character === '\\' ? 2 : 1;
  }
  return text.length;
}
