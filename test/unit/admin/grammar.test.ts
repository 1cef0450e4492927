import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseLine, renderCommand } from '../../../src/admin/grammar.ts';

function parsed(line: string) {
  const result = parseLine(line);
  assert.ok(result.ok, result.ok ? '' : result.message);
  return result.command;
}

function fault(line: string): string {
  const result = parseLine(line);
  assert.equal(result.ok, false, line);
  return result.ok ? '' : result.message;
}

const addSyntax = 'Syntax: virus add -p "PATTERN" -o ORIGLENGTH or virus add -k KEYWORD';
const plainSyntax =
  'Syntax: virus [-t THRESHOLD] [-r INTERVAL] [-e 0|1] [-m MAX] or virus -c or virus -h or virus -?';
const noCommandSyntax =
  'Syntax: virus [add|del|accept|reject|list|dump|show|origins|sources|source|forgive|block|fleet|run] OPTIONS; "virus -h" lists all commands';

test('the commands that the paper prints are understood', () => {
  const add = parsed('virus add -p "default.ida?NNNN" -o 385');
  assert.equal(add.word, 'add');
  assert.deepEqual(
    [...add.options],
    [
      ['p', 'default.ida?NNNN'],
      ['o', 385],
    ],
  );
  assert.equal(parsed('virus del -p "default.ida?NNNN" -o 385').word, 'del');
  assert.equal(parsed('virus dump').word, 'dump');
  assert.deepEqual([...parsed('virus add -k cmd.exe').options], [['k', 'cmd.exe']]);
  assert.deepEqual([...parsed('virus -t 300').options], [['t', 300]]);
  assert.deepEqual([...parsed('virus -r 10').options], [['r', 10]]);
  assert.deepEqual([...parsed('virus -e 1').options], [['e', 1]]);
  assert.deepEqual([...parsed('virus -m 255').options], [['m', 255]]);
  assert.deepEqual([...parsed('virus -c').options], [['c', true]]);
  for (const line of ['virus -?', 'virus -h', 'virus /?']) assert.ok(parsed(line).asksHelp);
});

test('an option may begin with a slash, and options stand in any order', () => {
  assert.deepEqual([...parsed('virus /t 300').options], [['t', 300]]);
  const del = parsed('virus del /o 3 -p "x"');
  assert.deepEqual(
    [...del.options],
    [
      ['o', 3],
      ['p', 'x'],
    ],
  );
});

test('white space is any run of blanks and tabs, and a line end may follow', () => {
  const command = parsed(' \tvirus\t \tadd -k\t"a b"  \r\n');
  assert.deepEqual([...command.options], [['k', 'a b']]);
});

test('command words may be typed in any case', () => {
  assert.equal(parsed('VIRUS Add -k x').word, 'add');
});

test('several settings may be given in one line', () => {
  assert.deepEqual(
    [...parsed('virus -t 300 -r 20').options],
    [
      ['t', 300],
      ['r', 20],
    ],
  );
});

test('0 is a value of -e, and of no other option', () => {
  assert.deepEqual([...parsed('virus -e 0').options], [['e', 0]]);
  for (const letter of ['t', 'r', 'm']) assert.match(fault(`virus -${letter} 0`), /from 1 to/);
});

test('a string may hold any byte by its escapes', () => {
  const value = parsed('virus add -p "\\x00\\xFF\\"\\\\\xe9" -o 1').options.get('p');
  assert.equal(value, '\x00\xff"\\\xe9');
});

test('a command without options, or with -h alone, asks for help', () => {
  assert.ok(parsed('virus').asksHelp);
  assert.ok(parsed('virus add -h').asksHelp);
  assert.ok(parsed('virus run -?').asksHelp);
  assert.ok(!parsed('virus list').asksHelp);
});

test('flags may be written together', () => {
  assert.deepEqual([...parsed('virus -h?').options.keys()], ['h', '?']);
});

test('list takes -k as a flag', () => {
  assert.deepEqual([...parsed('virus list -k').options], [['k', true]]);
});

test('run takes a file name, quoted or not, also one that begins with a slash', () => {
  assert.equal(parsed('virus run /etc/a.ncf').operand, '/etc/a.ncf');
  assert.equal(parsed('virus run "a b.ncf"').operand, 'a b.ncf');
});

