/**
 * What workers tell of misses, kept back for a moment where another worker may have served the page that led to
 * them and not have told it yet: ten reports come from each in a second. What follows from the same worker waits
 * behind it, so that lines stand in their order. Bounded: when too many wait, the oldest is judged as it is.
 */
import type { Clock, Timer } from '../clock.ts';

export interface HeldNotesOptions<T> {
  readonly clock: Clock;
  /** Whether what was served elsewhere may make a difference. */
  readonly isDoubtful: (notes: T) => boolean;
  /** Judges them. */
  readonly judge: (notes: T) => void;
}

interface Held<T> {
  readonly worker: number;
  readonly notes: T;
  readonly timer: Timer;
}

/** Twice as long as it takes until a worker tells of what it has served. */
const holdMs = 200;
const heldMax = 64;

export class HeldNotes<T> {
  readonly #options: HeldNotesOptions<T>;
  /** The oldest first. */
  #held: Held<T>[] = [];

  constructor(options: HeldNotesOptions<T>) {
    this.#options = options;
  }

  take(worker: number, notes: T): void {
    const { clock, isDoubtful, judge } = this.#options;
    if (!this.#held.some((each) => each.worker === worker) && !isDoubtful(notes)) {
      judge(notes);
      return;
    }
    const held = { worker, notes, timer: clock.after(holdMs, () => this.#judgeTo(held)) };
    this.#held.push(held);
    const oldest = this.#held[0];
    if (this.#held.length > heldMax && oldest !== undefined) this.#judgeTo(oldest);
  }

  /** All workers have told everything. */
  settle(): void {
    const last = this.#held.at(-1);
    if (last !== undefined) this.#judgeTo(last);
  }

  /** Judges all up to this one. */
  #judgeTo(last: Held<T>): void {
    const count = this.#held.indexOf(last) + 1;
    const due = this.#held.slice(0, count);
    this.#held = this.#held.slice(count);
    for (const { notes, timer } of due) {
      timer.cancel();
      this.#options.judge(notes);
    }
  }
}
