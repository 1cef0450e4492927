/**
 * What was learned, proposed, rejected and confirmed, under any changes in any order: a journal that
 * was only appended to and one that was written anew bring the same state back, and a few things hold
 * in every state.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Change, Proposal, ProposalReason, Sample } from '../../src/virus/change.ts';
import type { PatternDatabase } from '../../src/virus/pattern-database.ts';
import { pattern, restart, shipped, start } from '../support/started-database.ts';

/** Records with a prototype, as the journal's JSON gives them. */
function record<T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record<T>(model, { noNullPrototype: true }) as fc.Arbitrary<T>;
}

const bytes = fc.constantFrom('aaaa', 'bbbb', 'cccc', 'dd', 'one', '\xff"\\\n').map(pattern);
const origLength = fc.constantFrom(10, 20);
const keyword = fc.constantFrom('cmd.exe', 'CMD.exe', 'root', '\xe9t\xe9');
const atMs = fc.integer({ min: 1, max: 2 ** 41 });
const sample = record<Sample>({
  requestLine: fc.constantFrom('GET /aaaa HTTP/1.0', 'GET /\xff"\\ HTTP/1.1'),
  source: fc.constantFrom('203.0.113.9', '2001:db8::7'),
});
const reason = fc.constantFrom<ProposalReason>('window-served', 'path-served', 'action');

const proposal = record<Proposal>({
  pattern: bytes,
  origLength,
  keyword,
  reason,
  confirms: fc.boolean(),
  sample,
  firstSeenMs: atMs,
  lastSeenMs: atMs,
  times: fc.integer({ min: 1, max: 9 }),
});

function kind<K extends Change['kind']>(name: K): fc.Arbitrary<K> {
  return fc.constant(name);
}

const change: fc.Arbitrary<Change> = fc.oneof(
  fc
    .record({ pattern: bytes, origLength, keyword, atMs, sample })
    .map(({ keyword: word, ...rest }): Change => ({ kind: 'add', from: `auto(${word})`, ...rest })),
  record({ kind: kind('add'), pattern: bytes, origLength, from: fc.constant('console'), atMs }),
  record({ kind: kind('del'), pattern: bytes, origLength }),
  record({ kind: kind('clear') }),
  record({ kind: kind('add-keyword'), keyword, from: fc.constant('console'), atMs }),
  record({ kind: kind('del-keyword'), keyword }),
  record({ kind: kind('propose'), proposal }),
  record({ kind: kind('accept'), pattern: bytes, atMs }),
  record({ kind: kind('reject'), pattern: bytes }),
  record({ kind: kind('expire'), pattern: bytes, origLength }),
  record({
    kind: kind('seen'),
    pattern: bytes,
    origLength,
    hits: fc.integer({ min: 1, max: 9 }),
    atMs,
  }),
  record({ kind: kind('confirm-keyword'), keyword, atMs }),
  record({ kind: kind('unconfirm-keyword'), keyword }),
) as fc.Arbitrary<Change>;

/** Everything that a restart has to bring back; hits of unlearned patterns are not among it. */
function held({ patterns, keywords, learning }: PatternDatabase) {
  return {
    patterns: Array.from(patterns.entries(), ({ hits, lastHitMs, ...entry }) => entry),
    keywords: Array.from(
      keywords.entries(),
      ({ keyword: word, from, addedAtMs, confirmedAtMs }) => {
        return { word, from, addedAtMs, confirmedAtMs };
      },
    ),
    learned: [...learning.learned()],
    proposals: [...learning.proposals.pending()],
    rejections: [...learning.proposals.rejections()],
  };
}

function assertSound({ patterns, keywords, learning }: PatternDatabase): void {
  const learnedFrom = [...patterns.entries()].filter(({ from }) => from.startsWith('auto('));
  assert.equal(learning.learnedCount, learnedFrom.length, 'each learned pattern has its sample');
  for (const { pattern: window } of learning.proposals.pending()) {
    assert.ok(!learning.proposals.isRejected(window), 'what waits is not rejected');
  }
  for (const { keyword: word, confirmedAtMs } of keywords.entries()) {
    const isBarred = learning.proposals.bars(word);
    assert.ok(confirmedAtMs === undefined || !isBarred, 'no barred keyword is confirmed');
  }
}

test('what was learned is the same after a restart, from the journal as it grew and rewritten', async () => {
  const bounds = { learning: { maxLearned: 4, maxProposals: 3 }, maxKeywords: 5 };
  await fc.assert(
    fc.asyncProperty(fc.array(change, { maxLength: 40 }), async (changes) => {
      const tunables = {
        HitThreshold: 250,
        RefreshInterval: 10,
        EnablePatternAutoUpdate: 1,
        MaxVirusPatterns: 9,
      };
      const options = { ...bounds, tunables };
      const first = await start(shipped, options);
      await first.database.commit(changes);
      assertSound(first.database);
      const state = held(first.database);
      const again = await restart(first, shipped, options);
      assert.deepEqual(again.warnings, []);
      assert.deepEqual(held(again.database), state);
      assert.equal(await first.database.rewriteJournal(), undefined);
      const rewritten = await restart(first, shipped, options);
      assert.deepEqual(held(rewritten.database), state);
    }),
    { numRuns: 400, seed: 20020201 },
  );
});
