/** The pure parts of the throttle's benchmark: its worm, its spread, its drawing. Measures no time. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawSpread } from '../../../scripts/bench/throttle/chart.ts';
import {
  infectedAt,
  measureSpread,
  minutesUntil,
  summarize,
} from '../../../scripts/bench/throttle/curves.ts';
import { renderDrawing, renderEvidence } from '../../../scripts/bench/throttle/document.ts';
import { EventQueue } from '../../../scripts/bench/throttle/event-queue.ts';
import { seededRandom, triesUntil } from '../../../scripts/bench/throttle/random.ts';
import {
  calibratedAddressCount,
  type SpreadOptions,
  simulateSpread,
} from '../../../scripts/bench/throttle/spread.ts';
import { idealStop, measuredStop, stopRows } from '../../../scripts/bench/throttle/stopping.ts';
import { settingsOf2003 } from '../../../scripts/bench/throttle/throttled-worm.ts';
import { reachedByOne } from '../../../scripts/bench/throttle/variants.ts';

const fewHosts: SpreadOptions = {
  hostCount: 16,
  throttledCount: 0,
  addressCount: calibratedAddressCount(16, 20, 1_200),
  perSecond: 20,
  settings: settingsOf2003,
  reaction: 'stopped',
  endMs: 36_000_000,
};

function runs(count: number, changed: Partial<SpreadOptions> = {}): number[][] {
  return Array.from({ length: count }, (_, seed) =>
    simulateSpread({ ...fewHosts, ...changed }, seededRandom(seed)),
  );
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

test('the ideal run stops a worm of 20 a second after 5.25 s and five hosts, one of 100 after 1.01 s', () => {
  assert.deepEqual(idealStop(20), { seconds: 5.25, reached: 5 });
  assert.deepEqual(idealStop(40), { seconds: 2.55, reached: 2 });
  assert.deepEqual(idealStop(100), { seconds: 1.01, reached: 1 });
});

test('the throttle stops a worm when the ideal run does, to the millisecond', () => {
  for (const { perSecond, ideal, closed } of stopRows()) {
    assert.deepEqual(closed, ideal, `${perSecond} a second`);
  }
});

test('after an idle minute the worm reaches one host more, and the seconds begin with it', () => {
  assert.deepEqual(measuredStop(20, 60_000), { seconds: 5.3, reached: 6 });
});

test('the same seed gives the same numbers, another seed others', () => {
  const numbers = (seed: number) => Array.from({ length: 5 }, seededRandom(seed));
  assert.deepEqual(numbers(1), numbers(1));
  assert.notDeepEqual(numbers(1), numbers(2));
});

test('random numbers are spread evenly, the first of each seed as well', () => {
  const random = seededRandom(7);
  const many = Array.from({ length: 20_000 }, random);
  const firsts = Array.from({ length: 20_000 }, (_, seed) => seededRandom(seed)());
  for (const values of [many, firsts]) {
    for (let tenth = 0; tenth < 10; tenth += 1) {
      const count = values.filter((value) => Math.floor(value * 10) === tenth).length;
      assert.ok(Math.abs(count - 2_000) < 200, `${count} of 20,000 in tenth ${tenth}`);
    }
  }
});

test('a chance of one in fifty takes fifty tries on average, a certain one takes one', () => {
  const random = seededRandom(1);
  const tries = Array.from({ length: 20_000 }, () => triesUntil(0.02, random));
  assert.ok(Math.min(...tries) === 1);
  assert.ok(Math.abs(mean(tries) - 50) < 2, String(mean(tries)));
  assert.equal(triesUntil(1, random), 1);
});

test('events are taken in the order of their times', () => {
  const random = seededRandom(3);
  const queue = new EventQueue();
  const times: number[] = [];
  for (let event = 0; event < 1_000; event += 1) {
    const atMs = Math.floor(random() * 500);
    times.push(atMs);
    queue.add(atMs, event, event + 1);
  }
  const taken = Array.from({ length: 1_000 }, () => queue.take());
  assert.deepEqual(
    taken.map((scan) => scan?.atMs),
    [...times].sort((one, other) => one - other),
  );
  for (const scan of taken) {
    assert.equal(scan?.atMs, times[scan?.target ?? -1]);
    assert.equal(scan?.source, (scan?.target ?? 0) + 1);
  }
  assert.equal(queue.take(), undefined);
  assert.equal(queue.size, 0);
});

test('the calibration holds: with nothing throttled the last host falls after 20 minutes on average', () => {
  const lastMinutes = runs(2_000).map((times) => minutesUntil(times, 16));
  assert.ok(Math.abs(mean(lastMinutes) - 20) < 0.6, String(mean(lastMinutes)));
});

test('a spread begins with one host, infects each once, and goes forward in time', () => {
  for (const times of runs(50, { throttledCount: 8 })) {
    assert.equal(times[0], 0);
    assert.equal(times.length, 16);
    assert.deepEqual(
      times,
      [...times].sort((one, other) => one - other),
    );
  }
});

test('passing over the misses changes nothing: a worm tried address by address spreads as fast', () => {
  // A throttle that never makes wait is no throttle, but tries each address.
  const open = { ...settingsOf2003, delayMs: 0 };
  const small = { hostCount: 16, addressCount: 400, perSecond: 10, settings: open };
  const end = { reaction: 'delayed', endMs: 120_000 } as const;
  const all = (times: readonly number[]) => minutesUntil(times, 16);
  const skipping = mean(runs(600, { ...small, ...end }).map(all));
  const trying = mean(runs(600, { ...small, ...end, throttledCount: 16 }).map(all));
  assert.ok(Math.abs(skipping / trying - 1) < 0.08, `${skipping} and ${trying} minutes`);
});

test('where all are throttled nearly nobody but the first is infected', () => {
  const infected = runs(500, { throttledCount: 16 }).map(({ length }) => length);
  assert.ok(mean(infected) < 1.02, String(mean(infected)));
});

test('with three quarters throttled half of the hosts are infected after 20 minutes', () => {
  const infected = runs(1_000, { throttledCount: 12 }).map((times) => infectedAt(times, 20));
  assert.ok(Math.abs(mean(infected) - 8) < 0.5, String(mean(infected)));
});

test('a worm that nobody ends reaches one host a second, or as many a minute as before it is blocked', () => {
  const delayed = reachedByOne({ settings: settingsOf2003, reaction: 'delayed' });
  assert.ok(Math.abs(delayed - 1_200) <= 2, String(delayed));
  // Five seconds at 20 a second until 100 wait, then 60 in which it is blocked.
  const blocked = reachedByOne({ settings: settingsOf2003, reaction: 'blocked' });
  assert.ok(blocked > 80 && blocked < 130, String(blocked));
  assert.equal(reachedByOne({ settings: settingsOf2003, reaction: 'stopped' }), 6);
});

test('counts and times are read off a run', () => {
  const times = [0, 60_000, 60_000, 180_000];
  assert.deepEqual(
    [0, 0.5, 1, 2.9, 3, 9].map((minutes) => infectedAt(times, minutes)),
    [1, 1, 3, 3, 4, 4],
  );
  assert.equal(minutesUntil(times, 4), 3);
  assert.equal(minutesUntil(times, 5), Number.POSITIVE_INFINITY);
});

test('several runs become their median, and what most never reach is infinite', () => {
  const result = summarize([[0], [0, 60_000], [0, 120_000, 180_000, 240_000]], 4, 0.5);
  assert.equal(result.infected, 2);
  assert.deepEqual([result.infectedLow, result.infectedHigh], [1, 4]);
  assert.equal(result.halfMinutes, 2);
  assert.equal(result.allMinutes, Number.POSITIVE_INFINITY);
  assert.equal(result.curve[0], 0.25);
  assert.equal(result.curve.at(-1), 0.5);
});

test('the drawing has a line and a label for each share in each panel', () => {
  const spreads = [measureSpread(16, 3, 1), measureSpread(32, 3, 1)];
  const drawing = drawSpread('a <title>', spreads);
  assert.equal(drawing.match(/<polyline /g)?.length, 10);
  for (const share of ['0 %', '25 %', '50 %', '75 %', '100 %']) {
    assert.equal(drawing.match(new RegExp(`class="label[^>]*>${share}<`, 'g'))?.length, 2, share);
  }
  assert.ok(!drawing.includes('NaN'));
  assert.match(drawing, /a &lt;title&gt;/);
});

test('the document has a table for each part, and the drawing', () => {
  const evidence = {
    stops: stopRows(),
    onSockets: [],
    overheads: [],
    spreads: [measureSpread(16, 3, 1)],
    variants: [{ title: 'made up', reached: 12, infected: 1.5 }],
    variantRuns: { hostCount: 16, runCount: 3 },
    costs: [{ name: 'Throttle.admit', ns: 12.3 }],
    machine: 'a machine',
  };
  const text = renderEvidence(evidence);
  assert.match(text, /^\| 20 \| 5\.44 \| 5 \| 5\.25 \| 5 \| 5\.25 \| 5 \| 5\.30 \| 6 \|$/m);
  assert.match(text, /^\| 100 % \| 1 \| 6\.3 % \| 1 to 1 \| > 120 \| > 120 \|$/m);
  assert.match(text, /^\| made up \| 12 \| 1\.50 \|$/m);
  assert.match(text, /^\| Throttle\.admit \| 12 \|$/m);
  assert.match(text, /\(throttle-spread\.svg\)/);
  assert.ok(!/undefined|NaN|Infinity/.test(text + renderDrawing(evidence)));
});
