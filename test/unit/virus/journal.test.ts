import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Change, Provenance } from '../../../src/virus/change.ts';
import {
  decodeJournal,
  encodeHeader,
  encodeRecord,
  type JournalReading,
} from '../../../src/virus/journal.ts';

const size = 16;

function pattern(text: string): Uint8Array {
  const bytes = new Uint8Array(size);
  bytes.set(Buffer.from(text, 'latin1'));
  return bytes;
}

const add: Change = {
  kind: 'add',
  pattern: pattern('default.ida?NNNN'),
  origLength: 385,
  from: 'console',
  atMs: 1_700_000_000_000,
};
const del: Change = { kind: 'del', pattern: pattern('.env'), origLength: 13 };
const word: Change = { kind: 'add-keyword', keyword: 'cmd.exe', from: 'auto(x"\xe9)', atMs: 7 };
const all: readonly Change[] = [
  add,
  del,
  { kind: 'clear' },
  word,
  { kind: 'del-keyword', keyword: '\x00\xff"\\' },
  { kind: 'set', name: 'HitThreshold', value: 300 },
];

function encode(changes: readonly Change[]): string {
  return encodeHeader(size) + changes.map(encodeRecord).join('');
}

function decode(text: string | Buffer, patternSize = size): JournalReading & { changes: Change[] } {
  const changes: Change[] = [];
  const bytes = typeof text === 'string' ? Buffer.from(text, 'utf8') : text;
  return { ...decodeJournal(bytes, patternSize, (change) => changes.push(change)), changes };
}

test('every kind of change is read back as it was written', () => {
  const text = encode(all);
  const reading = decode(text);
  assert.deepEqual(reading.changes, all);
  assert.deepEqual(reading.warnings, []);
  assert.equal(reading.recordCount, all.length);
  assert.equal(reading.goodLength, text.length);
  assert.equal(reading.setAside, undefined);
});

test('a line is a CRC-32, a blank and ASCII JSON', () => {
  // The check value of CRC-32 for the JSON below, computed with another program.
  assert.equal(encodeRecord({ kind: 'clear' }), '64cc6356 {"clear":true}\n');
  assert.match(encode(all), /^[\n\x20-\x7e]*$/);
});

test('an empty file is an empty journal', () => {
  assert.deepEqual(decode(''), {
    changes: [],
    warnings: [],
    recordCount: 0,
    damagedCount: 0,
    goodLength: 0,
    setAside: undefined,
  });
});

test('cut at any byte, the journal keeps every whole record and drops the torn one', () => {
  const text = encode(all);
  for (let length = 0; length <= text.length; length++) {
    const cut = text.slice(0, length);
    const whole = cut.lastIndexOf('\n') + 1;
    const records = Math.max(cut.split('\n').length - 2, 0);
    const reading = decode(cut);
    assert.deepEqual(reading.changes, all.slice(0, records));
    assert.equal(reading.goodLength, whole);
    assert.equal(reading.damagedCount, 0);
    assert.equal(reading.warnings.length, whole === length ? 0 : 1);
    if (whole < length) assert.match(reading.warnings[0]?.message ?? '', /torn/);
  }
});

test('a last line that is whole but fails its check is dropped as torn', () => {
  const text = encode([add, del]);
  const reading = decode(`${text.slice(0, -4)}xx}\n`);
  assert.deepEqual(reading.changes, [add]);
  assert.deepEqual(
    reading.warnings.map((warning) => warning.line),
    [3],
  );
  assert.equal(reading.goodLength, encode([add]).length);
});

test('zero bytes at the end, as a power failure leaves them, are a torn line', () => {
  const text = encode([add]);
  const reading = decode(Buffer.concat([Buffer.from(text), Buffer.alloc(500)]));
  assert.deepEqual(reading.changes, [add]);
  assert.equal(reading.goodLength, text.length);
  assert.equal(reading.warnings.length, 1);
});

test('whichever bit of a line is wrong, its line is reported and the others are kept', () => {
  const text = encode([add, word, del]);
  const lines = text.split('\n');
  const start = (lines[0]?.length ?? 0) + 1 + (lines[1]?.length ?? 0) + 1;
  const end = start + (lines[2]?.length ?? 0);
  for (let at = start; at < end; at++) {
    for (let bit = 0; bit < 8; bit++) {
      const bytes = Buffer.from(text);
      bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
      if (bytes[at] === 0x0a) continue;
      const reading = decode(bytes);
      assert.deepEqual(reading.changes, [add, del]);
      assert.equal(reading.damagedCount, 1);
      assert.deepEqual(
        reading.warnings.map((warning) => warning.line),
        [3],
      );
      assert.equal(reading.goodLength, bytes.length);
    }
  }
});

