/**
 * Keeps the memory of what was served over restarts: `served.memory` in the data folder, written anew
 * every few minutes while it changes, and at the stop. Its owner alone can read it, because its hashes are
 * secret.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock, Timer } from './clock.ts';
import { describeError } from './config/fault.ts';
import type { Settings } from './config/shape.ts';
import { writeAtomically } from './log/durable-file.ts';
import type { ServedMemory, ServedSnapshot } from './virus/served-memory.ts';
import { decodeSnapshot, encodeSnapshot } from './virus/served-snapshot.ts';

const writePeriodMs = 300_000;
const fileName = 'served.memory';

/** What the last process has left; undefined: nothing that can be used. */
export function readServedFile(
  dataFolder: string,
  { virus, limits }: Settings,
  warn: (sentence: string) => void,
): ServedSnapshot | undefined {
  const path = join(dataFolder, fileName);
  if (!existsSync(path)) return undefined;
  const { patternStartOffset, patternSize } = virus;
  const bytesMax = limits.servedMemoryBytesMax;
  try {
    const read = decodeSnapshot(readFileSync(path), { patternStartOffset, patternSize, bytesMax });
    if (read.ok) return read.snapshot;
    warn(`${path}: ${read.message}; what was served is remembered anew`);
  } catch (error) {
    warn(`${path}: ${describeError(error)}`);
  }
  return undefined;
}

export class ServedFile {
  readonly #path: string;
  readonly #served: ServedMemory;
  readonly #clock: Clock;
  readonly #warn: (sentence: string) => void;
  readonly #timer: Timer;
  /** The memory's `notedMs` when it was last written. */
  #writtenMs: number;
  #writing: Promise<void> = Promise.resolve();

  constructor(
    dataFolder: string,
    served: ServedMemory,
    { clock, warn }: { readonly clock: Clock; readonly warn: (sentence: string) => void },
  ) {
    this.#path = join(dataFolder, fileName);
    this.#served = served;
    this.#clock = clock;
    this.#warn = warn;
    this.#writtenMs = served.notedMs;
    this.#timer = clock.every(writePeriodMs, () => this.#write());
  }

  async close(): Promise<void> {
    this.#timer.cancel();
    this.#write();
    await this.#writing;
  }

  #write(): void {
    const { notedMs } = this.#served;
    // After the clock was set back, nothing is later than what was noted before.
    if (notedMs === this.#writtenMs && notedMs <= this.#clock.nowMs()) return;
    this.#writing = this.#writing
      .then(() => writeAtomically(this.#path, encodeSnapshot(this.#served.snapshot())))
      .then(
        () => {
          this.#writtenMs = notedMs;
        },
        (error: unknown) => this.#warn(describeError(error)),
      );
  }
}
