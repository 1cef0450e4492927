import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LearningRig } from '../support/learning-rig.ts';

const worm = '/scripts/root.exe?/c+dir';
const window = 'scripts/root.exe';

async function rigWith(...lines: string[]): Promise<LearningRig> {
  const rig = new LearningRig(lines);
  await rig.addKeywords('root.exe');
  return rig;
}

test('250 requests pass unsuspected; the 251st is served, checked, and its kind blocked from then on', async () => {
  const rig = await rigWith();
  assert.equal(rig.askOften(250, worm), 250);
  assert.equal(rig.thread.checks.length, 0);
  assert.equal(rig.ask(worm), 'pass');
  assert.deepEqual(
    rig.thread.checks.map(({ requestString }) => requestString),
    [`${worm} HTTP/1.0`],
  );
  assert.equal(rig.askOften(10, worm), 10, 'while it is checked everything is served');
  assert.equal(rig.thread.checks.length, 1, 'it is checked once');
  await rig.check();
  assert.deepEqual(rig.patterns, [window]);
  assert.equal(rig.ask(worm), 'slip');
  assert.equal(rig.statistics.get('patterns_learned'), 1);
});

test('250 requests at the end of an interval and 250 in the next make no suspect', async () => {
  const rig = await rigWith();
  rig.clock.pass(9_970);
  assert.equal(rig.askOften(250, worm), 250);
  rig.clock.pass(10);
  assert.equal(rig.askOften(250, worm), 250);
  assert.equal(rig.thread.checks.length, 0);
  rig.ask(worm);
  assert.equal(rig.thread.checks.length, 1);
});

test('two windows are counted apart, and both are learned', async () => {
  const rig = await rigWith();
  const other = '/MSADC/root.exe?/c+dir';
  for (let count = 1; count <= 250; count += 1) {
    rig.ask(worm);
    rig.ask(other);
  }
  assert.equal(rig.thread.checks.length, 0);
  rig.ask(other);
  rig.ask(worm);
  await rig.check();
  assert.deepEqual(rig.patterns, ['MSADC/root.exe?/', window]);
});

test('with Auto Update off nothing is counted, and switching it on begins from none', async () => {
  const rig = await rigWith();
  await rig.database.commit([{ kind: 'set', name: 'EnablePatternAutoUpdate', value: 0 }]);
  assert.equal(rig.askOften(600, worm), 600);
  await rig.database.commit([{ kind: 'set', name: 'EnablePatternAutoUpdate', value: 1 }]);
  assert.equal(rig.askOften(250, worm), 250);
  assert.equal(rig.thread.checks.length, 0);
  rig.ask(worm);
  await rig.check();
  assert.deepEqual(rig.patterns, [window]);
});

test('what was found while Auto Update was switched off is not added', async () => {
  const rig = await rigWith();
  rig.askOften(251, worm);
  const { thread } = rig;
  await rig.database.commit([{ kind: 'set', name: 'EnablePatternAutoUpdate', value: 0 }]);
  thread.answer();
  await rig.settle();
  assert.deepEqual(rig.patterns, []);
});

test('a worker killed in mid-check costs its suspect, and is replaced', async () => {
  const rig = await rigWith();
  rig.askOften(251, worm);
  rig.thread.crash();
  assert.equal(rig.statistics.get('keyword_worker_crashes'), 1);
  assert.equal(rig.statistics.get('suspects_lost'), 1);
  assert.match(rig.warnings.join(), /ended: out of memory; another is started in 100 ms/);
  assert.match(rig.recorded.join(), /\[auto update\] \[.*\] The worker of the keyword check ended/);
  assert.equal(rig.askOften(100, worm), 100, 'requests go on');
  rig.clock.pass(100);
  assert.equal(rig.threads.length, 2);
  assert.deepEqual(rig.thread.keywords, ['root.exe']);
  rig.clock.pass(10_000);
  rig.askOften(251, worm);
  await rig.check();
  assert.deepEqual(rig.patterns, [window], 'the next interval learns it');
});

test('a worker that hangs is ended and replaced, and what waited behind it is checked', async () => {
  const rig = await rigWith('[Limits]', 'KeywordCheckTimeout=2');
  rig.askOften(251, '/quiet/page');
  rig.askOften(251, worm);
  const first = rig.thread;
  assert.equal(first.checks.length, 1);
  rig.clock.pass(1_999);
  assert.equal(first.isTerminated, false);
  rig.clock.pass(1);
  assert.equal(first.isTerminated, true);
  assert.equal(rig.statistics.get('keyword_worker_hangs'), 1);
  assert.equal(rig.statistics.get('keyword_worker_crashes'), 0, 'its end is not counted again');
  rig.clock.pass(100);
  await rig.check();
  assert.deepEqual(rig.patterns, [window]);
  first.answer();
  assert.equal(rig.statistics.get('suspects_humble'), 0, "a late answer is nobody's");
});

