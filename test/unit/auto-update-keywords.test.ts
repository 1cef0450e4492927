/** Confirmed keywords block requests, so what was served must keep them from being confirmed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Change } from '../../src/virus/change.ts';
import { LearningRig } from '../support/learning-rig.ts';

const worm = '/scripts/root.exe?/c+dir';
const page = '/how-to/remove-root.exe';
const pattern = Uint8Array.from(Buffer.from('scripts/root.exe'));

async function rigWith(...lines: string[]): Promise<LearningRig> {
  const rig = new LearningRig(['HitThreshold=5', ...lines]);
  await rig.addKeywords('root.exe');
  return rig;
}

/** Has the worm's pattern proposed although nothing of it was served. */
async function rigWithProposal(): Promise<LearningRig> {
  const rig = await rigWith('AutoUpdateAction=propose');
  rig.askOften(6, worm);
  await rig.check();
  assert.equal(rig.database.learning.proposals.size, 1);
  return rig;
}

function accept(rig: LearningRig) {
  return rig.database.commit([{ kind: 'accept', pattern, atMs: rig.clock.nowMs() }]);
}

test('what is served while confirmed keywords do not block keeps its keyword from being confirmed', async () => {
  const rig = await rigWith('BlockConfirmedKeywords=0');
  rig.ask(page, 200);
  rig.askOften(6, worm);
  await rig.check();
  assert.equal(rig.patterns.length, 1);
  rig.reload('HitThreshold=5', 'BlockConfirmedKeywords=1');
  assert.equal(rig.isConfirmed('root.exe'), false);
  assert.equal(rig.ask(page, 200), 'pass');
});

test('a keyword confirmed while that blocks nothing blocks when it is switched on', async () => {
  const rig = await rigWith('BlockConfirmedKeywords=0');
  rig.askOften(6, worm);
  await rig.check();
  assert.equal(rig.ask('/other?root.exe'), 'pass');
  rig.reload('HitThreshold=5', 'BlockConfirmedKeywords=1');
  assert.equal(rig.ask('/other?root.exe'), 'slip');
});

test('accepting a proposal confirms its keyword', async () => {
  const rig = await rigWithProposal();
  await accept(rig);
  assert.equal(rig.isConfirmed('root.exe'), true);
  assert.equal(rig.ask('/other?root.exe'), 'slip');
});

test('a keyword that was served since it was proposed is not confirmed by accepting', async () => {
  const rig = await rigWithProposal();
  rig.clock.pass(1_000);
  rig.ask(page, 200);
  await accept(rig);
  assert.equal(rig.isConfirmed('root.exe'), false);
  assert.equal(rig.ask(page, 200), 'pass');
  const again = new LearningRig(['HitThreshold=5'], rig.journal.text);
  assert.equal(again.isConfirmed('root.exe'), false, 'nor after a restart');
});

test('a proposal seen again after its keyword was served, and once more a week later, follows', async () => {
  const rig = await rigWithProposal();
  const confirms = () => rig.database.learning.proposals.find(pattern)?.confirms;
  assert.equal(confirms(), true);
  rig.clock.pass(10_000);
  rig.ask(page, 200);
  rig.askOften(6, worm);
  await rig.check();
  assert.equal(confirms(), false);
  rig.clock.pass(8 * 24 * 3_600_000);
  rig.askOften(6, worm);
  await rig.check();
  assert.equal(confirms(), true);
});

test('a request that matches a pattern and is served all the same protects its keyword', async () => {
  const rig = await rigWith('Mode=detect');
  const change: Change = {
    ...{ kind: 'add', pattern: Uint8Array.from(Buffer.from('how-to/remove-ro')), origLength: 30 },
    ...{ from: 'console', atMs: rig.clock.nowMs() },
  };
  await rig.database.commit([change]);
  assert.equal(rig.ask(page, 200), 'pass');
  rig.askOften(6, worm);
  await rig.check();
  assert.equal(rig.patterns.length, 2);
  assert.equal(rig.isConfirmed('root.exe'), false);
});

test('what a request before it held is not put down to one that matches a pattern', async () => {
  const rig = await rigWith('Mode=detect');
  const change: Change = {
    ...{ kind: 'add', pattern: Uint8Array.from(Buffer.from('plain-page HTTP/')), origLength: 20 },
    ...{ from: 'console', atMs: rig.clock.nowMs() },
  };
  await rig.database.commit([change]);
  rig.ask(page, 404);
  rig.ask('/plain-page', 200);
  assert.equal(rig.database.keywords.find('root.exe')?.servedAtMs, undefined);
});

test('no keyword is confirmed by a pattern that found no room', async () => {
  const rig = await rigWith('MaxLearnedPatterns=0');
  rig.askOften(6, worm);
  await rig.check();
  assert.equal(rig.patterns.length, 0);
  assert.equal(rig.statistics.get('patterns_refused'), 1);
  assert.equal(rig.isConfirmed('root.exe'), false);
});

