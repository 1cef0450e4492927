/** How origins are, of several workers that each find out for themselves, made into one view. Pure. */
import type { HealthState } from '../upstream/health.ts';
import type { OriginRow } from '../upstream/origins.ts';
import type { OriginChange } from './messages.ts';

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

/** What workers find out about origins: told once, and known to those that come later. */
export class OriginNews {
  readonly #tell: (origin: string, state: 'down' | 'up', why: string) => void;
  /** Those that are left out, and why. */
  readonly #down = new Map<string, string>();

  constructor(tell: (origin: string, state: 'down' | 'up', why: string) => void) {
    this.#tell = tell;
  }

  note([origin, state, why]: OriginChange): void {
    if ((state === 'down') === this.#down.has(origin)) return;
    if (state === 'down') this.#down.set(origin, why);
    else this.#down.delete(origin);
    this.#tell(origin, state, why);
  }

  /** Forgets origins that are configured no longer: should one come back, it begins anew. */
  keep(origins: ReadonlySet<string>): void {
    for (const origin of this.#down.keys()) if (!origins.has(origin)) this.#down.delete(origin);
  }

  /** The origins that are left out now. */
  down(): OriginChange[] {
    return Array.from(this.#down, ([origin, why]) => [origin, 'down', why]);
  }
}
