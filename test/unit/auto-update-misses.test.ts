/** One request is enough to learn from, if an origin has refused it and nobody was ever served it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LearningRig } from '../support/learning-rig.ts';

async function rigWith(...lines: string[]): Promise<LearningRig> {
  const rig = new LearningRig(lines);
  rig.sources.isWatching = true;
  await rig.addKeywords('eval-stdin');
  return rig;
}

const worm = '/phpunit/eval-stdin.php';

test('a miss that holds a keyword is learned at once, from miss(KEYWORD)', async () => {
  const rig = await rigWith();
  assert.equal(rig.ask(worm), 'pass');
  await rig.check();
  assert.equal(rig.ask(worm), 'slip');
  const [entry] = rig.database.patterns.entries();
  assert.equal(entry?.from, 'miss(eval-stdin)');
  assert.equal(rig.isConfirmed('eval-stdin'), true);
  assert.match(rig.recorded.join('\n'), /Refused by an origin and never served, with the keyword/);
  const again = new LearningRig([], rig.journal.text);
  assert.deepEqual(again.patterns, ['phpunit/eval-std']);
});

test('a miss without a keyword is checked and left', async () => {
  const rig = await rigWith();
  rig.ask('/gone');
  await rig.check();
  assert.deepEqual(rig.patterns, []);
  assert.equal(rig.statistics.get('suspects'), 1);
  assert.equal(rig.statistics.get('suspects_humble'), 1);
  assert.equal(rig.autoUpdate.suspects.lastPredicted, undefined);
});

test('a folder that its window does not reach out of is not shut by one miss', async () => {
  const rig = await rigWith();
  rig.ask('/blog/an-article-of-ours/eval-stdin.php');
  await rig.check();
  assert.deepEqual(rig.patterns, []);
  assert.equal(rig.statistics.get('patterns_proposed'), 0);
  assert.equal(rig.isConfirmed('eval-stdin'), false);
});

test('what was ever served is no miss, and what shares its window with it is proposed', async () => {
  const rig = await rigWith();
  rig.ask('/phpunit/eval-stdin.php', 200);
  rig.ask('/phpunit/eval-stdin.php');
  assert.equal(rig.statistics.get('suspects'), 0);
  rig.ask('/phpunit/eval-stdin.php5');
  await rig.check();
  assert.deepEqual(rig.patterns, []);
  assert.equal(rig.statistics.get('patterns_proposed'), 1);
});

test('a keyword that was served before a restart is not confirmed after it', async () => {
  const rig = await rigWith();
  rig.ask('/blog/eval-stdin.html', 200);
  const entry = rig.database.keywords.find('eval-stdin');
  assert.notEqual(entry?.servedAtMs, undefined);
  // As after a restart: the list of keywords has forgotten, the memory of what was served is kept.
  Object.assign(entry ?? {}, { servedAtMs: undefined });
  rig.ask(worm);
  await rig.check();
  assert.deepEqual(rig.patterns, ['phpunit/eval-std']);
  assert.equal(rig.isConfirmed('eval-stdin'), false);
});

test('AutoUpdateAction=propose holds for misses, and without SourceBlocking there are none', async () => {
  const rig = await rigWith('AutoUpdateAction=propose');
  rig.ask(worm);
  await rig.check();
  assert.deepEqual(rig.patterns, []);
  assert.equal(rig.statistics.get('patterns_proposed'), 1);
  rig.sources.isWatching = false;
  rig.ask('/other/eval-stdin.php');
  assert.equal(rig.statistics.get('suspects'), 1);
});

test('what matched is no miss', async () => {
  const rig = await rigWith('Mode=detect');
  rig.ask(worm);
  await rig.check();
  assert.equal(rig.ask(worm), 'pass');
  assert.equal(rig.statistics.get('misses'), 1);
});
