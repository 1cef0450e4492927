import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HitRates } from '../../../src/virus/hit-rates.ts';

const startMs = 1_000_000;

function note(rates: HitRates, isVirus: boolean, count: number, atMs: number): void {
  for (let request = 0; request < count; request += 1) rates.note(isVirus, atMs);
}

test('the totals count at once, the rates only when the interval is over', () => {
  const rates = new HitRates(10, startMs);
  note(rates, true, 3, startMs);
  note(rates, false, 5, startMs + 9_999);
  assert.deepEqual(rates.figures(startMs + 9_999), {
    virusRequests: 3,
    nonVirusRequests: 5,
    maxNonVirusHitRate: 0,
    aveVirusHitRate: 0,
    aveNonVirusHitRate: 0,
    recommendThreshold: 0,
  });
  assert.deepEqual(rates.figures(startMs + 10_000), {
    virusRequests: 3,
    nonVirusRequests: 5,
    maxNonVirusHitRate: 5,
    aveVirusHitRate: 3,
    aveNonVirusHitRate: 5,
    recommendThreshold: 5,
  });
});

test('averages run over all intervals crossed, the recommended threshold is rounded up', () => {
  const rates = new HitRates(10, startMs);
  note(rates, false, 100, startMs);
  note(rates, false, 1, startMs + 10_000);
  note(rates, true, 4, startMs + 29_999);
  note(rates, false, 7, startMs + 30_000);
  const figures = rates.figures(startMs + 30_000);
  assert.equal(figures.maxNonVirusHitRate, 100);
  assert.equal(figures.aveNonVirusHitRate, 101 / 3);
  assert.equal(figures.aveVirusHitRate, 4 / 3);
  assert.equal(figures.recommendThreshold, 67);
  assert.equal(figures.nonVirusRequests, 108);
});

test('idle intervals lower the averages and not the peak', () => {
  const rates = new HitRates(1, startMs);
  note(rates, false, 3_600, startMs);
  const figures = rates.figures(startMs + 3_600_000);
  assert.equal(figures.aveNonVirusHitRate, 1);
  assert.equal(figures.maxNonVirusHitRate, 3_600);
});

test('a thousand years of idleness are crossed at once', () => {
  const rates = new HitRates(1, startMs);
  note(rates, false, 10, startMs);
  const figures = rates.figures(startMs + 1000 * 365 * 86_400_000);
  assert.equal(figures.maxNonVirusHitRate, 10);
  assert.ok(figures.aveNonVirusHitRate > 0);
});

test('intervals stay aligned to the first one', () => {
  const rates = new HitRates(10, startMs);
  note(rates, false, 1, startMs + 15_000);
  note(rates, false, 1, startMs + 19_999);
  note(rates, false, 1, startMs + 20_000);
  assert.equal(rates.figures(startMs + 30_000).maxNonVirusHitRate, 2);
});

test('a clock that steps back loses no request and does not stretch the interval', () => {
  const rates = new HitRates(10, startMs);
  note(rates, false, 4, startMs + 5_000);
  note(rates, false, 2, startMs - 3_600_000);
  assert.equal(rates.figures(startMs - 3_600_000 + 9_999).maxNonVirusHitRate, 0);
  const figures = rates.figures(startMs - 3_600_000 + 10_000);
  assert.equal(figures.maxNonVirusHitRate, 6);
  assert.equal(figures.nonVirusRequests, 6);
});

test('a new length closes the running interval and is in force from there', () => {
  const rates = new HitRates(10, startMs);
  note(rates, false, 6, startMs + 4_000);
  rates.changeInterval(2, startMs + 5_000);
  assert.equal(rates.figures(startMs + 5_000).aveNonVirusHitRate, 6);
  note(rates, false, 2, startMs + 6_999);
  assert.equal(rates.figures(startMs + 6_999).aveNonVirusHitRate, 6);
  assert.equal(rates.figures(startMs + 7_000).aveNonVirusHitRate, 4);
});

test('the same length again does not close the running interval', () => {
  const rates = new HitRates(10, startMs);
  note(rates, false, 6, startMs + 4_000);
  rates.changeInterval(10, startMs + 5_000);
  assert.equal(rates.figures(startMs + 9_999).maxNonVirusHitRate, 0);
  assert.equal(rates.figures(startMs + 10_000).maxNonVirusHitRate, 6);
});

test('a change at the very start of an interval counts no empty interval', () => {
  const rates = new HitRates(10, startMs);
  rates.changeInterval(5, startMs);
  note(rates, false, 6, startMs + 1_000);
  assert.equal(rates.figures(startMs + 5_000).aveNonVirusHitRate, 6);
});
