/** Changes of a pattern set on their way between processes: gathered, packed into a few arrays, made again. */
import type { Provenance } from '../virus/change.ts';
import type { PatternSet, PatternSetWatcher } from '../virus/pattern-set.ts';
import type { PatternBatch } from './messages.ts';

const kinds = { add: 0, del: 1, clear: 2 } as const;

/** Gathers changes of a set that it watches. */
export class PatternChanges implements PatternSetWatcher {
  readonly #patternSize: number;
  readonly #kinds: number[] = [];
  readonly #windows: Uint8Array[] = [];
  readonly #lengths: number[] = [];
  readonly #from: number[] = [];
  readonly #names = new Map<Provenance, number>();

  constructor(patternSize: number) {
    this.#patternSize = patternSize;
  }

  get isEmpty(): boolean {
    return this.#kinds.length === 0;
  }

  get count(): number {
    return this.#kinds.length;
  }

  added(pattern: Uint8Array, origLength: number, from: Provenance): void {
    this.#push(kinds.add, pattern, origLength, from);
  }

  deleted(pattern: Uint8Array, origLength: number): void {
    this.#push(kinds.del, pattern, origLength, 'console');
  }

  cleared(): void {
    // What came before it does not matter any more.
    this.#reset();
    this.#push(kinds.clear, new Uint8Array(this.#patternSize), 1, 'console');
  }

  /** What was gathered since the last call. */
  take(): PatternBatch {
    const size = this.#patternSize;
    const windows = new Uint8Array(this.#windows.length * size);
    for (const [index, pattern] of this.#windows.entries()) windows.set(pattern, index * size);
    const batch = {
      kinds: Uint8Array.from(this.#kinds),
      windows,
      lengths: Int32Array.from(this.#lengths),
      from: Uint32Array.from(this.#from),
      names: [...this.#names.keys()],
    };
    this.#reset();
    return batch;
  }

  #push(kind: number, pattern: Uint8Array, origLength: number, from: Provenance): void {
    this.#kinds.push(kind);
    this.#windows.push(pattern.slice());
    this.#lengths.push(origLength);
    const known = this.#names.get(from);
    this.#from.push(known ?? this.#names.size);
    if (known === undefined) this.#names.set(from, this.#names.size);
  }

  #reset(): void {
    this.#kinds.length = 0;
    this.#windows.length = 0;
    this.#lengths.length = 0;
    this.#from.length = 0;
    this.#names.clear();
  }
}

/** A set as batches of at most `countMax` adds each, in its order. */
export function* batchesOf(set: PatternSet, countMax: number): Generator<PatternBatch> {
  const changes = new PatternChanges(set.patternSize);
  for (const { pattern, origLength, from } of set.entries()) {
    changes.added(pattern, origLength, from);
    if (changes.count === countMax) yield changes.take();
  }
  if (!changes.isEmpty) yield changes.take();
}

/** Makes the changes in another set. When a pattern was added is known to the first one alone. */
export function applyBatch(set: PatternSet, batch: PatternBatch): void {
  const size = set.patternSize;
  for (const [index, kind] of batch.kinds.entries()) {
    const pattern = batch.windows.subarray(index * size, (index + 1) * size);
    const origLength = batch.lengths[index] as number;
    if (kind === kinds.add) {
      set.add(pattern, origLength, batch.names[batch.from[index] as number] ?? 'console', 0);
    } else if (kind === kinds.del) {
      set.del(pattern, origLength);
    } else {
      set.clear();
    }
  }
}
