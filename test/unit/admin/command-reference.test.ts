import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import {
  completeLine,
  renderCommandHelp,
  renderConsoleReference,
  renderHelp,
} from '../../../src/admin/command-reference.ts';
import { commandTable, commandWords, rowSyntax } from '../../../src/admin/commands.ts';
import { parseLine } from '../../../src/admin/grammar.ts';
import { projectPath } from '../../support/paths.ts';

test('every example of the table is a command', () => {
  for (const example of commandTable.flatMap((row) => row.examples)) {
    const parsed = parseLine(example);
    assert.ok(parsed.ok, `${example}: ${parsed.ok ? '' : parsed.message}`);
  }
});

test('the help has a line for every form of every command', () => {
  const lines = renderHelp().split('\n');
  for (const row of commandTable) {
    const syntax = rowSyntax(row);
    assert.ok(lines.some((line) => line.startsWith(`${syntax} `) && line.endsWith(row.help)));
  }
});

test('the help fits in a terminal of 100 columns', () => {
  for (const line of renderHelp().split('\n')) assert.ok(line.length <= 100, line);
});

test('the help of a command tells its options with their ranges', () => {
  const help = renderCommandHelp('add');
  assert.match(help, /^virus add -p "PATTERN" -o ORIGLENGTH$/m);
  assert.match(help, /^ {2}-o .*\(1-2147483647\)$/m);
  assert.ok(commandWords.every((word) => renderCommandHelp(word).startsWith(`virus ${word}`)));
});

test('docs/console.md is what the table makes of it', () => {
  const written = readFileSync(projectPath('docs', 'console.md'), 'utf8');
  assert.equal(written, renderConsoleReference());
});

const completions: readonly (readonly [line: string, candidates: readonly string[]])[] = [
  ['vi', ['virus ']],
  ['virus d', ['del ', 'dump ']],
  ['virus list ', ['-k ', '-h ', '-? ']],
  ['virus add -p "x" -', ['-o ', '-k ', '-h ', '-? ']],
  ['virus add -p ', []],
  ['virus -t 3 -t', []],
  ['other ', []],
];

for (const [line, candidates] of completions) {
  test(`${JSON.stringify(line)} is completed from the table`, () => {
    assert.deepEqual(completeLine(line).candidates, candidates);
  });
}

test('a completion replaces the word that is being typed', () => {
  assert.equal(completeLine('virus du').fragment, 'du');
});
