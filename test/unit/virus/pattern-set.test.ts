import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cutWindow, formatPattern } from '../../../src/virus/pattern.ts';
import { origLengthMax, PatternSet } from '../../../src/virus/pattern-set.ts';

function pattern(text: string): Uint8Array {
  return cutWindow(text, 0, 16);
}

function numbered(number: number): Uint8Array {
  return pattern(`pattern ${number}`);
}

function emptySet(maxPatterns = 100_000): PatternSet {
  return new PatternSet({ patternSize: 16, maxPatterns, seed: 2 ** 52 + 12_345 });
}

function find(set: PatternSet, text: string): number {
  const index = set.findInString(text, 0);
  const bytes = Buffer.from(text, 'latin1');
  assert.equal(set.findInBytes(bytes, 0, bytes.length), index);
  return index;
}

function lengths(set: PatternSet): number[] {
  return [...set.entries()].map(({ origLength }) => origLength);
}

test('an added pattern is found with all that was said of it', () => {
  const set = emptySet();
  assert.equal(set.add(pattern('default.ida?NNNN'), 385, 'console', 1_000_203_040_506), 'added');
  const index = find(set, 'default.ida?NNNNNNNN');
  assert.deepEqual(set.entry(index), {
    pattern: pattern('default.ida?NNNN'),
    origLength: 385,
    from: 'console',
    addedAtMs: 1_000_203_040_506,
    hits: 0,
    lastHitMs: undefined,
  });
});

test('an entry that is present is left as it was', () => {
  const set = emptySet();
  set.add(pattern('root.exe'), 30, 'shipped', 1);
  assert.equal(set.add(pattern('root.exe'), 30, 'console', 2), 'present');
  assert.equal(set.size, 1);
  assert.deepEqual(
    [...set.entries()].map(({ from, addedAtMs }) => [from, addedAtMs]),
    [['shipped', 1]],
  );
});

test('the original length is part of the identity, and of equal bytes the first added is found', () => {
  const set = emptySet();
  for (const origLength of [5, 3, 9]) set.add(pattern('same'), origLength, 'ncf', 0);
  assert.equal(set.size, 3);
  assert.equal(set.has(pattern('same'), 9), true);
  assert.equal(set.has(pattern('same'), 4), false);
  assert.equal(set.entry(find(set, 'same')).origLength, 5);
  assert.equal(set.del(pattern('same'), 5), true);
  assert.equal(set.entry(find(set, 'same')).origLength, 3);
  assert.equal(set.add(pattern('same'), 5, 'ncf', 0), 'added');
  assert.equal(set.entry(find(set, 'same')).origLength, 3);
  assert.deepEqual(lengths(set), [3, 9, 5]);
  for (const origLength of [9, 3, 5]) assert.equal(set.del(pattern('same'), origLength), true);
  assert.equal(find(set, 'same'), -1);
  assert.equal(set.del(pattern('same'), 5), false);
});

test('a pattern with a zero at its end is the shorter pattern', () => {
  const set = emptySet();
  set.add(pattern('abc'), 1, 'console', 0);
  assert.notEqual(find(set, 'abc'), -1);
  assert.notEqual(find(set, 'abc\0'), -1);
  assert.equal(find(set, 'ab'), -1);
  assert.equal(find(set, 'abcd'), -1);
});

test('a window that begins after the end is all zeros', () => {
  const set = emptySet();
  set.add(new Uint8Array(16), 1, 'console', 0);
  assert.notEqual(set.findInString('/', 10), -1);
  assert.notEqual(set.findInBytes(Buffer.from('/'), 10, 1), -1);
});

test('bytes behind the given end are not looked at', () => {
  const set = emptySet();
  set.add(pattern('abc'), 1, 'console', 0);
  assert.notEqual(set.findInBytes(Buffer.from('xabcdef'), 1, 4), -1);
  assert.equal(set.findInBytes(Buffer.from('xabcdef'), 1, 5), -1);
});

test('a full set refuses, and may be made larger or smaller while it runs', () => {
  const set = emptySet(2);
  set.add(numbered(1), 1, 'console', 0);
  set.add(numbered(2), 1, 'console', 0);
  assert.equal(set.add(numbered(3), 1, 'console', 0), 'full');
  assert.equal(set.add(numbered(2), 1, 'console', 0), 'present');
  set.maxPatterns = 3;
  assert.equal(set.add(numbered(3), 1, 'console', 0), 'added');
  set.maxPatterns = 1;
  assert.equal(set.size, 3);
  assert.equal(set.add(numbered(4), 1, 'console', 0), 'full');
  assert.notEqual(find(set, 'pattern 3'), -1);
});

test('clear deletes everything and the set can be filled again', () => {
  const set = emptySet();
  for (let number = 0; number < 10_000; number += 1) set.add(numbered(number), 1, 'console', 0);
  set.clear();
  assert.equal(set.size, 0);
  assert.deepEqual([...set.entries()], []);
  assert.equal(find(set, 'pattern 77'), -1);
  assert.equal(set.add(numbered(77), 1, 'ncf', 0), 'added');
  assert.equal(set.entry(find(set, 'pattern 77')).from, 'ncf');
});

test('hits are counted with the time of the last one', () => {
  const set = emptySet();
  set.add(numbered(1), 1, 'console', 0);
  const index = find(set, 'pattern 1');
  set.hit(index, 1_700_000_000_001);
  set.hit(index, 1_700_000_000_002);
  assert.equal(set.entry(index).hits, 2);
  assert.equal(set.entry(index).lastHitMs, 1_700_000_000_002);
});

