import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Proposal } from '../../../src/virus/change.ts';
import {
  decide,
  type Evidence,
  learningChange,
  reachesKeyword,
} from '../../../src/virus/learning.ts';
import { learnedKeyword } from '../../../src/virus/provenance.ts';

const nothing: Evidence = {
  isKnown: false,
  isRejected: false,
  served: undefined,
  reachesKeyword: true,
  isMissing: true,
  isKeywordServed: false,
  proposal: undefined,
  action: 'add',
};

const suspect = {
  pattern: Uint8Array.from(Buffer.from('scripts/root.exe')),
  requestString: '/scripts/root.exe?/c+dir HTTP/1.0',
  requestLine: `GET /scripts/root.exe?/c+dir${'+'.repeat(500)} HTTP/1.0`,
  client: '203.0.113.9',
  atMs: 1_000,
};

const waiting: Proposal = {
  pattern: suspect.pattern,
  origLength: 99,
  keyword: 'cmd.exe',
  reason: 'path-served',
  confirms: false,
  sample: { requestLine: 'GET /first', source: '192.0.2.1' },
  firstSeenMs: 10,
  lastSeenMs: 20,
  times: 3,
};

test('with nothing against it a pattern is added, and its keyword confirmed', () => {
  assert.deepEqual(decide(nothing), { kind: 'add', confirms: true });
  assert.deepEqual(decide({ ...nothing, isKeywordServed: true }), { kind: 'add', confirms: false });
});

test('what was served is proposed, whatever else speaks for adding it', () => {
  for (const served of ['window', 'path'] as const) {
    for (const action of ['add', 'propose'] as const) {
      const proposal = { ...waiting, reason: 'action' } as const;
      assert.deepEqual(decide({ ...nothing, served, action, proposal }), {
        kind: 'propose',
        reason: `${served}-served`,
        confirms: false,
      });
    }
  }
});

test('what was proposed because it was served stays so, when that is not remembered any more', () => {
  assert.deepEqual(decide({ ...nothing, proposal: waiting }), {
    kind: 'propose',
    reason: 'path-served',
    confirms: false,
  });
});

test('AutoUpdateAction=propose proposes; back at add what waited is added', () => {
  const proposed = decide({ ...nothing, action: 'propose' });
  assert.deepEqual(proposed, { kind: 'propose', reason: 'action', confirms: true });
  const proposal = { ...waiting, reason: 'action' } as const;
  assert.deepEqual(decide({ ...nothing, proposal }), { kind: 'add', confirms: true });
});

test('what is known or rejected is left alone', () => {
  assert.deepEqual(decide({ ...nothing, isKnown: true, isRejected: true }), {
    kind: 'leave',
    why: 'known',
  });
  assert.deepEqual(decide({ ...nothing, isRejected: true, action: 'propose' }), {
    kind: 'leave',
    why: 'rejected',
  });
});

test('an addition carries length, keyword and a sample that is cut', () => {
  const add = (confirms: boolean) =>
    learningChange({ kind: 'add', confirms }, suspect, 'root.exe', undefined);
  const expected = {
    kind: 'add',
    pattern: suspect.pattern,
    origLength: 33,
    from: 'auto(root.exe)',
    atMs: 1_000,
    sample: { requestLine: suspect.requestLine.slice(0, 256), source: '203.0.113.9' },
  };
  assert.deepEqual(add(true), { ...expected, confirms: true });
  assert.deepEqual(add(false), { ...expected, confirms: false });
});

test('a proposal that waits keeps its first sample and length, and is seen once more', () => {
  const decision = { kind: 'propose', reason: 'window-served', confirms: false } as const;
  assert.deepEqual(learningChange(decision, suspect, 'root.exe', waiting), {
    kind: 'propose',
    proposal: { ...waiting, reason: 'window-served', lastSeenMs: 1_000, times: 4 },
  });
});

test('what no origin has said it does not have is proposed', () => {
  assert.deepEqual(decide({ ...nothing, isMissing: false }), {
    kind: 'propose',
    reason: 'not-missing',
    confirms: false,
  });
});

test('of one miss a window is learned only if it reaches into the keyword', () => {
  assert.deepEqual(decide({ ...nothing, reachesKeyword: false }), { kind: 'leave', why: 'folder' });
  const reaches = (target: string, keyword: string, isMiss = true) =>
    reachesKeyword({ ...suspect, requestString: `${target} HTTP/1.1`, isMiss }, keyword, 17);
  assert.equal(reaches('/.env', '/.env'), true);
  assert.equal(reaches('/WP-Login.php', '/wp-login.php'), true);
  // The window is the sixteen bytes from offset 1: three of the keyword are in it, then two.
  assert.equal(reaches('/assets/images/.env', '/.env'), true);
  assert.equal(reaches('/assets/picture/.env', '/.env'), false);
  assert.equal(reaches('/blog/geekery/an-article/fckeditor/editor/', '/fckeditor/editor/'), false);
  // Disguised, so that nobody knows where in the window it is.
  assert.equal(reaches('/%2eenv', '/.env'), false);
  // What comes often may be learned by its folder.
  assert.equal(reaches('/blog/geekery/an-article/.env', '/.env', false), true);
});

test('what a miss teaches says so, and its keyword is known by it', () => {
  const decision = { kind: 'add', confirms: true } as const;
  const change = learningChange(decision, { ...suspect, isMiss: true }, '/root.exe', undefined);
  assert.ok(change.kind === 'add');
  assert.equal(change.from, 'miss(/root.exe)');
  assert.equal(learnedKeyword(change.from), '/root.exe');
  assert.equal(learnedKeyword('auto(a(b)c)'), 'a(b)c');
  assert.equal(learnedKeyword('shipped'), undefined);
});
