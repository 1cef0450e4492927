import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Histogram, latencyBoundsMs } from '../../../src/log/latency.ts';

test('each request is in the first bucket that it fits into, and the sum is that of all', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -5, max: 20_000 })), (times) => {
      const histogram = new Histogram();
      for (const ms of times) histogram.note(ms);
      const kept = times.map((ms) => Math.max(0, ms));
      const bounds = [...latencyBoundsMs, Number.POSITIVE_INFINITY];
      const expected = bounds.map(
        (bound, index) => kept.filter((ms) => ms <= bound && ms > (bounds[index - 1] ?? -1)).length,
      );
      assert.deepEqual([...histogram.counts], expected);
      assert.equal(
        histogram.sumMs,
        kept.reduce((sum, ms) => sum + ms, 0),
      );
    }),
  );
});
