import assert from 'node:assert/strict';
import { test } from 'node:test';
import { acceleratorSource, ThrottledSources } from '../../../src/throttle/sources.ts';
import type { ThrottleSettings } from '../../../src/throttle/throttle.ts';
import { HandClock } from '../../support/hand-clock.ts';

const usual: ThrottleSettings = {
  workingSetSize: 2,
  delayMs: 1_000,
  queueSize: 10,
  highWaterMark: 8,
  lowWaterMark: 4,
};

function start({ sourcesMax = 100, blockMs = undefined as number | undefined } = {}) {
  const clock = new HandClock();
  const events: string[] = [];
  const gone: string[] = [];
  const refused: string[] = [];
  const settings = { now: usual, isOn: true };
  const sources = new ThrottledSources({
    clock,
    onFull: () => void events.push('full'),
    isOn: () => settings.isOn,
    isOrigin: (host) => host === 'origin',
    settings: () => settings.now,
    blockMs: () => blockMs,
    sourcesMax: () => sourcesMax,
    onEvent: (source, event) => events.push(`${source} ${event}`),
  });
  const admit = (source: string, host: string) => {
    const turn = {
      go: () => void gone.push(`${source}>${host}`),
      refuse: () => void refused.push(`${source}>${host}`),
    };
    return { turn, admission: sources.admit(source, host, turn) };
  };
  return { clock, sources, events, gone, refused, admit, settings };
}

test('at most one new host goes in an interval, and all that wait for it', () => {
  const { clock, gone, admit } = start();
  assert.equal(admit('s', 'a').admission, 'passed');
  for (const host of ['b', 'c', 'b']) assert.equal(admit('s', host).admission, 'queued');
  clock.pass(999);
  assert.deepEqual(gone, []);
  clock.pass(1);
  assert.deepEqual(gone, ['s>b', 's>b']);
  clock.pass(1_000);
  assert.deepEqual(gone, ['s>b', 's>b', 's>c']);
  assert.equal(admit('s', 'c').admission, 'passed');
});

test('after an idle interval a new host waits for nothing', () => {
  const { clock, admit } = start();
  admit('s', 'a');
  clock.pass(1_000);
  assert.equal(admit('s', 'b').admission, 'passed');
  clock.pass(500);
  assert.equal(admit('s', 'c').admission, 'queued');
});

test('an infected source slows itself, and its neighbours not at all', () => {
  const { clock, events, admit, sources } = start();
  for (let host = 0; host < 50; host += 1) admit('infected', `h${host}`);
  assert.deepEqual(events, ['infected detected', 'infected dropping']);
  assert.equal(admit('neighbour', 'x').admission, 'passed');
  assert.equal(admit('neighbour', 'x').admission, 'passed');
  assert.equal(sources.report('infected')?.activity, 'now');
  assert.equal(sources.report('neighbour')?.activity, 'never');
  clock.pass(7_000);
  assert.deepEqual(events.slice(2), ['infected stopped']);
});

test('who goes away leaves the queue', () => {
  const { clock, gone, admit, sources } = start();
  admit('s', 'a');
  const { turn } = admit('s', 'b');
  admit('s', 'c');
  assert.equal(sources.abandon('s', turn), true);
  assert.equal(sources.abandon('s', turn), false);
  clock.pass(1_000);
  assert.deepEqual(gone, ['s>c']);
  assert.equal(sources.report('s')?.counts.waiting, 0);
});

test('sources are bounded: the one that was silent longest makes room, unless somebody waits there', () => {
  const { admit, sources } = start({ sourcesMax: 2 });
  admit('one', 'a');
  admit('one', 'b');
  admit('two', 'a');
  admit('three', 'a');
  assert.equal(sources.report('two'), undefined);
  assert.equal(sources.report('one')?.counts.waiting, 1);
  admit('three', 'b');
  assert.equal(admit('four', 'a').admission, 'full');
  assert.equal(sources.size, 2);
});

test('new settings hold for those that wait', () => {
  const { clock, gone, admit, sources, settings } = start();
  admit('s', 'a');
  admit('s', 'b');
  admit('s', 'c');
  settings.now = { ...usual, delayMs: 3_000 };
  sources.configure();
  clock.pass(2_999);
  assert.deepEqual(gone, []);
  clock.pass(1);
  assert.deepEqual(gone, ['s>b']);
});

test('a clock that steps back holds nobody longer than an interval', () => {
  const { clock, gone, admit } = start();
  admit('s', 'a');
  admit('s', 'b');
  admit('s', 'c');
  clock.set(clock.nowMs() - 3_600_000);
  clock.pass(1_000);
  clock.pass(1_000);
  clock.pass(1_000);
  assert.deepEqual(gone, ['s>b', 's>c']);
});

