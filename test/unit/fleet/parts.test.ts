/** The smaller parts that workers and primary share. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  addKeywordUse,
  copyOfKeywords,
  takeKeywordUses,
} from '../../../src/fleet/copied-keywords.ts';
import { CountedPatterns } from '../../../src/fleet/counted-patterns.ts';
import {
  addCounters,
  addLatencies,
  CounterDeltas,
  takeLatencies,
} from '../../../src/fleet/counter-deltas.ts';
import { LineBatch } from '../../../src/fleet/line-batch.ts';
import { mergedRows, OriginNews } from '../../../src/fleet/origin-views.ts';
import { applyBatch, batchesOf, PatternChanges } from '../../../src/fleet/pattern-batch.ts';
import { Reporter } from '../../../src/fleet/reporter.ts';
import { RestartDelay } from '../../../src/fleet/restart-delay.ts';
import { lastsLonger, ServedNotes } from '../../../src/fleet/served-notes.ts';
import { settingsOfWorker } from '../../../src/fleet/worker-settings.ts';
import { Latencies } from '../../../src/log/latency.ts';
import { type CounterName, counterNames, Statistics } from '../../../src/statistics.ts';
import type { OriginRow } from '../../../src/upstream/origins.ts';
import { KeywordList } from '../../../src/virus/keyword-list.ts';
import { PatternSet } from '../../../src/virus/pattern-set.ts';
import { ServedMemory } from '../../../src/virus/served-memory.ts';
import { HandClock } from '../../support/hand-clock.ts';
import { settingsModel } from '../../support/settings-model.ts';

const patternSize = 4;
const newSet = () => new PatternSet({ patternSize, maxPatterns: 1_000, seed: 1 });
const shown = (set: PatternSet) =>
  Array.from(set.entries(), ({ pattern, origLength, from }) => [
    Buffer.from(pattern).toString('latin1'),
    origLength,
    from,
  ]);

test('whatever happens to a set, its copies follow, those that begin later, too', () => {
  const change = fc.record({
    kind: fc.constantFrom('add', 'add', 'add', 'del', 'clear', 'send', 'join'),
    name: fc.constantFrom('aaaa', 'bbbb', 'cccc', 'dddd'),
    origLength: fc.integer({ min: 1, max: 3 }),
    from: fc.constantFrom('console' as const, 'shipped' as const, 'auto(x)' as const),
  });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 60 }), (steps) => {
      const original = newSet();
      const changes = new PatternChanges(patternSize);
      original.watcher = changes;
      const copies = [newSet()];
      const send = () => {
        const batch = structuredClone(changes.take());
        for (const copy of copies) applyBatch(copy, batch);
      };
      for (const { kind, name, origLength, from } of steps) {
        const pattern = Buffer.from(name);
        if (kind === 'clear') original.clear();
        else if (kind === 'del') original.del(pattern, origLength);
        else if (kind === 'add') original.add(pattern, origLength, from, 5);
        else if (kind === 'send') send();
        else {
          send();
          const joined = newSet();
          for (const batch of batchesOf(original, 2)) applyBatch(joined, batch);
          copies.push(joined);
        }
      }
      send();
      for (const copy of copies) assert.deepEqual(shown(copy), shown(original));
    }),
  );
});

test('hits of a copy are told by pattern, before a change makes their indexes mean others', () => {
  const copy = new CountedPatterns(patternSize, 3);
  const changes = new PatternChanges(patternSize);
  changes.added(Buffer.from('aaaa'), 9, 'console');
  copy.apply(changes.take());
  const index = () => copy.findInString('aaaa', 0);
  copy.hit(index(), 1);
  copy.hit(index(), 2);
  changes.deleted(Buffer.from('aaaa'), 9);
  changes.added(Buffer.from('bbbb'), 9, 'console');
  copy.apply(changes.take());
  const [hits, ...more] = copy.takeHits();
  assert.deepEqual(more, []);
  assert.equal(Buffer.from(hits?.pattern ?? []).toString(), 'aaaa');
  assert.deepEqual([hits?.origLength, hits?.hits, hits?.lastHitMs], [9, 2, 2]);
  assert.deepEqual(copy.takeHits(), []);
});

test('uses of keywords go over to the next list, and are added once', () => {
  const state = { keyword: 'cmd.exe', from: 'console', isConfirmed: true } as const;
  const first = copyOfKeywords([state], new KeywordList(0));
  const entry = first.find('CMD.exe');
  assert.ok(entry !== undefined && entry.confirmedAtMs !== undefined);
  entry.hits = 2;
  entry.lastHitMs = 50;
  entry.servedAtMs = 70;
  const second = copyOfKeywords([{ ...state, isConfirmed: false }], first);
  assert.equal(second.find('cmd.exe')?.confirmedAtMs, undefined);
  const [use] = takeKeywordUses(second);
  assert.ok(use !== undefined);
  assert.deepEqual(takeKeywordUses(second), []);
  const own = new KeywordList(5);
  own.add('cmd.exe', 'console', 0);
  addKeywordUse(own.find('cmd.exe'), use);
  addKeywordUse(undefined, use);
  const { hits, lastHitMs, servedAtMs } = own.find('cmd.exe') ?? {};
  assert.deepEqual([hits, lastHitMs, servedAtMs], [2, 50, 70]);
});

test('counters and histograms of several workers add up to what all have counted', () => {
  const step = fc.tuple(fc.nat(2), fc.constantFrom<CounterName>(...counterNames), fc.nat(5));
  fc.assert(
    fc.property(fc.array(fc.oneof(step, fc.nat(2))), (steps) => {
      const sum = new Statistics();
      const latencies = new Latencies();
      const expected = new Statistics();
      const expectedLatencies = new Latencies();
      const workers = [0, 1, 2].map(() => {
        const own = new Statistics();
        return { own, deltas: new CounterDeltas(own), latencies: new Latencies() };
      });
      const report = (index: number) => {
        const worker = workers[index];
        if (worker === undefined) return;
        addCounters(sum, structuredClone(worker.deltas.take()));
        addLatencies(latencies, structuredClone(takeLatencies(worker.latencies)));
      };
      for (const each of steps) {
        if (typeof each === 'number') {
          report(each);
          continue;
        }
        const [worker, name, amount] = each;
        workers[worker]?.own.add(name, amount);
        workers[worker]?.latencies.fast.note(amount * 7);
        expected.add(name, amount);
        expectedLatencies.fast.note(amount * 7);
      }
      for (const index of workers.keys()) report(index);
      assert.deepEqual(sum.totals, expected.totals);
      assert.deepEqual(latencies, expectedLatencies);
    }),
  );
});

test('what workers have served is known to a memory of the same seed, also when they told it before', () => {
  const hashing = { patternStartOffset: 1, patternSize: 16, seed: 99 };
  const lastsMs = 10_000;
  const memory = new ServedMemory({
    ...hashing,
    bytesMax: 65_536,
    lastsMs: lastsMs + lastsLonger,
    nowMs: 0,
  });
  const notes = new ServedNotes(hashing, new Statistics());
  const serve = (text: string, nowMs: number) => notes.note(text, 0, text.length, nowMs);
  for (let nowMs = 0; nowMs <= 30_000; nowMs += 100) {
    serve('/shop/cart?id=1 HTTP/1.1', nowMs);
    memory.noteHashes(notes.take(), nowMs);
  }
  // So long after the last time it was served, less what a repetition may take to be told.
  assert.equal(memory.recall('/shop/cart?id=1 HTTP/1.1', 30_000 + lastsMs - 1), 'window');
  assert.equal(memory.recall('/other HTTP/1.1', 30_000), undefined);
  serve('/x/%2e/y HTTP/1.1', 50_000);
  memory.noteHashes(notes.take(), 50_000);
  assert.equal(memory.recall('/x/y HTTP/1.1', 50_000), 'window');
  serve('/x/%2e/y HTTP/1.1', 50_100);
  assert.equal(notes.isEmpty, true);
});

test('lines beyond the bound are lost and counted', () => {
  const statistics = new Statistics();
  const lines = new LineBatch(statistics, () => 10);
  lines.append('12345');
  lines.append('123');
  lines.append('123');
  assert.deepEqual(lines.take(), { lines: '12345\n123\n', lineCount: 2 });
  assert.equal(statistics.get('log_lines_lost'), 1);
  assert.deepEqual(lines.take(), { lines: '', lineCount: 0 });
});

test('one report is under way at a time, and whoever waits for one gets one that began afterwards', async () => {
  const clock = new HandClock();
  let sent = 0;
  const reporter = new Reporter({
    clock,
    hasNews: () => true,
    msLeft: () => undefined,
    send: () => {
      sent += 1;
    },
  });
  reporter.start();
  clock.pass(100);
  assert.equal(sent, 1);
  clock.pass(1_000);
  reporter.hurry();
  assert.equal(sent, 1);
  let isFlushed = false;
  const flushed = reporter.flush().then(() => {
    isFlushed = true;
  });
  reporter.noteTaken();
  assert.equal(sent, 2);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(isFlushed, false);
  reporter.noteTaken();
  await flushed;
  reporter.close();
});

test('origins of several workers are one list: sums, and the worst state', () => {
  const row = (state: OriginRow['state'], running: number, why = ''): OriginRow => ({
    ...{ site: 's', origin: 'o', weight: 1, isBackup: false },
    ...{ state, why, running, waiting: 1, failures: 2 },
  });
  assert.deepEqual(mergedRows([[row('up', 1)], [row('down', 2, 'refused')], [row('up', 4)]]), [
    { ...row('down', 7, 'refused'), waiting: 3, failures: 6 },
  ]);
  const told: string[] = [];
  const news = new OriginNews((origin, state, why) => told.push(`${origin} ${state} ${why}`));
  news.note(['o', 'down', 'refused']);
  news.note(['o', 'down', 'late']);
  assert.deepEqual(news.down(), [['o', 'down', 'refused']]);
  news.note(['o', 'up', '']);
  news.note(['o', 'up', '']);
  assert.deepEqual(told, ['o down refused', 'o up ']);
  assert.deepEqual(news.down(), []);
  news.note(['o', 'down', 'refused']);
  news.note(['p', 'down', 'refused']);
  news.keep(new Set(['p']));
  assert.deepEqual(news.down(), [['p', 'down', 'refused']]);
  news.note(['o', 'down', 'again']);
  assert.equal(told.at(-1), 'o down again');
});

test('workers that end soon after they began are waited for longer and longer, up to ten seconds', () => {
  const delay = new RestartDelay();
  assert.equal(delay.afterEnd(60_000), 0);
  const delays = Array.from({ length: 12 }, () => delay.afterEnd(5));
  assert.deepEqual(delays.slice(0, 4), [0, 100, 200, 400]);
  assert.equal(delays.at(-1), 10_000);
  assert.equal(delay.afterEnd(10_000), 0);
});

test('the bounds of all workers together are the configured ones, or as little more as rounding up makes', () => {
  fc.assert(
    fc.property(settingsModel, (settings) => {
      const { workers } = settings.fleet;
      const own = settingsOfWorker(settings);
      for (const key of ['connectionsMax', 'originConnectionsMax', 'originQueueMax'] as const) {
        const sum = own.limits[key] * workers;
        assert.ok(sum >= settings.limits[key] && sum < settings.limits[key] + workers);
      }
      for (const key of ['perSecondMax', 'queueMax'] as const) {
        const sum = own.tracing[key] * workers;
        assert.ok(sum >= settings.tracing[key] && sum < settings.tracing[key] + workers);
      }
      assert.ok(own.cache.answerBytesMax <= own.cache.bytesMax);
      if (workers === 1) assert.deepEqual(own, settings);
    }),
  );
});
