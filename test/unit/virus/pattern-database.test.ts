import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Change } from '../../../src/virus/change.ts';
import {
  add,
  del,
  learning,
  names,
  pattern,
  restart,
  set,
  shipped,
  start,
  tunables,
  word,
  words,
} from '../../support/started-database.ts';

test('an answered add, del, keyword and setting are there again after kill -9', async () => {
  const first = await start(shipped);
  const outcomes = await first.database.commit([
    add('three'),
    del('one'),
    word('root.exe', 'ncf'),
    { kind: 'del-keyword', keyword: 'CMD.EXE' },
    set('HitThreshold', 300),
  ]);
  assert.deepEqual(
    outcomes.map((outcome) => outcome.kind),
    ['done', 'done', 'done', 'done', 'done'],
  );
  assert.equal(first.journal.syncs, 1);
  const { database } = await restart(first, shipped);
  assert.deepEqual(names(database), ['two', 'three']);
  assert.deepEqual(words(database), ['root.exe']);
  assert.equal(database.tunables.get('HitThreshold'), 300);
  assert.deepEqual(database.differences(), [
    { name: 'HitThreshold', configured: 250, inForce: 300 },
  ]);
  const [, three] = [...database.patterns.entries()];
  assert.equal(three?.from, 'console');
  assert.equal(three?.addedAtMs, 1_000);
});

test('a change is checked against the changes before it in the same batch', async () => {
  const { database } = await start();
  const outcomes = await database.commit([add('x'), add('x'), del('x'), del('x'), add('x', 'ncf')]);
  assert.deepEqual(
    outcomes.map((outcome) => outcome.kind),
    ['done', 'unchanged', 'done', 'refused', 'done'],
  );
});

test('each refusal says why and, for a limit, how to raise it', async () => {
  const { database, journal, statistics } = await start(shipped);
  await database.commit([add('3'), add('4'), add('5'), word('b'), word('c')]);
  const before = journal.text;
  const outcomes = await database.commit([
    add('6'),
    word('d'),
    del('absent'),
    { kind: 'del-keyword', keyword: 'absent' },
    set('RefreshInterval', 3601),
    set('HitThreshold', 0.5),
    set('HitThreshold', 250),
    { kind: 'add', pattern: new Uint8Array(8), origLength: 1, from: 'console', atMs: 1 },
    { kind: 'add', pattern: pattern('x'), origLength: 0, from: 'console', atMs: 1 },
    word(''),
    word('CMD.exe'),
    add('7', 'shipped'),
  ]);
  assert.deepEqual(
    outcomes.map((outcome) => (outcome.kind === 'done' ? 'done' : outcome.message)),
    [
      'There are 5 patterns and MaxVirusPatterns is 5; raise it with "virus -m N".',
      'There are 3 keywords and MaxVirusKeywords is 3; raise it in PROXY.CFG.',
      'There is no pattern "absent" -o 10 to delete.',
      'There is no such keyword to delete.',
      'RefreshInterval takes an integer of 1 to 3600, not 3601.',
      'HitThreshold takes an integer of 1 to 1000000000, not 0.5.',
      'HitThreshold is 250 already.',
      'The pattern has 8 bytes and PatternSize is 16.',
      'The original length is an integer of 1 to 2147483647, not 0.',
      'A keyword needs at least one character.',
      'The keyword is there already.',
      'Shipped patterns come from PROXY.CFG and its PatternFiles only.',
    ],
  );
  assert.equal(journal.text, before);
  assert.equal(statistics.get('patterns_refused'), 1);
});

test('files at start obey the limit and report by their place what was not taken', async () => {
  const { database } = await start();
  const loading = database.loadBase([
    ...['1', '2', '3', '4', '5', '6', '1'].map((text) => add(text, 'shipped')),
    del('absent'),
    set('RefreshInterval', 0),
    word('x'.repeat(256), 'shipped'),
  ]);
  assert.deepEqual(loading.refusals, [
    { index: 5, message: 'MaxVirusPatterns=5 is reached; raise it in PROXY.CFG.' },
    { index: 7, message: 'There is no pattern "absent" -o 10 to delete.' },
    { index: 8, message: 'RefreshInterval takes an integer of 1 to 3600, not 0.' },
    { index: 9, message: 'The keyword is 256 bytes long; at most 255 are allowed.' },
  ]);
  assert.equal(loading.refusedCount, 4);
  const more = database.loadBase(Array.from({ length: 150 }, (_, at) => add(`n${at}`, 'shipped')));
  assert.equal(more.refusals.length, 100);
  assert.equal(more.refusedCount, 150);
});

