/**
 * The fleet's state at one place in the stream, as lines of JSON, so that a new node starts from little: the
 * head of the history, then what was decided last about each pattern, keyword and setting, with its stamp.
 * How it is made of a node's state, and how a node begins a new epoch with its own. Pure.
 */
import type { TunableName } from '../virus/change.ts';
import { patternOfKey } from '../virus/deletions.ts';
import { foldKeyword, type KeywordEntry, keywordFault } from '../virus/keyword-list.ts';
import { broughtBy } from '../virus/provenance.ts';
import { type Command, commandFields, commandOf } from './command.ts';
import { type History, type HistoryHead, isHistoryHead } from './history.ts';
import type { Replica } from './replica.ts';
import {
  type DatabaseView,
  patternRegister,
  rejection,
  type SharedChange,
  sharedForm,
} from './shared-change.ts';

/** So many deletions are remembered; of more, the oldest are forgotten. */
export const deletionsMax = 100_000;

/** A snapshot that was read. */
export interface Snapshot {
  readonly head: HistoryHead;
  readonly commands: readonly Command[];
}

type Rejections = ReadonlyMap<string, string | undefined>;

function rejectionsOf({ learning }: DatabaseView): Rejections {
  return new Map(
    Array.from(learning.proposals.rejections(), ({ pattern, keyword }) => [
      Buffer.from(pattern).toString('latin1'),
      keyword,
    ]),
  );
}

function confirmation(entry: KeywordEntry | undefined, keyword: string): SharedChange {
  const atMs = entry?.confirmedAtMs;
  return atMs === undefined
    ? { kind: 'unconfirm-keyword', keyword }
    : { kind: 'confirm-keyword', keyword, atMs };
}

function patternChange(view: DatabaseView, register: string): SharedChange {
  const { pattern, origLength } = patternOfKey(register.slice(1), view.patterns.patternSize);
  const entry = view.patterns.find(pattern, origLength);
  if (entry === undefined) return { kind: 'expire', pattern, origLength };
  const { from, addedAtMs: atMs } = entry;
  const sample = view.learning.sampleOf(pattern, origLength);
  const add = { kind: 'add', pattern, origLength, from, atMs } as const;
  return sample === undefined ? add : { ...add, sample };
}

/** What is in force of a register, as the change that brings it about; undefined: nothing to be told. */
function inForce(
  view: DatabaseView,
  register: string,
  rejections: Rejections,
): SharedChange | undefined {
  const name = register.slice(1);
  switch (register[0]) {
    case 'p':
      return patternChange(view, register);
    case 'r': {
      if (!rejections.has(name)) return undefined;
      return rejection(Uint8Array.from(Buffer.from(name, 'latin1')), rejections.get(name));
    }
    case 'k': {
      const entry = view.keywords.find(name);
      if (entry === undefined) return { kind: 'del-keyword', keyword: name };
      const { keyword, from, addedAtMs: atMs } = entry;
      return { kind: 'add-keyword', keyword, from, atMs };
    }
    case 'c':
      return keywordFault(name) === undefined
        ? confirmation(view.keywords.find(name), name)
        : undefined;
    case 't': {
      const tunable = name as TunableName;
      return { kind: 'set', name: tunable, value: view.tunables.get(tunable) };
    }
    default:
      return undefined;
  }
}

/** The registers in the order in which a node is to take them over. */
function* registersInOrder(view: DatabaseView, { stamps }: History): Generator<string> {
  for (const { keyword } of view.keywords.entries()) {
    const register = `k${foldKeyword(keyword)}`;
    if (stamps.has(register)) yield register;
  }
  for (const { pattern, origLength } of view.patterns.entries()) {
    const register = patternRegister(pattern, origLength);
    if (stamps.has(register)) yield register;
  }
  for (const register of stamps.keys()) {
    if (!isThere(view, register)) yield register;
  }
}

