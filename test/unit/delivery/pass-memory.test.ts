import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PassMemory } from '../../../src/delivery/pass-memory.ts';

test('a key is known for its lifetime, and not when the clock was set back', () => {
  const memory = new PassMemory(10, 1000);
  memory.note('a', 5000);
  assert.equal(memory.has('a', 5000), true);
  assert.equal(memory.has('a', 5999), true);
  assert.equal(memory.has('a', 6000), false);
  assert.equal(memory.has('a', 4999), false);
  assert.equal(memory.has('b', 5000), false);
});

test('three in a row are often; to be forgotten ends the row', () => {
  const memory = new PassMemory(10, 1000);
  memory.note('a', 0);
  memory.note('a', 100);
  assert.equal(memory.hasOften('a', 100), false);
  memory.note('a', 200);
  assert.equal(memory.hasOften('a', 200), true);
  assert.equal(memory.hasOften('a', 1200), false, 'its time is over');
  memory.note('a', 1300);
  assert.equal(memory.hasOften('a', 1300), false, 'the row is over, too');
  memory.note('a', 1301);
  memory.note('a', 1302);
  assert.equal(memory.hasOften('a', 1302), true);
  memory.forget('a');
  assert.equal(memory.has('a', 1302), false);
  memory.note('a', 1400);
  assert.equal(memory.hasOften('a', 1400), false);
});

test('a long key is not remembered', () => {
  const memory = new PassMemory(2, 1000);
  memory.note('a'.repeat(1025), 0);
  assert.equal(memory.has('a'.repeat(1025), 0), false);
});

test('the key that was noted longest ago goes when there are too many', () => {
  const memory = new PassMemory(2, 1000);
  memory.note('a', 0);
  memory.note('b', 0);
  memory.note('a', 1);
  memory.note('c', 2);
  assert.deepEqual(
    ['a', 'b', 'c'].map((key) => memory.has(key, 3)),
    [true, false, true],
  );
});
