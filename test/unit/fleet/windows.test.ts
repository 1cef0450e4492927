/** Windows counted by several workers and summed by the primary, against one table that sees everything. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { WatchedWindow, WindowTallies } from '../../../src/fleet/messages.ts';
import { WatchedWindows } from '../../../src/fleet/watched-windows.ts';
import { WindowSums } from '../../../src/fleet/window-sums.ts';
import { Statistics } from '../../../src/statistics.ts';
import { DistributionTable } from '../../../src/virus/heuristics.ts';
import type { Suspect } from '../../../src/virus/suspects.ts';
import { WindowHash } from '../../../src/virus/window-hash.ts';

const patternSize = 16;
const startMs = 1_000;

function suspectOf(text: string): Suspect {
  const pattern = Buffer.alloc(patternSize);
  pattern.write(text, 'latin1');
  return { pattern, requestString: text, requestLine: text, client: '127.0.0.1', atMs: 0 };
}

/** A worker as worker-parts.ts puts it together. */
class FakeWorker {
  readonly #table = new DistributionTable({ patternSize, bytesMax: 1_048_576 });
  readonly #hash: WindowHash;
  readonly #threshold: number;
  readonly windows: WatchedWindows;
  startMs = startMs;

  constructor(seed: number, threshold: number, candidatesMax = 1_000) {
    this.#hash = new WindowHash(patternSize, seed);
    this.#threshold = threshold;
    this.windows = new WatchedWindows({
      candidatesMax,
      startMs: () => this.startMs,
      countOf: (pattern) =>
        this.#table.countOf(pattern, this.#hash.ofBytes(pattern, 0, patternSize)),
    });
  }

  /** Counts a request; the interval is its start. */
  count(text: string): void {
    const suspect = suspectOf(text);
    const hash = this.#hash.ofBytes(suspect.pattern, 0, patternSize);
    const bytes = suspect.pattern;
    const isCandidate = this.#table.tally(bytes, 0, 16, hash, this.startMs, this.#threshold);
    if (isCandidate && !this.windows.offer(suspect)) this.#table.withdraw();
  }
}

class Fleet {
  readonly workers: FakeWorker[];
  readonly found: string[] = [];
  readonly statistics = new Statistics();
  readonly sums: WindowSums;
  readonly unwatched: number[] = [];
  takes = true;

  constructor(
    count: number,
    threshold: number,
    { windowsMax = 1_000, candidatesMax = 1_000 } = {},
  ) {
    this.sums = new WindowSums({
      windowsMax,
      threshold: () => threshold,
      statistics: this.statistics,
      onWatch: (start, windows) => this.#watch(start, windows),
      onUnwatch: (start, ids) => {
        this.unwatched.push(...ids);
        for (const { windows } of this.workers) windows.unwatch(start, Uint32Array.from(ids));
      },
      offer: ({ requestString }) => {
        if (this.takes) this.found.push(requestString);
        return this.takes;
      },
    });
    const local = Math.floor(threshold / count);
    this.workers = Array.from(
      { length: count },
      (_, index) => new FakeWorker(index + 1, local, candidatesMax),
    );
  }

  #watch(start: number, windows: readonly WatchedWindow[]): void {
    for (const worker of this.workers) worker.windows.watch(start, windows);
  }

  report(index: number): void {
    const { windows } = this.workers[index] as FakeWorker;
    const tallies: WindowTallies | undefined = windows.takeTallies();
    const { startMs: start, candidates } = windows.takeCandidates();
    if (tallies !== undefined) this.sums.takeTallies(index, tallies);
    this.sums.takeCandidates(start, candidates);
  }

  /** Until nothing new can come of what was counted. */
  reportAll(): void {
    for (let round = 0; round < 3; round += 1) {
      for (const index of this.workers.keys()) this.report(index);
    }
  }
}

test('whatever is spread over however many workers: what came too often is found, and nothing else, once', () => {
  const step = fc.oneof(
    fc.record({ worker: fc.nat(), text: fc.constantFrom('/a', '/b', '/c'), times: fc.nat(9) }),
    fc.record({ worker: fc.nat(), report: fc.constant(true) }),
  );
  const parameters = [fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 30 })] as const;
  fc.assert(
    fc.property(...parameters, fc.array(step, { maxLength: 80 }), (count, threshold, steps) => {
      const fleet = new Fleet(count, threshold);
      const totals = new Map<string, number>();
      for (const each of steps) {
        const index = each.worker % count;
        if ('report' in each) {
          fleet.report(index);
          continue;
        }
        totals.set(each.text, (totals.get(each.text) ?? 0) + each.times);
        for (let time = 0; time < each.times; time += 1) fleet.workers[index]?.count(each.text);
      }
      fleet.reportAll();
      const expected = [...totals].filter(([, total]) => total > threshold).map(([text]) => text);
      assert.deepEqual(fleet.found.sort(), expected.sort());
    }),
  );
});

test('130 and 130 cross 250, 125 and 125 do not', () => {
  const fleet = new Fleet(2, 250);
  for (const worker of fleet.workers) {
    for (let each = 0; each < 130; each += 1) worker.count('/worm');
    for (let each = 0; each < 125; each += 1) worker.count('/not');
  }
  fleet.reportAll();
  assert.deepEqual(fleet.found, ['/worm']);
});

