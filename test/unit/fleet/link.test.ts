import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backoffMs } from '../../../src/fleet/link.ts';

test('the wait for the next try doubles from a second up to ten, and half of it is by chance', () => {
  assert.deepEqual(
    [0, 1, 2, 3, 4, 100].map((failures) => backoffMs(failures, 1)),
    [1_000, 2_000, 4_000, 8_000, 10_000, 10_000],
  );
  assert.equal(backoffMs(0, 0), 500);
  assert.equal(backoffMs(9, 0), 5_000);
});
