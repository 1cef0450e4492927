/** Which origin gets a request, against a model that looks at every origin each time. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Balance, type Balanced, Balancer } from '../../src/upstream/balance.ts';

class Made implements Balanced {
  readonly weight: number;
  readonly isBackup: boolean;
  load: number;
  part: number;

  constructor(weight: number, isBackup: boolean, load: number, part: number) {
    this.weight = weight;
    this.isBackup = isBackup;
    this.load = load;
    this.part = part;
  }

  share(): number {
    return this.part;
  }
}

const part = fc.constantFrom(0, 0.25, 1, 1);
const load = fc.integer({ min: 0, max: 5 });
const made = fc
  .tuple(fc.integer({ min: 1, max: 9 }), fc.boolean(), load, part)
  .map((values) => new Made(...values));
const list = fc.array(made, { minLength: 1, maxLength: 6 });
const balance = fc.constantFrom<Balance>('roundrobin', 'leastconn');

function balancerOf(origins: readonly Made[], how: Balance): Balancer<Made> {
  const members = origins.map((origin) => ({ ...origin, origin }));
  return new Balancer(members, how);
}

/** Who may be chosen: those that work, else backups that work, else anybody. */
function eligible(origins: readonly Made[], tried: readonly Made[]): readonly Made[] {
  const left = origins.filter((origin) => !tried.includes(origin));
  const working = left.filter((origin) => origin.part > 0);
  const first = working.filter(({ isBackup }) => !isBackup);
  if (first.length > 0) return first;
  return working.length > 0 ? working : left;
}

test('only who works is chosen while anybody does, backups last, nobody twice for a request', () => {
  fc.assert(
    fc.property(list, balance, (origins, how) => {
      const balancer = balancerOf(origins, how);
      const tried: Made[] = [];
      for (;;) {
        const allowed = eligible(origins, tried);
        const chosen = balancer.choose(0, tried);
        if (chosen === undefined) break;
        assert.ok(allowed.includes(chosen));
        tried.push(chosen);
      }
      assert.equal(tried.length, origins.length);
    }),
  );
});

test('taking turns, each gets exactly its weight in each round, as its weight counts now', () => {
  fc.assert(
    fc.property(list, fc.integer({ min: 1, max: 3 }), (origins, rounds) => {
      const balancer = balancerOf(origins, 'roundrobin');
      const allowed = eligible(origins, []);
      const isAnyUp = origins.some((origin) => origin.part > 0);
      const counted = (origin: Made) => origin.weight * (isAnyUp ? origin.part : 1);
      const total = allowed.reduce((sum, origin) => sum + counted(origin), 0);
      // Parts are quarters: after so many choices every share is a whole number.
      const choices = total * 4 * rounds;
      const counts = new Map<Made, number>();
      for (let count = 0; count < choices; count += 1) {
        const chosen = balancer.choose(0, []);
        assert.ok(chosen !== undefined);
        counts.set(chosen, (counts.get(chosen) ?? 0) + 1);
      }
      for (const origin of allowed) {
        assert.equal(counts.get(origin) ?? 0, counted(origin) * 4 * rounds);
      }
    }),
  );
});

test('a heavy origin is not asked many times in a row', () => {
  const [heavy, a, b] = [
    new Made(5, false, 0, 1),
    new Made(1, false, 0, 1),
    new Made(1, false, 0, 1),
  ];
  const balancer = balancerOf([heavy, a, b], 'roundrobin');
  const turns = Array.from({ length: 7 }, () => balancer.choose(0, []));
  assert.deepEqual(turns, [heavy, heavy, a, heavy, b, heavy, heavy]);
});

test('leastconn takes one of those with the smallest load for its weight', () => {
  fc.assert(
    fc.property(list, fc.array(load, { minLength: 20, maxLength: 20 }), (origins, loads) => {
      const balancer = balancerOf(origins, 'leastconn');
      for (const [index, next] of loads.entries()) {
        const changed = origins[index % origins.length];
        if (changed !== undefined) changed.load = next;
        const allowed = eligible(origins, []);
        const isAnyUp = allowed.some((origin) => origin.part > 0);
        const forWeight = (origin: Made) =>
          origin.load / (origin.weight * (isAnyUp ? origin.part : 1));
        const chosen = balancer.choose(0, []);
        assert.ok(chosen !== undefined && allowed.includes(chosen));
        assert.equal(forWeight(chosen), Math.min(...allowed.map(forWeight)));
      }
    }),
  );
});

test('origins with equal loads take turns under leastconn, too', () => {
  const origins = [new Made(1, false, 2, 1), new Made(1, false, 2, 1)];
  const balancer = balancerOf(origins, 'leastconn');
  const turns = Array.from({ length: 4 }, () => balancer.choose(0, []));
  assert.deepEqual(turns, [...origins, ...origins]);
});
