import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderFleet } from '../../../src/admin/fleet-listing.ts';

test('a machine in no fleet says so', () => {
  assert.match(renderFleet(undefined, 0), /in no fleet/);
});

test('the engine, what is wrong with it, what waits, and the machines', () => {
  const node = { name: 'a', version: '1', silentMs: 1_400, behind: 3, waiting: 2, patterns: 9 };
  const report = {
    ...{ engine: 'redis://h:1', node: 'a', state: 'lost' as const, why: 'no answer' },
    ...{ lastContactMs: 1_000, waiting: 2, nodes: [node] },
  };
  assert.deepEqual(renderFleet(report, 6_000).split('\n'), [
    'redis://h:1 cannot be reached: no answer',
    'Last contact: 5 s ago. Commands that wait: 2. This machine: a.',
    'NODE  VERSION  LAST CONTACT  BEHIND  WAITING  PATTERNS',
    'a           1  1 s ago            3        2         9',
  ]);
  const calm = { ...report, state: 'following' as const, why: '', lastContactMs: 0, nodes: [] };
  assert.equal(
    renderFleet(calm, 6_000),
    'redis://h:1 is followed.\nLast contact: never. Commands that wait: 2. This machine: a.',
  );
});