const faults: readonly (readonly [line: string, message: string])[] = [
  ['', `Column 1: a console command begins with the word virus. ${noCommandSyntax}`],
  ['virusadd', `Column 1: a console command begins with the word virus. ${noCommandSyntax}`],
  ['"virus" add', `Column 1: a console command begins with the word virus. ${noCommandSyntax}`],
  ['virus frob', `Column 7: there is no command \`frob\`. ${noCommandSyntax}`],
  ['virus "add"', `Column 7: there is no command \`add\`. ${noCommandSyntax}`],
  ['virus add', `Column 10: -p and -o are missing. ${addSyntax}`],
  ['virus add -p "x"', `Column 17: -o is missing. ${addSyntax}`],
  ['virus add -p', `Column 13: -p needs a value, "PATTERN". ${addSyntax}`],
  ['virus add -p -o 3', `Column 14: -p needs a value, "PATTERN". ${addSyntax}`],
  [
    'virus add -p x -o 3',
    `Column 14: the value of -p: write it in quotation marks: "x". ${addSyntax}`,
  ],
  ['virus add -p "" -o 3', `Column 14: the string is empty. ${noCommandSyntax}`],
  [
    'virus add -p "x -o 3',
    `Column 14: the string has no closing quotation mark; within it \\" and \\\\ are escapes. ${noCommandSyntax}`,
  ],
  ['virus add -p "x"-o 3', `Column 17: a blank is missing before \`-\`. ${noCommandSyntax}`],
  ['virus add -p"x" -o 3', `Column 13: a blank is missing before \`"\`. ${noCommandSyntax}`],
  [
    'virus add -p "\\q" -o 3',
    `Column 14: the escape \\q is unknown; use \\xHH, \\" or \\\\. ${noCommandSyntax}`,
  ],
  [
    'virus add -p "a\x07" -o 3',
    `Column 16: a control character must be written as \\xHH. ${noCommandSyntax}`,
  ],
  [
    'virus add -k a\u20acb',
    `Column 15: a character that is not one byte must be written as \\xHH. ${noCommandSyntax}`,
  ],
  [
    'virus add -k /scripts',
    `Column 14: the value of -k begins as an option does; write it in quotation marks: "/scripts". ${addSyntax}`,
  ],
  [
    'virus add -k a\\b',
    `Column 14: the value of -k holds a backslash; write it in quotation marks: "a\\\\b". ${addSyntax}`,
  ],
  [
    'virus add -p "x" -o 0385',
    `Column 21: -o takes an integer from 1 to 2147483647, not \`0385\`. ${addSyntax}`,
  ],
  [
    'virus add -p "x" -o 2147483648',
    `Column 21: -o takes an integer from 1 to 2147483647, not \`2147483648\`. ${addSyntax}`,
  ],
  [
    'virus add -p "x" -o "3"',
    `Column 21: -o takes an integer from 1 to 2147483647, not \`3\`. ${addSyntax}`,
  ],
  ['virus add -p "x" -k y -o 3', `Column 27: -p and -k do not go together. ${addSyntax}`],
  ['virus add -k y -k z', `Column 16: -k is given twice. ${addSyntax}`],
  ['virus add -t 3', `Column 11: "virus add" takes -p, -o, -k, -h, -?, not \`-t\`. ${addSyntax}`],
  ['virus add -h -k x', `Column 18: -h and -k do not go together. ${addSyntax}`],
  ['virus -T 3', `Column 7: option letters are lower case: -t, not \`-T\`. ${plainSyntax}`],
  ['virus -z', `Column 7: "virus" takes -t, -r, -e, -m, -c, -h, -?, not \`-z\`. ${plainSyntax}`],
  ['virus -t 1 -t 2', `Column 12: -t is given twice. ${plainSyntax}`],
  ['virus -c -t 3', `Column 14: -c and -t do not go together. ${plainSyntax}`],
  ['virus -e 2', `Column 10: -e takes an integer from 0 to 1, not \`2\`. ${plainSyntax}`],
  ['virus -r 3601', `Column 10: -r takes an integer from 1 to 3600, not \`3601\`. ${plainSyntax}`],
  ['virus -t', `Column 9: -t needs a value, THRESHOLD. ${plainSyntax}`],
  [
    'virus -te 3',
    `Column 7: -t takes a value, so a blank and the value must follow it. ${plainSyntax}`,
  ],
  ['virus -c now', `Column 10: an option was expected, not \`now\`. ${plainSyntax}`],
  ['virus -t 1 "-r" 2', `Column 12: an option was expected, not \`-r\`. ${plainSyntax}`],
  ['virus run', 'Column 10: the file is missing. Syntax: virus run FILE'],
  ['virus run a b', 'Column 13: an option was expected, not `b`. Syntax: virus run FILE'],
  ['virus run a -h', 'Column 15: -h and a file do not go together. Syntax: virus run FILE'],
  ['virus dump -k', 'Column 12: "virus dump" takes -h, -?, not `-k`. Syntax: virus dump'],
];

for (const [line, message] of faults) {
  test(`the fault of ${JSON.stringify(line)} is told with its column and the syntax`, () => {
    assert.equal(fault(line), message);
  });
}

test('what was typed is shown escaped and cut, so that a fault stays one line', () => {
  const message = fault(`virus "\\x0a\\x1b[2J${'a'.repeat(300)}"`);
  assert.match(message, /^Column 7: there is no command `\\x0a\\x1b\[2Ja+…`/);
});

test('a very long line is refused without trouble', () => {
  assert.match(fault(`virus add -k "${'\\x41'.repeat(500_000)}`), /no closing quotation mark/);
});

test('a command is rendered with its strings in quotation marks', () => {
  const line = 'virus add /k a.exe';
  assert.equal(renderCommand(parsed(line)), 'virus add -k "a.exe"');
});
