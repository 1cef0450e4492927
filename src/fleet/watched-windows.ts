/**
 * A worker's part of finding suspects: the windows that it has counted often enough to name them as candidates,
 * and what it has counted of those that the primary wants to know of. Bounded. Pure.
 */
import type { Suspect } from '../virus/suspects.ts';
import type { WatchedWindow, WindowTallies } from './messages.ts';

export interface WatchedWindowsOptions {
  /** How often a window came in the running interval. */
  readonly countOf: (pattern: Uint8Array) => number;
  /** So many candidates are named in one report. */
  readonly candidatesMax: number;
  /** When the running interval began. */
  readonly startMs: () => number;
}

interface Watched {
  readonly pattern: Uint8Array;
  told: number;
}

export class WatchedWindows {
  readonly #options: WatchedWindowsOptions;
  #candidates: Suspect[] = [];
  /** The interval that the candidates are of. */
  #candidatesStartMs = 0;
  readonly #watched = new Map<number, Watched>();
  #watchedStartMs = 0;

  constructor(options: WatchedWindowsOptions) {
    this.#options = options;
  }

  /** Names a candidate in the next report; false: there are too many. */
  offer(suspect: Suspect): boolean {
    const startMs = this.#options.startMs();
    // Candidates of the last interval were too late to be told of in it.
    if (startMs !== this.#candidatesStartMs) this.#candidates = [];
    this.#candidatesStartMs = startMs;
    if (this.#candidates.length >= this.#options.candidatesMax) return false;
    this.#candidates.push(suspect);
    return true;
  }

  watch(startMs: number, windows: readonly WatchedWindow[]): void {
    // Of an interval that is over there is nothing to tell, and those of the running one are to stay.
    if (startMs < this.#options.startMs()) return;
    if (startMs !== this.#watchedStartMs) this.#watched.clear();
    this.#watchedStartMs = startMs;
    for (const { id, pattern } of windows) this.#watched.set(id, { pattern, told: 0 });
  }

  unwatch(startMs: number, ids: Uint32Array): void {
    if (startMs !== this.#watchedStartMs) return;
    for (const id of ids) this.#watched.delete(id);
  }

  /** Whether there is anything that the end of the interval would take away. */
  get isBusy(): boolean {
    return this.#watched.size > 0 || this.#candidates.length > 0;
  }

  takeCandidates(): { readonly startMs: number; readonly candidates: readonly Suspect[] } {
    const candidates = this.#candidates;
    this.#candidates = [];
    return { startMs: this.#candidatesStartMs, candidates };
  }

  /** The counts that have changed since they were last taken. */
  takeTallies(): WindowTallies | undefined {
    if (this.#watched.size === 0) return undefined;
    const startMs = this.#options.startMs();
    if (startMs !== this.#watchedStartMs) {
      this.#watched.clear();
      return undefined;
    }
    const ids: number[] = [];
    const counts: number[] = [];
    for (const [id, watched] of this.#watched) {
      const count = this.#options.countOf(watched.pattern);
      // Less than before: it was displaced, and the primary keeps what it knows.
      if (count <= watched.told) continue;
      watched.told = count;
      ids.push(id);
      counts.push(count);
    }
    if (ids.length === 0) return undefined;
    return { startMs, ids: Uint32Array.from(ids), counts: Uint32Array.from(counts) };
  }
}
