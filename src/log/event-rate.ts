/**
 * How many events of each kind are made in a second, and how many were omitted. Pure: whoever asks says
 * when a second is over.
 */
import type { EventKind } from '../config/event-rows.ts';

interface Count {
  admitted: number;
  omitted: number;
}

export class EventRate {
  readonly #counts = new Map<EventKind, Count>();

  /** Whether one more event of the kind may be made in this second, of which `max` may. */
  admit(kind: EventKind, max: number): boolean {
    let count = this.#counts.get(kind);
    if (count === undefined) {
      count = { admitted: 0, omitted: 0 };
      this.#counts.set(kind, count);
    }
    if (count.admitted < max) {
      count.admitted += 1;
      return true;
    }
    count.omitted += 1;
    return false;
  }

  /** Counts events that were omitted elsewhere. */
  omit(kind: EventKind, omitted: number): void {
    const count = this.#counts.get(kind);
    if (count === undefined) this.#counts.set(kind, { admitted: 0, omitted });
    else count.omitted += omitted;
  }

  /** Ends the second; gives the kinds of which events were omitted in it, and how many. */
  endSecond(): [kind: EventKind, omitted: number][] {
    const omitted: [EventKind, number][] = [];
    for (const [kind, count] of this.#counts) {
      if (count.omitted > 0) omitted.push([kind, count.omitted]);
      count.admitted = 0;
      count.omitted = 0;
    }
    return omitted;
  }
}
