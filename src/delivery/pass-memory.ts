/**
 * Which keys were lately answered with something that is for one client alone: requests for them do not
 * wait for one another, and their conditions are left to the origin. Bounded; touches no clock.
 */

import { owned } from '../cache/entry.ts';

export class PassMemory {
  readonly #keysMax: number;
  readonly #lifetimeMs: number;
  /** Until when each is remembered, the oldest first. */
  readonly #untilMs = new Map<string, number>();

  constructor(keysMax: number, lifetimeMs: number) {
    this.#keysMax = keysMax;
    this.#lifetimeMs = lifetimeMs;
  }

  note(key: string, nowMs: number): void {
    this.#untilMs.delete(key);
    const [oldest] = this.#untilMs.keys();
    if (oldest !== undefined && this.#untilMs.size >= this.#keysMax) this.#untilMs.delete(oldest);
    this.#untilMs.set(owned(key), nowMs + this.#lifetimeMs);
  }

  /** It was answered with something that is for all. */
  forget(key: string): void {
    this.#untilMs.delete(key);
  }

  has(key: string, nowMs: number): boolean {
    const leftMs = (this.#untilMs.get(key) ?? 0) - nowMs;
    // A clock that was set back must not prolong it.
    return leftMs > 0 && leftMs <= this.#lifetimeMs;
  }
}