test('workers that crash in a row are started ever more rarely', async () => {
  const rig = await rigWith();
  for (const delayMs of [100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000]) {
    const count = rig.threads.length;
    rig.thread.crash();
    rig.clock.pass(delayMs - 1);
    assert.equal(rig.threads.length, count);
    rig.clock.pass(1);
    assert.equal(rig.threads.length, count + 1);
  }
});

test('when the queue is full a suspect is counted, and taken when there is room again', async () => {
  const rig = await rigWith('[Limits]', 'MaxSuspectQueue=1');
  rig.askOften(251, '/first/in/hand');
  rig.askOften(251, '/second/waits');
  assert.equal(rig.askOften(251, worm), 251);
  assert.equal(rig.statistics.get('suspects_refused'), 1);
  assert.equal(rig.ask(worm), 'pass');
  assert.equal(rig.statistics.get('suspects_refused'), 2);
  assert.deepEqual(rig.warnings, [
    'The queue of suspects is full; those that come now are checked later.',
  ]);
  await rig.check();
  assert.equal(rig.ask(worm), 'pass');
  await rig.check();
  assert.deepEqual(rig.patterns, [window]);
});

test('a keyword added after the suspect was seen has it checked again, with its next request', async () => {
  const rig = new LearningRig();
  rig.askOften(251, worm);
  await rig.check();
  assert.equal(rig.statistics.get('suspects_humble'), 1);
  rig.ask(worm);
  assert.equal(rig.thread.checks.length, 0, 'once an interval');
  await rig.addKeywords('root.exe');
  rig.ask(worm);
  await rig.check();
  assert.deepEqual(rig.patterns, [window]);
});

test('a keyword deleted while a suspect is checked learns nothing', async () => {
  const rig = await rigWith();
  rig.askOften(251, worm);
  await rig.database.commit([{ kind: 'del-keyword', keyword: 'ROOT.exe' }]);
  await rig.check();
  assert.deepEqual(rig.patterns, []);
});

test('a clock that steps back loses no count', async () => {
  const rig = await rigWith();
  rig.clock.pass(5_000);
  rig.askOften(200, worm);
  rig.clock.set(rig.clock.nowMs() - 3_600_000);
  rig.askOften(50, worm);
  assert.equal(rig.thread.checks.length, 0);
  rig.ask(worm);
  await rig.check();
  assert.deepEqual(rig.patterns, [window]);
});

test('a clock that steps forward begins a new interval', async () => {
  const rig = await rigWith();
  rig.askOften(250, worm);
  rig.clock.set(rig.clock.nowMs() + 86_400_000);
  rig.askOften(250, worm);
  assert.equal(rig.thread.checks.length, 0);
});

test('a threshold and an interval set on the console hold at once', async () => {
  const rig = await rigWith();
  rig.askOften(20, worm);
  await rig.database.commit([{ kind: 'set', name: 'HitThreshold', value: 20 }]);
  rig.ask(worm);
  assert.equal(rig.thread.checks.length, 1);
  await rig.database.commit([{ kind: 'set', name: 'RefreshInterval', value: 3 }]);
  rig.askOften(20, '/another/root.exe');
  rig.clock.pass(3_000);
  rig.askOften(20, '/another/root.exe');
  await rig.check();
  assert.deepEqual(rig.patterns, [window]);
});

test('what NeverBlock covers makes no suspect, but the same from elsewhere does', async () => {
  const rig = await rigWith('NeverBlock=192.0.2.0/24', 'HitThreshold=5');
  for (let count = 1; count <= 20; count += 1) rig.ask(worm, 404, '192.0.2.7');
  assert.equal(rig.thread.checks.length, 0);
  rig.ask(worm);
  await rig.check();
  assert.deepEqual(rig.patterns, [window]);
});

test('MaxLearnedPatterns bounds what is learned, and says so', async () => {
  const rig = await rigWith('MaxLearnedPatterns=1', 'HitThreshold=5');
  rig.askOften(6, worm);
  await rig.check();
  // No longer confirmed, so that the next one passes.
  await rig.database.commit([{ kind: 'unconfirm-keyword', keyword: 'root.exe' }]);
  rig.askOften(6, '/MSADC/root.exe');
  await rig.check();
  assert.deepEqual(rig.patterns, [window]);
  assert.equal(rig.statistics.get('patterns_refused'), 1);
  assert.match(
    rig.recorded.join('\n'),
    /Not learned: "MSADC\/root\.exe H"\. .*MaxLearnedPatterns is 1/,
  );
});