test('with OnVirusLikeActivity=block what waits is refused, and new hosts are until the time is up', async () => {
  const { clock, admit, gone, refused, events, sources } = start({ blockMs: 20_000 });
  admit('s', 'known');
  for (let host = 0; host < 20; host += 1) admit('s', `h${host}`);
  await Promise.resolve();
  assert.deepEqual(events, ['s detected']);
  assert.equal(refused.length, 7, 'those that waited');
  assert.equal(sources.report('s')?.counts.waiting, 0);
  assert.equal(admit('s', 'other').admission, 'blocked');
  assert.equal(admit('s', 'known').admission, 'passed');
  assert.equal(admit('neighbour', 'other').admission, 'passed');
  clock.pass(19_999);
  assert.equal(admit('s', 'other').admission, 'blocked', 'the time is not up');
  assert.deepEqual(events, ['s detected']);
  assert.equal(sources.report('s')?.activity, 'now');
  clock.pass(1);
  assert.deepEqual(events, ['s detected', 's stopped']);
  assert.equal(admit('s', 'other').admission, 'passed');
  assert.deepEqual(gone, [], 'nobody was let go in between');
});

test('a source that comes back after its block is blocked again', async () => {
  const { clock, admit, events } = start({ blockMs: 20_000 });
  for (let round = 0; round < 3; round += 1) {
    for (let host = 0; host < 20; host += 1) admit('s', `${round} h${host}`);
    await Promise.resolve();
    clock.pass(20_000);
  }
  assert.equal(events.filter((event) => event === 's detected').length, 3);
  assert.equal(events.filter((event) => event === 's stopped').length, 3);
});

test('a blocked source is not forgotten for another, and set free when the action changes', async () => {
  const started = start({ blockMs: 20_000, sourcesMax: 1 });
  const { admit, events, sources } = started;
  for (let host = 0; host < 20; host += 1) admit('s', `h${host}`);
  await Promise.resolve();
  assert.equal(admit('t', 'a').admission, 'full');
  started.settings.isOn = false;
  sources.configure();
  assert.deepEqual(events, ['s detected', 'full', 's stopped']);
  assert.equal(admit('t', 'a').admission, 'passed');
});

test('what forgotten sources have counted stays in the total', () => {
  const { admit, sources } = start({ sourcesMax: 1 });
  admit('one', 'a');
  admit('one', 'a');
  admit('two', 'a');
  const { counts } = sources.total();
  assert.deepEqual([counts.connecting, counts.passed, counts.queued], [3, 1, 2]);
});

test('switched off, all pass uncounted, and who waits goes at once', () => {
  const { sources, admit, settings, gone, clock } = start();
  admit('s', 'a');
  admit('s', 'b');
  admit('s', 'c');
  settings.isOn = false;
  sources.configure();
  assert.deepEqual(gone, ['s>b', 's>c']);
  for (let host = 0; host < 30; host += 1) assert.equal(admit('s', `h${host}`).admission, 'passed');
  assert.equal(sources.total().counts.connecting, 3);
  assert.equal(sources.total().counts.waiting, 0);
  settings.isOn = true;
  sources.configure();
  clock.pass(1_000);
  assert.equal(admit('s', 'new').admission, 'passed');
  assert.equal(admit('s', 'newer').admission, 'queued');
});

test('switched off with lower marks at once, who waits goes and is not refused', () => {
  const { sources, admit, settings, gone, refused, events } = start({ blockMs: 20_000 });
  for (const host of ['a', 'b', 'c', 'd', 'e', 'f']) admit('s', host);
  settings.isOn = false;
  settings.now = { ...usual, highWaterMark: 2, lowWaterMark: 1 };
  sources.configure();
  assert.deepEqual(gone, ['s>b', 's>c', 's>d', 's>e', 's>f']);
  assert.deepEqual([refused, events], [[], []]);
});

test('the accelerator knows its origins, nobody else does, and it is never forgotten', () => {
  const { sources, admit } = start({ sourcesMax: 1 });
  admit(acceleratorSource, 'a');
  assert.equal(admit(acceleratorSource, 'origin').admission, 'passed');
  assert.equal(sources.report(acceleratorSource)?.counts.passed, 1);
  admit('s', 'a');
  assert.equal(admit('s', 'origin').admission, 'queued');
  assert.equal(admit('t', 'a').admission, 'full');
  assert.equal(sources.report(acceleratorSource)?.counts.connecting, 2);
});

test('that there is no room for a source is told once, until there was', () => {
  const { admit, events, clock } = start({ sourcesMax: 1 });
  admit('s', 'a');
  admit('s', 'b');
  for (let time = 0; time < 3; time += 1) assert.equal(admit('t', 'a').admission, 'full');
  assert.deepEqual(events, ['full']);
  clock.pass(1_000);
  assert.equal(admit('t', 'a').admission, 'passed');
  admit('t', 'b');
  assert.equal(admit('s', 'c').admission, 'full');
  assert.deepEqual(events, ['full', 'full']);
});
