import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { pageEndMax, pageOf } from '../../../src/admin/pattern-pages.ts';

const byValue = (one: number, other: number) => one - other;

test('a page is what sorting the whole list would give', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 200 }),
      fc.nat(60),
      fc.nat(30),
      async (list, from, count) => {
        const matches = (item: number) => item % 3 !== 0;
        const page = await pageOf(() => list, { from, count, matches, compare: byValue });
        const all = list.filter(matches).sort(byValue);
        assert.deepEqual(page, { items: all.slice(from, from + count), total: all.length });
      },
    ),
    { numRuns: 200 },
  );
});

test('a long list is read in slices, between which others get their turn', async () => {
  let turns = 0;
  const timer = setInterval(() => {
    turns += 1;
  }, 0);
  const list = Array.from({ length: 200_000 }, (_, index) => 199_999 - index);
  const wanted = { from: 10, count: 5, matches: () => true, compare: byValue };
  const page = await pageOf(() => list, wanted);
  clearInterval(timer);
  assert.deepEqual(page, { items: [10, 11, 12, 13, 14], total: 200_000 });
  assert.ok(turns > 3, `${turns} turns`);
  assert.equal((await pageOf(() => list, { ...wanted, from: pageEndMax }))?.items.length, 0);
});

test('a list that changes meanwhile is read anew, and in the end given up', async () => {
  let tries = 0;
  const failing = (times: number) =>
    function* () {
      tries += 1;
      yield 1;
      if (tries <= times) throw new Error('changed');
    };
  const wanted = { from: 0, count: 9, matches: () => true, compare: byValue };
  assert.deepEqual(await pageOf(failing(2), wanted), { items: [1], total: 1 });
  tries = 0;
  assert.equal(await pageOf(failing(9), wanted), undefined);
});