test('what a dead worker had told still counts, and its successor is told what to watch', () => {
  const fleet = new Fleet(2, 10);
  for (let each = 0; each < 6; each += 1) fleet.workers[0]?.count('/x');
  fleet.reportAll();
  fleet.sums.noteEnd(0);
  const [watched] = fleet.sums.watched();
  assert.deepEqual(
    watched?.windows.map(({ id }) => id),
    [0],
  );
  for (let each = 0; each < 5; each += 1) fleet.workers[1]?.count('/x');
  fleet.reportAll();
  assert.deepEqual(fleet.found, ['/x']);
  assert.deepEqual(fleet.sums.watched()[0]?.windows, []);
});

test('a suspect for which there is no room is offered again, and all are after a new keyword', () => {
  const fleet = new Fleet(2, 4);
  fleet.takes = false;
  for (let each = 0; each < 5; each += 1) fleet.workers[0]?.count('/x');
  fleet.reportAll();
  assert.deepEqual(fleet.found, []);
  fleet.takes = true;
  fleet.workers[1]?.count('/x');
  fleet.reportAll();
  assert.deepEqual(fleet.found, ['/x']);
  fleet.sums.reportAgain();
  fleet.workers[1]?.count('/x');
  fleet.reportAll();
  assert.deepEqual(fleet.found, ['/x', '/x']);
});

test('another interval begins anew; the last counts of the one before it are taken', () => {
  const fleet = new Fleet(2, 4);
  for (let each = 0; each < 3; each += 1) fleet.workers[0]?.count('/x');
  fleet.reportAll();
  const late = { startMs, ids: Uint32Array.of(0), counts: Uint32Array.of(2) };
  for (const worker of fleet.workers) worker.startMs = 2_000;
  for (let each = 0; each < 4; each += 1) fleet.workers[0]?.count('/x');
  fleet.reportAll();
  assert.deepEqual(fleet.found, []);
  fleet.sums.takeTallies(1, late);
  assert.deepEqual(fleet.found, ['/x']);
});

test('what was watched in the last interval does not displace what is watched in this one', () => {
  const fleet = new Fleet(2, 10);
  const candidate = (text: string) => {
    for (let each = 0; each < 6; each += 1) fleet.workers[0]?.count(text);
    fleet.reportAll();
  };
  candidate('/before');
  for (const worker of fleet.workers) worker.startMs = 2_000;
  candidate('/now');
  // As a worker is told that has taken another's place.
  for (const { startMs: start, windows } of fleet.sums.watched()) {
    fleet.workers[1]?.windows.watch(start, windows);
  }
  for (let each = 0; each < 5; each += 1) fleet.workers[1]?.count('/now');
  fleet.reportAll();
  assert.deepEqual(fleet.found, ['/now']);
});

test('a candidate that came late from the last interval leaves this one as it is', () => {
  const fleet = new Fleet(2, 10);
  for (const worker of fleet.workers) worker.startMs = 2_000;
  for (let each = 0; each < 6; each += 1) fleet.workers[0]?.count('/now');
  fleet.reportAll();
  fleet.sums.takeCandidates(startMs, [suspectOf('/late')]);
  for (let each = 0; each < 5; each += 1) fleet.workers[1]?.count('/now');
  fleet.reportAll();
  assert.deepEqual(fleet.found, ['/now']);
});

test('of a report, candidates keep nothing but themselves', () => {
  const fleet = new Fleet(2, 10);
  const report = Buffer.alloc(100_000);
  const pattern = report.subarray(5, 5 + patternSize);
  fleet.sums.takeCandidates(startMs, [{ ...suspectOf('/x'), pattern }]);
  fleet.sums.takeCandidates(startMs, [{ ...suspectOf('/x'), pattern }]);
  const [kept] = fleet.sums.frequent(0, 1).windows;
  assert.equal(kept?.window.buffer.byteLength, patternSize);
});

test('candidates of the interval before, which come late, take nothing from the running one', () => {
  const fleet = new Fleet(2, 4);
  for (let each = 0; each < 3; each += 1) fleet.workers[0]?.count('/late');
  for (const worker of fleet.workers) worker.startMs = 2_000;
  for (let each = 0; each < 3; each += 1) fleet.workers[1]?.count('/x');
  fleet.report(1);
  fleet.report(0);
  assert.equal(fleet.sums.interval, 2_000);
  assert.deepEqual(
    fleet.sums
      .frequent(0, 10)
      .windows.map(({ window }) => String(Buffer.from(window.subarray(0, 2)))),
    ['/x'],
  );
  for (let each = 0; each < 2; each += 1) fleet.workers[0]?.count('/x');
  fleet.reportAll();
  assert.deepEqual(fleet.found, ['/x']);
});

test('there is a bound on windows, in a report and in all, and what is beyond is counted', () => {
  const fleet = new Fleet(2, 2, { windowsMax: 2, candidatesMax: 2 });
  for (const text of ['/a', '/b', '/c']) {
    for (let each = 0; each < 2; each += 1) fleet.workers[0]?.count(text);
  }
  fleet.reportAll();
  assert.equal(fleet.statistics.get('candidates_refused'), 0);
  fleet.workers[0]?.count('/c');
  fleet.reportAll();
  assert.equal(fleet.statistics.get('candidates_refused'), 1);
  for (let each = 0; each < 3; each += 1) fleet.workers[0]?.count('/a');
  fleet.reportAll();
  assert.deepEqual(fleet.found, ['/a']);
});
