import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type FailedTry, mayMove } from '../../../src/upstream/retry.ts';
import { limits } from '../../support/made-origin.ts';

/** An idempotent request without a body, whose first origin closed the connection. */
const get: FailedTry = {
  ...{ fault: 'origin_closed', isUnsent: false, bodyBegun: false },
  ...{ isRepeatable: true, hasAnswered: false, tries: 1, ageMs: 5 },
};

function moves(more: Partial<FailedTry>): boolean {
  return mayMove({ ...get, ...more }, limits);
}

test('what may be sent twice goes on, whatever was wrong before the answer', () => {
  for (const fault of [
    'origin_closed',
    'origin_garbage',
    'origin_timeout',
    'origin_tls',
  ] as const) {
    assert.equal(moves({ fault }), true, fault);
    assert.equal(moves({ fault, isRepeatable: false }), false, fault);
  }
});

test('what was never sent goes on, unless its body was begun', () => {
  const post = { fault: 'origin_unreachable', isUnsent: true, isRepeatable: false } as const;
  assert.equal(moves(post), true);
  assert.equal(moves({ ...post, bodyBegun: true }), false);
  assert.equal(moves({ ...post, fault: 'origin_busy' }), true);
});

test('what was answered in part, were it 103 alone, stays', () => {
  assert.equal(moves({ hasAnswered: true }), false);
});

test('tries and time are bounded', () => {
  assert.equal(moves({ tries: limits.originTriesMax - 1 }), true);
  assert.equal(moves({ tries: limits.originTriesMax }), false);
  assert.equal(moves({ ageMs: limits.originRetryMs }), true);
  assert.equal(moves({ ageMs: limits.originRetryMs + 1 }), false);
  assert.equal(moves({ ageMs: -1000 }), true);
});
