import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Leave, OriginQueue } from '../../../src/upstream/origin-queue.ts';

const bounds = { runningMax: 2, waitingMax: 2 };

/** A queue, and the names of those who were started, in order. */
function makeQueue() {
  const queue = new OriginQueue();
  const started: string[] = [];
  const enter = (name: string, each = bounds) => queue.enter(each, () => started.push(name));
  return { queue, started, enter };
}

test('as many as may run start at once, the next ones wait, the rest is refused', () => {
  const { queue, started, enter } = makeQueue();
  const places = ['a', 'b', 'c', 'd', 'e'].map((name) => enter(name));
  assert.deepEqual(started, ['a', 'b']);
  assert.equal(queue.waitingCount, 2);
  assert.deepEqual(
    places.map((leave) => leave !== undefined),
    [true, true, true, true, false],
  );
});

test('a place that is given back goes to whoever waits longest', () => {
  const { queue, started, enter } = makeQueue();
  const [a, b] = ['a', 'b', 'c', 'd'].map((name) => enter(name));
  b?.();
  assert.deepEqual(started, ['a', 'b', 'c']);
  a?.();
  assert.deepEqual(started, ['a', 'b', 'c', 'd']);
  assert.equal(queue.waitingCount, 0);
});

test('a place is given back once, however often that is said', () => {
  const { started, enter } = makeQueue();
  const a = enter('a');
  for (const name of ['b', 'c', 'd']) enter(name);
  a?.();
  a?.();
  a?.();
  assert.deepEqual(started, ['a', 'b', 'c']);
});

test('who leaves while waiting is never started, and makes room behind', () => {
  const { queue, started, enter } = makeQueue();
  const [a, , c] = ['a', 'b', 'c', 'd'].map((name) => enter(name));
  c?.();
  assert.equal(queue.waitingCount, 1);
  assert.ok(enter('e') !== undefined);
  a?.();
  assert.deepEqual(started, ['a', 'b', 'd']);
});

test('one may leave while it is being started', () => {
  const queue = new OriginQueue();
  const started: string[] = [];
  const one = { runningMax: 1, waitingMax: 9 };
  const first = queue.enter(one, () => started.push('a'));
  for (const name of ['b', 'c', 'd']) {
    queue.enter(one, (leave) => {
      started.push(name);
      leave();
    });
  }
  first?.();
  assert.deepEqual(started, ['a', 'b', 'c', 'd']);
  assert.equal(queue.waitingCount, 0);
});

test('bounds that a reload changed hold for the next request on', () => {
  const { started, enter } = makeQueue();
  const a = enter('a', { runningMax: 1, waitingMax: 5 });
  for (const name of ['b', 'c']) enter(name, { runningMax: 1, waitingMax: 5 });
  assert.equal(enter('d', { runningMax: 1, waitingMax: 0 }), undefined);
  enter('e', { runningMax: 3, waitingMax: 5 });
  assert.ok(started.includes('e'));
  a?.();
  assert.deepEqual([...started].sort(), ['a', 'b', 'c', 'e']);
});

/** `enter`: a new request; a number: the request of that index leaves. */
const step = fc.oneof(fc.constant('enter' as const), fc.nat({ max: 12 }));

test('agrees with a model of two lists, whoever comes and goes', () => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 60 }),
      fc.record({ runningMax: fc.integer({ min: 1, max: 4 }), waitingMax: fc.nat({ max: 4 }) }),
      (steps, limits) => {
        const queue = new OriginQueue();
        const started: number[] = [];
        const leaves: (Leave | undefined)[] = [];
        let running: number[] = [];
        let waiting: number[] = [];
        const modelStarted: number[] = [];
        const fill = () => {
          while (running.length < limits.runningMax && waiting.length > 0) {
            const next = waiting.shift() ?? -1;
            running.push(next);
            modelStarted.push(next);
          }
        };
        for (const each of steps) {
          if (each === 'enter') {
            const index = leaves.length;
            const leave = queue.enter(limits, () => started.push(index));
            leaves.push(leave);
            const isFull =
              running.length >= limits.runningMax && waiting.length >= limits.waitingMax;
            assert.equal(leave === undefined, isFull);
            if (!isFull) waiting.push(index);
          } else {
            leaves[each]?.();
            running = running.filter((index) => index !== each);
            waiting = waiting.filter((index) => index !== each);
          }
          fill();
          assert.deepEqual(started, modelStarted);
          assert.equal(queue.waitingCount, waiting.length);
        }
      },
    ),
    { numRuns: 1000 },
  );
});

test('a place that is taken at once counts like any other, and goes to whoever waits', () => {
  const queue = new OriginQueue();
  const started: string[] = [];
  assert.equal(queue.tryEnter(2), true);
  assert.equal(queue.tryEnter(2), true);
  assert.equal(queue.tryEnter(2), false);
  const leave = queue.enter({ runningMax: 2, waitingMax: 1 }, () => started.push('waited'));
  assert.deepEqual(started, []);
  queue.leave();
  assert.deepEqual(started, ['waited']);
  assert.equal(queue.tryEnter(2), false);
  leave?.();
  leave?.();
  assert.equal(queue.tryEnter(2), true);
  assert.equal(queue.tryEnter(2), false);
});
