/** What waits to be sent, oldest first, bounded: there is always room for the newest. */

/** Taken slots are given up when there are this many, and more of them than others. */
const compactAt = 1024;

export class SenderQueue<T> {
  #items: T[] = [];
  /** The place of the oldest. */
  #first = 0;

  get size(): number {
    return this.#items.length - this.#first;
  }

  /** Adds the newest; gives how many of the oldest are lost because there may be `max`. */
  push(item: T, max: number): number {
    this.#items.push(item);
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
  take(max: number): T[] {
    const taken = this.#items.slice(this.#first, this.#first + max);
    this.#first += taken.length;
    this.#compact();
    return taken;
  }

  #compact(): void {
    const isWorthIt = this.#first >= compactAt && this.#first > this.size;
    if (this.size > 0 && !isWorthIt) return;
    this.#items = this.#items.slice(this.#first);
    this.#first = 0;
  }
}
