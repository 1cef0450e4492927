/** Sources over several workers: their copies follow the primary, and what they tell is counted there. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { loadSettings } from '../../src/config/load.ts';
import { CopiedSources } from '../../src/fleet/copied-sources.ts';
import { HeldNotes } from '../../src/fleet/held-notes.ts';
import type { SourceNotes } from '../../src/fleet/messages.ts';
import { blockedBatches, SourceChanges } from '../../src/fleet/source-changes.ts';
import { takeSourceNotes } from '../../src/source-notes.ts';
import { Statistics } from '../../src/statistics.ts';
import { NeverBlock } from '../../src/virus/never-block.ts';
import { ServedMemory } from '../../src/virus/served-memory.ts';
import { SourceWatch } from '../../src/virus/source-watch.ts';
import type { Suspects } from '../../src/virus/suspects.ts';
import { HandClock } from '../support/hand-clock.ts';

const loaded = loadSettings('PROXY.CFG', () =>
  Buffer.from(
    '[Extra Configuration]\nScanVirusPatterns=1\n[Accelerator a]\nListen=127.0.0.1:80\nOrigin=demo\n',
  ),
);
assert.ok(loaded.ok);
const { settings } = loaded;
const addresses = ['192.0.2.1', '192.0.2.2', '192.0.2.3'];
const window = { patternStartOffset: 1, patternSize: 16 };

/** A primary and its two workers; messages travel at `sync`. */
class Fleet {
  nowMs = 1_000_000;
  readonly statistics = new Statistics();
  readonly served = new ServedMemory({
    ...{ ...window, bytesMax: 1 << 16, lastsMs: 1e9, seed: 3, nowMs: 0 },
  });
  readonly watch = new SourceWatch({
    rules: { statuses: [404], exceptions: [] },
    served: this.served,
    holdsKeyword: () => false,
    sourceRules: {
      ...{ missLimit: 3, missIntervalMs: 60_000, virusLimit: 2 },
      ...{ blockMs: 800, blockMsMax: 3_200, sourcesMax: 2 },
    },
    neverBlock: () => new NeverBlock([], []),
    statistics: this.statistics,
  });
  readonly changes = new SourceChanges();
  readonly copies = [this.#copy(), this.#copy()];

  constructor() {
    this.watch.sources.onChange = (address) => this.changes.note(address);
  }

  #copy(): CopiedSources {
    const { statistics } = this;
    const copy = new CopiedSources({ settings, statistics, onMuch: () => {} });
    copy.adopt(settings, new NeverBlock([], []));
    return copy;
  }

  take(notes: SourceNotes, lines = ''): string {
    const suspects = { offerMiss: () => {} } as Partial<Suspects> as Suspects;
    return takeSourceNotes({ ...notes, lines }, suspects, this.watch, window);
  }

  sync(): void {
    for (const copy of this.copies) this.take(structuredClone(copy.take()));
    const { blocked = [], freed = [] } = this.changes.take(this.watch.sources, this.nowMs) ?? {};
    for (const copy of this.copies) copy.change(structuredClone(blocked), freed);
  }

  /** A worker dies with what it has not told, and another takes its place. */
  replace(index: number): void {
    this.sync();
    const copy = this.#copy();
    for (const batch of blockedBatches(this.watch.sources, 1)) copy.change(batch, []);
    this.copies[index] = copy;
  }

  request(index: number, address: string, isVirus: boolean): void {
    const copy = this.copies[index];
    const request = { client: address, target: '/x', requestId: 'id' };
    if (isVirus) copy?.noteVirus(request, 'pattern', this.nowMs);
    else if (copy?.find(address, this.nowMs)) copy.renew(address, this.nowMs);
  }
}

const step = fc.record({
  kind: fc.constantFrom('virus', 'virus', 'request', 'request', 'sync', 'forgive', 'block', 'die'),
  worker: fc.nat(1),
  address: fc.constantFrom(...addresses),
  passedMs: fc.oneof(fc.nat(20), fc.nat(400)),
});

test('after each message the copies block whom the primary blocks, and nobody else', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const fleet = new Fleet();
      const { sources } = fleet.watch;
      for (const { kind, worker, address, passedMs } of steps) {
        fleet.nowMs += passedMs;
        if (kind === 'virus' || kind === 'request')
          fleet.request(worker, address, kind === 'virus');
        else if (kind === 'forgive') sources.forgive(address);
        else if (kind === 'block') fleet.watch.block(address, 'console', fleet.nowMs, 500);
        else if (kind === 'die') fleet.replace(worker);
        fleet.sync();
        for (const each of addresses) {
          const source = sources.find(each, fleet.nowMs);
          for (const copy of fleet.copies) {
            const copied = copy.find(each, fleet.nowMs);
            if (source === undefined) assert.equal(copied, undefined);
            // What a renewal has added is not told before it is an eighth.
            else if (source.untilMs - fleet.nowMs >= source.lengthMs / 8) assert.ok(copied);
          }
        }
      }
    }),
  );
});

