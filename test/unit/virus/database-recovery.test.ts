import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeRecord } from '../../../src/virus/journal.ts';
import { MemoryJournal } from '../../support/memory-journal.ts';
import {
  add,
  del,
  names,
  restart,
  set,
  shipped,
  start,
  tunables,
  word,
  words,
} from '../../support/started-database.ts';

test('after a clear the shipped patterns stay away, also over a rewritten journal', async () => {
  const first = await start(shipped);
  await first.database.commit([{ kind: 'clear' }, add('two', 'ncf')]);
  assert.equal(first.statistics.get('patterns_deleted'), 2);
  const second = await restart(first, shipped);
  assert.deepEqual(names(second.database), ['two']);
  assert.deepEqual(words(second.database), ['cmd.exe']);
  assert.equal(await second.database.rewriteJournal(), undefined);
  const third = await restart(second, shipped);
  assert.deepEqual(names(third.database), ['two']);
});

test('a raised limit lets patterns in, and they come back although PROXY.CFG has the old limit', async () => {
  const first = await start();
  const many = ['1', '2', '3', '4', '5', '6', '7'].map((text) => add(text));
  await first.database.commit([set('MaxVirusPatterns', 7), ...many, set('MaxVirusPatterns', 2)]);
  const second = await restart(first);
  assert.equal(second.database.patterns.size, 7);
  assert.equal(second.database.patterns.maxPatterns, 2);
  await second.database.rewriteJournal();
  const third = await restart(second);
  assert.equal(third.database.patterns.size, 7);
  assert.equal((await third.database.commit([add('8')]))[0]?.kind, 'refused');
});

test('when a sync fails the journal is written anew, and the answer is good', async () => {
  const started = await start(shipped);
  started.journal.failSync = true;
  assert.deepEqual(await started.database.commit([add('x')]), [{ kind: 'done' }]);
  assert.equal(started.journal.replacements, 1);
  assert.match(started.warnings[0] ?? '', /could not be synced/);
  assert.deepEqual(names((await restart(started, shipped)).database), ['one', 'two', 'x']);
});

test('when neither sync nor rewriting works the answer says so, until a rewriting works', async () => {
  const { database, journal } = await start();
  journal.failSync = true;
  journal.failReplace = true;
  const [outcome] = await database.commit([add('x')]);
  assert.equal(outcome?.kind, 'refused');
  assert.match(JSON.stringify(outcome), /in force, but may not survive a crash/);
  assert.deepEqual(names(database), ['x']);
  journal.failSync = false;
  assert.equal((await database.commit([add('y')]))[0]?.kind, 'refused');
  journal.failReplace = false;
  assert.equal((await database.commit([add('z')]))[0]?.kind, 'done');
  assert.equal(journal.replacements, 1);
});

test('what was dumped and then deleted stays deleted, also over a rewritten journal', async () => {
  const first = await start([], { maxDeletions: 1 });
  await first.database.commit([add('x'), add('y')]);
  await first.database.dump(0, async (lines) => void [...lines]);
  await first.database.commit([del('x')]);
  // The bound is reached, and VIRPAT.NCF would bring y back.
  assert.equal((await first.database.commit([del('y')]))[0]?.kind, 'refused');
  await first.database.rewriteJournal();
  const second = await restart(first, [add('x', 'ncf'), add('y', 'ncf')]);
  assert.deepEqual(names(second.database), ['y']);
});

test('a torn end is cut off before anything is appended', async () => {
  const first = await start();
  await first.database.commit([add('x')]);
  const good = first.journal.text;
  first.journal.text += '1234abcd {"add":"y"';
  const second = await restart(first);
  assert.equal(second.journal.text, good);
  await second.database.commit([add('z')]);
  assert.deepEqual(names((await restart(second)).database), ['x', 'z']);
});

test('a damaged journal is written anew at start, so that it is reported once', async () => {
  const first = await start();
  await first.database.commit([add('x'), add('y'), add('z')]);
  first.journal.text = first.journal.text.replace('"add":"y"', '"add":"Y"');
  const second = await restart(first);
  assert.deepEqual(names(second.database), ['x', 'z']);
  const third = await restart(second);
  assert.deepEqual(names(third.database), ['x', 'z']);
  assert.equal(third.database.recover(Buffer.from(third.journal.text)).damagedCount, 0);
});