test('a damaged header costs no record', () => {
  const reading = decode(`x${encode([add, del])}`);
  assert.deepEqual(reading.changes, [add, del]);
  assert.equal(reading.warnings[0]?.line, 1);
  assert.equal(reading.setAside, undefined);
});

test('of a million broken lines a hundred are reported and all are counted', () => {
  const reading = decode(`${encode([add])}${'x\n'.repeat(10_000)}${encodeRecord(del)}`);
  assert.deepEqual(reading.changes, [add, del]);
  assert.equal(reading.damagedCount, 10_000);
  assert.equal(reading.warnings.length, 100);
});

test('with another PatternSize the patterns are left out, the rest is kept, the file is set aside', () => {
  const reading = decode(encode(all), 8);
  assert.deepEqual(
    reading.changes.map((change) => change.kind),
    ['clear', 'add-keyword', 'del-keyword', 'set'],
  );
  assert.equal(reading.setAside, 'size16');
  assert.match(reading.warnings[0]?.message ?? '', /^2 changes .* PatternSize/);
  assert.equal(reading.damagedCount, 0);
});

test('records of a kind that is not known are reported with their line', () => {
  const reading = decode(
    encodeHeader(size) +
      checked('{"erase":true}') +
      checked('{"add":"x","size":16,"origLength":1,"from":"moon","atMs":1}') +
      checked('{"add":"x","size":1e9,"origLength":1,"from":"console","atMs":1}') +
      checked('{"add":"x","size":16,"origLength":1.5,"from":"console","atMs":1}') +
      checked('{"set":"toString","value":1}') +
      checked('[1') +
      checked('null') +
      encodeRecord(add),
  );
  assert.deepEqual(reading.changes, [add]);
  assert.deepEqual(
    reading.warnings.map((warning) => warning.line),
    [2, 3, 4, 5, 6, 7, 8],
  );
});

test('a journal of a newer format is set aside', () => {
  const reading = decode(checked('{"journal":2,"patternSize":16}') + encodeRecord(add));
  assert.equal(reading.setAside, 'version2');
});

test('any bytes decode to an end, and any changes come back', () => {
  const provenance: fc.Arbitrary<Provenance> = fc.oneof(
    fc.constantFrom<Provenance>('console', 'ncf', 'shipped'),
    latin1(0, 20).map((text): Provenance => `auto(${text})`),
  );
  const bytes = fc.uint8Array({ minLength: size, maxLength: size });
  const atMs = fc.integer({ min: 0, max: 2 ** 45 });
  const change: fc.Arbitrary<Change> = fc.oneof(
    fc
      .tuple(bytes, fc.integer({ min: 1, max: 2 ** 31 - 1 }), provenance, atMs)
      .map(([odd, origLength, from, at]): Change => {
        return { kind: 'add', pattern: Uint8Array.from(odd), origLength, from, atMs: at };
      }),
    fc
      .tuple(latin1(1, 255), provenance, atMs)
      .map(([keyword, from, at]): Change => ({ kind: 'add-keyword', keyword, from, atMs: at })),
  );
  fc.assert(
    fc.property(fc.array(change, { maxLength: 5 }), fc.uint8Array(), (changes, garbage) => {
      const text = encode(changes);
      const reading = decode(Buffer.concat([Buffer.from(text), garbage]));
      assert.deepEqual(reading.changes, changes);
    }),
    { numRuns: 300, seed: 20020201 },
  );
});

function latin1(minLength: number, maxLength: number): fc.Arbitrary<string> {
  return fc
    .uint8Array({ minLength, maxLength })
    .map((bytes) => Buffer.from(bytes).toString('latin1'));
}

/** A line with a right check over whatever JSON, through the bit-by-bit definition of CRC-32. */
function checked(json: string): string {
  let crc = 0xffffffff;
  for (const byte of Buffer.from(json)) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return `${((crc ^ 0xffffffff) >>> 0).toString(16).padStart(8, '0')} ${json}\n`;
}