/** Whether a register is a pattern or a keyword that there is. */
function isThere(view: DatabaseView, register: string): boolean {
  if (register[0] === 'k') return view.keywords.has(register.slice(1));
  if (register[0] !== 'p') return false;
  const { pattern, origLength } = patternOfKey(register.slice(1), view.patterns.patternSize);
  return view.patterns.has(pattern, origLength);
}

/** The lines of a snapshot; nothing of the node's own may wait. `node` has brought what names no other. */
export function* snapshotLines(
  view: DatabaseView,
  history: History,
  node: string,
): Generator<string> {
  yield JSON.stringify(history.head());
  const rejections = rejectionsOf(view);
  for (const register of registersInOrder(view, history)) {
    const change = inForce(view, register, rejections);
    if (change === undefined) continue;
    const isNamed = change.kind === 'add' || change.kind === 'add-keyword';
    const told = isNamed ? { ...change, from: broughtBy(change.from, node) } : change;
    yield JSON.stringify(commandFields({ change: told, was: history.stamps.get(register) ?? 0 }));
  }
  for (const { pattern, origLength, hits, lastHitMs: atMs } of view.learning.learned()) {
    if (atMs === undefined) continue;
    const change = { kind: 'seen', pattern, origLength, hits, atMs } as const;
    yield JSON.stringify(commandFields({ change }));
  }
}

/** The snapshot of such lines; undefined when they are none. What is unknown to this version is left out. */
export function readSnapshot(lines: readonly string[]): Snapshot | undefined {
  try {
    const [head, ...records]: unknown[] = lines.map((line) => JSON.parse(line));
    if (!isHistoryHead(head)) return undefined;
    const commands = records.map(commandOf).filter((each) => each !== undefined);
    return { head, commands };
  } catch {
    return undefined;
  }
}

/** What a node has of its own when it joins a fleet. A clear is not among it: it is meant for one node. */
export function* ownChanges(view: DatabaseView, node: string): Generator<SharedChange> {
  for (const change of view.overlay()) {
    if (change.kind === 'clear' || change.kind === 'seen') continue;
    yield* sharedForm(change, view, node) ?? [];
  }
}

/** What this node has decided, or followed, that is not part of the history of `head`. */
export function* unknownTo(replica: Replica, head: HistoryHead): Generator<Command> {
  const { history, view } = replica;
  const rejections = rejectionsOf(view);
  if (history.clear > 0 && !history.isCoveredBy(head, history.clear)) {
    yield { change: { kind: 'clear' }, was: history.clear };
  }
  for (const [register, was] of history.stamps) {
    if (history.isCoveredBy(head, was)) continue;
    const change = inForce(view, register, rejections);
    if (change !== undefined) yield { change, was };
  }
}

/** The history of a new epoch that begins with what is in force at this node, its waiting commands included. */
export function ownBeginning(
  replica: Replica,
  { id, run, position }: { id: string; run: string; position: string },
): History {
  const { history, view, outbox, node = '' } = replica;
  const draft = history.copy();
  draft.beginEpoch(id, run, true);
  if (!history.hasBegun) {
    for (const change of ownChanges(view, node)) draft.note(change, draft.next());
  }
  for (const { session, seq, command } of outbox.all()) {
    if (draft.hasSeen(session, seq)) continue;
    draft.see(session, seq);
    const { change, was } = command;
    const stamp = draft.next();
    if (was === undefined || draft.counts(change, was)) draft.note(change, was || stamp);
  }
  draft.position = position;
  return draft;
}

/** Forgets the oldest deletions beyond `deletionsMax`. */
export function forgetDeletions(view: DatabaseView, { stamps }: History): void {
  const gone = [...stamps.keys()].filter(
    (register) => /^[pk]/.test(register) && !isThere(view, register),
  );
  for (const register of gone.slice(0, Math.max(0, gone.length - deletionsMax))) {
    stamps.delete(register);
  }
}
