import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Entry } from '../../../src/fleet/command.ts';
import { Replica } from '../../../src/fleet/replica.ts';
import { Statistics } from '../../../src/statistics.ts';
import { PatternDatabase } from '../../../src/virus/pattern-database.ts';
import { MemoryJournal } from '../../support/memory-journal.ts';
import {
  add,
  del,
  learning,
  names,
  pattern,
  size,
  tunables,
} from '../../support/started-database.ts';

const other = 'ffffffffffffffff';

function started(journal = new MemoryJournal(), node: string | undefined = 'n1') {
  const statistics = new Statistics();
  const warnings: string[] = [];
  const database = new PatternDatabase({
    ...{ patternSize: size, maxKeywords: 3, learning, seed: 1, journal, journalBytesMax: 1e6 },
    tunables: { ...tunables, MaxVirusPatterns: 100 },
    statistics,
    warn: (message) => warnings.push(message),
  });
  let sessions = 0;
  const setup: { node: string | undefined } = { node };
  const replica = new Replica({
    view: database,
    patternSize: size,
    node: () => setup.node,
    outboxMax: () => 3,
    newSession: () => (sessions++).toString(16).padStart(16, '0'),
    statistics,
  });
  database.share(replica);
  database.recover(Buffer.from(journal.text));
  return { database, replica, journal, statistics, setup, warnings };
}

function entryOf(seq: number, ...changes: ReturnType<typeof add>[]): Entry {
  const commands = changes.map((change) => {
    assert.ok(change.kind === 'add');
    return { change };
  });
  return { kind: 'commands', position: `${seq}-0`, session: other, seq, commands };
}

test('a command waits in the outbox, over a restart, until the stream has it', async () => {
  const first = started();
  await first.database.commit([add('one'), del('one')]);
  assert.equal(first.replica.outbox.size, 3);
  const again = started(new MemoryJournal(first.journal.text));
  assert.deepEqual(
    Array.from(again.replica.outbox.all(), ({ seq, command }) => [seq, command.change.kind]),
    [
      [1, 'add'],
      [2, 'expire'],
      [3, 'reject'],
    ],
  );
  await again.database.rewriteJournal();
  const rewritten = started(new MemoryJournal(again.journal.text));
  assert.equal(rewritten.replica.outbox.size, 3);
  assert.deepEqual(names(rewritten.database), []);
  assert.deepEqual(rewritten.warnings, []);
});

test('beyond MaxOutbox a command is refused and changes nothing', async () => {
  const { database, replica, statistics } = started();
  const outcomes = await database.commit(['a', 'b', 'c', 'd'].map((name) => add(name)));
  assert.deepEqual(
    outcomes.map(({ kind }) => kind),
    ['done', 'done', 'done', 'refused'],
  );
  assert.deepEqual(names(database), ['a', 'b', 'c']);
  assert.equal(replica.outbox.size, 3);
  assert.equal(statistics.get('fleet_commands_refused'), 1);
});

test('what waits is later than what comes; what comes twice is passed over', async () => {
  const { database, replica, statistics } = started();
  await database.commit([add('mine')]);
  await database.alone((hands) => replica.receive(entryOf(1, add('theirs'), add('mine')), hands));
  assert.deepEqual(names(database), ['theirs', 'mine']);
  await database.commit([del('theirs')]);
  await database.alone((hands) => replica.receive(entryOf(1, add('theirs')), hands));
  assert.deepEqual(names(database), ['mine']);
  assert.equal(statistics.get('fleet_commands_skipped'), 1);
});

test('a pattern of another size is passed over, and the stream is followed on', async () => {
  const { database, replica, statistics } = started();
  const long = { ...add('x'), pattern: new Uint8Array(32).fill(65) } as ReturnType<typeof add>;
  await database.alone((hands) => replica.receive(entryOf(1, long, add('fits')), hands));
  assert.deepEqual(names(database), ['fits']);
  assert.equal(statistics.get('fleet_commands_skipped'), 1);
  assert.equal(replica.history.position, '1-0');
});

test('a pattern that moves in the order keeps its hits', async () => {
  const { database, replica } = started();
  await database.commit([add('mine')]);
  database.patterns.noteSeen(pattern('mine'), 10, 7, 99);
  await database.alone((hands) => replica.receive(entryOf(1, add('theirs'), add('mine')), hands));
  const entry = database.patterns.find(pattern('mine'), 10);
  assert.deepEqual([entry?.hits, entry?.lastHitMs], [7, 99]);
});

test('in no fleet nothing waits, and a change made then ends what was followed', async () => {
  const { database, replica, setup, journal } = started();
  await database.commit([add('mine')]);
  setup.node = undefined;
  await database.commit([add('alone')]);
  assert.equal(replica.outbox.size, 0);
  const again = started(new MemoryJournal(journal.text), undefined);
  assert.equal(again.replica.outbox.size, 0);
  assert.deepEqual(names(again.database), ['mine', 'alone']);
});

test('a full disk refuses the command and nothing waits', async () => {
  const { database, replica, journal } = started();
  journal.freeBytes = 0;
  const [outcome] = await database.commit([add('mine')]);
  assert.equal(outcome?.kind, 'refused');
  assert.equal(replica.outbox.size, 0);
  assert.deepEqual(names(database), []);
});
