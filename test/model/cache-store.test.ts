/**
 * The store against a list: whatever is put, found, updated, deleted and reconfigured, both hold the same
 * answers of the same keys, in the same order of use, and the bounds are never exceeded.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { StoredAnswer } from '../../src/cache/entry.ts';
import { readerOf } from '../../src/cache/fields.ts';
import { CacheStore, type StoreBounds } from '../../src/cache/store.ts';
import { headerLines, madeAnswer } from '../support/cache-rig.ts';

/** What the store adds to a key of one character. */
const keyCostBytes = 401;

interface Item {
  readonly key: string;
  answers: StoredAnswer[];
}

/** Keys in the order of their use, the last one used last. */
class NaiveStore {
  items: Item[] = [];
  evicted = 0;
  bounds: StoreBounds;

  constructor(bounds: StoreBounds) {
    this.bounds = bounds;
  }

  get answers(): number {
    return this.items.reduce((sum, { answers }) => sum + answers.length, 0);
  }

  get bytes(): number {
    return this.items.reduce((sum, { answers }) => sum + costOf(answers) + keyCostBytes, 0);
  }

  take(key: string): StoredAnswer[] {
    const index = this.items.findIndex((item) => item.key === key);
    return index < 0 ? [] : (this.items.splice(index, 1)[0]?.answers ?? []);
  }

  set(key: string, answers: StoredAnswer[]): void {
    this.take(key);
    const { variantsMax, answersMax, bytesMax } = this.bounds;
    const kept = [...answers];
    const tooMuch = () => {
      return (
        kept.length > Math.min(variantsMax, answersMax) || costOf(kept) + keyCostBytes > bytesMax
      );
    };
    while (kept.length > 0 && tooMuch()) {
      kept.splice(kept.length === 1 ? 0 : leastUsed(kept), 1);
      this.evicted += 1;
    }
    if (kept.length > 0) this.items.push({ key, answers: kept });
    this.shrink();
  }

  shrink(): void {
    while (this.answers > this.bounds.answersMax || this.bytes > this.bounds.bytesMax) {
      this.evicted += this.items.shift()?.answers.length ?? 0;
    }
  }
}

function costOf(answers: readonly StoredAnswer[]): number {
  return answers.reduce((sum, { costBytes }) => sum + costBytes, 0);
}

/** The first is never meant: it has come now. Of several alike, the later one goes. */
function leastUsed(answers: readonly StoredAnswer[]): number {
  let least = 1;
  for (let index = 2; index < answers.length; index += 1) {
    const one = answers[index] as StoredAnswer;
    if (one.lastUsedMs <= (answers[least] as StoredAnswer).lastUsedMs) least = index;
  }
  return least;
}

const keys = fc.constantFrom('a', 'b', 'c', 'd', 'e');
const variant = fc.constantFrom('1', '2', '3', '4');
const bounds = fc.record({
  // All answers of a test cost the same, so that which of them fit is a question of their number.
  bytesMax: fc.integer({ min: 5000, max: 40_000 }),
  answersMax: fc.integer({ min: 1, max: 12 }),
  variantsMax: fc.integer({ min: 1, max: 4 }),
});
const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ put: keys, variant }) },
  { weight: 3, arbitrary: fc.record({ find: keys }) },
  fc.record({ replace: keys, variant, keeps: fc.boolean() }),
  fc.record({ delete: keys }),
  fc.record({ configure: bounds }),
  fc.record({ clear: fc.constant(true) }),
);

function made(foo: string, atMs: number): StoredAnswer {
  const requestLines = headerLines(`Foo: ${foo}`);
  const answer = madeAnswer({
    lines: headerLines('Vary: Foo'),
    requestLines,
    body: 'x'.repeat(600),
  });
  answer.lastUsedMs = atMs;
  return answer;
}

const whole = (some: { bytesMax: number; answersMax: number; variantsMax: number }) => {
  return { ...some, answerBytesMax: some.bytesMax };
};

test('the store holds what a list holds', () => {
  fc.assert(
    fc.property(bounds, fc.array(step, { maxLength: 60 }), (first, steps) => {
      let evicted = 0;
      const store = new CacheStore(whole(first), (answers) => {
        evicted += answers;
      });
      const naive = new NaiveStore(whole(first));
      steps.forEach((each, atMs) => {
        carryOut(each, atMs, store, naive);
        const { answers, bytes, keys: keyCount } = store.totals;
        assert.deepEqual(
          [answers, bytes, keyCount],
          [naive.answers, naive.bytes, naive.items.length],
        );
        assert.ok(bytes <= naive.bounds.bytesMax && answers <= naive.bounds.answersMax);
        assert.equal(evicted, naive.evicted);
        for (const { key, answers: held } of naive.items) assert.deepEqual(store.peek(key), held);
      });
    }),
  );
});

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

function carryOut(each: Step, atMs: number, store: CacheStore, naive: NaiveStore): void {
  if ('put' in each) {
    const answer = made(each.variant, atMs);
    const header = readerOf(headerLines(`Foo: ${each.variant}`));
    const others = naive.take(each.put).filter(({ varyValues: [foo] }) => foo !== each.variant);
    naive.set(each.put, [answer, ...others]);
    assert.ok(store.put(each.put, answer, header));
  } else if ('find' in each) {
    const answers = naive.take(each.find);
    if (answers.length > 0) naive.items.push({ key: each.find, answers });
    assert.deepEqual(store.find(each.find) ?? [], answers);
  } else if ('replace' in each) {
    const held = store.peek(each.replace) ?? [];
    const old = held.find(({ varyValues: [foo] }) => foo === each.variant);
    if (old === undefined) return;
    const next = each.keeps ? made(each.variant, atMs) : undefined;
    const others = naive.take(each.replace).filter((answer) => answer !== old);
    naive.set(each.replace, next === undefined ? others : [next, ...others]);
    store.replace(each.replace, old, next);
  } else if ('delete' in each) {
    assert.equal(store.delete(each.delete), naive.take(each.delete).length);
  } else if ('configure' in each) {
    naive.bounds = whole(each.configure);
    const items = naive.items;
    naive.items = [];
    for (const { key, answers } of items) naive.set(key, answers);
    store.configure(whole(each.configure));
  } else {
    assert.equal(store.clear(), naive.answers);
    naive.items = [];
  }
}
