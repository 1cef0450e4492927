/** The language of man pages: text made safe, and the few requests of the man macros that ours need. */

/** What the formatter would read as a command, or print as a typographer's sign. */
const signs: Readonly<Record<string, string>> = {
  '\\': '\\e',
  '-': '\\-',
  '`': '\\(ga',
  "'": '\\(aq',
  '"': '\\(dq',
  '^': '\\(ha',
  '~': '\\(ti',
};

/** Text as it is to be seen, without a beginning that would be a request. */
function literal(text: string): string {
  return text
    .replace(/[\\`'"^~-]/g, (sign) => signs[sign] ?? sign)
    .replace(/[^\n -~]/gu, (sign) => {
      const code = sign.codePointAt(0) ?? 0;
      return `\\[u${code.toString(16).toUpperCase().padStart(4, '0')}]`;
    });
}

const lineLengthMax = 96;

/** Breaks at blanks; a line that begins with a dot is no request. */
function wrapped(text: string): string {
  const lines = [''];
  for (const word of text.split(/\s+/)) {
    const line = lines.at(-1) ?? '';
    if (line === '') lines[lines.length - 1] = word;
    else if (line.length + 1 + word.length > lineLengthMax) lines.push(word);
    else lines[lines.length - 1] = `${line} ${word}`;
  }
  return lines.map((line) => line.replace(/^\./, '\\&.')).join('\n');
}

/** Prose; what stands between backquotes is bold. */
export function prose(text: string): string {
  const pieces = text.split(/`([^`]*)`/);
  return wrapped(pieces.map((piece, at) => (at % 2 === 1 ? bold(piece) : literal(piece))).join(''));
}

/** In bold: what is typed as it stands. */
export function bold(text: string): string {
  return `\\fB${literal(text)}\\fR`;
}

/** How something is typed: words in capitals are italic, for they stand for others; the rest is bold. */
export function synopsis(typed: string): string {
  const pieces = typed.split(/(\b[A-Z]+\b|[[\]|])/);
  return pieces
    .map((piece, at) => {
      if (at % 2 === 0) return piece === '' ? '' : bold(piece);
      return /^[A-Z]/.test(piece) ? `\\fI${piece}\\fR` : piece;
    })
    .join('');
}

/** The head of a page. */
export function title(name: string, section: number, version: string): string {
  const note = '.\\" Written by `npm run generate`: change the table that it follows.';
  return `${note}\n.TH ${literal(name)} ${section} "" "wormgate ${version}" "wormgate"`;
}

/** A heading and what stands below it. */
export function section(heading: string, ...parts: readonly string[]): string {
  return [`.SH "${literal(heading)}"`, ...parts].join('\n');
}

/** A paragraph. */
export function paragraph(text: string): string {
  return `.PP\n${text}`;
}

/** A term, and what it means below it, indented. */
export function term(tag: string, ...meaning: readonly string[]): string {
  return ['.TP', tag, ...meaning].join('\n');
}

/** A further paragraph of a term's meaning. */
export function further(text: string): string {
  return `.IP\n${text}`;
}

/** Lines as they are typed, within a term's meaning or below a paragraph. */
export function typedLines(lines: readonly string[]): string {
  const text = lines.map((line) => literal(line).replace(/^\./, '\\&.')).join('\n');
  return `.RS\n.PP\n.EX\n${text}\n.EE\n.RE`;
}

/** A page, whole. */
export function page(...parts: readonly string[]): string {
  return `${parts.join('\n')}\n`;
}