test('that there is no room is told once, until something is learned', async () => {
  const rig = await rigWith('MaxLearnedPatterns=1');
  rig.ask(page, 200);
  for (const target of ['/a/root.exe', '/b/root.exe', '/c/root.exe']) rig.askOften(6, target);
  await rig.check();
  const refusals = rig.recorded.filter((line) => line.includes('MaxLearnedPatterns is 1'));
  assert.equal(rig.statistics.get('patterns_refused'), 2);
  assert.equal(refusals.length, 1);
});

test('a pattern that is to be learned when the operator has rejected it meanwhile is refused', async () => {
  const rig = await rigWith();
  rig.askOften(6, worm);
  await rig.check();
  const late: Change = {
    ...{ kind: 'add', pattern, origLength: 33, from: 'auto(root.exe)', atMs: 1 },
    sample: { requestLine: 'GET / HTTP/1.0', source: '203.0.113.9' },
  };
  await rig.database.commit([{ kind: 'del', pattern, origLength: worm.length + 9 }]);
  const [outcome] = await rig.database.commit([late]);
  assert.equal(outcome?.kind, 'refused');
});

test('a clear withdraws confirmations where there is no pattern either', async () => {
  const rig = await rigWith();
  rig.askOften(6, worm);
  await rig.check();
  await rig.database.commit([{ kind: 'expire', pattern, origLength: worm.length + 9 }]);
  assert.deepEqual(rig.patterns, []);
  assert.equal(rig.ask('/other?root.exe'), 'slip');
  const outcomes = await rig.database.commit([{ kind: 'clear' }, { kind: 'clear' }]);
  assert.deepEqual(
    outcomes.map(({ kind }) => kind),
    ['done', 'unchanged'],
  );
  assert.equal(rig.ask('/other?root.exe'), 'pass');
});

test('a keyword stays confirmed since when it was, however often it is seen', async () => {
  const rig = await rigWith('LearnedPatternDays=2');
  rig.askOften(6, worm);
  await rig.check();
  const confirmedAtMs = rig.clock.nowMs();
  rig.clock.pass(7_200_000);
  rig.ask('/other?root.exe');
  const seenMs = rig.clock.nowMs();
  await rig.autoUpdate.close();
  const again = new LearningRig(['HitThreshold=5'], rig.journal.text);
  const entry = again.database.keywords.find('root.exe');
  assert.deepEqual([entry?.confirmedAtMs, entry?.lastHitMs], [confirmedAtMs, seenMs]);
});

test('a proposal that is not seen any more is withdrawn, one that is seen stays', async () => {
  const rig = await rigWith('AutoUpdateAction=propose', 'LearnedPatternDays=2');
  const other = '/MSADC/root.exe?/c+dir';
  rig.askOften(6, worm);
  rig.askOften(6, other);
  await rig.check();
  rig.clock.pass(1.5 * 86_400_000);
  rig.askOften(6, other);
  await rig.check();
  rig.clock.pass(86_400_000);
  await rig.settle();
  const left = Array.from(rig.database.learning.proposals.pending(), ({ pattern: each }) =>
    Buffer.from(each).toString('latin1'),
  );
  assert.deepEqual(left, ['MSADC/root.exe?/']);
  assert.match(rig.recorded.join('\n'), /No longer proposed: "scripts\/root\.exe"/);
  const again = new LearningRig(['HitThreshold=5'], rig.journal.text);
  assert.equal(again.database.learning.proposals.size, 1);
});

test('how often a proposal was seen is written again when the journal failed', async () => {
  const rig = await rigWithProposal();
  rig.clock.pass(10_000);
  rig.askOften(6, worm);
  await rig.check();
  rig.journal.freeBytes = 0;
  await rig.autoUpdate.review();
  rig.journal.freeBytes = Number.POSITIVE_INFINITY;
  await rig.autoUpdate.review();
  const again = new LearningRig(['HitThreshold=5'], rig.journal.text);
  assert.equal(again.database.learning.proposals.find(pattern)?.times, 2);
});

test('a keyword that the files lose and bring back is confirmed as it was, at a reload and a restart', async () => {
  const rig = await rigWith();
  const base: Change[] = [{ kind: 'add-keyword', keyword: 'cmd.exe', from: 'shipped', atMs: 1 }];
  const settings = {
    tunables: {
      ...{ HitThreshold: 5, RefreshInterval: 10 },
      ...{ EnablePatternAutoUpdate: 1, MaxVirusPatterns: 100 },
    },
    maxKeywords: 10,
    learning: { maxLearned: 10, maxProposals: 10 },
  };
  await rig.database.rebase(base, settings);
  await rig.database.commit([{ kind: 'confirm-keyword', keyword: 'cmd.exe', atMs: 7 }]);
  await rig.database.rebase([], settings);
  assert.equal(rig.database.keywords.has('cmd.exe'), false);
  await rig.database.rewriteJournal();
  await rig.database.rebase(base, settings);
  assert.equal(rig.database.keywords.find('CMD.exe')?.confirmedAtMs, 7);
  await rig.database.rebase([], settings);
  const again = new LearningRig([], rig.journal.text);
  await again.database.rebase(base, settings);
  assert.equal(again.isConfirmed('cmd.exe'), true);
});
