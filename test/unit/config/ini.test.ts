import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseIni } from '../../../src/config/ini.ts';

/** What was parsed, each entry as `section|key|value|line`. */
function entriesOf(text: string): string[] {
  const { sections, faults } = parseIni(text);
  assert.deepEqual(faults, []);
  return sections.flatMap(({ name, entries }) =>
    entries.map(({ key, value, line }) => `${name}|${key}|${value}|${line}`),
  );
}

function messagesOf(text: string): string[] {
  return parseIni(text).faults.map(
    ({ line, section, key, message }) => `${line}|${section}|${key}|${message}`,
  );
}

test('the lines of the paper, printed as one, are two sections with their keys', () => {
  const text =
    '[Extra Configuration] ScanVirusPatterns=1 [Virus Pattern Configuration] NoOfVirusPatterns=0 PatternSize=16 PatternStartOffset=1 EnablePatternAutoUpdate=1';
  assert.deepEqual(entriesOf(text), [
    'Extra Configuration|ScanVirusPatterns|1|1',
    'Virus Pattern Configuration|NoOfVirusPatterns|0|1',
    'Virus Pattern Configuration|PatternSize|16|1',
    'Virus Pattern Configuration|PatternStartOffset|1|1',
    'Virus Pattern Configuration|EnablePatternAutoUpdate|1|1',
  ]);
});

test('a key may follow its section header without a blank, as the paper prints it', () => {
  assert.deepEqual(entriesOf('[Extra Configuration]ScanVirusPatterns=0'), [
    'Extra Configuration|ScanVirusPatterns|0|1',
  ]);
});

const wholeValues: readonly string[] = [
  'http://a, http://b',
  '10.0.0.0/8, path:/safe',
  '127.0.0.1:80, [::1]:80',
  '[::1]:80',
  '[::1]:80 , [fe80::1]:80',
  '"default.ida?NNNN",385',
  '"a=b [Log] x=1 \\" y=2",385',
  'one, "two, Key=3", four',
  '"not closed Key=1',
  'a;b # c ; d',
  'c2VjcmV0==',
  'a, Key=1',
  'x?y=1&z=2',
  'it"s Key-like',
];

for (const value of wholeValues) {
  test(`the value ${value} is taken whole, with and without blanks around the =`, () => {
    for (const equals of ['=', ' = ', '\t=  ']) {
      assert.deepEqual(entriesOf(`[S]\nKey${equals}${value}  `), [`S|Key|${value}|2`]);
    }
  });
}

test('a value ends before a blank and a further key or section', () => {
  assert.deepEqual(entriesOf('[A] X=1 2 Y = 3 [B]Z="q" W= [C] V='), [
    'A|X|1 2|1',
    'A|Y|3|1',
    'B|Z|"q"|1',
    'B|W||1',
    'C|V||1',
  ]);
});

test('the first word after the = is always of the value, except a section header', () => {
  assert.deepEqual(entriesOf('[A] X= Y=1'), ['A|X|Y=1|1']);
  assert.deepEqual(entriesOf('[A] X=[B]'), ['A|X|[B]|1']);
});

test('comments, empty lines, CRLF, a lone CR and a byte order mark are passed over', () => {
  for (const mark of ['', '\ufeff', '\u00ef\u00bb\u00bf']) {
    const text = `${mark}; one\r\n  # two\r\n\r\n[A] ; three\r\nX=1\r[B] # four = 4\nY=2`;
    assert.deepEqual(entriesOf(text), ['A|X|1|5', 'B|Y|2|7']);
  }
});

test('a byte 0xA0 at the end of a value is kept', () => {
  assert.deepEqual(entriesOf('[A]\nX=\u00c3\u00a0'), ['A|X|\u00c3\u00a0|2']);
});

test('section names have their blanks collapsed and keep their case', () => {
  const { sections } = parseIni('[  Extra \t Configuration ]\n');
  assert.deepEqual(sections, [{ name: 'Extra Configuration', line: 1, entries: [] }]);
});

test('the line count leaves out what follows the last line end', () => {
  assert.equal(parseIni('').lineCount, 1);
  assert.equal(parseIni('[A]\nX=1').lineCount, 2);
  assert.equal(parseIni('[A]\nX=1\n').lineCount, 2);
});

test('what is no item is reported with its line, and the rest is read', () => {
  assert.deepEqual(messagesOf('X=1\n[A]\nnonsense\n=5\n[B\nY=2\n[]\n[C] stray\n'), [
    '1||X|it stands before the first [Section]',
    '3|A||`nonsense` is neither [Section] nor Key=Value nor a comment',
    '4|A||there is no key before the =',
    '5|B||the section header is not closed with ]',
    '7|||the section has no name',
    '8|C||`stray` is neither [Section] nor Key=Value nor a comment',
  ]);
  const { sections } = parseIni('[B\nY=2\n');
  assert.deepEqual(sections, [
    { name: 'B', line: 1, entries: [{ key: 'Y', value: '2', line: 2 }] },
  ]);
});
