/**
 * The pattern set against an array of entries searched from the front. Few different bytes and
 * lengths, so that equal patterns, deletions in long probes and re-used rows come up often.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Provenance } from '../../src/virus/change.ts';
import { PatternSet } from '../../src/virus/pattern-set.ts';

const patternSize = 4;

interface ModelEntry {
  readonly text: string;
  readonly origLength: number;
  readonly from: Provenance;
  readonly addedAtMs: number;
  hits: number;
  lastHitMs: number | undefined;
}

class ModelSet {
  entries: ModelEntry[] = [];
  maxPatterns = 40;

  at(text: string, origLength: number): number {
    return this.entries.findIndex((it) => it.text === text && it.origLength === origLength);
  }

  add(text: string, origLength: number, from: Provenance, addedAtMs: number): string {
    if (this.at(text, origLength) !== -1) return 'present';
    if (this.entries.length >= this.maxPatterns) return 'full';
    this.entries.push({ text, origLength, from, addedAtMs, hits: 0, lastHitMs: undefined });
    return 'added';
  }

  del(text: string, origLength: number): boolean {
    const at = this.at(text, origLength);
    if (at !== -1) this.entries.splice(at, 1);
    return at !== -1;
  }
}

type Step =
  | { kind: 'add'; text: string; origLength: number; from: Provenance }
  | { kind: 'del' | 'has'; text: string; origLength: number }
  | { kind: 'find'; text: string }
  | { kind: 'limit'; maxPatterns: number }
  | { kind: 'clear' };

const text = fc
  .array(fc.constantFrom('a', 'b', '\0', '\xff'), { maxLength: patternSize - 1 })
  .map((characters) => characters.join('').padEnd(patternSize, '\0'));
const origLength = fc.integer({ min: 1, max: 3 });
const from = fc.constantFrom<Provenance>('console', 'ncf', 'shipped', 'auto(x)', 'auto(y)');

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 60,
    arbitrary: fc.record({ kind: fc.constant('add' as const), text, origLength, from }),
  },
  { weight: 40, arbitrary: fc.record({ kind: fc.constant('del' as const), text, origLength }) },
  { weight: 10, arbitrary: fc.record({ kind: fc.constant('has' as const), text, origLength }) },
  { weight: 20, arbitrary: fc.record({ kind: fc.constant('find' as const), text }) },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('limit' as const),
      maxPatterns: fc.integer({ min: 1, max: 300 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('clear' as const) }) },
);

function bytesOf(latin1: string): Uint8Array {
  return Uint8Array.from(Buffer.from(latin1, 'latin1'));
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}

function checkFind(set: PatternSet, model: ModelSet, wanted: string, nowMs: number): void {
  const expected = model.entries.find((entry) => entry.text === wanted);
  const bytes = Buffer.from(`x${wanted}y`, 'latin1');
  const index = set.findInBytes(bytes, 1, bytes.length);
  assert.equal(set.findInString(`x${wanted}y`, 1), index);
  const shorter = wanted.replace(/\0+$/, '');
  assert.equal(set.findInString(shorter, 0), index);
  assert.equal(set.findInBytes(Buffer.from(`${shorter}z`, 'latin1'), 0, shorter.length), index);
  assert.equal(index !== -1, expected !== undefined);
  if (expected === undefined) return;
  set.hit(index, nowMs);
  expected.hits += 1;
  expected.lastHitMs = nowMs;
}

function run(set: PatternSet, model: ModelSet, step: Step, nowMs: number): void {
  switch (step.kind) {
    case 'add': {
      const added = set.add(bytesOf(step.text), step.origLength, step.from, nowMs);
      assert.equal(added, model.add(step.text, step.origLength, step.from, nowMs));
      break;
    }
    case 'del':
      assert.equal(
        set.del(bytesOf(step.text), step.origLength),
        model.del(step.text, step.origLength),
      );
      break;
    case 'has':
      assert.equal(
        set.has(bytesOf(step.text), step.origLength),
        model.at(step.text, step.origLength) !== -1,
      );
      break;
    case 'find':
      checkFind(set, model, step.text, nowMs);
      break;
    case 'limit':
      set.maxPatterns = step.maxPatterns;
      model.maxPatterns = step.maxPatterns;
      break;
    case 'clear':
      set.clear();
      model.entries = [];
      break;
  }
}

test('any sequence of commands leaves the pattern set as it leaves an array of entries', () => {
  const steps = fc.array(step, { minLength: 100, maxLength: 600, size: 'max' });
  fc.assert(
    fc.property(steps, fc.maxSafeNat(), (sequence, seed) => {
      const model = new ModelSet();
      const set = new PatternSet({ patternSize, maxPatterns: model.maxPatterns, seed });
      for (const [at, each] of sequence.entries()) {
        run(set, model, each, 1_700_000_000_000 + at);
        assert.equal(set.size, model.entries.length);
      }
      for (const { text: present } of model.entries)
        checkFind(set, model, present, 1_800_000_000_000);
      const listed = [...set.entries()].map(({ pattern, ...rest }) => ({
        text: textOf(pattern),
        ...rest,
      }));
      assert.deepEqual(listed, model.entries);
    }),
    { numRuns: 150 },
  );
});
