import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirusSources } from '../../../src/virus/virus-sources.ts';

test('the newest source stands first', () => {
  const sources = new VirusSources();
  sources.note('192.0.2.1', 1000);
  sources.note('192.0.2.2', 2000);
  assert.deepEqual(sources.list(), [
    { address: '192.0.2.2', atMs: 2000, count: 1 },
    { address: '192.0.2.1', atMs: 1000, count: 1 },
  ]);
});

test('a source that returns moves to the front and is counted, not listed twice', () => {
  const sources = new VirusSources();
  sources.note('192.0.2.1', 1000);
  sources.note('192.0.2.2', 2000);
  sources.note('192.0.2.1', 3000);
  assert.deepEqual(sources.list(), [
    { address: '192.0.2.1', atMs: 3000, count: 2 },
    { address: '192.0.2.2', atMs: 2000, count: 1 },
  ]);
});

test('the last ten addresses are kept, and one that dropped off starts again at 1', () => {
  const sources = new VirusSources();
  for (let host = 0; host <= 10; host += 1) sources.note(`2001:db8::${host}`, host);
  const addresses = sources.list().map(({ address }) => address);
  const expected = [10, 9, 8, 7, 6, 5, 4, 3, 2, 1].map((host) => `2001:db8::${host}`);
  assert.deepEqual(addresses, expected);
  sources.note('2001:db8::0', 20);
  assert.equal(sources.list()[0]?.count, 1);
});

test('a list handed out does not change later', () => {
  const sources = new VirusSources(2);
  sources.note('192.0.2.1', 1000);
  const before = sources.list();
  sources.note('192.0.2.2', 2000);
  assert.equal(before.length, 1);
});
