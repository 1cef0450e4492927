/**
 * The second paper, "HP Virus Throttle for Linux: Installing, Configuring, and Monitoring" (2005): a test
 * for each sentence that promises behaviour. A title quotes the sentence, shortened where it is long. A
 * packet is a connection request here.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  type ParameterName,
  parameterRanges,
  readParameters,
} from '../../src/config/throttle-parameters.ts';
import { formatThrottleMessage } from '../../src/log/throttle-log.ts';
import { advise, renderStatus } from '../../src/throttle/status.ts';
import { settingsOf, Throttle, type ThrottleEvent } from '../../src/throttle/throttle.ts';
import { makeWormgate, runCli, startWormgate, until } from '../support/wormgate.ts';

const defaults = readParameters('').values;

/** A throttle with the paper's defaults, or others; its clock is the `nowMs` of each call. */
function start(changed: Partial<Record<ParameterName, number>> = {}) {
  const events: ThrottleEvent[] = [];
  const settings = settingsOf({ ...defaults, ...changed });
  const throttle = new Throttle<string>({ settings, onEvent: (event) => events.push(event) });
  let number = 0;
  /** Each request is told apart by its number and its host. */
  const admit = (host: string, nowMs: number) => throttle.admit(host, `${++number} ${host}`, nowMs);
  return { throttle, events, admit };
}

/** The working set filled, and the rate limiter just used. */
function startBusy(changed: Partial<Record<ParameterName, number>> = {}) {
  const started = start(changed);
  for (let host = 1; host <= 5; host += 1) started.admit(`known ${host}`, host * 1_000);
  return { ...started, nowMs: 5_000 };
}

test('"If the destination host is listed in the working set, all packets to that host are processed immediately"', () => {
  const { admit } = startBusy();
  for (let packet = 0; packet < 100; packet += 1) assert.equal(admit('known 3', 5_000), 'passed');
});

test('"If the destination host is not listed in the working set, the packets are sent to a delay queue"', () => {
  const { admit, throttle } = startBusy();
  assert.equal(admit('new', 5_000), 'queued');
  assert.equal(throttle.counts.waiting, 1);
});

test('"The packets in the delay queue are released and processed at regular intervals": "no more than one host address per time interval"', () => {
  const { admit, throttle } = startBusy();
  for (const host of ['a', 'b', 'c']) admit(host, 5_000);
  assert.deepEqual(throttle.release(5_999), []);
  assert.deepEqual(throttle.release(6_000), ['6 a']);
  assert.deepEqual(throttle.release(6_999), []);
  assert.deepEqual(throttle.release(7_000), ['7 b']);
  assert.deepEqual(throttle.release(8_000), ['8 c']);
});

test('"When a packet is processed to a new destination host, all other packets to the same host are processed"', () => {
  const { admit, throttle } = startBusy();
  for (const host of ['a', 'b', 'a', 'b', 'a']) admit(host, 5_000);
  assert.deepEqual(throttle.release(6_000), ['6 a', '8 a', '10 a']);
  assert.deepEqual(throttle.release(7_000), ['7 b', '9 b']);
});

test('"the size of the delay queue may rise to … high water mark. If this occurs, Virus Throttle logs an event"', () => {
  const { admit, events } = startBusy();
  for (let host = 1; host < 160; host += 1) admit(`new ${host}`, 5_000);
  assert.deepEqual(events, []);
  admit('one more', 5_000);
  assert.deepEqual(events, ['detected']);
});

test('"If the size of delay queue drops below the low water mark, Virus Throttle logs an event"', () => {
  const { admit, events, throttle } = startBusy();
  for (let host = 1; host <= 160; host += 1) admit(`new ${host}`, 5_000);
  for (let second = 6; second < 66; second += 1) throttle.release(second * 1_000);
  assert.equal(throttle.counts.waiting, 100);
  assert.deepEqual(events, ['detected']);
  throttle.release(66_000);
  assert.deepEqual(events, ['detected', 'stopped']);
});

test('host_working_set_size: "When a new connection is made, the oldest member of the working set is replaced"', () => {
  const { admit, throttle } = startBusy();
  admit('new', 5_000);
  throttle.release(6_000);
  assert.deepEqual(throttle.knownHosts(), ['known 2', 'known 3', 'known 4', 'known 5', 'new']);
});