test('records with values out of range are left out and counted', async () => {
  const first = await start([], { tunables: { ...tunables, MaxVirusPatterns: 9 } });
  await first.database.commit([add('x'), set('RefreshInterval', 20)]);
  const second = await restart(first, []);
  second.journal.text += encodeRecord(set('RefreshInterval', 99_999));
  const third = await restart(second);
  assert.equal(third.database.tunables.get('RefreshInterval'), 20);
  assert.match(third.warnings[0] ?? '', /1 records .* out of range/);
});

test('at start a journal is written anew when it is much longer than needed', async () => {
  const first = await start();
  for (let round = 0; round < 600; round++) await first.database.commit([add('x'), del('x')]);
  assert.equal(first.journal.replacements, 0);
  const second = await restart(first);
  assert.equal(second.journal.replacements, 1);
  assert.ok(second.journal.size < 300);
  assert.equal((await restart(second)).journal.replacements, 0);
});

test('above JournalBytes the running server writes the journal anew, but not for nothing', async () => {
  const limit = { tunables: { ...tunables, MaxVirusPatterns: 1_000 } };
  const first = await start([], { ...limit, journalBytesMax: 5_000 });
  for (let round = 0; round < 60; round++) await first.database.commit([add('x'), del('x')]);
  await first.database.idle();
  assert.ok(first.journal.replacements >= 1);
  assert.ok(first.journal.size <= 5_200);
  const before = first.journal.replacements;
  // Everything is needed here, so that rewriting frees nothing.
  for (let at = 0; at < 200; at++) await first.database.commit([add(`p${at}`)]);
  await first.database.idle();
  assert.ok(first.journal.replacements - before <= 4);
  assert.equal((await restart(first, [], limit)).database.patterns.size, 200);
});

test('a journal of another PatternSize gives its keywords and settings and is written anew', async () => {
  const first = await start();
  await first.database.commit([add('x'), word('w'), set('HitThreshold', 9)]);
  const journal = new MemoryJournal(first.journal.text);
  const second = await start([], { patternSize: 8, journal });
  assert.deepEqual(words(second.database), ['w']);
  assert.equal(second.database.patterns.size, 0);
  assert.equal(second.database.tunables.get('HitThreshold'), 9);
  assert.equal(journal.replacements, 1);
  const third = await start([], { patternSize: 8, journal: new MemoryJournal(journal.text) });
  assert.equal(third.journal.replacements, 0);
});

test('a rewritten journal holds a header, what is needed, and nothing that was undone', async () => {
  const { database, journal } = await start(shipped);
  await database.commit([del('one'), add('one'), del('two'), add('x'), del('x')]);
  await database.commit([word('a'), { kind: 'del-keyword', keyword: 'a' }, word('a')]);
  const original = journal.text.split('\n');
  await database.rewriteJournal();
  const [header, ...lines] = journal.text.trimEnd().split('\n');
  assert.equal(header, original[0]);
  assert.match(header ?? '', /"journal":1,"patternSize":16/);
  assert.deepEqual(
    lines.map((line) => line.slice(9, 21)),
    [
      ...['{"expire":"t', '{"expire":"x', '{"add":"one"', '{"addKeyword'],
      // What the operator deleted is not to be learned again.
      ...['{"reject":"t', '{"reject":"x'],
    ],
  );
  await database.commit([{ kind: 'clear' }]);
  await database.rewriteJournal();
  const [, clear, ...rest] = journal.text.split('\n');
  assert.match(clear ?? '', /^[0-9a-f]{8} {"clear":true}$/);
  assert.deepEqual(
    rest.map((line) => line.slice(9, 21)),
    ['{"addKeyword', '{"reject":"t', '{"reject":"x', ''],
  );
});

test('keywords come back although MaxVirusKeywords was lowered', async () => {
  const first = await start();
  await first.database.commit([word('a'), word('b'), word('c')]);
  const second = await restart(first, [], { maxKeywords: 1 });
  assert.deepEqual(words(second.database), ['a', 'b', 'c']);
  assert.equal((await second.database.commit([word('d')]))[0]?.kind, 'refused');
});