test('on a full disk the command is refused, nothing changes, and the next one works', async () => {
  const started = await start(shipped);
  const { database, journal, statistics } = started;
  const heard: Change[] = [];
  database.onChange((change) => heard.push(change));
  journal.freeBytes = 0;
  const [outcome] = await database.commit([del('one')]);
  assert.deepEqual(outcome, {
    kind: 'refused',
    message:
      'The journal cannot be written, so nothing was changed: cannot append to virus.journal: ENOSPC.',
  });
  assert.deepEqual(names(database), ['one', 'two']);
  assert.deepEqual(heard, []);
  assert.equal(statistics.get('journal_failures'), 1);
  journal.freeBytes = 1_000;
  assert.deepEqual(await database.commit([del('one')]), [{ kind: 'done' }]);
  assert.deepEqual(heard, [del('one')]);
  assert.deepEqual(names((await restart(started, shipped)).database), ['two']);
});

test('above the bound of waiting commits a commit is refused at once', async () => {
  const { database } = await start([], { maxWaitingCommits: 2 });
  const outcomes = await Promise.all(
    ['a', 'b', 'c'].map((text) => database.commit([add(text)]).then(([outcome]) => outcome)),
  );
  assert.deepEqual(
    outcomes.map((outcome) => outcome?.kind),
    ['done', 'done', 'refused'],
  );
  assert.deepEqual(await database.commit([add('c')]), [{ kind: 'done' }]);
});

test('a batch longer than a slice is done in order', async () => {
  const limit = { tunables: { ...tunables, MaxVirusPatterns: 10_000 } };
  const { database, journal } = await start([], limit);
  const many = Array.from({ length: 4_500 }, (_, at) => add(`p${at}`));
  const outcomes = await database.commit(many);
  assert.ok(outcomes.length === 4_500 && outcomes.every((outcome) => outcome.kind === 'done'));
  assert.equal(journal.syncs, 3);
  assert.deepEqual(names(database).slice(-2), ['p4498', 'p4499']);
});

test('a dump holds patterns and keywords as commands, in order, and commits wait for it', async () => {
  const { database } = await start(shipped);
  await database.commit([add('a "b" \x01\xff'), word('x\\y')]);
  let dumped = '';
  const dumping = database.dump(0, async (lines) => {
    for (const line of lines) {
      dumped += line;
      await new Promise((resolve) => setImmediate(resolve));
    }
  });
  const deleting = database.commit([del('one')]);
  assert.deepEqual(await dumping, { kind: 'done' });
  assert.equal(database.patterns.size, 3);
  await deleting;
  assert.equal(
    dumped,
    [
      '# Virus patterns and keywords, written by "virus dump" at 1970-01-01T00:00:00.000Z.',
      '# 3 patterns, 2 keywords.',
      'virus add -p "one" -o 10',
      'virus add -p "two" -o 10',
      'virus add -p "a \\"b\\" \\x01\\xff" -o 10',
      'virus add -k "cmd.exe"',
      'virus add -k "x\\\\y"',
      '',
    ].join('\n'),
  );
});

test('a dump that cannot be written is refused with the reason', async () => {
  const { database } = await start();
  const outcome = await database.dump(0, () => Promise.reject(new Error('no room')));
  assert.deepEqual(outcome, { kind: 'refused', message: 'The dump failed: no room.' });
  assert.deepEqual(await database.commit([add('x')]), [{ kind: 'done' }]);
});

