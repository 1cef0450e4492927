/**
 * Several nodes of a fleet under any commands and faults: at the end all have the same, to the byte, and
 * nothing that was answered is lost.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { entryOf } from '../../src/fleet/command.ts';
import type { Change } from '../../src/virus/change.ts';
import { FakeEngine, turns } from '../support/fleet-engine.ts';
import { FleetNode } from '../support/fleet-node.ts';

function pattern(text: string): Uint8Array {
  const bytes = new Uint8Array(4);
  bytes.set(Buffer.from(text, 'latin1'));
  return bytes;
}

const shipped: readonly Change[] = [
  ...['s1', 's2'].map(
    (text): Change => ({
      kind: 'add',
      pattern: pattern(text),
      origLength: 10,
      from: 'shipped',
      atMs: 1,
    }),
  ),
  { kind: 'add-keyword', keyword: 'cmd.exe', from: 'shipped', atMs: 1 },
];

const names = ['aa', 'bb', 'cc', 'dd', 's1'];
const keywords = ['cmd.exe', 'root', 'W0rm'];
const sample = { requestLine: 'GET /aa HTTP/1.0', source: '203.0.113.9' };
const window = fc.constantFrom(...names).map(pattern);
const keyword = fc.constantFrom(...keywords);
const origLength = fc.constantFrom(10, 20);

const plain: fc.Arbitrary<Change> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ window, origLength }).map(addOf) },
  {
    weight: 3,
    arbitrary: fc
      .record({ window, origLength })
      .map(({ window: bytes, origLength: length }): Change => {
        return { kind: 'del', pattern: bytes, origLength: length };
      }),
  },
  {
    weight: 2,
    arbitrary: keyword.map((word): Change => {
      return { kind: 'add-keyword', keyword: word, from: 'console', atMs: 5 };
    }),
  },
  { weight: 2, arbitrary: keyword.map((word): Change => ({ kind: 'del-keyword', keyword: word })) },
  { weight: 1, arbitrary: fc.constant<Change>({ kind: 'clear' }) },
);

function addOf({ window: bytes, origLength: length }: { window: Uint8Array; origLength: number }) {
  const from = 'console' as const;
  return { kind: 'add' as const, pattern: bytes, origLength: length, from, atMs: 5 };
}

const learned: fc.Arbitrary<Change> = fc.oneof(
  fc
    .record({ window, word: keyword, confirms: fc.boolean() })
    .map(({ window: bytes, word, confirms }): Change => {
      const from = `auto(${word})` as const;
      return { kind: 'add', pattern: bytes, origLength: 20, from, atMs: 6, sample, confirms };
    }),
  fc.record({ window, word: keyword }).map(({ window: bytes, word }): Change => {
    const seen = { firstSeenMs: 1, lastSeenMs: 2, times: 1 };
    const what = { pattern: bytes, origLength: 20, keyword: word, sample };
    return { kind: 'propose', proposal: { ...what, reason: 'action', confirms: true, ...seen } };
  }),
  window.map((bytes): Change => ({ kind: 'accept', pattern: bytes, atMs: 7 })),
  window.map((bytes): Change => ({ kind: 'reject', pattern: bytes })),
  fc.integer({ min: 100, max: 104 }).map((value): Change => {
    return { kind: 'set', name: 'HitThreshold', value };
  }),
);

const who = fc.nat({ max: 2 });

type Step =
  | { readonly kind: 'command'; readonly node: number; readonly change: Change }
  | { readonly kind: 'turns'; readonly count: number }
  | { readonly kind: 'cut' | 'mend'; readonly node: number }
  | { readonly kind: 'kill'; readonly node: number; readonly share: number }
  | { readonly kind: 'stop' | 'go' | 'fill' | 'empty' }
  | { readonly kind: 'restart'; readonly loses: 'nothing' | 'all' | number };

function steps(
  change: fc.Arbitrary<Change>,
  loses: fc.Arbitrary<'nothing' | 'all' | number>,
): fc.Arbitrary<Step[]> {
  const step = fc.oneof(
    {
      weight: 20,
      arbitrary: fc.record({ kind: fc.constant('command' as const), node: who, change }),
    },
    {
      weight: 8,
      arbitrary: fc.record({
        kind: fc.constant('turns' as const),
        count: fc.integer({ min: 1, max: 40 }),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constantFrom('cut' as const, 'mend' as const), node: who }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('kill' as const),
        node: who,
        share: fc.constantFrom(0, 0.5, 1),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constantFrom('stop' as const, 'go' as const, 'fill' as const, 'empty' as const),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const), loses }) },
  );
  return fc.array(step, { minLength: 10, maxLength: 60 });
}

class Fleet {
  readonly engine: FakeEngine;
  readonly nodes: FleetNode[];
  readonly commits: Promise<unknown>[] = [];

  constructor(seed: number) {
    this.engine = new FakeEngine(seed);
    this.nodes = ['a', 'b', 'c'].map((name) => new FleetNode(name, this.engine, shipped));
  }

  async carryOut(step: Step): Promise<void> {
    const { engine } = this;
    switch (step.kind) {
      case 'command':
        this.commits.push(this.#node(step.node).commit(step.change));
        return;
      case 'turns':
        return await turns(step.count);
      case 'cut':
      case 'mend':
        this.#node(step.node).isCut = step.kind === 'cut';
        return;
      case 'kill':
        this.#node(step.node).kill(step.share);
        engine.expireLock();
        return await this.#node(step.node).start();
      case 'stop':
      case 'go':
        engine.isStopped = step.kind === 'stop';
        return;
      case 'fill':
      case 'empty':
        engine.isFull = step.kind === 'fill';
        return;
      case 'restart':
        engine.restart(step.loses);
    }
  }

  /** Mends everything, and waits until nothing moves any more. */
  async settle(): Promise<void> {
    const { engine, nodes } = this;
    engine.isStopped = false;
    engine.isFull = false;
    engine.faultiness = 0;
    for (const node of nodes) node.isCut = false;
    await Promise.allSettled(this.commits);
    // Longer than the longest call that has its effect when its caller has given up.
    await turns(70);
    for (let tries = 0; tries < 400; tries += 1) {
      engine.expireLock();
      await turns(10);
      const last = engine.stream.at(-1)?.position;
      const rests = ({ replica }: FleetNode) =>
        replica.outbox.size === 0 && replica.history.position === last;
      if (nodes.every(rests)) return;
    }
    const where = nodes.map(({ replica }) => [replica.history.position, replica.outbox.size]);
    assert.fail(`the nodes never came to rest: ${JSON.stringify(where)}`);
  }

  end(): void {
    for (const node of this.nodes) node.kill(1);
  }

  #node(index: number): FleetNode {
    const node = this.nodes[index];
    assert.ok(node);
    return node;
  }
}

