/** What a follower makes of entries that no node has written. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { History, isHistoryHead } from '../../../src/fleet/history.ts';
import { FakeEngine, turns } from '../../support/fleet-engine.ts';
import { FleetNode } from '../../support/fleet-node.ts';

async function fleetOf(t: { after(fn: () => unknown): void }, count: number, atMs = 0) {
  const engine = new FakeEngine(1);
  while (engine.nextPosition() < `${1_000 + atMs}-0`);
  const nodes = Array.from({ length: count }, (_, at) => new FleetNode(`n${at}`, engine, []));
  t.after(() => {
    for (const node of nodes) node.kill(0);
  });
  for (const node of nodes) {
    await node.start();
    await until(() => node.replica.history.hasBegun);
  }
  return { engine, nodes, a: nodes[0] as FleetNode, b: nodes[1] as FleetNode };
}

function add(name: string) {
  const pattern = Uint8Array.from(Buffer.alloc(4));
  pattern.set(Buffer.from(name, 'latin1'));
  return { kind: 'add', pattern, origLength: 10, from: 'console', atMs: 1 } as const;
}

async function until(isTrue: () => boolean): Promise<void> {
  for (let tries = 0; tries < 2_000 && !isTrue(); tries += 1) await turns();
  assert.ok(isTrue());
}

function has(node: FleetNode, name: string): boolean {
  return [...node.database.dumpLines(undefined)].some((line) => line.includes(name));
}

test('an entry that says that a new epoch begins, without its snapshot, is passed over', async (t) => {
  const { engine, a, b } = await fleetOf(t, 2);
  engine.add(engine.nextPosition(), { epoch: 'forged', run: 'r', seed: '1' });
  await a.commit(add('aaaa'));
  await until(() => has(b, 'aaaa') && a.replica.outbox.size === 0);
});

test('an entry at a place that no clock reaches is not followed', async (t) => {
  const { engine, a } = await fleetOf(t, 1);
  const before = a.replica.history.position;
  engine.add('18446744073709551615-18446744073709551615', { foo: 'bar' });
  await turns(200);
  assert.equal(a.replica.history.position, before);
});

test('a snapshot that is not the one its mark tells of, or of an epoch beyond all, is written anew', async (t) => {
  const { engine, a, b } = await fleetOf(t, 2);
  const told = engine.mark;
  assert.ok(told !== undefined);
  for (const [number, epoch] of [
    [5, 1],
    [0, 0],
    [2 ** 53 - 1, 2 ** 53 - 1],
  ] as const) {
    const epochs = number === 0 ? [] : [{ number, id: 'forged', count: 0 }];
    const head = { position: told.position, epochs, run: 'r', clear: 0, sessions: [] };
    engine.lines.set('forged', [JSON.stringify(head)]);
    engine.mark = { id: 'forged', parts: 1, position: told.position, epoch, count: 0 };
    const late = new FleetNode('late', engine, []);
    t.after(() => late.kill(0));
    await late.start();
    await until(() => late.replica.history.hasBegun);
    assert.notEqual(late.replica.history.head().epochs.at(-1)?.id, 'forged');
    await a.commit(add(`aaa${epoch % 10}`));
    await until(() => [b, late].every((node) => has(node, `aaa${epoch % 10}`)));
  }
});

test('epochs that somebody begins for sport leave stamps whole', () => {
  const history = new History();
  for (let number = 0; number < 9_000; number += 1) history.beginEpoch('x', `run${number}`, false);
  assert.ok(Number.isSafeInteger(history.next()));
  assert.ok(isHistoryHead(history.head()));
});

test('a node that was too slow for two snapshots of the others misses nothing', async (t) => {
  const { engine, a, b } = await fleetOf(t, 2);
  let release = () => {};
  const held = b.database.alone(() => new Promise<void>((resolve) => (release = resolve)));
  for (let number = 0; number < 60; number += 1) {
    await a.commit(add(`n${number}`));
    await until(() => a.replica.outbox.size === 0);
    // A snapshot is written when nothing waits.
    await turns(30);
  }
  assert.ok(engine.stream.length < 30);
  release();
  await held;
  await until(() => has(b, '"n59"'));
  assert.deepEqual(b.state(), a.state());
});

test('an engine that was emptied while all were connected has all again', async (t) => {
  const { engine, a, b } = await fleetOf(t, 2);
  await a.commit(add('old'));
  await until(() => has(b, 'old'));
  engine.stream = [];
  engine.mark = undefined;
  engine.lines.clear();
  await until(() => engine.mark !== undefined);
  const late = new FleetNode('late', engine, []);
  t.after(() => late.kill(0));
  await late.start();
  await until(() => has(late, 'old'));
});

test('a node that goes over to another fleet brings what it has, though that one was cleared before', async (t) => {
  const { a } = await fleetOf(t, 1);
  const other = await fleetOf(t, 1, 500);
  other.engine.restart('nothing');
  await other.a.commit(add('gone'));
  await other.a.commit({ kind: 'clear' });
  await until(() => other.a.replica.outbox.size === 0);
  await a.commit(add('mine'));
  await until(() => a.replica.outbox.size === 0);
  a.kill(1);
  a.engine = other.engine;
  await a.start();
  await until(() => has(other.a, 'mine') && has(a, 'mine'));
  assert.deepEqual(a.state(), other.a.state());
});
