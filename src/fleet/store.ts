/**
 * What the fleet needs of its engine, over one connection: a stream, a snapshot, a lock. Each call rejects
 * with `EngineLost` when the connection is of no use any more, and with `EngineRefusal` when the engine
 * answered that it will not. Types, and those two.
 */

/** The connection broke, or the engine took too long. */
export class EngineLost extends Error {}

/** The engine is there and refuses: its memory is full, it is a replica, the user may not. */
export class EngineRefusal extends Error {}

/** An entry of the stream as it stands there. */
export interface StreamEntry {
  readonly position: string;
  readonly fields: ReadonlyMap<string, string>;
}

/** Which snapshot there is. */
export interface SnapshotMark {
  readonly id: string;
  /** How many parts it has. */
  readonly parts: number;
  /** The place in the stream up to which it reaches, and how many commands its last epoch had there. */
  readonly position: string;
  readonly epoch: number;
  readonly count: number;
}

/** A snapshot to be published. */
export interface NewSnapshot {
  readonly mark: Omit<SnapshotMark, 'parts'>;
  readonly lines: readonly string[];
  /** What the lock was taken with; it is published only while that holds. */
  readonly token: string;
  /** With it a new epoch begins: its entry is put into the stream at the snapshot's position. */
  readonly epoch?: Readonly<Record<string, string>>;
}

export interface Store {
  /** The id of the engine's run: another one after each start. */
  run(): Promise<string>;
  mark(): Promise<SnapshotMark | undefined>;
  /** The snapshot's lines; undefined when parts of it are gone. */
  snapshot(mark: SnapshotMark): Promise<string[] | undefined>;
  /** Whether the stream has an entry at that place. */
  hasEntry(position: string): Promise<boolean>;
  /** The entries that follow a place, waiting for the first one for `waitMs`. */
  read(after: string, waitMs: number): Promise<StreamEntry[]>;
  /** Puts an entry at the end of the stream. */
  append(fields: Readonly<Record<string, string>>): Promise<void>;
  /** A position that is later than anything in the stream and than `than`. */
  laterThan(than: string): Promise<string>;
  /** Takes the lock, for a while; false when somebody else has it. */
  lock(token: string): Promise<boolean>;
  unlock(token: string): Promise<void>;
  /** Puts a snapshot in place of the one there is, all or nothing; false when the lock was lost. */
  publish(snapshot: NewSnapshot): Promise<boolean>;
  /** Takes what comes before a place out of the stream. */
  trim(position: string): Promise<void>;
}
