/**
 * Wrong tokens, counted per address so that nobody can try many: a bucket that fills with each wrong one
 * and leaks with time. Bounded; knows no clock.
 */
import { networkKey } from '../virus/source-key.ts';

/** So many wrong tokens in a row are let pass; afterwards one in `leakMs`. */
const triesMax = 5;
const leakMs = 12_000;

/** The same for all addresses together, against somebody who has many. */
const allTriesMax = 100;
const allLeakMs = 600;

const addressesMax = 1_000;

interface Bucket {
  readonly level: number;
  readonly atMs: number;
}

const empty: Bucket = { level: 0, atMs: 0 };

export class Tries {
  /** The one that tried longest ago first. */
  readonly #buckets = new Map<string, Bucket>();
  #all = empty;

  /** How long the address has to wait, in milliseconds; 0: it may try. */
  waitMs(address: string, nowMs: number): number {
    const own = this.#buckets.get(networkKey(address)) ?? empty;
    return Math.max(
      overflowMs(own, nowMs, triesMax, leakMs),
      overflowMs(this.#all, nowMs, allTriesMax, allLeakMs),
    );
  }

  noteWrong(address: string, nowMs: number): void {
    const network = networkKey(address);
    const own = filled(this.#buckets.get(network) ?? empty, nowMs, leakMs);
    this.#buckets.delete(network);
    const [oldest] = this.#buckets.keys();
    if (oldest !== undefined && this.#buckets.size >= addressesMax) this.#buckets.delete(oldest);
    this.#buckets.set(network, own);
    this.#all = filled(this.#all, nowMs, allLeakMs);
  }

  /** How many addresses are remembered. */
  get size(): number {
    return this.#buckets.size;
  }
}

function levelNow({ level, atMs }: Bucket, nowMs: number, perLeakMs: number): number {
  // A clock that was set back leaks nothing.
  return Math.max(0, level - Math.max(0, nowMs - atMs) / perLeakMs);
}

function filled(bucket: Bucket, nowMs: number, perLeakMs: number): Bucket {
  return { level: levelNow(bucket, nowMs, perLeakMs) + 1, atMs: nowMs };
}

function overflowMs(bucket: Bucket, nowMs: number, levelMax: number, perLeakMs: number): number {
  const over = levelNow(bucket, nowMs, perLeakMs) - (levelMax - 1);
  return over <= 0 ? 0 : Math.ceil(over * perLeakMs);
}
