import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Figures } from '../../../src/admin/figures.ts';
import { latencyBetween, RateHistory, rateOf } from '../../../src/admin/page/rates.ts';
import { Statistics } from '../../../src/statistics.ts';

function figures(atMs: number, requests: number): Figures {
  const { totals } = new Statistics();
  return {
    ...{ atMs, counters: { ...totals, requests }, screen: undefined, origins: [], sources: [] },
    ...{ cache: { keys: 0, answers: 0, bytes: 0 }, latencyCounts: [] },
  };
}

test('counters become rates a second, and a restart is a gap', () => {
  const history = new RateHistory([rateOf(({ counters }) => counters.requests)]);
  history.add(figures(1_000, 100));
  assert.deepEqual(history.rates, { times: [], series: [[]] });
  history.add(figures(2_000, 150));
  history.add(figures(4_000, 150));
  history.add(figures(4_000, 999));
  history.add(figures(5_000, 3));
  assert.deepEqual(history.rates, { times: [2, 4, 5], series: [[50, 0, null]] });
});

test('five minutes are kept', () => {
  const history = new RateHistory([rateOf(({ counters }) => counters.requests)]);
  for (let second = 0; second < 400; second += 1) history.add(figures(second * 1_000, second));
  const { times, series } = history.rates;
  assert.deepEqual([times.length, times[0], series[0]?.length], [300, 100, 300]);
});

test('the time that a part of the requests of a second stayed below', () => {
  const bounds = [1, 5, 10];
  assert.equal(latencyBetween([0, 0, 0, 0], [0, 0, 0, 0], 0.5, bounds), null);
  assert.equal(latencyBetween([10, 0, 0, 0], [15, 4, 1, 0], 0.5, bounds), 1);
  assert.equal(latencyBetween([10, 0, 0, 0], [15, 4, 1, 0], 0.6, bounds), 5);
  assert.equal(latencyBetween([10, 0, 0, 0], [15, 4, 1, 0], 0.99, bounds), 10);
  assert.equal(latencyBetween([0, 0, 0, 0], [0, 0, 0, 1], 0.5, bounds), 10, 'above all bounds');
});
