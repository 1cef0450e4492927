/**
 * Which keys were lately answered with something that is for one client alone: requests for them do not
 * wait for one another, and their conditions are left to the origin. Bounded; touches no clock.
 */

import { owned } from '../cache/entry.ts';

export class PassMemory {
  readonly #keysMax: number;
  readonly #lifetimeMs: number;
  /** The oldest first. */
  readonly #passes = new Map<string, Pass>();

  constructor(keysMax: number, lifetimeMs: number) {
    this.#keysMax = keysMax;
    this.#lifetimeMs = lifetimeMs;
  }

  note(key: string, nowMs: number): void {
    if (key.length > keyLengthMax) return;
    const before = this.#find(key, nowMs);
    this.#passes.delete(key);
    const [oldest] = this.#passes.keys();
    if (oldest !== undefined && this.#passes.size >= this.#keysMax) this.#passes.delete(oldest);
    const inRow = (before?.inRow ?? 0) + 1;
    this.#passes.set(owned(key), { untilMs: nowMs + this.#lifetimeMs, inRow });
  }

  /** It was answered with something that is for all. */
  forget(key: string): void {
    this.#passes.delete(key);
  }

  has(key: string, nowMs: number): boolean {
    return this.#find(key, nowMs) !== undefined;
  }

  /** Whether it was answered so several times in a row: the next answer is most likely like the others. */
  hasOften(key: string, nowMs: number): boolean {
    const pass = this.#find(key, nowMs);
    return pass !== undefined && pass.inRow >= oftenInRow;
  }

  #find(key: string, nowMs: number): Pass | undefined {
    const pass = this.#passes.get(key);
    if (pass === undefined) return undefined;
    const leftMs = pass.untilMs - nowMs;
    // A clock that was set back must not prolong it.
    return leftMs > 0 && leftMs <= this.#lifetimeMs ? pass : undefined;
  }
}

interface Pass {
  readonly untilMs: number;
  /** How often it was noted without being forgotten. */
  readonly inRow: number;
}

const oftenInRow = 3;

/** Longer keys are not remembered, or a stranger's long URLs would fill the memory. */
const keyLengthMax = 1024;
