/** The events that wait for the webhook, oldest first, bounded: there is always room for the newest. */

/** Taken slots are given up when there are this many, and more of them than others. */
const compactAt = 1024;

export class EventQueue {
  #texts: string[] = [];
  /** The place of the oldest. */
  #first = 0;

  get size(): number {
    return this.#texts.length - this.#first;
  }

  /** Adds the newest; gives how many of the oldest are lost because there may be `max`. */
  push(text: string, max: number): number {
    this.#texts.push(text);
    return this.shrink(max);
  }

  /** Gives up the oldest beyond `max`, and says how many. */
  shrink(max: number): number {
    const lost = Math.max(0, this.size - max);
    this.#first += lost;
    this.#compact();
    return lost;
  }

  /** Takes out the oldest, at most `max` of them. */
  take(max: number): string[] {
    const taken = this.#texts.slice(this.#first, this.#first + max);
    this.#first += taken.length;
    this.#compact();
    return taken;
  }

  #compact(): void {
    const isWorthIt = this.#first >= compactAt && this.#first > this.size;
    if (this.size > 0 && !isWorthIt) return;
    this.#texts = this.#texts.slice(this.#first);
    this.#first = 0;
  }
}
