import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Tries } from '../../../src/admin/tries.ts';

test('an IPv6 network counts as one address', () => {
  const tries = new Tries();
  for (let count = 1; count <= 5; count += 1) tries.noteWrong(`2001:db8:1:2::${count}`, 0);
  assert.equal(tries.waitMs('2001:db8:1:2:3:4:5:6', 0), 12_000);
  assert.equal(tries.waitMs('2001:db8:1:3::1', 0), 0);
  assert.equal(tries.waitMs('::1', 0), 0);
  assert.equal(tries.size, 1);
});

test('many addresses together are slowed as well, and remembered up to a bound', () => {
  const tries = new Tries();
  for (let index = 0; index < 2_000; index += 1) {
    tries.noteWrong(`10.0.${index >> 8}.${index & 255}`, index);
  }
  assert.equal(tries.size, 1_000);
  assert.ok(tries.waitMs('192.0.2.1', 2_000) > 0);
  assert.equal(tries.waitMs('192.0.2.1', 2_000 + 2_000 * 600), 0);
});

test('a clock that is set back forgives nothing', () => {
  const tries = new Tries();
  for (let count = 0; count < 5; count += 1) tries.noteWrong('a', 100_000);
  assert.ok(tries.waitMs('a', 0) > 0);
});