test('a reload takes and gives shipped patterns, and leaves what the console did', async () => {
  const { database, statistics } = await start(shipped);
  await database.commit([add('typed'), del('one'), word('typed'), set('HitThreshold', 300)]);
  const heard: string[] = [];
  database.onChange((change) => heard.push(change.kind));
  const loading = await database.rebase(
    [add('one', 'shipped'), add('three', 'shipped'), word('new', 'shipped')],
    {
      tunables: { ...tunables, HitThreshold: 400, RefreshInterval: 20, MaxVirusPatterns: 2 },
      maxKeywords: 9,
      learning,
    },
  );
  assert.equal(loading.refusedCount, 0);
  assert.deepEqual(names(database), ['typed', 'three']);
  assert.deepEqual(words(database), ['typed', 'new']);
  assert.equal(database.tunables.get('RefreshInterval'), 20);
  assert.equal(database.patterns.maxPatterns, 2);
  assert.equal(database.keywords.maxKeywords, 9);
  assert.deepEqual(database.differences(), [
    { name: 'HitThreshold', configured: 400, inForce: 300 },
  ]);
  assert.deepEqual(heard, ['set', 'set', 'add-keyword', 'del-keyword', 'add', 'del']);
  assert.equal(statistics.get('patterns_deleted'), 2);
});

test('a reload keeps the hits of the patterns that stay', async () => {
  const { database } = await start(shipped);
  database.patterns.hit(database.patterns.findInString('two', 0), 77);
  await database.rebase([add('two', 'shipped', 9)], { tunables, maxKeywords: 3, learning });
  const [two, ...others] = [...database.patterns.entries()];
  assert.deepEqual(others, []);
  assert.equal(two?.hits, 1);
});

test('at no moment of a reload is a pattern that stays absent', async () => {
  const limit = { tunables: { ...tunables, MaxVirusPatterns: 100_000 } };
  const before = Array.from({ length: 6_000 }, (_, at) => add(`p${at}`, 'shipped'));
  const { database } = await start(before, limit);
  let isDone = false;
  let looks = 0;
  const look = () => {
    looks += 1;
    assert.ok(database.patterns.has(pattern('p5999'), 10));
    if (!isDone) setImmediate(look);
  };
  look();
  const kept = before.slice(3_000);
  const news = Array.from({ length: 3_000 }, (_, at) => add(`q${at}`, 'shipped'));
  await database.rebase([...news, ...kept], { ...limit, maxKeywords: 3, learning });
  isDone = true;
  assert.ok(looks > 3);
  assert.equal(database.patterns.size, 6_000);
});

test('files that cannot be read leave the database as it was', async () => {
  const { database } = await start(shipped);
  const base = (function* (): Generator<Change> {
    yield add('three', 'shipped');
    throw new Error('unreadable');
  })();
  await assert.rejects(database.rebase(base, { tunables, maxKeywords: 3, learning }), /unreadable/);
  assert.deepEqual(names(database), ['one', 'two']);
  assert.deepEqual(await database.commit([add('x')]), [{ kind: 'done' }]);
});

test('a file run at start may also delete, clear and set, and that is no change by the console', async () => {
  const { database } = await start();
  const loading = database.loadBase([
    add('one', 'shipped'),
    { kind: 'clear' },
    ...['a', 'b', 'c', 'd'].map((keyword) => word(keyword, 'shipped')),
    { kind: 'del-keyword', keyword: 'a' },
    { kind: 'del-keyword', keyword: 'a' },
    add('two', 'shipped'),
    add('three', 'shipped'),
    del('two'),
    set('HitThreshold', 99),
  ]);
  assert.deepEqual(loading.refusals, [
    { index: 5, message: 'MaxVirusKeywords=3 is reached; raise it in PROXY.CFG.' },
    { index: 7, message: 'There is no such keyword to delete.' },
  ]);
  assert.deepEqual(names(database), ['three']);
  assert.deepEqual(words(database), ['b', 'c']);
  assert.equal(database.tunables.get('HitThreshold'), 99);
  assert.deepEqual(database.differences(), []);
  const [outcome] = await database.commit([word('d', 'shipped')]);
  assert.equal(outcome?.kind, 'refused');
});
