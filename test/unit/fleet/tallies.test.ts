import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Tallies, tallyFloor } from '../../../src/fleet/tallies.ts';
import type { Connection, Reply } from '../../../src/fleet/valkey.ts';
import { Statistics } from '../../../src/statistics.ts';
import { DistributionTable } from '../../../src/virus/heuristics.ts';
import { HitRates } from '../../../src/virus/hit-rates.ts';
import { type Suspect, Suspects } from '../../../src/virus/suspects.ts';
import { WindowHash } from '../../../src/virus/window-hash.ts';

const patternSize = 4;
const threshold = 100;

/** The counters of an engine. */
class Counters implements Connection {
  readonly sums = new Map<string, number>();
  calls = 0;

  async call(parts: readonly (string | Buffer)[]): Promise<Reply> {
    this.calls += 1;
    const [word, key, field, more] = parts;
    if (word !== 'HINCRBY') return 1;
    const name = `${key} ${field}`;
    const sum = (this.sums.get(name) ?? 0) + Number(more);
    this.sums.set(name, sum);
    return sum;
  }

  async transaction(): Promise<Reply> {
    return null;
  }

  close(): void {}
}

/** A machine that counts requests. */
class Machine {
  readonly statistics = new Statistics();
  readonly suspects: Suspects;
  readonly tallies: Tallies;
  readonly taken: Suspect[] = [];
  readonly #hash = new WindowHash(patternSize, 7);

  constructor(windowsMax = 10) {
    this.suspects = new Suspects({
      table: new DistributionTable({ patternSize, bytesMax: 100_000 }),
      patternStartOffset: 0,
      hitRates: new HitRates(10, 0),
      statistics: this.statistics,
      take: (suspect) => this.taken.push(suspect) > 0,
    });
    this.suspects.threshold = threshold;
    this.suspects.isWatching = true;
    this.tallies = new Tallies({
      counts: this.suspects,
      statistics: this.statistics,
      windowsMax: () => windowsMax,
      intervalMs: () => 10_000,
    });
  }

  /** Whether one of so many requests became suspect. */
  ask(window: string, times: number): boolean {
    const bytes = Buffer.from(window, 'latin1');
    let isSuspect = false;
    for (let time = 0; time < times; time += 1) {
      const hash = this.#hash.ofBytes(bytes, 0, patternSize);
      isSuspect = this.suspects.tally(bytes, 0, patternSize, hash) || isSuspect;
    }
    return isSuspect;
  }
}

test('70 requests at each of two machines make the next one suspect, 70 and 20 do not', async () => {
  const engine = new Counters();
  const [a, b] = [new Machine(), new Machine()];
  assert.equal(a.ask('worm', 70), false);
  assert.equal(b.ask('worm', 70), false);
  assert.equal(a.ask('calm', 70), false);
  assert.equal(b.ask('calm', 20), false);
  for (const machine of [a, b, a]) await machine.tallies.tell(engine, 'p', 2, 1_000);
  assert.equal(b.ask('worm', 1), true);
  assert.equal(b.statistics.get('fleet_suspects'), 1);
  assert.equal(a.ask('calm', 1), false);
  assert.equal(b.ask('calm', 1), false);
  // The one that told first learns of the sum with what it has to tell next.
  assert.equal(a.ask('worm', 1), false);
  await a.tallies.tell(engine, 'p', 2, 1_000);
  assert.equal(a.ask('worm', 1), true);
  // What is counted up for being suspect is not told as if it had been seen.
  await b.tallies.tell(engine, 'p', 2, 1_000);
  assert.ok([...engine.sums].some(([name, sum]) => name.endsWith(' worm') && sum < 150));
});

test('rare windows are not told of, nor more than MaxTallies, nor anything when alone', async () => {
  const engine = new Counters();
  const machine = new Machine(2);
  for (const window of ['aaaa', 'bbbb', 'cccc']) machine.ask(window, 50);
  machine.ask('rare', tallyFloor(threshold, 2) - 1);
  await machine.tallies.tell(engine, 'p', 1, 1_000);
  assert.equal(engine.calls, 0);
  await machine.tallies.tell(engine, 'p', 2, 1_000);
  assert.equal(engine.sums.size, 2);
  assert.equal(machine.statistics.get('fleet_windows_omitted'), 1);
  assert.equal(machine.statistics.get('fleet_windows_sent'), 2);
});

test('a window is told of from a quarter of the threshold on, divided by the machines', () => {
  assert.equal(tallyFloor(250, 2), 32);
  assert.equal(tallyFloor(250, 10), 7);
  assert.equal(tallyFloor(250, 1000), 2);
});
