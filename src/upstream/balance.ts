/**
 * Which of several origins gets a request: weighted round robin, smooth in that a heavy one is not
 * asked many times in a row, or the fewest requests for its weight. Origins that work come before
 * backups that work, and those before all others. Pure: time and loads are handed in.
 */

/** What the choice needs to know of an origin. */
export interface Balanced {
  /** Requests and tunnels that it has now, those that wait included. */
  readonly load: number;
  /** Which part of its weight counts now, above 0 and up to 1; 0: it is not to be asked. */
  share(nowMs: number): number;
}

/** One origin of a site. */
export interface Member<T extends Balanced> {
  readonly origin: T;
  /** ≥ 1. */
  readonly weight: number;
  readonly isBackup: boolean;
}

export type Balance = 'roundrobin' | 'leastconn';

interface Standing<T extends Balanced> extends Member<T> {
  /** How much of its turn has come. */
  credit: number;
  /** The weight that counts in the choice being made; 0: it takes no part. */
  counted: number;
}

/** Who takes part: the first of these that anybody is in. */
const tiers = ['works', 'backup', 'last resort'] as const;
type Tier = (typeof tiers)[number];

export class Balancer<T extends Balanced> {
  readonly #members: readonly Standing<T>[];
  readonly #balance: Balance;

  constructor(members: readonly Member<T>[], balance: Balance) {
    this.#members = members.map((member) => ({ ...member, credit: 0, counted: 0 }));
    this.#balance = balance;
  }

  /**
   * The origin for a request that `tried` have failed; undefined when all have. When none works, any
   * may be tried: an answer from one that was given up too early is worth more than none.
   */
  choose(nowMs: number, tried: readonly T[]): T | undefined {
    for (const tier of tiers) {
      if (!this.#count(tier, nowMs, tried)) continue;
      return this.#turn(this.#balance === 'leastconn' ? this.#leastLoad() : undefined);
    }
    return undefined;
  }

  /** Fills in who takes part in a tier; false: nobody. */
  #count(tier: Tier, nowMs: number, tried: readonly T[]): boolean {
    let isAny = false;
    for (const member of this.#members) {
      const { origin, weight, isBackup } = member;
      const isOut =
        tried.includes(origin) || (tier !== 'last resort' && isBackup !== (tier === 'backup'));
      const share = isOut ? 0 : tier === 'last resort' ? 1 : origin.share(nowMs);
      member.counted = weight * share;
      isAny ||= member.counted > 0;
    }
    return isAny;
  }

  /** The smallest load for its weight among those that take part. */
  #leastLoad(): number {
    let least = Number.POSITIVE_INFINITY;
    for (const { counted, origin } of this.#members) {
      if (counted > 0) least = Math.min(least, origin.load / counted);
    }
    return least;
  }

  /**
   * Everybody's credit grows by its weight; who has most is asked, and pays for all. `load`: only who
   * has this load for its weight takes part.
   */
  #turn(load: number | undefined): T | undefined {
    let best: Standing<T> | undefined;
    let total = 0;
    for (const member of this.#members) {
      if (member.counted === 0) continue;
      if (load !== undefined && member.origin.load / member.counted > load) continue;
      member.credit += member.counted;
      total += member.counted;
      if (best === undefined || member.credit > best.credit) best = member;
    }
    if (best !== undefined) best.credit -= total;
    return best?.origin;
  }
}
