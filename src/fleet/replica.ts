/**
 * A node's copy of what the fleet has decided, and how it follows the stream. THE rule that everything
 * here keeps: what is in force is this node's files, then the commands of the stream in their order, then
 * this node's commands that are not in the stream yet. Because shared changes mean the same whatever else
 * is there, a command of the stream that comes before such a command is made, and after it those of the
 * waiting commands anew that touch the same. Reads no socket and no clock.
 */
import type { Statistics } from '../statistics.ts';
import type { Change, Outcome } from '../virus/change.ts';
import type { Hands, Note, Sharing } from '../virus/sharing.ts';
import { carryOut } from './carry-out.ts';
import { type Command, commandFields, commandsOf, type Entry } from './command.ts';
import { History } from './history.ts';
import { Altered, Outbox } from './outbox.ts';
import { headNote, historyOf, notesOfHistory, notesOfOutbox } from './replica-notes.ts';
import {
  alteredBy,
  type DatabaseView,
  outboxFull,
  type SharedChange,
  sharedForm,
} from './shared-change.ts';

export interface ReplicaOptions {
  readonly view: DatabaseView;
  /** Bytes. */
  readonly patternSize: number;
  /** The name of this node; undefined: it is in no fleet. */
  readonly node: () => string | undefined;
  /** How many commands may wait for the engine. */
  readonly outboxMax: () => number;
  /** Sixteen hexadecimal digits, random each time. */
  readonly newSession: () => string;
  readonly statistics: Statistics;
}

type Apply = (change: Change) => void;

/** A fleet is told that a pattern was seen so seldom. */
const seenEveryMs = 86_400_000;

export class Replica implements Sharing {
  readonly outbox = new Outbox();
  /** Called when there is something for the engine. */
  onWaiting: () => void = () => {};
  /** The journal does not lead to what is in force, and is to be written anew before the stream is followed. */
  isJournalOwed = false;
  readonly #options: ReplicaOptions;
  readonly #session: string;
  #history = new History();
  #seq = 0;
  /** How many commands of the stream have altered something here since the start. */
  #applied = 0;
  /** When a learned pattern was last told to have been seen. */
  readonly #seenMs = new Map<string, number>();

  constructor(options: ReplicaOptions) {
    this.#options = options;
    this.#session = options.newSession();
  }

  get history(): History {
    return this.#history;
  }

  get view(): DatabaseView {
    return this.#options.view;
  }

  /** The name of this node; undefined: it is in no fleet. */
  get node(): string | undefined {
    return this.#options.node();
  }

