/**
 * The fleet's engine in memory, with every way to fail that matters: connections that break before or
 * after a call has its effect, calls that have their effect long after the caller has given up, a full
 * memory, and starts that lose everything or the end.
 */
import {
  EngineLost,
  EngineRefusal,
  type NewSnapshot,
  type SnapshotMark,
  type Store,
  type StreamEntry,
} from '../../src/fleet/store.ts';

/** A turn of the event loop, or several. */
export async function turns(count = 1): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((done) => setImmediate(done));
}

/** Numbers from 0 to 1 that a seed determines. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0 || 1;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state >>> 8) / 2 ** 24;
  };
}

export class FakeEngine {
  stream: StreamEntry[] = [];
  /** Everything that was ever put into the stream. */
  archive: StreamEntry[] = [];
  mark: SnapshotMark | undefined;
  lines = new Map<string, readonly string[]>();
  run = 'run1';
  isFull = false;
  isStopped = false;
  /** How likely a call is to break its connection. */
  faultiness = 0;
  readonly #random: () => number;
  #locked: string | undefined;
  #clock = 1_000;
  #runs = 1;

  constructor(seed: number) {
    this.#random = randomFrom(seed);
  }

  /** Starts anew, with all, without everything, or without the last entries. */
  restart(loses: 'nothing' | 'all' | number): void {
    this.#runs += 1;
    this.run = `run${this.#runs}`;
    this.#locked = undefined;
    if (loses === 'all') {
      this.stream = [];
      this.mark = undefined;
      this.lines.clear();
    } else if (loses !== 'nothing') {
      const kept = this.stream.slice(0, Math.max(1, this.stream.length - loses));
      // What the snapshot reaches is older than what can be lost.
      const first = kept.at(-1);
      if (
        first !== undefined &&
        this.mark !== undefined &&
        isAtMost(this.mark.position, first.position)
      ) {
        this.stream = kept;
      }
    }
  }

  nextPosition(): string {
    this.#clock += 1;
    return `${this.#clock}-0`;
  }

  add(position: string, fields: Readonly<Record<string, string>>): void {
    const entry = { position, fields: new Map(Object.entries(fields)) };
    this.stream.push(entry);
    this.archive.push(entry);
  }

  /** A connection of the node whose cable `isCut` tells. */
  connect(isCut: () => boolean): Store {
    const { run } = this;
    let isLost = false;
    const call = async <T>(effect: () => T): Promise<T> => {
      await turns(1 + Math.floor(this.#random() * 3));
      const fails = this.#random() < this.faultiness;
      if (
        isLost ||
        isCut() ||
        this.isStopped ||
        this.run !== run ||
        (fails && this.#random() < 0.4)
      ) {
        isLost = true;
        throw new EngineLost('broken before');
      }
      if (fails && this.#random() < 0.5) {
        isLost = true;
        // The engine reads what was sent on a connection that nobody listens to any more.
        void turns(Math.floor(this.#random() * 60)).then(() => {
          if (this.run === run && !this.isStopped) quietly(effect);
        });
        throw new EngineLost('too slow');
      }
      const result = effect();
      await turns(1);
      if (fails || isCut() || this.isStopped) {
        isLost = true;
        throw new EngineLost('broken after');
      }
      return result;
    };
    return this.#store(call);
  }

  #store(call: <T>(effect: () => T) => Promise<T>): Store {
    const write = <T>(effect: () => T) =>
      call(() => {
        if (this.isFull) throw new EngineRefusal('OOM command not allowed');
        return effect();
      });
    return {
      run: () => call(() => this.run),
      mark: () => call(() => this.mark),
      snapshot: ({ id }) => call(() => this.lines.get(id)?.slice()),
      hasEntry: (at) => call(() => this.stream.some(({ position }) => position === at)),
      read: (after) =>
        call(() => this.stream.filter((entry) => !isAtMost(entry.position, after)).slice(0, 5)),
      append: (fields) => write(() => this.add(this.nextPosition(), fields)),
      laterThan: () => call(() => this.nextPosition()),
      lock: (token) =>
        write(() => {
          this.#locked ??= token;
          return this.#locked === token;
        }),
      unlock: (token) =>
        call(() => {
          if (this.#locked === token) this.#locked = undefined;
        }),
      publish: (snapshot) => write(() => this.#publish(snapshot)),
      trim: (position) =>
        call(() => {
          this.stream = this.stream.filter((entry) => !isBefore(entry.position, position));
        }),
    };
  }

  /** A lock whose owner is gone expires. */
  expireLock(): void {
    this.#locked = undefined;
  }

  #publish({ mark, lines, token, epoch }: NewSnapshot): boolean {
    if (this.#locked !== token) return false;
    this.lines = new Map([[mark.id, lines]]);
    this.mark = { ...mark, parts: 1 };
    if (epoch !== undefined) this.add(mark.position, epoch);
    return true;
  }
}

function quietly(effect: () => unknown): void {
  try {
    effect();
  } catch {
    // Nobody is there to be told.
  }
}

function numberOf(position: string): number {
  return Number(position.split('-')[0]);
}

function isAtMost(position: string, other: string): boolean {
  return numberOf(position) <= numberOf(other);
}

function isBefore(position: string, other: string): boolean {
  return numberOf(position) < numberOf(other);
}
