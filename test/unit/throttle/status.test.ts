import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addUp, advise, renderAdvice, renderStatus } from '../../../src/throttle/status.ts';
import {
  Throttle,
  type ThrottleEvent,
  type ThrottleSettings,
} from '../../../src/throttle/throttle.ts';

const settings: ThrottleSettings = {
  workingSetSize: 5,
  delayMs: 1_000,
  queueSize: 200,
  highWaterMark: 160,
  lowWaterMark: 100,
};

function throttleWith(changed: Partial<ThrottleSettings> = {}) {
  const events: ThrottleEvent[] = [];
  const throttle = new Throttle<number>({
    settings: { ...settings, ...changed },
    onEvent: (event) => events.push(event),
  });
  return { throttle, events };
}

function reportOf({ throttle }: ReturnType<typeof throttleWith>) {
  const { activity, counts } = throttle;
  return { activity, counts, settings: throttle.settings };
}

test('activity is told while it occurs and after it has', () => {
  const made = throttleWith({ queueSize: 10, highWaterMark: 8, lowWaterMark: 4 });
  for (let host = 0; host < 20; host += 1) made.throttle.admit(`h${host}`, host, 0);
  assert.match(renderStatus(reportOf(made)), /^virus-like activity is currently occurring$/m);
  assert.deepEqual(made.events, ['detected', 'dropping']);
  for (let second = 1; second <= 7; second += 1) made.throttle.release(second * 1_000);
  assert.match(renderStatus(reportOf(made)), /^virus-like activity has occurred in the past$/m);
  assert.deepEqual(made.events, ['detected', 'dropping', 'stopped']);
});

test('the advice doubles the 42 of Figure 4, and keeps its twenty percent', () => {
  const { throttle } = throttleWith({ workingSetSize: 4, delayMs: 3_000, queueSize: 1_000 });
  const counts = { ...throttle.counts, waitingMax: 42 };
  assert.deepEqual(advise({ activity: 'never', counts, settings: throttle.settings }), {
    host_working_set_size: 4,
    delay_queue_delay_seconds: 3,
    delay_queue_size: 84,
    delay_queue_high_watermark: 50,
    delay_queue_low_watermark: 34,
  });
});

test('the advice stays within the ranges, however little or much was measured', () => {
  const { throttle } = throttleWith();
  for (const waitingMax of [0, 1, 3, 5, 499, 500, 1_000]) {
    const counts = { ...throttle.counts, waitingMax };
    const { delay_queue_size: size, ...marks } = advise({ activity: 'never', counts, settings });
    assert.ok(size >= 10 && size <= 1_000, `${waitingMax}: ${size}`);
    const { delay_queue_high_watermark: high, delay_queue_low_watermark: low } = marks;
    assert.ok(
      high >= 8 && high <= size && low >= 4 && low <= high - 4,
      `${waitingMax}: ${high} ${low}`,
    );
  }
});

test('several throttles together: sums, the busiest queue, and activity if any has it', () => {
  const quiet = throttleWith();
  quiet.throttle.admit('a', 1, 0);
  const busy = throttleWith({ queueSize: 10, highWaterMark: 8, lowWaterMark: 4 });
  for (let host = 0; host < 10; host += 1) busy.throttle.admit(`h${host}`, host, 0);
  const { activity, counts } = addUp([reportOf(quiet), reportOf(busy)], settings);
  assert.equal(activity, 'now');
  assert.deepEqual([counts.connecting, counts.queued, counts.waitingMax], [11, 11, 9]);
  assert.equal(addUp([], settings).activity, 'never');
});

test('the advice says what it was measured from, and when that is too little', () => {
  const { throttle } = throttleWith();
  const { activity, counts } = throttle;
  const report = { activity, counts, settings: throttle.settings };
  assert.match(renderAdvice(report), /^; from 0 connection requests .*\n; hardly any has waited/);
  const much = { ...report, counts: { ...counts, connecting: 8_369, waitingMax: 42 } };
  assert.equal(
    renderAdvice(much),
    [
      '; from 8369 connection requests since the start, of which 42 waited at most at once',
      '[Virus Throttle]',
      'host_working_set_size=5',
      'delay_queue_delay_seconds=1',
      'delay_queue_size=84',
      'delay_queue_high_watermark=50',
      'delay_queue_low_watermark=34',
    ].join('\n'),
  );
});