  commit(change: Change, hands: Hands): Outcome | undefined {
    const { node, view, outboxMax, statistics } = this.#options;
    const name = node();
    if (name === undefined) {
      this.#leave(change, hands);
      return undefined;
    }
    const changes = sharedForm(change, view, name);
    if (changes === undefined || changes.every((each) => this.#isNoNews(each))) return undefined;
    if (this.outbox.size + changes.length > outboxMax()) {
      statistics.add('fleet_commands_refused');
      return outboxFull(this.outbox.size);
    }
    this.hold(
      changes.map((each) => ({ change: each })),
      hands,
    );
    return { kind: 'done' };
  }

  /** Takes commands of this node into the outbox and brings them into force. */
  hold(commands: readonly Command[], hands: Hands): void {
    const session = this.#session;
    const seq = this.#seq + 1;
    hands.write({ fleet: 'out', session, seq, commands: commands.map(commandFields) });
    this.#hold(session, seq, commands, hands.apply);
    this.#seq += commands.length;
    this.onWaiting();
  }

  /** Brings an entry of the stream into force, after it is in the journal. */
  receive(entry: Entry, hands: Hands): void {
    if (entry.kind === 'epoch') {
      const { position, id, run, isSeed } = entry;
      hands.write({ fleet: 'epoch', position, id, run, isSeed });
      this.#beginEpoch(position, id, run, isSeed);
      return;
    }
    const { position, session, seq, commands } = entry;
    const written = commands.map((each) => each && commandFields(each));
    hands.write({ fleet: 'in', position, session, seq, commands: written });
    const skipped = this.#follow(entry, hands.apply);
    this.#options.statistics.add('fleet_commands_followed', commands.length - skipped);
    this.#options.statistics.add('fleet_commands_skipped', skipped);
  }

  replay(note: Note, apply: Apply): boolean {
    const { fleet, position, session, seq } = note;
    switch (fleet) {
      case 'left':
        this.#forget();
        return true;
      case 'epoch':
        this.#beginEpoch(String(position), String(note.id), String(note.run), note.isSeed === true);
        return true;
      case 'head':
      case 'stamps': {
        const history = historyOf(note, this.#history);
        this.#history = history ?? this.#history;
        return history !== undefined;
      }
      default:
    }
    const commands = commandsOf(note.commands);
    if (commands === undefined) return false;
    const from = { session: String(session), seq: Number(seq) };
    if (fleet === 'in') {
      this.#follow({ kind: 'commands', position: String(position), ...from, commands }, apply);
      return true;
    }
    const own = commands.filter((each) => each !== undefined);
    if (own.length < commands.length) return false;
    // What waited when the journal was written anew is in force by its changes.
    this.#hold(from.session, from.seq, own, fleet === 'held' ? () => {} : apply);
    return true;
  }

  *notes(): Generator<Note> {
    if (!this.#history.hasBegun && this.outbox.size === 0) return;
    yield headNote(this.#history);
    yield* notesOfHistory(this.#history);
    yield* notesOfOutbox(this.outbox);
  }

  /**
   * Goes on with another history, which a snapshot has brought into force: forgets what waits and is part
   * of it, holds `more`, which is not, and makes all anew that waits.
   */
  goOnWith(history: History, more: readonly Command[], hands: Hands): void {
    this.#history = history;
    const waiting = [...this.outbox.all()];
    this.outbox.clear();
    this.#applied += 1;
    // They had their place before whatever waits; their numbers must not come before those of it.
    const session = this.#options.newSession();
    for (const [index, command] of more.entries()) this.outbox.push(session, index + 1, command, 0);
    for (const held of waiting) {
      if (!history.hasSeen(held.session, held.seq)) this.outbox.put(held);
    }
    for (const held of this.outbox.all()) {
      if (!this.#counts(held.command)) continue;
      carryOut(held.command, this.#options.view, history, hands.apply);
      held.appliedAt = this.#applied;
    }
    this.onWaiting();
  }

  /** Goes on with a history in which this node's state is the beginning: nothing is made anew. */
  beginWith(history: History): void {
    this.#history = history;
    for (const { session, seq } of [...this.outbox.all()]) {
      if (history.hasSeen(session, seq)) this.outbox.take(session, seq);
    }
    this.#applied += 1;
  }

  #hold(session: string, seq: number, commands: readonly Command[], apply: Apply): void {
    for (const [index, command] of commands.entries()) {
      this.outbox.push(session, seq + index, command, this.#applied);
      if (this.#counts(command)) carryOut(command, this.#options.view, this.#history, apply);
    }
  }

  /** Follows the commands of an entry; gives how many of them made no sense or came a second time. */
  #follow(entry: Extract<Entry, { kind: 'commands' }>, apply: Apply): number {
    const altered = new Altered();
    let skipped = 0;
    for (const [index, command] of entry.commands.entries()) {
      const seq = entry.seq + index;
      if (this.#history.hasSeen(entry.session, seq)) {
        skipped += 1;
        continue;
      }
      this.#history.see(entry.session, seq);
      const stamp = this.#history.next();
      const held = this.outbox.take(entry.session, seq);
      if (command === undefined || !this.#fits(command.change)) skipped += 1;
      else if (this.#counts(command)) {
        this.#history.note(command.change, command.was || stamp);
        // In force already, and nothing of others has come between.
        if (held !== undefined && held.appliedAt === this.#applied) continue;
        this.#applied += 1;
        carryOut(command, this.#options.view, this.#history, apply);
        altered.add({ command, keys: alteredBy(command.change) });
      }
    }
    this.#history.position = entry.position;
    this.#makeAnew(altered, apply);
    return skipped;
  }

  /** Makes those waiting commands anew that touch what was altered. */
  #makeAnew(altered: Altered, apply: Apply): void {
    if (altered.isNothing) return;
    for (const held of this.outbox.all()) {
      if (!altered.touches(held) || !this.#counts(held.command)) continue;
      carryOut(held.command, this.#options.view, this.#history, apply);
      held.appliedAt = this.#applied;
      altered.add(held);
    }
  }

  #counts({ change, was }: Command): boolean {
    return was === undefined || this.#history.counts(change, was);
  }

  #fits(change: SharedChange): boolean {
    return !('pattern' in change) || change.pattern.length === this.#options.patternSize;
  }

  /** What was seen again and again is told now and then. */
  #isNoNews(change: SharedChange): boolean {
    const { keywords } = this.#options.view;
    if (change.kind === 'confirm-keyword') {
      const entry = keywords.find(change.keyword);
      if (entry?.confirmedAtMs === undefined) return false;
      return this.#isToldAlready(`c${change.keyword}`, change.seenMs ?? change.atMs);
    }
    if (change.kind !== 'seen') return false;
    const { pattern, origLength, atMs } = change;
    return this.#isToldAlready(`${Buffer.from(pattern).toString('latin1')}${origLength}`, atMs);
  }

  #isToldAlready(key: string, atMs: number): boolean {
    if (atMs - (this.#seenMs.get(key) ?? 0) < seenEveryMs) return true;
    const { learnedCount } = this.#options.view.learning;
    if (this.#seenMs.size > learnedCount + this.#options.view.keywords.size) this.#seenMs.clear();
    this.#seenMs.set(key, atMs);
    return false;
  }

  #beginEpoch(position: string, id: string, run: string, isSeed: boolean): void {
    this.#history.beginEpoch(id, run, isSeed);
    this.#history.position = position;
  }

  /** A change that is made in no fleet is this node's own: should it join one, it joins as it is. */
  #leave(change: Change, hands: Hands): void {
    if (!this.#history.hasBegun && this.outbox.size === 0) return;
    if (change.kind === 'seen' || change.kind === 'propose' || change.kind === 'lapse') return;
    hands.write({ fleet: 'left' });
    this.#forget();
  }

  #forget(): void {
    this.#history = new History();
    this.outbox.clear();
  }
}
