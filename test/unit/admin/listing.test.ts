import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Listed, renderList } from '../../../src/admin/listing.ts';
import type { Proposal } from '../../../src/virus/change.ts';

const pattern = Uint8Array.from(Buffer.from('scripts/root.exe'));
const atMs = Date.UTC(2001, 8, 18, 13, 0, 0);
const sample = { requestLine: 'GET /scripts/root.exe?/c+dir HTTP/1.0', source: '203.0.113.9' };
const entry = {
  ...{ pattern, origLength: 33, from: 'auto(root.exe)' as const, addedAtMs: atMs },
  ...{ hits: 7, lastHitMs: atMs + 60_000 },
};
const proposal: Proposal = {
  ...{ pattern, origLength: 33, keyword: 'root.exe', reason: 'path-served', confirms: false },
  ...{ sample, firstSeenMs: atMs, lastSeenMs: atMs + 1_000, times: 2 },
};

function listed(parts: Partial<Omit<Listed, 'count'>>, total?: number): Listed {
  const all = {
    patterns: () => [],
    learned: () => [],
    proposals: () => [],
    keywords: () => [],
    ...parts,
  };
  return { ...all, count: (what) => total ?? Array.from<unknown>(all[what]()).length };
}

test('nothing to list is said', () => {
  assert.equal(renderList(false, listed({})), 'There are no patterns.');
  assert.equal(renderList(true, listed({})), 'There are no keywords.');
});

test('a learned pattern shows keyword, first and last seen, hits, source and sample', () => {
  const text = renderList(
    false,
    listed({
      patterns: () => [entry],
      learned: () => [{ ...entry, keyword: 'root.exe', sample }],
    }),
  );
  assert.deepEqual(text.split('\n'), [
    'PATTERN             LENGTH  FROM            ADDED                 HITS  LAST HIT',
    '"scripts/root.exe"      33  auto(root.exe)  2001-09-18T13:00:00Z     7  2001-09-18T13:01:00Z',
    '',
    'Learned by Auto Update:',
    'PATTERN             LENGTH  KEYWORD     FIRST SEEN            LAST SEEN             HITS  FIRST SOURCE  SAMPLE',
    '"scripts/root.exe"      33  "root.exe"  2001-09-18T13:00:00Z  2001-09-18T13:01:00Z     7  203.0.113.9   "GET /scripts/root.exe?/c+dir HTTP/1.0"',
  ]);
});

test('a proposal shows why it was not added', () => {
  const text = renderList(false, listed({ proposals: () => [proposal] }));
  assert.deepEqual(text.split('\n').slice(0, 3), [
    'There are no patterns.',
    '',
    'Proposed by Auto Update, for "virus accept" or "virus reject":',
  ]);
  assert.match(text, / "root\.exe" {2}its path was lately served {2}2001-09-18T13:00:00Z /);
});

test('what a client sent is printed in printable characters, and long samples are cut', () => {
  const requestLine = `GET /\x1b[2J"${'x'.repeat(200)}`;
  const hostile = { ...proposal, sample: { requestLine, source: '203.0.113.9' } };
  const text = renderList(false, listed({ proposals: () => [hostile] }));
  assert.match(text, /^[ -~\n]*$/);
  assert.match(text, /"GET \/\\x1b\[2J\\"x+\.\.\."$/);
});

test('beyond a thousand rows the rest is counted', () => {
  const patterns = () => Array.from({ length: 1_001 }, () => entry);
  const lines = renderList(false, listed({ patterns }, 1_234)).split('\n');
  assert.equal(lines.length, 1_002);
  assert.equal(lines.at(-1), 'And 234 more; "virus dump" writes all of them to VIRPAT.NCF.');
});
