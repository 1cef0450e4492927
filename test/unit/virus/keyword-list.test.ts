import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KeywordList, keywordFault } from '../../../src/virus/keyword-list.ts';

function words(list: KeywordList): string[] {
  return [...list.entries()].map((entry) => entry.keyword);
}

test('keywords are listed in the order of their addition, spelled as added', () => {
  const list = new KeywordList(10);
  assert.equal(list.add('cmd.EXE', 'console', 5), 'added');
  assert.equal(list.add('root.exe', 'ncf', 6), 'added');
  assert.equal(list.size, 2);
  assert.deepEqual(
    Array.from(list.entries(), ({ keyword, from, addedAtMs }) => ({ keyword, from, addedAtMs })),
    [
      { keyword: 'cmd.EXE', from: 'console', addedAtMs: 5 },
      { keyword: 'root.exe', from: 'ncf', addedAtMs: 6 },
    ],
  );
});

test('two spellings of the same ASCII letters are one keyword', () => {
  const list = new KeywordList(10);
  list.add('cmd.exe', 'console', 1);
  assert.equal(list.add('CMD.Exe', 'console', 2), 'present');
  assert.ok(list.has('cMd.eXe'));
  assert.ok(list.del('CMD.EXE'));
  assert.equal(list.size, 0);
  assert.equal(list.del('cmd.exe'), false);
});

test('bytes above ASCII are not letters, so their case is kept apart', () => {
  const list = new KeywordList(10);
  list.add('\xc0', 'console', 1);
  assert.equal(list.has('\xe0'), false);
  assert.equal(list.add('\xe0', 'console', 1), 'added');
});

test('above MaxVirusKeywords no keyword is taken until there is room', () => {
  const list = new KeywordList(2);
  list.add('a', 'console', 1);
  list.add('b', 'console', 1);
  assert.equal(list.add('c', 'console', 1), 'full');
  assert.equal(list.add('A', 'console', 1), 'present');
  list.maxKeywords = 1;
  assert.deepEqual(words(list), ['a', 'b']);
  list.del('a');
  assert.equal(list.add('c', 'console', 1), 'full');
  list.maxKeywords = 2;
  assert.equal(list.add('c', 'console', 1), 'added');
  assert.deepEqual(words(list), ['b', 'c']);
});

test('a keyword has 1 to 255 characters of one byte each', () => {
  assert.equal(keywordFault('x'), undefined);
  assert.equal(keywordFault('\xff'.repeat(255)), undefined);
  assert.match(keywordFault('') ?? '', /at least one character/);
  assert.match(keywordFault('x'.repeat(256)) ?? '', /256 bytes long; at most 255/);
  assert.match(keywordFault('cmd\u0100') ?? '', /not one byte/);
});
