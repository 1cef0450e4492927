import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ResetBudget } from '../../../src/http/reset-budget.ts';

test('more than the bound within a span is too many, and a new span forgets', () => {
  const budget = new ResetBudget();
  assert.deepEqual(
    [0, 1, 2].map((at) => budget.note(at, 2)),
    [false, false, true],
  );
  assert.equal(budget.note(9999, 2), true);
  assert.equal(budget.note(10_000, 2), false);
  assert.equal(budget.note(10_001, 2), false);
  assert.equal(budget.note(20_000, 1), false);
  assert.equal(budget.note(20_001, 1), true);
});
