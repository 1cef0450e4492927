/** Takes the changes from files run at start, and remembers which were refused. */
import type { Change } from './change.ts';
import type { DatabaseState } from './database-state.ts';

const refusalsMax = 100;

/** A change from a file run at start that was not taken; `index` counts the changes from 0. */
export interface BaseRefusal {
  readonly index: number;
  readonly message: string;
}

/** `refusals` holds the first hundred of `refusedCount`. */
export interface BaseLoading {
  readonly refusals: readonly BaseRefusal[];
  readonly refusedCount: number;
}

/** Loads one state. */
export class BaseLoader implements BaseLoading {
  readonly refusals: BaseRefusal[] = [];
  refusedCount = 0;
  readonly #state: DatabaseState;
  #index = 0;

  constructor(state: DatabaseState) {
    this.#state = state;
  }

  load(change: Change): void {
    const message = this.#state.loadBase(change);
    if (message !== undefined) {
      this.refusedCount += 1;
      if (this.refusals.length < refusalsMax) this.refusals.push({ index: this.#index, message });
    }
    this.#index += 1;
  }
}
