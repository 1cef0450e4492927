/** The queue of suspects before real threads: the one that the server starts, and worse ones. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { systemClock } from '../../src/clock.ts';
import { type CheckThread, KeywordChecks, startKeywordThread } from '../../src/keyword-checks.ts';
import { Statistics } from '../../src/statistics.ts';
import type { Suspect } from '../../src/virus/suspects.ts';
import { until } from '../support/wormgate.ts';

function suspect(requestString: string): Suspect {
  return {
    pattern: new Uint8Array(16),
    requestString,
    requestLine: `GET ${requestString}`,
    client: '203.0.113.9',
    atMs: 1,
  };
}

function start(t: { after(end: () => unknown): void }, threads: (() => CheckThread)[]) {
  const statistics = new Statistics();
  const checked: [string, string | undefined][] = [];
  const warnings: string[] = [];
  const checks = new KeywordChecks({
    startThread: () => (threads.shift() ?? startKeywordThread)(),
    clock: systemClock,
    statistics,
    limits: () => ({ suspectQueueMax: 3, keywordCheckTimeoutMs: 300 }),
    onChecked: ({ requestString }, keyword) => checked.push([requestString, keyword]),
    warn: (sentence) => warnings.push(sentence),
  });
  t.after(() => checks.stop());
  checks.setKeywords(['cmd.exe', 'root.exe']);
  checks.start();
  return { checks, statistics, checked, warnings };
}

test('the thread finds keywords in any case and encoding, in the order of the suspects', async (t) => {
  const { checks, checked } = start(t, []);
  for (const text of ['/a/CMD.exe', '/nothing', '/%72oot%252eexe'])
    assert.ok(checks.offer(suspect(text)));
  await until(() => checked.length === 3);
  assert.deepEqual(checked, [
    ['/a/CMD.exe', 'cmd.exe'],
    ['/nothing', undefined],
    ['/%72oot%252eexe', 'root.exe'],
  ]);
  checks.setKeywords(['nothing']);
  checks.offer(suspect('/nothing'));
  await until(() => checked.length === 4);
  assert.deepEqual(checked[3], ['/nothing', 'nothing']);
});

test('a keyword that stands there only when dot segments are gone is found as well', async (t) => {
  const { checks, checked } = start(t, []);
  checks.setKeywords(['/system32/cmd.exe']);
  checks.offer(suspect('/a/system32/./cmd.exe HTTP/1.0'));
  checks.offer(suspect('/a/system32%5c%2e/x/..\\cmd.exe HTTP/1.0'));
  await until(() => checked.length === 2);
  assert.deepEqual(
    checked.map(([, keyword]) => keyword),
    ['/system32/cmd.exe', '/system32/cmd.exe'],
  );
});

test('a thread that throws is replaced, and what waited is checked by the next', async (t) => {
  const throws = `require('worker_threads').parentPort.on('message', (task) => {
    if (task.kind === 'check') throw new Error('a bug');
  })`;
  const { checks, statistics, checked, warnings } = start(t, [
    () => new Worker(throws, { eval: true }),
  ]);
  checks.offer(suspect('/lost'));
  checks.offer(suspect('/cmd.exe'));
  await until(() => checked.length === 1);
  assert.deepEqual(checked, [['/cmd.exe', 'cmd.exe']]);
  assert.equal(statistics.get('keyword_worker_crashes'), 1);
  assert.equal(statistics.get('suspects_lost'), 1);
  assert.match(warnings.join(), /ended: a bug; another is started/);
});

test('a machine that has no thread to give is asked again', async (t) => {
  const fails = () => {
    throw new Error('no more threads');
  };
  const { checks, statistics, checked, warnings } = start(t, [fails, fails]);
  assert.ok(checks.offer(suspect('/cmd.exe')));
  await until(() => checked.length === 1);
  assert.equal(statistics.get('keyword_worker_crashes'), 2);
  assert.match(
    warnings[0] ?? '',
    /could not be started: no more threads; another is started in 100/,
  );
});

test('a thread that never comes back is ended and replaced', async (t) => {
  const hangs = `require('worker_threads').parentPort.on('message', (task) => {
    while (task.kind === 'check');
  })`;
  const { checks, statistics, checked } = start(t, [() => new Worker(hangs, { eval: true })]);
  for (const text of ['/lost', '/cmd.exe', '/x', '/root.exe'])
    assert.ok(checks.offer(suspect(text)));
  assert.equal(checks.offer(suspect('/too many')), false);
  await until(() => checked.length === 3);
  assert.equal(statistics.get('keyword_worker_hangs'), 1);
  assert.equal(statistics.get('suspects_refused'), 1);
  assert.equal(statistics.get('suspects'), 4);
});

test('stopped, it takes nothing, and started again it does', async (t) => {
  const { checks, checked } = start(t, []);
  await checks.stop();
  assert.equal(checks.offer(suspect('/cmd.exe')), false);
  checks.start();
  assert.ok(checks.offer(suspect('/cmd.exe')));
  await until(() => checked.length === 1);
});
