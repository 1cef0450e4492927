/** What the journal keeps of a replica when it is written anew: the history it follows and what waits. Pure. */
import type { Note } from '../virus/sharing.ts';
import { commandFields, isStamp } from './command.ts';
import { History, isHistoryHead } from './history.ts';
import type { Held, Outbox } from './outbox.ts';

/** So many stamps, or commands, are on one line. */
const perLine = 200;

export function headNote(history: History): Note {
  return { fleet: 'head', head: history.head() };
}

/** The stamps. */
export function* notesOfHistory(history: History): Generator<Note> {
  let stamps: (readonly [string, number])[] = [];
  for (const stamp of history.stamps) {
    stamps.push(stamp);
    if (stamps.length < perLine) continue;
    yield { fleet: 'stamps', stamps };
    stamps = [];
  }
  if (stamps.length > 0) yield { fleet: 'stamps', stamps };
}

/** The waiting commands, which are in force by the changes that the journal has before. */
export function* notesOfOutbox(outbox: Outbox): Generator<Note> {
  let line: Held[] = [];
  for (const held of outbox.all()) {
    const last = line.at(-1);
    const follows = last?.session === held.session && last.seq + 1 === held.seq;
    if (line.length > 0 && (!follows || line.length === perLine)) {
      yield heldNote(line);
      line = [];
    }
    line.push(held);
  }
  if (line.length > 0) yield heldNote(line);
}

function heldNote(line: readonly Held[]): Note {
  const { session = '', seq = 0 } = line[0] ?? {};
  return {
    fleet: 'held',
    session,
    seq,
    commands: line.map(({ command }) => commandFields(command)),
  };
}

function isStamps(value: unknown): value is [string, number][] {
  return (
    Array.isArray(value) &&
    value.every((each) => Array.isArray(each) && typeof each[0] === 'string' && isStamp(each[1]))
  );
}

/** The history of a `head`, or `before` with the stamps of a `stamps`; undefined when it makes no sense. */
export function historyOf(note: Note, before: History): History | undefined {
  if (note.fleet === 'head') {
    return isHistoryHead(note.head) ? new History(note.head) : undefined;
  }
  if (!isStamps(note.stamps)) return undefined;
  for (const [register, stamp] of note.stamps) before.stamps.set(register, stamp);
  return before;
}