test('delay_queue_delay_seconds: "The rate at which the oldest connection request is removed from the delay queue"', () => {
  const { admit, throttle } = start({ delay_queue_delay_seconds: 3 });
  for (const host of ['known', 'a', 'b']) admit(host, 5_000);
  assert.deepEqual(throttle.release(7_999), []);
  assert.deepEqual(throttle.release(8_000), ['2 a']);
  assert.deepEqual(throttle.release(10_999), []);
  assert.deepEqual(throttle.release(11_000), ['3 b']);
});

test('delay_queue_size: "When the queue is full, connection requests are dropped"', () => {
  const { admit, throttle } = startBusy();
  for (let host = 1; host <= 200; host += 1) assert.equal(admit(`new ${host}`, 5_000), 'queued');
  assert.equal(admit('one more', 5_000), 'dropped');
  assert.equal(admit('known 1', 5_000), 'passed');
  assert.equal(throttle.counts.dropped, 1);
});

for (const [name, value, min, max] of [
  ['host_working_set_size', 5, 1, 100],
  ['delay_queue_delay_seconds', 1, 1, 10],
  ['delay_queue_size', 200, 10, 1_000],
] as const) {
  test(`${name}: "The default is ${value} … and the valid range is ${min} to ${max} inclusive"`, () => {
    assert.equal(defaults[name], value);
    assert.deepEqual([parameterRanges[name].min, parameterRanges[name].max], [min, max]);
    for (const good of [min, max]) {
      const { values, faults } = readParameters(`${name}=${good}\n`);
      assert.equal(values[name], good);
      assert.ok(faults.every((fault) => !fault.message.startsWith(name)));
    }
    for (const bad of [min - 1, max + 1]) {
      const { values, faults } = readParameters(`${name}=${bad}\n`);
      assert.equal(values[name], value);
      assert.equal(faults.length, 1);
    }
  });
}

test('delay_queue_high_watermark: "The default is 160 … the valid range is 8 to delay_queue_size inclusive"', () => {
  const read = (mark: number) => readParameters(`delay_queue_high_watermark=${mark}\n`);
  assert.equal(defaults.delay_queue_high_watermark, 160);
  assert.equal(read(200).values.delay_queue_high_watermark, 200);
  assert.equal(read(201).faults.length, 1);
  assert.equal(read(7).faults.length, 1);
});

test('delay_queue_low_watermark: "The default is 100 … 4 to (delay_queue_high_watermark minus 4) inclusive"', () => {
  const read = (mark: number) => readParameters(`delay_queue_low_watermark=${mark}\n`);
  assert.equal(defaults.delay_queue_low_watermark, 100);
  assert.equal(read(156).values.delay_queue_low_watermark, 156);
  assert.equal(read(4).values.delay_queue_low_watermark, 4);
  assert.equal(read(157).faults.length, 1);
  assert.equal(read(3).faults.length, 1);
});

test('"The following information is reported": the report of Figure 3', () => {
  const { throttle, admit } = start();
  admit('a', 1_000);
  admit('a', 1_000);
  const { activity, counts, settings } = throttle;
  assert.equal(
    renderStatus({ activity, counts, settings }),
    [
      ...['wormgate is running', '', 'virus-like activity has not occurred', ''],
      'connection establishing packets: 2',
      'packets passed without delay: 1',
      'packets placed on queue: 1',
      'packets removed from queue: 1',
      'currently queued packets: 0',
      'maximum packets on queue: 1',
      'times virus-like activity detected: 0',
      'packets dropped due to queue overflow: 0',
      '',
      'delay queue size: 200',
      'delay queue seconds: 1',
      'known host working set size: 5',
      'delay queue high water mark: 160',
      'delay queue low water mark: 100',
    ].join('\n'),
  );
});

test('"The virus-like activity status is reported as": not occurred, currently occurring, in the past', () => {
  const { throttle, admit } = startBusy();
  const sentence = () => {
    const { activity, counts, settings } = throttle;
    return renderStatus({ activity, counts, settings }).split('\n')[2];
  };
  assert.equal(sentence(), 'virus-like activity has not occurred');
  for (let host = 1; host <= 160; host += 1) admit(`new ${host}`, 5_000);
  assert.equal(sentence(), 'virus-like activity is currently occurring');
  for (let second = 6; second < 70; second += 1) throttle.release(second * 1_000);
  assert.equal(sentence(), 'virus-like activity has occurred in the past');
});

