/** How long the fast path waits, for whom. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LimitSettings } from '../../../src/config/shape.ts';
import { isOverdue, tickMs, type Wait } from '../../../src/upstream/waits.ts';

const limits = {
  headerTimeoutMs: 1000,
  bodyTimeoutMs: 2000,
  keepAliveTimeoutMs: 3000,
  connectTimeoutMs: 4000,
  originTimeoutMs: 5000,
} as LimitSettings;

const waits: readonly (readonly [Wait, number])[] = [
  ['head', 1000],
  ['body', 2000],
  ['rest', 2000],
  ['next', 3000],
  ['connection', 4000],
  ['place', 5000],
  ['origin', 5000],
];

test('each wait has its setting, and none is over before all of its time has passed', () => {
  for (const [wait, ms] of waits) {
    const ticks = ms / tickMs;
    // It may have begun in the last instant of a tick.
    assert.equal(isOverdue(wait, ticks + 1, limits), false, wait);
    assert.equal(isOverdue(wait, ticks + 2, limits), true, wait);
  }
});

test('times that are no whole ticks are rounded up', () => {
  assert.equal(isOverdue('head', 2, { ...limits, headerTimeoutMs: tickMs + 1 }), false);
  assert.equal(isOverdue('head', 3, { ...limits, headerTimeoutMs: tickMs + 1 }), false);
  assert.equal(isOverdue('head', 4, { ...limits, headerTimeoutMs: tickMs + 1 }), true);
});

test('a client that reads slowly is not judged here', () => {
  assert.equal(isOverdue('client', 1e9, limits), false);
  assert.equal(isOverdue('nothing', 1e9, limits), false);
});