/** What waits in a node's outbox is in force there, whatever has come from others meanwhile. */
function checkWaiting({ replica, database }: FleetNode): void {
  const ends = new Map<string, boolean>();
  for (const { command } of replica.outbox.all()) {
    const { change, was } = command;
    if (was !== undefined) continue;
    if (change.kind === 'clear') ends.clear();
    if (change.kind === 'add' || change.kind === 'expire') {
      ends.set(idOf(change), change.kind === 'add');
    }
  }
  for (const [id, isThere] of ends) {
    const [name = '', length] = id.split('/');
    assert.equal(database.patterns.has(pattern(name), Number(length)), isThere, id);
  }
}

async function play(seed: number, faultiness: number, todo: readonly Step[]): Promise<Fleet> {
  const fleet = new Fleet(seed);
  for (const node of fleet.nodes) await node.start();
  await fleet.settle();
  fleet.engine.faultiness = faultiness;
  for (const step of todo) {
    await fleet.carryOut(step);
    for (const node of fleet.nodes) checkWaiting(node);
  }
  await fleet.settle();
  fleet.end();
  const [first, ...others] = fleet.nodes;
  assert.ok(first);
  assert.deepEqual(
    fleet.nodes.flatMap(({ warnings }) => warnings),
    [],
  );
  for (const node of others) {
    assert.deepEqual(node.state(), first.state());
    assert.deepEqual(
      [...node.replica.history.stamps].sort(),
      [...first.replica.history.stamps].sort(),
    );
    const { position, epochs, run, clear } = first.replica.history.head();
    const head = node.replica.history.head();
    assert.deepEqual(
      [head.position, head.epochs, head.run, head.clear],
      [position, epochs, run, clear],
    );
  }
  return fleet;
}

/** The stream carried out one command after the other on plain lists. */
function naive(fleet: Fleet): { patterns: string[]; keywords: string[] } {
  let patterns = ['s1/10', 's2/10'];
  let words = ['cmd.exe'];
  const seen = new Set<string>();
  for (const { position, fields } of fleet.engine.archive) {
    const entry = entryOf(position, fields);
    if (entry?.kind !== 'commands') continue;
    for (const [index, command] of entry.commands.entries()) {
      const name = `${entry.session}:${entry.seq + index}`;
      assert.ok(command !== undefined && command.was === undefined);
      if (seen.has(name)) continue;
      seen.add(name);
      const { change } = command;
      if (change.kind === 'clear') patterns = [];
      if (change.kind === 'add' || change.kind === 'expire') {
        patterns = patterns.filter((each) => each !== idOf(change));
        if (change.kind === 'add') patterns.push(idOf(change));
      }
      if (change.kind === 'add-keyword' || change.kind === 'del-keyword') {
        words = words.filter((each) => each !== change.keyword);
        if (change.kind === 'add-keyword') words.push(change.keyword);
      }
    }
  }
  return { patterns, keywords: words };
}

