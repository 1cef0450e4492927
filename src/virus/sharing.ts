/**
 * What the pattern database and whoever shares its changes with other nodes need of each other
 * (src/fleet). The database keeps their notes in its journal, between the changes, and lets them alter it
 * within its turns. Types alone.
 */
import type { Change, Outcome } from './change.ts';
import type { Fields } from './journal-line.ts';

/** A record of the journal that is no change; its first field, `fleet`, says of which kind. */
export type Note = Fields & { readonly fleet: string };

/** Alters the database within a turn that was given for it. */
export interface Hands {
  /** Writes a note at the end of the journal, whole or not at all; throws when it cannot. */
  write(note: Note): void;
  /** Brings a change into force that notes stand for. */
  apply(change: Change): void;
}

/** Shares changes. All its methods are called within a turn of the database. */
export interface Sharing {
  /**
   * A change of this node's own to which the database has no objection. Undefined: it concerns this node
   * alone, and the database makes it by itself.
   */
  commit(change: Change, hands: Hands): Outcome | undefined;
  /** A note that the journal holds, at start; false when it makes no sense. */
  replay(note: Note, apply: (change: Change) => void): boolean;
  /** The notes that a journal needs behind the changes that make the database what it is. */
  notes(): Iterable<Note>;
}
