/**
 * The distribution table against a map of exact counts: nothing is ever reported that did not come
 * often enough, and while the different windows stay within the table's bound nothing is missed and
 * nothing reported twice.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DistributionTable } from '../../src/virus/heuristics.ts';
import { WindowHash } from '../../src/virus/window-hash.ts';

const patternSize = 4;
const hash = new WindowHash(patternSize, 20010806);

/** Counts exactly, without a bound. */
class ExactCounts {
  readonly #counts = new Map<string, number>();
  readonly #reported = new Set<string>();
  #interval = Number.NaN;
  last: string | undefined;

  /** The count of the window, and whether it is to be reported now. */
  tally(window: string, interval: number, threshold: number): { count: number; isDue: boolean } {
    if (interval !== this.#interval) {
      this.#counts.clear();
      this.#reported.clear();
      this.#interval = interval;
    }
    const count = (this.#counts.get(window) ?? 0) + 1;
    this.#counts.set(window, count);
    const isDue = count > threshold && !this.#reported.has(window);
    if (isDue) this.report(window);
    return { count, isDue };
  }

  report(window: string): void {
    this.#reported.add(window);
    this.last = window;
  }

  withdraw(): void {
    if (this.last !== undefined) this.#reported.delete(this.last);
  }

  reportAgain(): void {
    this.#reported.clear();
  }

  get distinct(): number {
    return this.#counts.size;
  }
}

type Step =
  | { readonly kind: 'tally'; readonly request: string }
  | { readonly kind: 'interval'; readonly interval: number }
  | { readonly kind: 'threshold'; readonly threshold: number }
  | { readonly kind: 'withdraw' }
  | { readonly kind: 'again' };

/** Few letters, so that windows come again; some short ones, which zeros fill up. */
const request = fc
  .array(fc.constantFrom('a', 'b', 'c', '\0', '\xff'), { maxLength: 6 })
  .map((letters) => letters.join(''));

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 40, arbitrary: request.map((text): Step => ({ kind: 'tally', request: text })) },
  {
    weight: 1,
    arbitrary: fc
      .integer({ min: 0, max: 3 })
      .map((interval): Step => ({ kind: 'interval', interval })),
  },
  {
    weight: 1,
    arbitrary: fc
      .integer({ min: 1, max: 4 })
      .map((threshold): Step => ({ kind: 'threshold', threshold })),
  },
  { weight: 2, arbitrary: fc.constant<Step>({ kind: 'withdraw' }) },
  { weight: 1, arbitrary: fc.constant<Step>({ kind: 'again' }) },
);

/** Numbers from 0 to less than 1 that can be repeated. */
class Lcg {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  next(): number {
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0;
    return this.#state / 2 ** 32;
  }
}

function windowOf(text: string): string {
  return text.slice(0, patternSize).padEnd(patternSize, '\0');
}

function tableWith(bytesMax: number): DistributionTable {
  return new DistributionTable({ patternSize, bytesMax });
}

function tally(table: DistributionTable, text: string, interval: number, threshold: number) {
  const bytes = Buffer.from(`--${text}`, 'latin1');
  const code = hash.ofBytes(bytes, 2, Math.min(bytes.length - 2, patternSize));
  return table.tally(bytes, 2, bytes.length, code, interval, threshold);
}

test('within its bound the table reports what an exact count reports, and at the same request', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200, size: 'max' }), (steps) => {
      const table = tableWith(65_536);
      const exact = new ExactCounts();
      let interval = 0;
      let threshold = 2;
      for (const [index, each] of steps.entries()) {
        if (each.kind === 'interval') interval = each.interval;
        else if (each.kind === 'threshold') threshold = each.threshold;
        else if (each.kind === 'again') {
          table.reportAgain();
          exact.reportAgain();
        } else if (each.kind === 'tally') {
          const { isDue } = exact.tally(windowOf(each.request), interval, threshold);
          const isReported = tally(table, each.request, interval, threshold);
          assert.equal(isReported, isDue);
          assert.equal(table.distinct, exact.distinct);
          // Only the report that was made last can be withdrawn, and only before the next request.
          if (isReported && steps[index + 1]?.kind === 'withdraw') {
            table.withdraw();
            exact.withdraw();
          }
        }
      }
      assert.equal(table.displaced, 0);
    }),
    { numRuns: 500, seed: 1 },
  );
});

test('within its bound the table counts exactly however many windows come, interval after interval', () => {
  const interval = fc.record({ distinct: fc.integer({ min: 1, max: 60_000 }), skew: fc.nat(3) });
  fc.assert(
    fc.property(fc.array(interval, { minLength: 2, maxLength: 5 }), fc.nat(), (intervals, seed) => {
      const table = tableWith(2 ** 21);
      assert.ok(table.distinctMax > 60_000);
      const bytes = Buffer.alloc(patternSize);
      const random = new Lcg(seed);
      for (const [number, { distinct, skew }] of intervals.entries()) {
        const counts = new Uint32Array(distinct);
        let seen = 0;
        for (let request = 0; request < 2 * distinct; request += 1) {
          const id = Math.floor(random.next() ** (skew + 1) * distinct);
          bytes.writeInt32LE(Math.imul(id, 0x9e3779b1));
          const count = (counts[id] as number) + 1;
          counts[id] = count;
          if (count === 1) seen += 1;
          const code = hash.ofBytes(bytes, 0, patternSize);
          const isReported = table.tally(bytes, 0, patternSize, code, number, 5);
          assert.equal(isReported, count === 6, `window ${id}, count ${count}`);
        }
        assert.equal(table.distinct, seen);
      }
      assert.equal(table.displaced, 0);
    }),
    { numRuns: 12, seed: 3 },
  );
});

test('far beyond its bound the table never reports a window that did not come often enough', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(60), fc.nat(3)), { minLength: 50, maxLength: 600, size: 'max' }),
      fc.integer({ min: 1, max: 5 }),
      (requests, threshold) => {
        const table = tableWith(64);
        assert.ok(table.distinctMax <= 8, `${table.distinctMax}`);
        const exact = new ExactCounts();
        let interval = 0;
        for (const [index, [name, turn]] of requests.entries()) {
          if (turn === 0 && index % 50 === 0) interval += 1;
          const text = `w${name}`;
          const { count } = exact.tally(windowOf(text), interval, threshold);
          if (tally(table, text, interval, threshold)) assert.ok(count > threshold);
          assert.ok(table.distinct <= table.distinctMax);
        }
      },
    ),
    { numRuns: 500, seed: 2 },
  );
});

test('the table takes no more memory than it may, and most of it', () => {
  for (let size = 4; size <= 64; size += 1) {
    for (const bytesMax of [2 ** 20, 2 ** 25, 3_000_000]) {
      const table = new DistributionTable({ patternSize: size, bytesMax });
      assert.ok(table.bytes <= bytesMax, `PatternSize ${size}: ${table.bytes} of ${bytesMax}`);
      const { distinctMax, bytes } = table;
      assert.ok(bytes > bytesMax * 0.6, `PatternSize ${size}: ${bytes} of ${bytesMax}`);
      assert.ok(
        distinctMax * (size + 8) > bytesMax * 0.45,
        `PatternSize ${size}: ${distinctMax} rows`,
      );
    }
  }
});