test('blocked requests are counted for their source once, however they are told', () => {
  const fleet = new Fleet();
  for (const worker of [0, 1]) fleet.request(worker, '192.0.2.1', true);
  fleet.sync();
  for (let each = 0; each < 5; each += 1) fleet.request(each % 2, '192.0.2.1', false);
  // A copy that is told of the block anew keeps what it has not told yet.
  fleet.changes.note('192.0.2.1');
  const { blocked = [] } = fleet.changes.take(fleet.watch.sources, fleet.nowMs) ?? {};
  for (const copy of fleet.copies) copy.change(blocked, []);
  fleet.request(0, '192.0.2.1', true);
  for (let each = 0; each < 3; each += 1) fleet.sync();
  fleet.request(1, '192.0.2.1', false);
  fleet.sync();
  assert.equal(fleet.watch.sources.find('192.0.2.1', fleet.nowMs)?.requests, 7);
});

const answered = (target: string, status = 404) => ({
  ...{ requestString: `${target} HTTP/1.1`, status, atMs: 1_000_000 },
  ...{ referer: undefined, host: 'a.test' },
});

test('misses get their marks into their lines, and what was served gets none', () => {
  const fleet = new Fleet();
  const [copy] = fleet.copies;
  assert.ok(copy !== undefined);
  const note = (target: string, requestId: string) =>
    copy.noteAnswer({ client: '192.0.2.1', target, requestId }, answered(target));
  fleet.served.note('/old HTTP/1.1', 0, 13, 1_000_000);
  const lines = 'one\ntwo\nthree\n';
  for (const [index, target] of ['/a', '/old', '/c'].entries()) {
    assert.equal(note(target, `id-${index}`), 'miss');
    copy.noteMark(`id-${index}`, [3, 7, 13][index] ?? 0, ` miss id=${index}`);
  }
  assert.equal(fleet.take(copy.take(), lines), 'one miss id=0\ntwo\nthree miss id=2\n');
  assert.equal(fleet.statistics.get('misses'), 2);
  note('/d', 'id-4');
  copy.noteMark('another', 0, 'wrong');
  assert.equal(fleet.take(copy.take(), lines), lines);
});

test('what is beyond the bounds of a report is lost, and counted', () => {
  const fleet = new Fleet();
  let much = 0;
  const { statistics } = fleet;
  const copy = new CopiedSources({ settings, statistics, onMuch: () => (much += 1) });
  copy.adopt(settings, new NeverBlock(['192.0.2.9'], []));
  for (let each = 0; each < 1_100; each += 1) {
    const request = { client: `10.0.${each >> 8}.${each & 255}`, target: '/x', requestId: 'id' };
    copy.noteVirus(request, 'pattern', 1);
    copy.noteAnswer(request, answered(`/${each}`));
  }
  assert.equal(statistics.get('source_notes_lost'), 200);
  assert.equal(much, 2);
  const { misses, viruses } = copy.take();
  assert.deepEqual([misses.length, viruses.length], [1_000, 1_000]);
  const spared = { client: '192.0.2.9', target: '/x', requestId: 'id' };
  for (let each = 0; each < 9; each += 1) copy.noteVirus(spared, 'pattern', 1);
  assert.equal(copy.noteAnswer(spared, answered('/x')), 'excepted');
  assert.equal(copy.noteAnswer({ ...spared, client: '10.0.0.1' }, answered('/x', 200)), 'status');
  const favicon = answered('/favicon.ico');
  assert.equal(copy.noteAnswer({ ...spared, client: '10.0.0.1' }, favicon), 'excepted');
  // One source needs no more than block it.
  const loud = { client: '10.0.0.1', target: '/x', requestId: 'id' };
  for (let each = 0; each < 9; each += 1) copy.noteVirus(loud, 'pattern', 1);
  assert.deepEqual([copy.take().viruses.length, copy.take().misses.length], [2, 0]);
});

test('notes of one worker keep their order while some are held, and wait no longer than they must', () => {
  const clock = new HandClock();
  const judged: string[] = [];
  const held = new HeldNotes<string>({
    clock,
    isDoubtful: (notes) => notes.endsWith('?'),
    judge: (notes) => judged.push(notes),
  });
  const taken = (): string => judged.splice(0).join(' ');
  held.take(1, 'a');
  held.take(1, 'b?');
  held.take(1, 'c');
  held.take(2, 'd');
  assert.equal(taken(), 'a d');
  clock.pass(199);
  held.take(2, 'e?');
  assert.equal(taken(), '');
  clock.pass(1);
  assert.equal(taken(), 'b? c');
  clock.pass(199);
  assert.equal(taken(), 'e?');
  held.take(1, 'f?');
  held.settle();
  held.settle();
  assert.equal(taken(), 'f?');
  for (let each = 0; each < 65; each += 1) held.take(each, `${each}?`);
  assert.equal(taken(), '0?');
  clock.pass(200);
  assert.equal(judged.length, 64);
});
