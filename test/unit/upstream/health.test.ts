import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Health, type HealthSettings } from '../../../src/upstream/health.ts';

const settings: HealthSettings = {
  failuresMax: 3,
  downMs: 1000,
  counts5xx: false,
  slowStartMs: 0,
  rise: 2,
  fall: 2,
};

function downAt(nowMs: number, more: Partial<HealthSettings> = {}): Health {
  const health = new Health({ ...settings, ...more });
  for (let count = 1; count < settings.failuresMax; count += 1) {
    assert.equal(health.noteFailure(nowMs), undefined);
  }
  assert.equal(health.noteFailure(nowMs), 'out');
  return health;
}

test('so many failures in a row take an origin out, and a whole answer between them does not', () => {
  const health = new Health(settings);
  for (let times = 0; times < 5; times += 1) {
    assert.equal(health.noteFailure(0), undefined);
    assert.equal(health.noteFailure(0), undefined);
    assert.equal(health.noteHead(200, 0), undefined);
    health.noteWhole(200);
    assert.equal(health.failures, 0);
  }
  assert.equal(health.state(0), 'up');
  assert.equal(downAt(0).state(0), 'down');
});

test('an answer that begins and does not end is no success', () => {
  const health = new Health(settings);
  for (let times = 0; times < 2; times += 1) {
    health.noteHead(200, 0);
    assert.equal(health.noteFailure(0), undefined);
  }
  health.noteHead(200, 0);
  assert.equal(health.noteFailure(0), 'out');
});

test('after FailTimeout one request tries, and no other until it is heard of or as long again', () => {
  const health = downAt(0);
  assert.equal(health.share(999), 0);
  assert.ok(health.share(1000) > 0);
  health.noteChosen(1000);
  assert.equal(health.share(1001), 0);
  assert.equal(health.share(1999), 0);
  assert.ok(health.share(2000) > 0);
});

test('its answer brings the origin back; its failure keeps it out for as long again', () => {
  const failing = downAt(0);
  failing.noteChosen(1000);
  assert.equal(failing.noteFailure(1500), undefined);
  assert.equal(failing.share(2400), 0);
  assert.ok(failing.share(2500) > 0);
  const back = downAt(0);
  back.noteChosen(1000);
  assert.equal(back.noteHead(404, 1010), 'back');
  assert.deepEqual([back.state(1010), back.share(1010), back.failures], ['up', 1, 0]);
});

test('with MaxFails=0 nothing takes it out, also not what did before', () => {
  const health = new Health({ ...settings, failuresMax: 0 });
  for (let times = 0; times < 100; times += 1) assert.equal(health.noteFailure(0), undefined);
  assert.equal(health.state(0), 'up');
  const down = downAt(0);
  down.configure({ ...settings, failuresMax: 0 });
  assert.equal(down.state(0), 'up');
});

test('answers with 5xx count where they are to count, and are no failures elsewhere', () => {
  const strict = new Health({ ...settings, counts5xx: true });
  for (let times = 0; times < 2; times += 1) {
    assert.equal(strict.noteHead(503, 0), undefined);
    strict.noteWhole(503);
  }
  assert.equal(strict.noteHead(500, 0), 'out');
  const lenient = new Health(settings);
  for (let times = 0; times < 9; times += 1) {
    assert.equal(lenient.noteHead(503, 0), undefined);
    lenient.noteWhole(503);
  }
  assert.equal(lenient.failures, 0);
});

test('with SlowStart its share grows from a tenth to the whole', () => {
  const health = downAt(0, { slowStartMs: 10_000 });
  health.noteHead(200, 5000);
  assert.equal(health.state(5000), 'slow start');
  assert.equal(health.share(5000), 0.1);
  assert.equal(health.share(10_000), 0.5);
  assert.equal(health.share(15_000), 1);
  assert.equal(health.state(15_000), 'up');
});

test('checks take out after HealthFall failures and bring back after HealthRise passes', () => {
  const health = new Health(settings);
  const passes = (...results: boolean[]) => results.map((result) => health.noteCheck(result, 0));
  assert.deepEqual(passes(false, true, false, false), [undefined, undefined, undefined, 'out']);
  assert.equal(health.state(0), 'failed');
  assert.equal(health.share(1e9), 0);
  assert.deepEqual(passes(true, false, true, true), [undefined, undefined, undefined, 'back']);
  assert.equal(health.state(0), 'up');
});

test('a request that is answered does not bring back what checks have taken out', () => {
  const health = new Health(settings);
  health.noteCheck(false, 0);
  health.noteCheck(false, 0);
  assert.equal(health.noteHead(200, 0), undefined);
  health.noteWhole(200);
  assert.equal(health.state(0), 'failed');
  assert.equal(health.forgetChecks(0), 'back');
  assert.equal(health.state(0), 'up');
});

test('out and back take turns, and say what share says', () => {
  const event = fc.constantFrom('failure', 'head', 'whole', 'pass', 'fail', 'time', 'forget');
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), (events) => {
      const health = new Health(settings);
      let isOut = false;
      let nowMs = 0;
      for (const each of events) {
        const change =
          each === 'failure'
            ? health.noteFailure(nowMs)
            : each === 'head'
              ? health.noteHead(200, nowMs)
              : each === 'pass' || each === 'fail'
                ? health.noteCheck(each === 'pass', nowMs)
                : each === 'forget'
                  ? health.forgetChecks(nowMs)
                  : undefined;
        if (each === 'whole') health.noteWhole(200);
        if (each === 'time') nowMs += 700;
        if (change !== undefined) {
          assert.equal(change === 'out', !isOut);
          isOut = change === 'out';
        }
        assert.equal(health.state(nowMs) === 'up', !isOut);
      }
    }),
  );
});
