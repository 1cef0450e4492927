import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DistributionTable } from '../../../src/virus/heuristics.ts';
import { WindowHash } from '../../../src/virus/window-hash.ts';

const patternSize = 16;
const bytesMax = 33_554_432;
const hash = new WindowHash(patternSize, 7);

function tableOf(bytes = bytesMax): DistributionTable {
  return new DistributionTable({ patternSize, bytesMax: bytes });
}

function hashOf(bytes: Buffer): number {
  return hash.ofBytes(bytes, 0, Math.min(bytes.length, patternSize));
}

/** Counts a window of 16 bytes. */
function tallyWhole(table: DistributionTable, window: Buffer): boolean {
  return table.tally(window, 0, patternSize, hashOf(window), 1, 250);
}

function tally(table: DistributionTable, text: string, interval = 1, threshold = 250): boolean {
  const bytes = Buffer.from(text, 'latin1');
  return table.tally(bytes, 0, bytes.length, hashOf(bytes), interval, threshold);
}

/** Seeded, so that a failure can be repeated (xorshift32). */
function randomWindows(seed: number): (into: Buffer) => void {
  let state = seed;
  const next = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state;
  };
  return (into) => {
    for (let at = 0; at < into.length; at += 4) into.writeInt32LE(next(), at);
  };
}

test('250 identical windows pass, the 251st is reported, and none after it in the interval', () => {
  const table = tableOf();
  for (let count = 1; count <= 250; count += 1)
    assert.equal(tally(table, 'default.ida?NNNN'), false);
  assert.equal(tally(table, 'default.ida?NNNN and what follows'), true);
  for (let count = 1; count <= 500; count += 1)
    assert.equal(tally(table, 'default.ida?NNNN'), false);
});

test('another interval begins anew, whichever its number', () => {
  const table = tableOf();
  for (let count = 1; count <= 250; count += 1) tally(table, 'x', 5);
  assert.equal(tally(table, 'x', 4), false);
  assert.equal(table.distinct, 1);
  for (let count = 2; count <= 250; count += 1) assert.equal(tally(table, 'x', 4), false);
  assert.equal(tally(table, 'x', 4), true);
});

test('windows that differ in one byte, the first or the last, are counted apart', () => {
  const table = tableOf();
  const windows = ['a23456789012345b', 'b23456789012345b', 'a23456789012345c', 'a2345678901234bb'];
  for (const window of windows) assert.equal(tally(table, window, 1, 1), false);
  assert.equal(table.distinct, windows.length);
  for (const window of windows) assert.equal(tally(table, window, 1, 1), true);
});

test('windows with one hash, and hashes with one tag, are told apart by their bytes', () => {
  const table = tableOf();
  const seen = ['one', 'two', 'six', 'ten'].map((text) => Buffer.from(text));
  for (const [hash, threshold] of [
    [5, 1],
    [5 + 2 ** 11, 1],
    [5 - 2 ** 31, 1],
  ] as const) {
    const count = (bytes: Buffer) => table.tally(bytes, 0, bytes.length, hash, hash, threshold);
    assert.deepEqual(seen.map(count), [false, false, false, false]);
    assert.deepEqual(seen.map(count), [true, true, true, true]);
    assert.equal(table.distinct, 4);
  }
});

test('a window that begins at or near the end of the bytes is zeros from there on', () => {
  const table = tableOf();
  const bytes = Buffer.from('GET /ab');
  const count = (start: number) => {
    const length = bytes.length - start;
    return table.tally(bytes, start, bytes.length, hash.ofBytes(bytes, start, length), 1, 1);
  };
  assert.equal(count(7), false);
  assert.equal(count(6), false);
  assert.equal(tally(table, '\0\0\0', 1, 1), true);
  assert.equal(tally(table, 'b\0', 1, 1), true);
});

test('a threshold of 0 reports every window once', () => {
  const table = tableOf(64);
  assert.deepEqual(
    ['a', 'a', 'b', 'a'].map((text) => tally(table, text, 1, 0)),
    [true, false, true, false],
  );
});

