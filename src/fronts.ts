/** The listeners of the accelerators, each with its front: opened, drained and closed as settings say. */
import type { HostPort } from './config/shape.ts';
import { Front } from './http/front.ts';
import type { FrontParts } from './http/policy.ts';
import { listenFailure } from './start-failure.ts';
import { listenKey } from './upstream/origins.ts';

export class Fronts {
  readonly #parts: () => FrontParts;
  readonly #fronts = new Map<string, Front>();
  /** Closings of listeners that a reload removed; answers may be under way there still. */
  readonly #retiring = new Set<Promise<void>>();

  /** `parts`: what a new front is to share with the others. */
  constructor(parts: () => FrontParts) {
    this.#parts = parts;
  }

  has(key: string): boolean {
    return this.#fronts.has(key);
  }

  /** Listens on an address; throws with a sentence when that cannot be. */
  async open(address: HostPort): Promise<void> {
    const front = new Front(address, this.#parts());
    try {
      await front.listen();
    } catch (error) {
      throw listenFailure(address, error);
    }
    this.#fronts.set(listenKey(address), front);
  }

  /** Follows a reload: fronts of addresses that are not `wanted` let their answers finish and go. */
  adopt(wanted: ReadonlyMap<string, HostPort>, drainMs: number): void {
    for (const [key, front] of this.#fronts) {
      if (wanted.has(key)) front.applyLimits();
      // Not awaited: an answer under way may take all of DrainSeconds, and later signals need not wait.
      else this.#retire(key, drainMs);
    }
  }

  /** Stops listening on one address. */
  async close(key: string, drainMs: number): Promise<void> {
    const front = this.#fronts.get(key);
    this.#fronts.delete(key);
    await front?.close(drainMs);
  }

  /** Stops listening, and lets answers under way finish for `drainMs`. */
  async closeAll(drainMs: number): Promise<void> {
    const closing = [...this.#fronts.values()].map((front) => front.close(drainMs));
    await Promise.all([...closing, ...this.#retiring]);
  }

  #retire(key: string, drainMs: number): void {
    const closing = this.close(key, drainMs);
    this.#retiring.add(closing);
    void closing.finally(() => this.#retiring.delete(closing));
  }
}
