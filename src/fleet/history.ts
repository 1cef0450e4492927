/**
 * The order of a fleet's commands, as far as a node has followed it: how many there were in each epoch,
 * which was the last about each pattern, keyword and setting, and the last of each session. A stamp is a
 * command's place in the order: the number of its epoch times 2^40, and its number within the epoch. A
 * later command has the larger stamp. Pure.
 */
import { isPosition, isSession, isStamp } from './command.ts';
import { registerOf, type SharedChange, windowRegister } from './shared-change.ts';

const epochUnit = 2 ** 40;
/** Beyond it stamps are no whole numbers. */
const epochNumberMax = 2 ** 13 - 1;

/** Sessions whose last number is remembered; of more, those are forgotten that have been silent longest. */
export const sessionsMax = 4_096;
/** Epochs whose end is remembered. What is older is taken for known to everybody. */
export const epochsMax = 256;

/** One epoch: its number, its name, and how many commands it has so far. */
export interface Epoch {
  readonly number: number;
  readonly id: string;
  count: number;
}

/** What is known of a history without its stamps; a snapshot and the journal hold it as JSON. */
export interface HistoryHead {
  readonly position: string;
  readonly epochs: readonly Epoch[];
  /** The engine's run in which the last epoch began. */
  readonly run: string;
  /** The stamp of the last clear; 0: there was none. */
  readonly clear: number;
  readonly sessions: readonly (readonly [session: string, seq: number])[];
}

function isEpoch(value: unknown): value is Epoch {
  if (typeof value !== 'object' || value === null) return false;
  const { number, id, count } = value as Partial<Epoch>;
  if (!isStamp(number) || number > epochNumberMax || typeof id !== 'string') return false;
  return isStamp(count) && count < epochUnit;
}

function isSeen(value: unknown): value is [string, number] {
  return Array.isArray(value) && isSession(value[0]) && isStamp(value[1]);
}

/** Whether a value that was read is the head of a history. */
export function isHistoryHead(value: unknown): value is HistoryHead {
  if (typeof value !== 'object' || value === null) return false;
  const { position, epochs, run, clear, sessions } = value as Partial<HistoryHead>;
  if (!isPosition(position) || typeof run !== 'string' || !isStamp(clear)) return false;
  if (!Array.isArray(epochs) || !epochs.every(isEpoch)) return false;
  return Array.isArray(sessions) && sessions.every(isSeen);
}

/** A history that grows. */
export class History {
  /** The place in the stream up to which it reaches. */
  position: string;
  clear: number;
  readonly stamps: Map<string, number>;
  #run: string;
  readonly #epochs: Epoch[];
  readonly #sessions: Map<string, number>;

  constructor(head?: HistoryHead, stamps: Iterable<readonly [string, number]> = []) {
    this.position = head?.position ?? '0-0';
    this.clear = head?.clear ?? 0;
    this.#run = head?.run ?? '';
    this.#epochs = (head?.epochs ?? []).map((epoch) => ({ ...epoch }));
    this.#sessions = new Map(head?.sessions ?? []);
    this.stamps = new Map(stamps);
  }

  head(): HistoryHead {
    const { position, clear } = this;
    const epochs = this.#epochs.map((epoch) => ({ ...epoch }));
    return { position, epochs, run: this.#run, clear, sessions: [...this.#sessions] };
  }

  copy(): History {
    return new History(this.head(), this.stamps);
  }

  /** False until the node has followed any fleet. */
  get hasBegun(): boolean {
    return this.#epochs.length > 0;
  }

  get run(): string {
    return this.#run;
  }

  /** The stamp of the last command. */
  get last(): number {
    const epoch = this.#epochs.at(-1);
    return epoch === undefined ? 0 : epoch.number * epochUnit + epoch.count;
  }

  /** The stamp of the next command, which is counted with this. */
  next(): number {
    const epoch = this.#epochs.at(-1);
    if (epoch === undefined) return 0;
    epoch.count += 1;
    return epoch.number * epochUnit + epoch.count;
  }

  /** A new epoch begins, unless one has begun in this run of the engine already. */
  beginEpoch(id: string, run: string, isSeed: boolean): void {
    if (run === this.#run && !isSeed) return;
    this.#run = run;
    const number = (this.#epochs.at(-1)?.number ?? 0) + 1;
    // Somebody begins them for sport: the last one goes on.
    if (number > epochNumberMax) return;
    this.#epochs.push({ number, id, count: 0 });
    if (this.#epochs.length > epochsMax) this.#epochs.shift();
  }

  /** Whether the session's command `seq` is part of the history. */
  hasSeen(session: string, seq: number): boolean {
    return seq <= (this.#sessions.get(session) ?? 0);
  }

  /** Takes a session's command in. */
  see(session: string, seq: number): void {
    this.#sessions.delete(session);
    this.#sessions.set(session, seq);
    if (this.#sessions.size <= sessionsMax) return;
    const [oldest] = this.#sessions.keys();
    if (oldest !== undefined) this.#sessions.delete(oldest);
  }

  /** Whether a command counts that had its place `was` before: nothing later was decided. */
  counts(change: SharedChange, was: number): boolean {
    if (change.kind === 'clear') return this.clear < Math.max(was, 1);
    const register = registerOf(change);
    if (register === undefined) return true;
    const last = this.stamps.get(register);
    if (was === 0) return last === undefined;
    if ((last ?? 0) >= was) return false;
    return !isCleared(register) || this.clear < was;
  }

  /** Notes what was decided last about what a change decides. */
  note(change: SharedChange, stamp: number): void {
    if (change.kind === 'clear') {
      for (const [register, earlier] of this.stamps) {
        if (isCleared(register) && earlier < stamp) this.stamps.delete(register);
      }
      this.clear = stamp;
      return;
    }
    const register = registerOf(change);
    // At the end, so that the order of the map is that of the last decisions.
    if (register === undefined) return;
    // Whoever adds a pattern takes back that it was rejected.
    if (change.kind === 'add') this.stamps.delete(windowRegister(change.pattern));
    this.stamps.delete(register);
    this.stamps.set(register, stamp);
  }

  /** Whether that is the history of a fleet that this one has nothing to do with, so stamps say nothing there. */
  isForeignTo({ epochs }: HistoryHead): boolean {
    const first = epochs[0]?.number ?? 0;
    const last = this.#epochs.at(-1)?.number ?? 0;
    const ids = new Set(epochs.map(({ number, id }) => `${number} ${id}`));
    return last >= first && !this.#epochs.some(({ number, id }) => ids.has(`${number} ${id}`));
  }

  /** Whether what this node knows by `stamp` is known to `other`, too. */
  isCoveredBy(other: HistoryHead, stamp: number): boolean {
    const number = Math.floor(stamp / epochUnit);
    const theirs = other.epochs.find((epoch) => epoch.number === number);
    const own = this.#epochs.find((epoch) => epoch.number === number);
    if (own === undefined) return true;
    if (theirs === undefined) return number < (other.epochs[0]?.number ?? 0);
    return theirs.id === own.id && stamp - number * epochUnit <= theirs.count;
  }
}

/** Whether a clear decides about a register, too. */
function isCleared(register: string): boolean {
  return register.startsWith('p') || register.startsWith('c');
}