function idOf({ pattern: bytes, origLength: length }: { pattern: Uint8Array; origLength: number }) {
  return `${Buffer.from(bytes).toString('latin1').replace(/\0+$/, '')}/${length}`;
}

/** Whether a pattern can be there, by what each node was answered last about it, or was not answered since. */
function possibleEnds(fleet: Fleet, id: string, isShipped: boolean): Set<boolean> {
  const ends = new Set<boolean>();
  for (const { tried } of fleet.nodes) {
    for (const { change, outcome } of tried.toReversed()) {
      const isAbout =
        change.kind === 'clear' ||
        ((change.kind === 'add' || change.kind === 'del') && idOf(change) === id);
      if (!isAbout || (outcome !== undefined && outcome.kind !== 'done')) continue;
      ends.add(change.kind === 'add');
      if (outcome !== undefined) break;
    }
  }
  const isAnswered = fleet.nodes.some(({ tried }) =>
    tried.some(({ outcome, change }) => {
      if (outcome?.kind !== 'done') return false;
      return (
        change.kind === 'clear' ||
        ('pattern' in change && idOf({ origLength: 0, ...change }) === id)
      );
    }),
  );
  if (!isAnswered) ends.add(isShipped);
  return ends;
}

/** Schedules of each test; FLEET_SCHEDULES=3000 takes minutes. */
const numRuns = Number(process.env.FLEET_SCHEDULES ?? 100);
const seeds = fc.tuple(fc.nat(), fc.constantFrom(0, 0, 0.02, 0.1));

test('while the engine loses nothing, all nodes have what the commands of the stream make, in its order', async () => {
  await fc.assert(
    fc.asyncProperty(
      seeds,
      steps(plain, fc.constant('nothing')),
      async ([seed, faultiness], todo) => {
        const fleet = await play(seed, faultiness, todo);
        const expected = naive(fleet);
        const { database } = fleet.nodes[0] as FleetNode;
        assert.deepEqual(Array.from(database.patterns.entries(), idOf), expected.patterns);
        const words = Array.from(database.keywords.entries(), (entry) => entry.keyword);
        assert.deepEqual(words, expected.keywords);
      },
    ),
    { numRuns, seed: 20051 },
  );
});

test('an engine that loses everything, or the end, costs no answered command', async () => {
  const loses = fc.oneof(
    fc.constantFrom<'all' | 'nothing'>('all', 'nothing'),
    fc.integer({ min: 1, max: 6 }),
  );
  await fc.assert(
    fc.asyncProperty(seeds, steps(plain, loses), async ([seed, faultiness], todo) => {
      const fleet = await play(seed, faultiness, todo);
      const { database } = fleet.nodes[0] as FleetNode;
      for (const name of names) {
        for (const length of [10, 20]) {
          const bytes = pattern(name);
          const isThere = database.patterns.has(bytes, length);
          const ends = possibleEnds(fleet, `${name}/${length}`, name === 's1' && length === 10);
          assert.ok(ends.has(isThere), `${name}/${length}: ${isThere}`);
        }
      }
    }),
    { numRuns, seed: 20052 },
  );
});

test('what is learned, proposed, accepted and rejected ends the same everywhere', async () => {
  const loses = fc.constantFrom<'all' | 'nothing' | number>('all', 'nothing', 3);
  await fc.assert(
    fc.asyncProperty(
      seeds,
      steps(fc.oneof(plain, learned), loses),
      async ([seed, faultiness], todo) => {
        await play(seed, faultiness, todo);
      },
    ),
    { numRuns, seed: 20053 },
  );
});

test('what one node alone had followed when the engine lost it comes back, though others went on and wrote snapshots', async () => {
  const fleet = new Fleet(1);
  const [a, b, c] = fleet.nodes as [FleetNode, FleetNode, FleetNode];
  for (const node of fleet.nodes) await node.start();
  await fleet.settle();
  b.isCut = true;
  c.isCut = true;
  await turns(20);
  await a.commit(addOf({ window: pattern('lost'), origLength: 10 }));
  await turns(60);
  assert.equal(a.replica.outbox.size, 0);
  a.isCut = true;
  await turns(20);
  fleet.engine.restart(1);
  b.isCut = false;
  c.isCut = false;
  for (let number = 0; number < 30; number += 1) {
    await b.commit(addOf({ window: pattern(`n${number}`), origLength: 10 }));
    await turns(10);
  }
  assert.ok(b.statistics.get('fleet_snapshots') + c.statistics.get('fleet_snapshots') > 1);
  assert.equal(b.database.patterns.has(pattern('lost'), 10), false);
  await fleet.settle();
  fleet.end();
  for (const { database } of fleet.nodes) {
    assert.ok(database.patterns.has(pattern('lost'), 10));
    assert.equal(database.patterns.size, 33);
  }
});
