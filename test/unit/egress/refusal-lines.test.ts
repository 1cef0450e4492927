import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { countedSourcesMax, RefusalLines } from '../../../src/egress/refusal-lines.ts';

test('a source has so many lines in a second, and what it has not is told of once', () => {
  const lines = new RefusalLines(() => 2);
  const told = [0, 1, 999, 1000, 1001, 1002].map((atMs) => lines.mayTell('a', atMs));
  assert.deepEqual(told, [true, true, false, true, true, false]);
  assert.equal(lines.mayTell('b', 1003), true);
  assert.deepEqual([...lines.takeUntold()], [['a', 2]]);
  assert.deepEqual([...lines.takeUntold()], []);
});

test('all sources together have ten times as many', () => {
  const lines = new RefusalLines(() => 3);
  let count = 0;
  for (let source = 0; source < 50; source += 1) if (lines.mayTell(`s${source}`, 5)) count += 1;
  assert.equal(count, 30);
});

test('with 0 nothing has a line', () => {
  const lines = new RefusalLines(() => 0);
  assert.equal(lines.mayTell('a', 0), false);
});

test('so many sources are counted apart, and the others together', () => {
  const lines = new RefusalLines(() => 0);
  for (let source = 0; source < 3 * countedSourcesMax; source += 1) lines.mayTell(`s${source}`, 5);
  lines.mayTell('s0', 5);
  const untold = lines.takeUntold();
  assert.equal(untold.size, countedSourcesMax + 1);
  assert.equal(untold.get('s0'), 2);
  assert.equal(untold.get('others'), 2 * countedSourcesMax);
});

test('whatever comes, each request has a line or is told of, within the bounds', () => {
  const request = fc.record({ source: fc.constantFrom('a', 'b', 'c', 'd'), stepMs: fc.nat(400) });
  fc.assert(
    fc.property(fc.array(request, { maxLength: 300 }), fc.nat(4), (requests, max) => {
      const lines = new RefusalLines(() => max);
      const told = new Map<string, number>();
      let atMs = 0;
      let lineCount = 0;
      for (const { source, stepMs } of requests) {
        atMs += stepMs;
        if (!lines.mayTell(source, atMs)) continue;
        lineCount += 1;
        const key = `${Math.floor(atMs / 1000)} ${source}`;
        told.set(key, (told.get(key) ?? 0) + 1);
      }
      for (const count of told.values()) assert.ok(count <= max);
      const untold = [...lines.takeUntold().values()].reduce((sum, count) => sum + count, 0);
      assert.equal(lineCount + untold, requests.length);
    }),
  );
});