test('a pattern that takes the place of a deleted one begins without hits', () => {
  const set = emptySet();
  set.add(numbered(1), 1, 'console', 0);
  set.hit(find(set, 'pattern 1'), 5);
  set.del(numbered(1), 1);
  set.add(numbered(2), 1, 'console', 0);
  const entry = set.entry(find(set, 'pattern 2'));
  assert.equal(entry.hits, 0);
  assert.equal(entry.lastHitMs, undefined);
});

test('the extreme original lengths are kept, others are a mistake of the caller', () => {
  const set = emptySet();
  set.add(numbered(1), 1, 'console', 0);
  set.add(numbered(2), origLengthMax, 'console', 0);
  assert.deepEqual(lengths(set), [1, 2_147_483_647]);
  for (const origLength of [0, origLengthMax + 1, 1.5, Number.NaN]) {
    assert.throws(() => set.add(numbered(3), origLength, 'console', 0), RangeError);
  }
  assert.throws(() => set.add(new Uint8Array(15), 1, 'console', 0), RangeError);
  assert.equal(set.has(new Uint8Array(15), 1), false);
  assert.equal(set.del(new Uint8Array(17), 1), false);
});

test('an entry handed out is a copy', () => {
  const set = emptySet();
  set.add(numbered(1), 1, 'console', 0);
  set.entry(find(set, 'pattern 1')).pattern.fill(0);
  assert.notEqual(find(set, 'pattern 1'), -1);
});

test('100,000 patterns are all found, listed in order, and half of them deleted again', () => {
  const set = emptySet();
  const count = 100_000;
  for (let number = 0; number < count; number += 1) {
    set.add(numbered(number), number + 1, 'console', 0);
  }
  for (let number = 0; number < count; number += 2) {
    assert.equal(set.del(numbered(number), number + 1), true);
  }
  let wrong = 0;
  for (let number = 0; number < count; number += 1) {
    const index = set.findInString(`pattern ${number}`, 0);
    if ((index === -1) !== (number % 2 === 0)) wrong += 1;
    if (index !== -1 && set.entry(index).origLength !== number + 1) wrong += 1;
  }
  assert.equal(wrong, 0);
  const expected = Array.from({ length: count / 2 }, (_, index) => 2 * index + 2);
  assert.deepEqual(lengths(set), expected);
});

test('100,000 entries of the same bytes are as good as others', () => {
  const set = emptySet();
  for (let length = 1; length <= 100_000; length += 1) set.add(pattern('same'), length, 'ncf', 0);
  assert.equal(set.has(pattern('same'), 99_999), true);
  for (let length = 1; length < 100_000; length += 1) set.del(pattern('same'), length);
  assert.deepEqual(lengths(set), [100_000]);
  assert.equal(set.entry(find(set, 'same')).origLength, 100_000);
});

test('the order survives a million additions and deletions', () => {
  const set = emptySet();
  const bytes = new Uint8Array(16);
  const words = new Uint32Array(bytes.buffer);
  for (let number = 0; number < 1_000_000; number += 1) {
    words[0] = number;
    set.add(bytes, 1 + number, 'console', number);
    if (number < 1_000) continue;
    words[0] = number - 1_000;
    set.del(bytes, 1 + number - 1_000);
  }
  assert.equal(set.size, 1_000);
  assert.deepEqual(
    lengths(set),
    Array.from({ length: 1_000 }, (_, index) => 999_001 + index),
  );
});

test('changing the set while it is listed ends the listing with an error', () => {
  const set = emptySet();
  set.add(numbered(1), 1, 'console', 0);
  set.add(numbered(2), 1, 'console', 0);
  const entries = set.entries();
  entries.next();
  set.del(numbered(1), 1);
  assert.throws(() => entries.next(), /changed while it was listed/);
});

test('keywords are told apart up to a limit; beyond it a learned pattern is auto()', () => {
  const set = emptySet();
  for (let number = 0; number < 65_531; number += 1) {
    set.add(numbered(number), 1, `auto(keyword ${number})`, 0);
  }
  set.add(pattern('one too many'), 1, 'auto(new)', 0);
  set.add(pattern('known'), 1, 'auto(keyword 7)', 0);
  set.add(pattern('typed'), 1, 'console', 0);
  const from = (text: string) => set.entry(find(set, text)).from;
  assert.equal(from('pattern 65530'), 'auto(keyword 65530)');
  assert.equal(from('one too many'), 'auto()');
  assert.equal(from('known'), 'auto(keyword 7)');
  assert.equal(from('typed'), 'console');
  set.clear();
  set.add(pattern('after'), 1, 'auto(new)', 0);
  assert.equal(from('after'), 'auto(new)');
});

test('every pattern size from 4 to 64 works', () => {
  for (let patternSize = 4; patternSize <= 64; patternSize += 1) {
    const set = new PatternSet({ patternSize, maxPatterns: 10, seed: patternSize });
    const bytes = Uint8Array.from({ length: patternSize }, (_, at) => at + 1);
    set.add(bytes, 7, 'shipped', 0);
    const text = Buffer.from(bytes).toString('latin1');
    assert.equal(formatPattern(set.entry(find(set, `${text}more`)).pattern), formatPattern(bytes));
    assert.equal(find(set, text.slice(0, -1)), -1);
  }
});
