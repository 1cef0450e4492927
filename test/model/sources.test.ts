/** Sources against a list of everything that ever happened, looked through from the beginning. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type SourceRules, Sources } from '../../src/virus/sources.ts';

const rules: SourceRules = {
  ...{ missLimit: 3, missIntervalMs: 60, virusLimit: 2, blockMs: 100, blockMsMax: 800 },
  sourcesMax: 100,
};

type Step =
  | { readonly kind: 'miss'; readonly hash: number }
  | { readonly kind: 'virus' | 'request' | 'forgive' | 'sweep' }
  | { readonly kind: 'operator'; readonly lengthMs: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('miss' as const), hash: fc.nat(4) }) },
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constantFrom('virus' as const, 'request', 'sweep') }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('forgive' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('operator' as const), lengthMs: fc.nat(300) }),
  },
);

/** One source as one would write it down. */
class Naive {
  misses: { hash: number; atMs: number }[] = [];
  viruses: number[] = [];
  block: { untilMs: number; lengthMs: number; byOperator: boolean } | undefined;
  times = 0;
  lastEndMs = Number.NEGATIVE_INFINITY;

  isBlocked(nowMs: number): boolean {
    if (this.block === undefined) return false;
    if (nowMs < this.block.untilMs) return true;
    this.lastEndMs = this.block.untilMs;
    this.block = undefined;
    this.misses = [];
    this.viruses = [];
    return false;
  }

  begin(nowMs: number): void {
    if (nowMs - this.lastEndMs >= rules.blockMsMax) this.times = 0;
    const lengthMs = Math.min(rules.blockMs * 2 ** this.times, rules.blockMsMax);
    this.times += 1;
    this.block = { untilMs: nowMs + lengthMs, lengthMs, byOperator: false };
  }

  take(step: Step, nowMs: number): void {
    const isBlocked = this.isBlocked(nowMs);
    if (step.kind === 'forgive') {
      Object.assign(this, new Naive());
    } else if (step.kind === 'operator') {
      const { lengthMs } = step;
      const endMs = this.block?.untilMs ?? this.lastEndMs;
      if (nowMs - endMs >= rules.blockMsMax) this.times = 0;
      this.block = { untilMs: nowMs + lengthMs, lengthMs, byOperator: true };
    } else if (isBlocked && (step.kind === 'virus' || step.kind === 'request')) {
      if (this.block?.byOperator === false) this.block.untilMs = nowMs + this.block.lengthMs;
    } else if (!isBlocked && step.kind === 'virus') {
      this.viruses.push(nowMs);
      const recent = this.viruses.filter((atMs) => nowMs - atMs < rules.blockMs);
      if (recent.length >= rules.virusLimit) this.begin(nowMs);
    } else if (!isBlocked && step.kind === 'miss') {
      this.misses.push({ hash: step.hash, atMs: nowMs });
      const recent = this.misses.filter(({ atMs }) => nowMs - atMs < rules.missIntervalMs);
      if (new Set(recent.map(({ hash }) => hash)).size >= rules.missLimit) this.begin(nowMs);
    }
  }
}

function take(sources: Sources, address: string, step: Step, nowMs: number): void {
  const evidence = { atMs: nowMs, requestId: 'x' };
  if (step.kind === 'forgive') sources.forgive(address);
  else if (step.kind === 'sweep') sources.sweep(nowMs);
  else if (step.kind === 'operator') sources.block(address, 'console', nowMs, step.lengthMs);
  else if (step.kind === 'request') {
    if (sources.find(address, nowMs) !== undefined) sources.renew(address, nowMs);
  } else if (step.kind === 'virus') {
    if (sources.find(address, nowMs) !== undefined) sources.renew(address, nowMs);
    const isDue = sources.noteVirus(address, { ...evidence, matched: 'p' });
    if (isDue) sources.block(address, 'viruses', nowMs);
  } else if (step.kind === 'miss') {
    const { hash } = step;
    const isDue = sources.noteMiss(address, { ...evidence, hash, path: '/', status: 404 });
    if (isDue) sources.block(address, 'misses', nowMs);
  }
}

test('who is blocked, and until when, is what the whole history says', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(2), step, fc.oneof(fc.nat(40), fc.nat(400))), { maxLength: 80 }),
      (steps) => {
        const sources = new Sources(rules);
        const naive = Array.from({ length: 3 }, () => new Naive());
        let nowMs = 0;
        for (const [who, step, stepMs] of steps) {
          nowMs += stepMs;
          naive[who]?.take(step, nowMs);
          take(sources, `192.0.2.${who}`, step, nowMs);
          for (const [index, each] of naive.entries()) {
            const isBlocked = each.isBlocked(nowMs);
            const source = sources.find(`192.0.2.${index}`, nowMs);
            assert.equal(source !== undefined, isBlocked);
            assert.equal(source?.untilMs, each.block?.untilMs);
          }
        }
      },
    ),
    { numRuns: 500 },
  );
});

test('whatever happens, and however the clock jumps, the table keeps to its bound', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(30), step, fc.integer({ min: -500, max: 500 })), {
        maxLength: 200,
      }),
      (steps) => {
        const sources = new Sources({ ...rules, sourcesMax: 10 });
        let nowMs = 1_000_000;
        for (const [who, step, stepMs] of steps) {
          nowMs += stepMs;
          const address = `192.0.2.${who}`;
          take(sources, address, step, nowMs);
          assert.ok(sources.size <= 10);
          const source = sources.find(address, nowMs);
          if (source !== undefined) assert.ok(source.untilMs - nowMs <= source.lengthMs);
          for (const { misses, viruses } of sources.entries()) {
            assert.ok(misses.length <= rules.missLimit && viruses.length <= rules.virusLimit);
          }
        }
      },
    ),
  );
});
