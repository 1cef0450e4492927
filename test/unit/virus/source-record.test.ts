/** Sources as lines of their journal, and back. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  decodeSources,
  encodeSource,
  type SourceRecord,
} from '../../../src/virus/source-record.ts';
import type { Source } from '../../../src/virus/sources.ts';

const source: Source = {
  address: '2001:db8::/64',
  misses: [{ hash: -7, path: '/\xe9"\n', status: 404, atMs: 1, requestId: 'a-1' }],
  viruses: [{ matched: 'cmd.exe\x00', atMs: 2, requestId: 'a-2' }],
  cause: 'misses',
  ...{ sinceMs: 3, lengthMs: 600_000, untilMs: 600_003, toldUntilMs: 600_003 },
  ...{ times: 2, requests: 9 },
};

function read(text: string) {
  const records: SourceRecord[] = [];
  const reading = decodeSources(Buffer.from(text, 'latin1'), (record) => records.push(record));
  return { ...reading, records };
}

test('what is written is read again, in its order', () => {
  const records: SourceRecord[] = [
    { kind: 'blocked', source },
    { kind: 'forgiven', address: '192.0.2.1' },
  ];
  const text = records.map(encodeSource).join('');
  assert.match(text, /^[\x20-\x7e\n]*$/);
  assert.deepEqual(read(text), { records, damagedCount: 0, goodLength: text.length });
});

test('a torn end is not counted as damage, and everything else that is no record is', () => {
  const line = encodeSource({ kind: 'blocked', source });
  const torn = read(`${line}${line.slice(0, 50)}`);
  assert.equal(torn.goodLength, line.length);
  assert.equal(torn.damagedCount, 0);
  const damaged = read(`${line.replace('misses', 'missed')}nonsense\n\n${line}`);
  assert.equal(damaged.damagedCount, 3);
  assert.deepEqual(damaged.records, [{ kind: 'blocked', source }]);
});

test('a record whose fields are wrong is left out', () => {
  const wrong: Record<string, unknown>[] = [
    { ...source, untilMs: -1 },
    { ...source, cause: 'whim' },
    { ...source, misses: [{}] },
    { ...source, viruses: 'none' },
    { ...source, times: 0.5 },
  ];
  for (const each of wrong) {
    const text = encodeSource({ kind: 'blocked', source: each as unknown as Source });
    assert.deepEqual(read(text), { records: [], damagedCount: 1, goodLength: text.length });
  }
});
