/**
 * Who may use an origin now and who waits: at most MaxOriginConnections requests at once, at most
 * MaxOriginQueue behind them, first come, first served. The agent has a queue too, but requests whose
 * client has gone away stay in it.
 */

/** How many requests may run and wait; read anew at each request, since a reload may change them. */
export interface QueueBounds {
  readonly runningMax: number;
  readonly waitingMax: number;
}

/** Gives a place back, running or waiting; a second call does nothing. */
export type Leave = () => void;

export class OriginQueue {
  #running = 0;
  #runningMax = 1;
  /** In the order of service. */
  readonly #waiting = new Set<() => void>();

  /** Takes a place if one is free now; false when there is none. It is given back by `leave`, once. */
  tryEnter(runningMax: number): boolean {
    if (this.#running >= runningMax) return false;
    this.#runningMax = runningMax;
    this.#running += 1;
    return true;
  }

  /** Gives a place back that `tryEnter` took. */
  leave(): void {
    this.#running -= 1;
    this.#startWaiting();
  }

  /** Calls `start` now or when there is room; undefined when the queue is full: `start` is not called. */
  enter(bounds: QueueBounds, start: (leave: Leave) => void): Leave | undefined {
    this.#runningMax = bounds.runningMax;
    const mustWait = this.#running >= this.#runningMax;
    if (mustWait && this.#waiting.size >= bounds.waitingMax) return undefined;
    let isOver = false;
    const leave = () => {
      if (isOver) return;
      isOver = true;
      if (!this.#waiting.delete(run)) this.leave();
    };
    const run = () => {
      this.#running += 1;
      start(leave);
    };
    if (mustWait) this.#waiting.add(run);
    else run();
    return leave;
  }

  /** How many requests have a place. */
  get runningCount(): number {
    return this.#running;
  }

  /** How many requests wait. */
  get waitingCount(): number {
    return this.#waiting.size;
  }

  #startWaiting(): void {
    for (const run of this.#waiting) {
      if (this.#running >= this.#runningMax) return;
      this.#waiting.delete(run);
      run();
    }
  }
}
