/** The table of sources: what is kept of them, and who is forgotten for whom. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type SourceRules, Sources } from '../../../src/virus/sources.ts';

const rules: SourceRules = {
  ...{ missLimit: 5, missIntervalMs: 60_000, virusLimit: 2 },
  ...{ blockMs: 600_000, blockMsMax: 86_400_000, sourcesMax: 1000 },
};

function missOf(sources: Sources, address: string, hash: number, atMs: number): boolean {
  const miss = { hash, path: `/${hash}`, status: 404, atMs, requestId: String(hash) };
  const isDue = sources.noteMiss(address, miss);
  if (isDue) sources.block(address, 'misses', atMs);
  return isDue;
}

test('the fifth different miss within a minute blocks, and shows the five', () => {
  const sources = new Sources(rules);
  for (let hash = 1; hash <= 4; hash += 1) assert.equal(missOf(sources, 'a', hash, hash), false);
  assert.equal(missOf(sources, 'a', 4, 5), false);
  assert.equal(missOf(sources, 'a', 5, 6), true);
  const source = sources.find('a', 7);
  assert.deepEqual(
    source?.misses.map(({ path }) => path),
    ['/1', '/2', '/3', '/4', '/5'],
  );
  assert.equal(source?.untilMs, 600_006);
});

test('a million sources are kept within MaxSources, and those forgotten are counted', () => {
  const sources = new Sources(rules);
  for (let index = 0; index < 1_000_000; index += 1) missOf(sources, `source ${index}`, 1, index);
  assert.equal(sources.size, 1000);
  assert.equal(sources.forgotten, 999_000);
  assert.equal(sources.get('source 999999', 1_000_000)?.misses.length, 1);
});

test('a blocked source is not forgotten for any number of watched ones', () => {
  const sources = new Sources(rules);
  for (let hash = 1; hash <= 5; hash += 1) missOf(sources, 'bad', hash, 0);
  for (let index = 0; index < 5000; index += 1) missOf(sources, `source ${index}`, 1, 1);
  assert.notEqual(sources.find('bad', 2), undefined);
  assert.equal(sources.size, 1000);
});

test('when all are blocked, the one that was quiet for longest goes', () => {
  const sources = new Sources({ ...rules, sourcesMax: 3 });
  for (const address of ['a', 'b', 'c']) sources.block(address, 'viruses', 0);
  sources.renew('a', 1);
  sources.block('d', 'viruses', 2);
  assert.deepEqual(
    [...sources.entries()].map(({ address }) => address),
    ['d', 'a', 'c'],
  );
});

test('a rest of BlockSecondsMax makes the next block the first again', () => {
  const sources = new Sources(rules);
  assert.equal(sources.block('a', 'misses', 0).lengthMs, 600_000);
  assert.equal(sources.block('a', 'misses', 600_000).lengthMs, 1_200_000);
  const endMs = 600_000 + 1_200_000;
  assert.equal(sources.find('a', endMs), undefined);
  assert.equal(sources.block('a', 'misses', endMs + 86_399_999).lengthMs, 2_400_000);
  const laterMs = endMs + 86_399_999 + 2_400_000 + 86_400_000;
  assert.equal(sources.block('a', 'misses', laterMs).lengthMs, 600_000);
});

test("the operator's block ends when he said, whatever comes meanwhile", () => {
  const sources = new Sources(rules);
  sources.block('a', 'console', 0, 1000);
  sources.renew('a', 900);
  assert.equal(sources.find('a', 999)?.requests, 1);
  assert.equal(sources.find('a', 1000), undefined);
  assert.equal(sources.block('a', 'misses', 1000).lengthMs, 600_000);
});

test('sweeping lets those go whose time is over, and keeps how often they were blocked', () => {
  const sources = new Sources(rules);
  sources.block('a', 'misses', 0);
  sources.block('b', 'misses', 1000);
  sources.sweep(600_000);
  assert.equal(sources.blockedCount, 1);
  assert.equal(sources.get('a', 600_000)?.times, 1);
});

test('what was kept elsewhere is taken in as it was', () => {
  const sources = new Sources(rules);
  const source = sources.block('a', 'misses', 0);
  const others = new Sources(rules);
  others.restore({ ...source }, 10);
  assert.deepEqual(others.find('a', 10), source);
  const late = new Sources(rules);
  late.restore({ ...source }, 700_000);
  assert.equal(late.blockedCount, 0);
  assert.equal(late.block('a', 'misses', 700_000).lengthMs, 1_200_000);
});

test('who is forgiven begins anew', () => {
  const sources = new Sources(rules);
  sources.block('a', 'misses', 0);
  assert.equal(sources.forgive('a')?.address, 'a');
  assert.equal(sources.forgive('a'), undefined);
  assert.equal(sources.block('a', 'misses', 1).lengthMs, 600_000);
});

test('what was counted before the clock was set back counts no longer than it would have', () => {
  const sources = new Sources(rules);
  const hourMs = 3_600_000;
  for (let hash = 1; hash <= 4; hash += 1) missOf(sources, 'a', hash, hourMs);
  assert.equal(missOf(sources, 'a', 5, 0), false);
  const virus = { matched: 'x', requestId: 'x' };
  assert.equal(sources.noteVirus('a', { ...virus, atMs: hourMs }), false);
  assert.equal(sources.noteVirus('a', { ...virus, atMs: 0 }), false);
});
