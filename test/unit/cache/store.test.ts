import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readerOf } from '../../../src/cache/fields.ts';
import { keyPrefix } from '../../../src/cache/key.ts';
import { CacheStore, type StoreBounds } from '../../../src/cache/store.ts';
import { headerLines, madeAnswer } from '../../support/cache-rig.ts';

const roomy: StoreBounds = { bytesMax: 1e6, answerBytesMax: 1e5, answersMax: 100, variantsMax: 4 };
const none = readerOf([]);

function storeOf(bounds: Partial<StoreBounds> = {}) {
  const counts = { evicted: 0 };
  const store = new CacheStore({ ...roomy, ...bounds }, (answers) => {
    counts.evicted += answers;
  });
  return { store, counts };
}

/** Whether keys are there, without using them. */
function held(store: CacheStore, ...keys: string[]): boolean[] {
  return keys.map((key) => store.peek(key) !== undefined);
}

test('the answer that was not used for longest goes first', () => {
  const { store, counts } = storeOf({ answersMax: 2 });
  store.put('a', madeAnswer(), none);
  store.put('b', madeAnswer(), none);
  store.find('a');
  store.put('c', madeAnswer(), none);
  assert.deepEqual(held(store, 'a', 'b', 'c'), [true, false, true]);
  assert.equal(counts.evicted, 1);
});

test('the bytes are bounded, whatever the number', () => {
  const { store, counts } = storeOf({ bytesMax: 50_000 });
  for (let index = 0; index < 20; index += 1) {
    store.put(String(index), madeAnswer({ body: 'x'.repeat(5000) }), none);
    assert.ok(store.totals.bytes <= 50_000);
  }
  assert.equal(store.totals.answers + counts.evicted, 20);
  assert.ok(store.totals.answers >= 2);
});

test('an answer that is too large is refused, and takes the older one with it', () => {
  const { store, counts } = storeOf({ answerBytesMax: 5000 });
  assert.ok(store.put('a', madeAnswer(), none));
  assert.ok(!store.put('a', madeAnswer({ body: 'x'.repeat(6000) }), none));
  assert.deepEqual(held(store, 'a'), [false]);
  assert.deepEqual(store.totals, { keys: 0, answers: 0, bytes: 0 });
  assert.equal(counts.evicted, 0);
});

test('of a key, the variants that were used last are kept', () => {
  const { store, counts } = storeOf({ variantsMax: 2 });
  const put = (foo: string, atMs: number) => {
    const lines = headerLines(`Foo: ${foo}`);
    const answer = madeAnswer({ lines: headerLines('Vary: Foo'), requestLines: lines });
    answer.lastUsedMs = atMs;
    store.put('a', answer, readerOf(lines));
  };
  put('1', 9);
  put('2', 5);
  put('3', 1);
  assert.deepEqual(
    store.find('a')?.map(({ varyValues }) => varyValues[0]),
    ['3', '1'],
  );
  assert.equal(counts.evicted, 1);
  assert.deepEqual([store.totals.keys, store.totals.answers], [1, 2]);
});

test('URLs are purged by themselves and by what they begin with, on every accelerator', () => {
  const { store } = storeOf();
  const [one, two] = [keyPrefix('one', 'http', 'a'), keyPrefix('two', 'http', 'a')];
  const fill = () => {
    for (const key of [`${one}/x`, `${two}/x`, `${one}/x/y`, `${one}/z`]) {
      store.put(key, madeAnswer(), none);
    }
  };
  fill();
  assert.equal(store.purgeUrl('http://a/x'), 2);
  assert.equal(store.totals.answers, 2);
  fill();
  assert.equal(store.purgePrefix('http://a/x'), 3);
  assert.equal(store.delete(`${one}/z`), 1);
  assert.equal(store.delete(`${one}/z`), 0);
  fill();
  assert.equal(store.clear(), 4);
  assert.deepEqual(store.totals, { keys: 0, answers: 0, bytes: 0 });
});

test('smaller bounds take effect at once, and keep what was used last', () => {
  const { store, counts } = storeOf();
  for (const key of ['a', 'b', 'c', 'd']) store.put(key, madeAnswer(), none);
  store.put('large', madeAnswer({ body: 'x'.repeat(50_000) }), none);
  store.find('a');
  store.configure({ ...roomy, answersMax: 2, answerBytesMax: 40_000 });
  assert.deepEqual(held(store, 'a', 'b', 'c', 'd', 'large'), [true, false, false, true, false]);
  assert.equal(counts.evicted, 3);
  store.configure(roomy);
  assert.equal(store.totals.answers, 2);
});

test('an update takes the place of what it updates, and nothing else', () => {
  const { store } = storeOf();
  const old = madeAnswer();
  store.put('a', old, none);
  const next = madeAnswer();
  store.replace('a', madeAnswer(), next);
  assert.equal(store.find('a')?.[0], old);
  store.replace('a', old, next);
  assert.equal(store.find('a')?.[0], next);
  store.replace('a', next, undefined);
  assert.equal(store.find('a'), undefined);
  store.replace('a', next, old);
  assert.equal(store.find('a'), undefined);
});

test('the operator sees what is used most, or what is newest', () => {
  const { store } = storeOf();
  for (const [key, uses, responseMs] of [
    ['a', 1, 30],
    ['b', 3, 10],
    ['c', 2, 20],
  ] as const) {
    const answer = madeAnswer({ responseMs });
    answer.uses = uses;
    store.put(key, answer, none);
  }
  const keys = (order: 'most-used' | 'newest', max: number) =>
    store.list(order, max).map(({ key }) => key);
  assert.deepEqual(keys('most-used', 2), ['b', 'c']);
  assert.deepEqual(keys('newest', 9), ['a', 'c', 'b']);
});

test('long values of the fields that Vary names are counted', () => {
  const cost = (foo: string) => {
    const requestLines = headerLines(`Foo: ${foo}`);
    return madeAnswer({ lines: headerLines('Vary: Foo'), requestLines }).costBytes;
  };
  assert.ok(cost('x'.repeat(10_000)) - cost('x') >= 2 * 9_999);
});