test('"maximum packets on queue", "currently queued packets", "packets removed from queue", "times virus-like activity detected"', () => {
  const { throttle, admit } = startBusy();
  for (let round = 0; round < 2; round += 1) {
    for (let host = 1; host <= 170; host += 1) admit(`${round} ${host}`, 5_000);
    for (let second = 1; second <= 170; second += 1)
      throttle.release(5_000 + (round * 200 + second) * 1_000);
  }
  const { counts } = throttle;
  assert.equal(counts.waitingMax, 170);
  assert.equal(counts.waiting, 0);
  assert.equal(counts.detections, 2);
  assert.equal(counts.removed, counts.queued);
});

test('"we double the value and assign it to delay_queue_size. The value is increased by twenty percent … and decreased twenty percent"', () => {
  const { throttle } = start({ host_working_set_size: 4, delay_queue_delay_seconds: 3 });
  const { activity, counts, settings } = throttle;
  assert.deepEqual(advise({ activity, counts: { ...counts, waitingMax: 42 }, settings }), {
    host_working_set_size: 4,
    delay_queue_delay_seconds: 3,
    delay_queue_size: 84,
    delay_queue_high_watermark: 50,
    delay_queue_low_watermark: 34,
  });
});

test('"Log messages are logged in the following format": "[TAG] SP [DATE] SP TEXT", "Lines that do not start with a tag are a continuation"', () => {
  const atMs = Date.UTC(2005, 1, 10, 18, 54, 35);
  const lines = formatThrottleMessage('INFO', atMs, 'first\nsecond').split('\n');
  assert.match(
    lines[0] ?? '',
    /^\[INFO\] \[[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \S+ 2005\] first$/,
  );
  assert.equal(lines[1], '  second');
  assert.match(
    formatThrottleMessage('ALERT_VLA_DETECTED', atMs),
    /^\[ALERT_VLA_DETECTED\] \[[^\]]+\]$/,
  );
});

test('DROPPING_CONNECTIONS: "After this event is logged, it will not be logged again until the low water mark is reached"', () => {
  const { throttle, admit, events } = startBusy();
  const fill = (round: number) => {
    for (let host = 1; host <= 250; host += 1) admit(`${round} ${host}`, 5_000);
  };
  const dropping = () => events.filter((event) => event === 'dropping').length;
  fill(1);
  throttle.release(6_000);
  fill(2);
  assert.equal(dropping(), 1);
  for (let second = 7; throttle.counts.waiting > 100; second += 1) throttle.release(second * 1_000);
  fill(3);
  assert.equal(dropping(), 2);
});

test('hp-vt.conf as it is: its values are in force, ERROR: "out of range configuration parameters", INFO: "starting and stopping"', async (t) => {
  const wormgate = await makeWormgate(t, {
    sections: { 'Virus Throttle': ['ConfigFile=hp-vt.conf'] },
  });
  const conf = [
    '# the initial parameters of the paper, and one that is out of range',
    'host_working_set_size=4',
    'delay_queue_delay_seconds=3',
    'delay_queue_size=5000',
    'delay_queue_high_watermark=160',
    'delay_queue_low_watermark=80',
  ];
  writeFileSync(join(wormgate.folder, 'hp-vt.conf'), `${conf.join('\n')}\n`);
  await wormgate.start();
  const { code, stdout } = runCli(['status', '--data', wormgate.dataFolder]);
  assert.equal(code, 0);
  assert.match(stdout, /^delay queue size: 200$/m);
  assert.match(stdout, /^delay queue seconds: 3$/m);
  assert.match(stdout, /^known host working set size: 4$/m);
  assert.match(stdout, /^delay queue low water mark: 80$/m);
  await wormgate.stop();
  await until(() => wormgate.throttleLog().includes('exiting'));
  assert.match(wormgate.throttleLog(), /^\[INFO\] \[[^\]]+\] wormgate started$/m);
  assert.match(
    wormgate.throttleLog(),
    /^\[ERROR\] \[[^\]]+\] .*hp-vt\.conf:4: .*delay_queue_size.*5000/m,
  );
  assert.match(wormgate.throttleLog(), /^\[INFO\] \[[^\]]+\] wormgate exiting$/m);
});

test('"The current HP Virus Throttle status and configuration can be obtained by running" the status command, or exit code 3', async (t) => {
  const wormgate = await startWormgate(t);
  assert.match(
    runCli(['status', '--data', wormgate.dataFolder]).stdout,
    /^wormgate is running\n\n/,
  );
  await wormgate.stop();
  assert.equal(runCli(['status', '--data', wormgate.dataFolder]).code, 3);
});
