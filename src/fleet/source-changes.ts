/**
 * Which sources have become blocked, or free, on their way to the workers: gathered by key, told as they are when
 * they are sent. Bounded by the sources that there are. Pure.
 */
import type { Source, Sources } from '../virus/sources.ts';
import type { BlockedState, ScreeningChange } from './messages.ts';

export class SourceChanges {
  readonly #changed = new Set<string>();

  /** The source with this key has become blocked, or free, or its block was prolonged. */
  note(address: string): void {
    this.#changed.add(address);
  }

  /** What has changed since the last call; undefined: nothing. */
  take(sources: Sources, nowMs: number): Pick<ScreeningChange, 'blocked' | 'freed'> | undefined {
    if (this.#changed.size === 0) return undefined;
    const blocked: BlockedState[] = [];
    const freed: string[] = [];
    for (const address of this.#changed) {
      const source = sources.find(address, nowMs);
      if (source === undefined) freed.push(address);
      else blocked.push(stateOf(source));
    }
    // Not before: `find` may have let some go.
    this.#changed.clear();
    return { ...(blocked.length > 0 && { blocked }), ...(freed.length > 0 && { freed }) };
  }
}

/** All blocked sources, in messages of `batchMax` at most. */
export function* blockedBatches(sources: Sources, batchMax: number): Generator<BlockedState[]> {
  let batch: BlockedState[] = [];
  for (const source of sources.blocked()) {
    batch.push(stateOf(source));
    if (batch.length < batchMax) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

function stateOf(source: Source): BlockedState {
  const { address, cause, sinceMs, lengthMs, untilMs, misses, viruses } = source;
  const counts = { misses: misses.length, viruses: viruses.length };
  return { address, cause, sinceMs, lengthMs, untilMs, ...counts };
}
