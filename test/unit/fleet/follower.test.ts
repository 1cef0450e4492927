/** What a follower makes of entries that no node has written. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeEngine, turns } from '../../support/fleet-engine.ts';
import { FleetNode } from '../../support/fleet-node.ts';

async function fleetOf(t: { after(fn: () => unknown): void }, count: number) {
  const engine = new FakeEngine(1);
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
  const pattern = Uint8Array.from(Buffer.from(name, 'latin1'));
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