test('a learned pattern expires unless it is seen, and its keyword with the last of them', async () => {
  const rig = await rigWith('LearnedPatternDays=2', 'HitThreshold=5');
  const dayMs = 86_400_000;
  rig.ask('/MSADC/root.exe');
  rig.askOften(6, worm);
  await rig.check();
  rig.askOften(6, '/MSADC/root.exe');
  await rig.check();
  assert.equal(rig.patterns.length, 2);
  rig.clock.pass(1.5 * dayMs);
  await rig.settle();
  assert.equal(rig.ask(worm), 'slip');
  rig.clock.pass(dayMs);
  await rig.settle();
  assert.deepEqual(rig.patterns, [window], 'only the one that was seen is there');
  assert.equal(rig.ask('/other?root.exe'), 'slip', 'its keyword goes on blocking');
  assert.equal(rig.statistics.get('patterns_expired'), 1);
  rig.clock.pass(3 * dayMs);
  await rig.settle();
  assert.deepEqual(rig.patterns, []);
  assert.equal(rig.ask('/other?root.exe'), 'pass');
  assert.match(
    rig.recorded.join('\n'),
    /Deleted "scripts\/root\.exe".*: it was not seen any more\./,
  );
});

test('when a learned pattern was last seen is known after a restart', async () => {
  const rig = await rigWith('LearnedPatternDays=2', 'HitThreshold=5');
  rig.askOften(6, worm);
  await rig.check();
  rig.clock.pass(7_200_000);
  rig.askOften(3, worm);
  await rig.autoUpdate.close();
  const seenMs = rig.clock.nowMs();
  const again = new LearningRig([], rig.journal.text);
  const [learned] = again.database.learning.learned();
  assert.deepEqual([learned?.hits, learned?.lastHitMs], [3, seenMs]);
  assert.deepEqual(learned?.sample, {
    requestLine: `GET ${worm} HTTP/1.0`,
    source: '203.0.113.9',
  });
});

test('an idle server writes nothing at its reviews', async () => {
  const rig = await rigWith('HitThreshold=5');
  rig.askOften(6, worm);
  await rig.check();
  rig.ask(worm);
  rig.clock.pass(3_600_000);
  await rig.settle();
  const { size } = rig.journal;
  rig.clock.pass(5 * 3_600_000);
  await rig.settle();
  assert.equal(rig.journal.size, size);
});

test('BlockConfirmedKeywords=0 learns patterns and blocks nothing else', async () => {
  const rig = await rigWith('BlockConfirmedKeywords=0', 'HitThreshold=5');
  rig.askOften(6, worm);
  await rig.check();
  assert.deepEqual(rig.patterns, [window]);
  assert.equal(rig.ask('/other?root.exe'), 'pass');
});

test('a window that holds nothing of the target is never learned', async () => {
  const rig = await rigWith('PatternStartOffset=12', 'HitThreshold=5');
  // Bytes 12 to 27 of these are the end of the version and zeros, as of any request of that length.
  rig.askOften(20, '/a/root.exe');
  assert.equal(rig.thread.checks.length, 0);
  rig.askOften(6, '/ab/root.exe');
  await rig.check();
  assert.deepEqual(rig.patterns, []);
  rig.askOften(6, '/abc/root.exe');
  await rig.check();
  assert.deepEqual(rig.patterns, ['e HTTP/1.0']);
});

test('a confirmed keyword blocks where it stands only in the normalised request', async () => {
  const rig = await rigWith('HitThreshold=5');
  await rig.addKeywords('/system32/cmd.exe');
  rig.askOften(6, '/c/winnt/system32/cmd.exe');
  await rig.check();
  for (const target of [
    '/d/system32/./cmd.exe',
    '/d/system32//cmd.exe',
    '/system32/x/..%5ccmd.exe',
  ]) {
    assert.equal(rig.ask(target), 'slip', target);
  }
  assert.equal(rig.ask('/d/system32/../cmd.exe'), 'pass');
});

test('a keyword in the normalised form of a served request is not confirmed', async () => {
  const rig = new LearningRig(['HitThreshold=5']);
  await rig.addKeywords('/system32/cmd.exe');
  rig.ask('/help/system32/./cmd.exe', 200);
  rig.askOften(6, '/c/winnt/system32/cmd.exe');
  await rig.check();
  assert.deepEqual(rig.patterns, ['c/winnt/system32']);
  assert.equal(rig.ask('/elsewhere/system32/cmd.exe'), 'pass');
});

test('an answer that the sender can bring about says nothing: only 404 and 410 speak for learning', async () => {
  for (const status of [400, 401, 403, 405, 416, 421, 429, 500, 502]) {
    const rig = await rigWith('HitThreshold=5');
    rig.askOften(8, '/wp-admin/admin-ajax.php?x=root.exe', status);
    await rig.check();
    assert.deepEqual(rig.patterns, [], String(status));
    assert.equal(rig.database.learning.proposals.size, 1, String(status));
  }
});

test('a page that is asked for only with a confirmed keyword is proposed, not learned', async () => {
  const first = await rigWith('HitThreshold=5');
  first.askOften(6, worm);
  await first.check();
  const again = new LearningRig(['HitThreshold=5'], first.journal.text);
  assert.equal(again.askOften(10, '/wp-admin/admin-ajax.php?x=root.exe'), 0, 'blocked by keyword');
  await again.check();
  assert.deepEqual(again.patterns, [window]);
  assert.equal(again.ask('/wp-admin/admin-ajax.php?action=heartbeat', 200), 'pass');
});
