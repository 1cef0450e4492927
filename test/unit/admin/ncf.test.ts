import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ncfChanges, parseNcf } from '../../../src/admin/ncf.ts';

const origin = { patternSize: 8, from: 'ncf', atMs: 5 } as const;

test('comments, blank lines, CRLF and a byte order mark are no commands', () => {
  const text =
    '\xef\xbb\xbf# head\r\n\r\n; note\r\nREM words\r\nrem\r\n \t\r\n  virus dump  \r\nremark\nvirus -c';
  assert.deepEqual(
    [...parseNcf(text)],
    [
      { line: 7, text: 'virus dump' },
      { line: 8, text: 'remark' },
      { line: 9, text: 'virus -c' },
    ],
  );
});

test('an empty text has no lines', () => {
  assert.deepEqual([...parseNcf('')], []);
  assert.deepEqual([...parseNcf('\n\n')], []);
});

test('a byte order mark is skipped on the first line only', () => {
  assert.deepEqual(
    [...parseNcf('\xef\xbb\xbfvirus -c\n\xef\xbb\xbfx')],
    [
      { line: 1, text: 'virus -c' },
      { line: 2, text: '\xef\xbb\xbfx' },
    ],
  );
});

test('a state file becomes changes in its order', () => {
  const text =
    'virus -c\nvirus add -p "ab" -o 9\nvirus add -k x.exe\nvirus del -p "ab" -o 9\nvirus del -k x.exe\n';
  const { changes, faults } = ncfChanges(text, origin);
  assert.deepEqual(faults, []);
  const pattern = Uint8Array.from([0x61, 0x62, 0, 0, 0, 0, 0, 0]);
  assert.deepEqual(changes, [
    { kind: 'clear' },
    { kind: 'add', pattern, origLength: 9, from: 'ncf', atMs: 5 },
    { kind: 'add-keyword', keyword: 'x.exe', from: 'ncf', atMs: 5 },
    { kind: 'del', pattern, origLength: 9 },
    { kind: 'del-keyword', keyword: 'x.exe' },
  ]);
});

test('every other line of a state file is a fault with its line, and the rest is kept', () => {
  const text = [
    'virus add -p "123456789" -o 9',
    'virus -t 3',
    'virus -h',
    'virus',
    'virus list',
    'virus run x',
    'virus dump',
    'hello',
    'virus add -k kept',
  ].join('\n');
  const { changes, faults } = ncfChanges(text, origin);
  assert.deepEqual(
    changes.map(({ kind }) => kind),
    ['add-keyword'],
  );
  assert.deepEqual(
    faults.map(({ line }) => line),
    [1, 2, 3, 4, 5, 6, 7, 8],
  );
  assert.equal(faults[0]?.message, 'The pattern has 9 bytes; PatternSize allows 8.');
  assert.match(faults[1]?.message ?? '', /^Only these may stand in this file: virus add -p /);
  assert.match(faults[7]?.message ?? '', /^Column 1: a console command begins with the word virus/);
});
