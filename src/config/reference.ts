/**
 * The documents that follow the settings table: the shipped config/PROXY.CFG, which is a manual in
 * itself, and docs/settings.md. scripts/generate.ts writes them; a test fails when they are stale.
 */
import { settingsTable } from './settings.ts';
import type { AnySection, Row } from './table.ts';

const lineLengthMax = 96;

/** How the file is written: what stands at the head of the shipped one. */
export const configurationHead = `wormgate's configuration. The command \`wormgate check\` finds every mistake in it, and SIGHUP makes a running server read it again; a file with a mistake is refused whole and the old settings stay in force.

A line is a [Section], a Key=Value, or a comment that begins with \`;\` or \`#\`. Names are the same in upper and lower case. Several items may share a line, as in \`[Extra Configuration] ScanVirusPatterns=1\`. A value runs to the end of its line, blanks included, unless a further [Section] or Key= follows a blank. Within quotation marks and after a comma nothing ends a value. A comment needs a line of its own, because values may hold \`;\` and \`#\`.

Keys that stand here as comments have their default values; where the default is empty, the comment shows an example.`;

const referenceHead = `# Settings

<!-- Written by \`npm run generate\` from the table in src/config/settings.ts. -->

Everything that \`PROXY.CFG\` may hold. The shipped file is \`config/PROXY.CFG\`; \`--config FILE\` names
another one. \`wormgate check\` prints every fault of a file as \`FILE:LINE: [Section] Key: message\`. A
part that does not apply is left out; a file that cannot be read at all is \`FILE: cannot be read: …\`.

## The file

- A line is empty, a comment, or items: \`[Section]\` and \`Key=Value\`. A comment begins with \`;\` or
  \`#\`, has a line of its own or follows a section header, and never follows a value, because values
  may hold both characters.
- Section names and keys are the same in upper and lower case. Lines end in LF or CRLF, and a UTF-8
  byte order mark is ignored.
- Items may share a line, as in \`[Extra Configuration] ScanVirusPatterns=1\`. A value runs to the end
  of its line, blanks included, unless a blank is followed by a further \`[Section]\`, or, from the
  value's second word on, by a word and \`=\`. Within quotation marks and after a comma nothing ends a
  value, and \`[::1]:80\` is an address, not a section.
- A value may stand in quotation marks. Within them \`\\xHH\` is any byte, \`\\"\` a quotation mark and
  \`\\\\\` a backslash.
- A section or key that is unknown or stands twice is a fault, and so is a value of the wrong type or
  out of its range.
- SIGHUP reads the file again. If it has a fault, or changes a key marked "restart", all the old
  settings stay in force and the reason is printed.`;

// A word, or a piece of code with the blanks inside it.
const unbroken = /(?:`[^`]*`|\S)+/g;

/** Breaks a paragraph into lines of at most `lengthMax` characters; a longer word stays whole. */
function wrap(paragraph: string, lengthMax: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of paragraph.match(unbroken) ?? ['']) {
    if (line !== '' && line.length + 1 + word.length > lengthMax) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  lines.push(line);
  return lines;
}

function comment(text: string): string {
  return text
    .split('\n')
    .flatMap((paragraph) => wrap(paragraph, lineLengthMax - 2))
    .map((line) => (line === '' ? ';' : `; ${line}`))
    .join('\n');
}

/** The default of a key, or in words what it is. */
export function defaultText(row: Row<unknown>, quoted: (text: string) => string): string {
  return row.defaultNote ?? (row.default === '' ? 'empty' : quoted(row.default));
}

function configurationKey(key: string, row: Row<unknown>): string {
  const reload = row.live ? '' : ' Changed by a restart only.';
  const facts = `${key}: ${row.type.description}. Default: ${defaultText(row, (text) => text)}.${reload}`;
  const name = row.numbered === true ? key.replace(/N$/, '1') : key;
  const assignment =
    row.shipped === undefined ? `;${name}=${row.example ?? row.default}` : `${name}=${row.shipped}`;
  const example =
    row.shipped !== undefined && row.example !== undefined
      ? `\n${comment(`For example: ${name}=${row.example}`)}`
      : '';
  return `${comment(facts)}\n${comment(row.help)}${example}\n${assignment}\n`;
}

function configurationSection(section: AnySection): string {
  const name =
    section.named === true ? `${section.name} ${section.shippedWord ?? ''}` : section.name;
  const keys = Object.entries(section.rows).map(([key, row]) => configurationKey(key, row));
  const rule = `; ${'-'.repeat(lineLengthMax - 2)}`;
  return `${rule}\n${comment(section.help)}\n[${name}]\n\n${keys.join('\n')}`;
}

/** The shipped PROXY.CFG. */
export function renderConfiguration(): string {
  return [comment(configurationHead), ...settingsTable.map(configurationSection)].join('\n\n');
}

function referenceKey(key: string, row: Row<unknown>): string {
  const code = (text: string) => `\`${text}\``;
  const facts = [
    `- Value: ${row.type.description}`,
    `- Default: ${defaultText(row, code)}`,
    `- Changed by: ${row.live ? 'reload' : 'restart'}`,
    ...(row.example === undefined
      ? []
      : [
          `- Example: ${code(`${row.numbered === true ? key.replace(/N$/, '1') : key}=${row.example}`)}`,
        ]),
  ];
  const help = wrap(row.help, lineLengthMax + 4).join('\n');
  return `### ${key}\n\n${help}\n\n${facts.join('\n')}\n`;
}

function referenceSection(section: AnySection): string {
  const name = section.named === true ? `${section.name} NAME` : section.name;
  const keys = Object.entries(section.rows).map(([key, row]) => referenceKey(key, row));
  const help = wrap(section.help, lineLengthMax + 4).join('\n');
  return `## [${name}]\n\n${help}\n\n${keys.join('\n')}`;
}

/** docs/settings.md. */
export function renderSettingsReference(): string {
  return [referenceHead, ...settingsTable.map(referenceSection)]
    .join('\n\n')
    .replace(/\n\n\n+/g, '\n\n');
}