test('a short window is the one that zeros fill up, and no other', () => {
  const table = tableOf();
  assert.equal(tally(table, 'a\0\0', 1, 1), false);
  assert.equal(tally(table, 'a', 1, 1), true);
  assert.equal(tally(table, 'a\0\0x', 1, 1), false);
  assert.equal(tally(table, '', 1, 1), false);
  assert.equal(tally(table, '\0', 1, 1), true);
  assert.equal(table.distinct, 3);
});

test('a lower threshold counts for what came before it', () => {
  const table = tableOf();
  for (let count = 1; count <= 10; count += 1) tally(table, 'x');
  assert.equal(tally(table, 'x', 1, 10), true);
  assert.equal(tally(table, 'x', 1, 5), false, 'reported already');
});

test('a report that was withdrawn, and all of them after reportAgain, are made once more', () => {
  const table = tableOf();
  tally(table, 'x', 1, 1);
  assert.equal(tally(table, 'x', 1, 1), true);
  table.withdraw();
  assert.equal(tally(table, 'x', 1, 1), true);
  assert.equal(tally(table, 'x', 1, 1), false);
  table.reportAgain();
  assert.equal(tally(table, 'x', 1, 1), true);
});

for (const [what, distinct] of [
  ['a million different windows, which the table holds', 1_000_000],
  ['three million, which it does not', 3_000_000],
] as const) {
  test(`a window that comes 251 times among ${what}, is reported`, () => {
    const table = tableOf();
    const fill = randomWindows(20010806);
    const noise = Buffer.alloc(patternSize);
    const worm = Buffer.from('scripts/root.exe');
    let reports = 0;
    for (let index = 0; index < distinct; index += 1) {
      fill(noise);
      assert.equal(tallyWhole(table, noise), false);
      if (index % Math.floor(distinct / 251) === 0 && tallyWhole(table, worm)) reports += 1;
    }
    assert.equal(reports, 1);
    assert.ok(table.bytes <= bytesMax);
    assert.equal(table.displaced > 0, distinct > table.distinctMax);
  });
}

test('a window that comes first among busy ones is not pushed out by a flood', () => {
  const table = tableOf(2 ** 20);
  const fill = randomWindows(4711);
  const noise = Buffer.alloc(patternSize);
  const busy = Array.from({ length: 500 }, (_, index) => `busy window ${index}`);
  busy[3] = 'scripts/root.exe';
  let reports = 0;
  // All of them come in the first turn, then the table overflows, and the worm is the rarest of all.
  for (let turn = 1; turn <= 251; turn += 1) {
    for (const each of busy) {
      const isWorm = each === busy[3];
      for (let count = 0; count < (isWorm ? 1 : 3); count += 1) {
        if (tally(table, each, 1, isWorm ? 250 : 1_000)) reports += 1;
      }
    }
    for (let other = 0; other < 1_000; other += 1) {
      fill(noise);
      tallyWhole(table, noise);
    }
  }
  assert.ok(table.displaced > 6 * table.distinctMax);
  assert.equal(reports, 1);
});

test('a window that begins to come after a flood has filled the table is reported', () => {
  const table = tableOf(2 ** 20);
  const fill = randomWindows(99);
  const noise = Buffer.alloc(patternSize);
  // Each twice, so that the newcomer is the least seen of all at first.
  for (let index = 0; index < table.distinctMax; index += 1) {
    fill(noise);
    tallyWhole(table, noise);
    tallyWhole(table, noise);
  }
  assert.equal(table.distinct, table.distinctMax);
  let reported = 0;
  for (let count = 1; count <= 300; count += 1) {
    if (tally(table, 'late/root.exe')) reported += 1;
    for (let other = 0; other < 100; other += 1) {
      fill(noise);
      tallyWhole(table, noise);
    }
  }
  assert.equal(reported, 1);
});
