/** What happens later in a simulation, earliest first: a binary heap in arrays of numbers. Pure. */

export interface Scan {
  readonly atMs: number;
  /** The host that is reached. */
  readonly target: number;
  /** The host that goes on scanning after it; -1: none. */
  readonly source: number;
}

export class EventQueue {
  readonly #times: number[] = [];
  readonly #targets: number[] = [];
  readonly #sources: number[] = [];

  get size(): number {
    return this.#times.length;
  }

  add(atMs: number, target: number, source: number): void {
    let at = this.#times.length;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if ((this.#times[parent] as number) <= atMs) break;
      this.#move(parent, at);
      at = parent;
    }
    this.#put(at, atMs, target, source);
  }

  /** Takes out the earliest; undefined when there is none. */
  take(): Scan | undefined {
    if (this.#times.length === 0) return undefined;
    const scan = {
      atMs: this.#times[0] as number,
      target: this.#targets[0] as number,
      source: this.#sources[0] as number,
    };
    const lastMs = this.#times.pop() as number;
    const lastTarget = this.#targets.pop() as number;
    const lastSource = this.#sources.pop() as number;
    if (this.#times.length > 0) this.#sink(lastMs, lastTarget, lastSource);
    return scan;
  }

  /** Finds the place of what was last, from the top down. */
  #sink(atMs: number, target: number, source: number): void {
    const { length } = this.#times;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= length) break;
      const other = child + 1;
      if (other < length && (this.#times[other] as number) < (this.#times[child] as number)) {
        child = other;
      }
      if ((this.#times[child] as number) >= atMs) break;
      this.#move(child, at);
      at = child;
    }
    this.#put(at, atMs, target, source);
  }

  #move(from: number, to: number): void {
    this.#put(
      to,
      this.#times[from] as number,
      this.#targets[from] as number,
      this.#sources[from] as number,
    );
  }

  #put(at: number, atMs: number, target: number, source: number): void {
    this.#times[at] = atMs;
    this.#targets[at] = target;
    this.#sources[at] = source;
  }
}
