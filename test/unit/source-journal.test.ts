/** The journal of sources: written anew when it has grown, and bounded. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { SourceJournal } from '../../src/source-journal.ts';
import type { SourceRecord } from '../../src/virus/source-record.ts';
import { Sources } from '../../src/virus/sources.ts';
import { HandClock } from '../support/hand-clock.ts';

const rules = {
  ...{ missLimit: 5, missIntervalMs: 60_000, virusLimit: 2 },
  ...{ blockMs: 600_000, blockMsMax: 86_400_000, sourcesMax: 1000 },
};

function journalIn(t: TestContext, bytesMax = 1 << 30) {
  const dataFolder = mkdtempSync(join(tmpdir(), 'wormgate-sources-'));
  t.after(() => rmSync(dataFolder, { recursive: true, force: true }));
  const sources = new Sources(rules);
  const clock = new HandClock();
  const warnings: string[] = [];
  const open = () => {
    const records: SourceRecord[] = [];
    const journal = SourceJournal.open(
      {
        ...{ dataFolder, clock, bytesMax: () => bytesMax },
        sources: () => sources.repeaters(clock.nowMs()),
        warn: (sentence) => warnings.push(sentence),
      },
      (record) => records.push(record),
    );
    return { journal, records };
  };
  return { path: join(dataFolder, 'sources.journal'), sources, clock, warnings, open };
}

test('what comes by itself is gathered for a moment, and read again', async (t) => {
  const rig = journalIn(t);
  const { journal } = rig.open();
  const source = rig.sources.block('192.0.2.1', 'misses', rig.clock.nowMs());
  journal.note({ kind: 'blocked', source });
  assert.equal(readFileSync(rig.path).length, 0);
  rig.clock.pass(200);
  await journal.write({ kind: 'forgiven', address: '192.0.2.2' });
  await journal.close();
  const { journal: again, records } = rig.open();
  assert.deepEqual(records, [{ kind: 'blocked', source }]);
  await again.close();
  assert.deepEqual(rig.warnings, []);
});

test('of one address the last record alone waits for the disk', async (t) => {
  const rig = journalIn(t);
  const { journal } = rig.open();
  const source = rig.sources.block('192.0.2.1', 'misses', rig.clock.nowMs());
  for (let count = 0; count < 1000; count += 1) journal.note({ kind: 'blocked', source });
  journal.note({ kind: 'forgiven', address: '192.0.2.2' });
  journal.note({ kind: 'blocked', source: { ...source, address: '192.0.2.2' } });
  await journal.write({ kind: 'forgiven', address: '192.0.2.1' });
  assert.deepEqual(
    rig.open().records.map(({ kind }) => kind),
    ['forgiven', 'blocked'],
  );
  await journal.close();
});

test('a journal that has grown is written anew, with what there is now alone', async (t) => {
  const rig = journalIn(t);
  const { journal } = rig.open();
  const source = rig.sources.block('192.0.2.1', 'misses', rig.clock.nowMs());
  const bytesEach = 300_000;
  const large = {
    ...source,
    viruses: [{ matched: 'x'.repeat(bytesEach), atMs: 1, requestId: 'x' }],
  };
  for (let count = 0; count < 20; count += 1) {
    await journal.write({ kind: 'blocked', source: large });
    assert.ok(statSync(rig.path).size < 1_048_576 + bytesEach);
  }
  await journal.close();
  assert.deepEqual(rig.open().records, [{ kind: 'blocked', source }]);
});

test('a journal is written anew whole, though sources send requests meanwhile', async (t) => {
  const rig = journalIn(t);
  const nowMs = rig.clock.nowMs();
  const address = (index: number) => `192.0.2.${index}`;
  for (let index = 0; index < 100; index += 1) {
    rig.sources.noteVirus(address(index), {
      ...{ matched: 'x'.repeat(10_000), atMs: nowMs, requestId: 'x' },
    });
    rig.sources.block(address(index), 'viruses', nowMs);
  }
  const { journal } = rig.open();
  const written = journal.tidy();
  let isWritten = false;
  void written.then(() => {
    isWritten = true;
  });
  const order = Array.from({ length: 100 }, (_, index) => index);
  while (!isWritten) {
    for (const index of order.reverse()) rig.sources.renew(address(index), nowMs);
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { records } = rig.open();
  assert.equal(new Set(records.map((each) => JSON.stringify(each))).size, 100);
  assert.equal(records.length, 100);
  await journal.close();
});

test('a journal that cannot be as short as MaxJournalBytes is not written anew each time', async (t) => {
  const rig = journalIn(t, 1000);
  const { journal } = rig.open();
  const nowMs = rig.clock.nowMs();
  for (let index = 0; index < 100; index += 1)
    rig.sources.block(`192.0.2.${index}`, 'misses', nowMs);
  await journal.tidy();
  const { ino } = statSync(rig.path);
  const forgiven = { kind: 'forgiven', address: '192.0.2.200' } as const;
  for (let count = 0; count < 10; count += 1) await journal.write(forgiven);
  assert.equal(statSync(rig.path).ino, ino);
  for (let count = 0; count < 1000; count += 1) await journal.write(forgiven);
  assert.equal(rig.open().records.filter(({ kind }) => kind === 'blocked').length, 100);
  assert.ok(statSync(rig.path).size < 50_000);
  await journal.close();
});
