/** How origins are, of several workers that each find out for themselves, made into one view. Pure. */
import type { HealthState } from '../upstream/health.ts';
import type { OriginRow } from '../upstream/origins.ts';

/** From the best to the worst. */
const states: readonly HealthState[] = ['up', 'slow start', 'down', 'failed'];

/** The rows of all workers as one list: numbers are summed, and the worst state counts. */
export function mergedRows(views: readonly (readonly OriginRow[])[]): OriginRow[] {
  const rows = new Map<string, OriginRow>();
  for (const row of views.flat()) {
    const key = `${row.site}\n${row.origin}\n${row.weight}\n${row.isBackup}`;
    const known = rows.get(key);
    rows.set(key, known === undefined ? row : merged(known, row));
  }
  return [...rows.values()];
}

function merged(one: OriginRow, other: OriginRow): OriginRow {
  const worst = states.indexOf(one.state) >= states.indexOf(other.state) ? one : other;
  return {
    ...worst,
    why: worst.why || one.why || other.why,
    running: one.running + other.running,
    waiting: one.waiting + other.waiting,
    failures: one.failures + other.failures,
  };
}

/** Tells of an origin once: when the first worker leaves it out, and when the last one has it back. */
export class OriginNews {
  readonly #tell: (origin: string, state: 'down' | 'up', why: string) => void;
  /** The workers that leave an origin out. */
  readonly #down = new Map<string, Set<number>>();

  constructor(tell: (origin: string, state: 'down' | 'up', why: string) => void) {
    this.#tell = tell;
  }

  note(worker: number, origin: string, state: 'down' | 'up', why: string): void {
    const workers = this.#down.get(origin);
    if (state === 'up') return this.#noteBack(worker, origin, workers);
    if (workers === undefined) {
      this.#down.set(origin, new Set([worker]));
      this.#tell(origin, 'down', why);
    } else workers.add(worker);
  }

  /** A worker has ended. */
  noteEnd(worker: number): void {
    for (const [origin, workers] of [...this.#down]) this.#noteBack(worker, origin, workers);
  }

  #noteBack(worker: number, origin: string, workers: Set<number> | undefined): void {
    if (workers?.delete(worker) !== true || workers.size > 0) return;
    this.#down.delete(origin);
    this.#tell(origin, 'up', '');
  }
}
