/** What the primary makes of a worker's answers, without a worker. */
import assert from 'node:assert/strict';
import type { Worker } from 'node:cluster';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { pack } from '../../src/fleet/packing.ts';
import { WorkerLink } from '../../src/worker-link.ts';
import { HandClock } from '../support/hand-clock.ts';

function linked() {
  const clock = new HandClock();
  const done: string[] = [];
  const worker = Object.assign(new EventEmitter(), {
    id: 1,
    isConnected: () => true,
    process: { pid: 2, send: () => true, kill: (signal: string) => done.push(signal) },
  });
  const link = new WorkerLink(worker as unknown as Worker, {
    clock,
    timeoutMs: () => 1_000,
    onMessage: () => {},
    onLate: (kind) => done.push(kind),
    onEnd: () => {},
  });
  return { clock, done, worker, link };
}

test('a worker that does not answer in time is killed', async () => {
  const { clock, done, link } = linked();
  void link.ask('report', null);
  clock.pass(999);
  await setImmediate();
  assert.deepEqual(done, []);
  clock.pass(1);
  await setImmediate();
  assert.deepEqual(done, ['report', 'SIGKILL']);
});

test('an answer that the primary was too busy to read counts', async () => {
  const { clock, done, worker, link } = linked();
  const asked = link.ask('report', null);
  clock.pass(1_000);
  worker.emit('message', pack({ kind: 'answer', id: 1, answer: { of: 'report', value: null } }));
  await setImmediate();
  assert.equal(await asked, null);
  assert.deepEqual(done, []);
});
