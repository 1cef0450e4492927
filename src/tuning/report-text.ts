/** Numbers, tables and sentences of a report, at most 80 columns wide. Pure. */

export const reportColumns = 80;
const cellDigits = 7;

/** With separators; below ten with one decimal when it has any. */
export function number(value: number): string {
  return Number.isInteger(value)
    ? value.toLocaleString('en')
    : value.toLocaleString('en', { maximumFractionDigits: value < 10 ? 1 : 0 });
}

/** A number in a column: `12,346k` where its digits would not fit. */
export function cell(value: number, columns: number): string {
  const text = number(value);
  const short = text.length <= cellDigits ? text : `${number(Math.round(value / 1_000))}k`;
  return short.padStart(columns);
}

export function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${number(count)} ${count === 1 ? noun : plural}`;
}

export function moment(atMs: number): string {
  return new Date(atMs).toISOString().slice(0, 16).replace('T', ' ');
}

/** One line of text, its end cut off when it is too long. */
export function cut(text: string, length = reportColumns): string {
  return text.length <= length ? text : `${text.slice(0, length - 3)}...`;
}

/** Sentences broken into lines. */
export function wrap(text: string): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > reportColumns) {
      lines.push(line);
      line = '';
    }
    line += line === '' ? word : ` ${word}`;
  }
  return [...lines, line];
}

export function heading(text: string): string[] {
  return ['', text, '-'.repeat(text.length)];
}

/** The first rows of a table, each of one line or several, and how many more there are. */
export function firstRows(rows: readonly string[], rowsMax: number): string[] {
  const lines = rows.slice(0, rowsMax).flatMap((row) => row.split('\n'));
  const shown = lines.map((line) => cut(line));
  return rows.length > rowsMax ? [...shown, `  and ${number(rows.length - rowsMax)} more`] : shown;
}
