/**
 * The course of one connection to the fleet's engine: finds out whether this node's place in the stream is
 * still there, takes over a snapshot or writes one if not, catches up, and then follows the stream and
 * sends what waits. Ends by rejecting, when the connection does; the next one begins anew. Waits for the
 * engine only where nothing else waits for this.
 */
import { setImmediate as nextTurnOfLoop } from 'node:timers/promises';
import type { Statistics } from '../statistics.ts';
import type { PatternDatabase } from '../virus/pattern-database.ts';
import { adopt } from './adoption.ts';
import { type CommandEntry, entryOf, isBefore, isPosition } from './command.ts';
import type { HistoryHead } from './history.ts';
import type { Replica } from './replica.ts';
import { forgetDeletions, ownBeginning, readSnapshot, snapshotLines } from './snapshot.ts';
import { EngineLost, EngineRefusal, type SnapshotMark, type Store } from './store.ts';

export interface FollowerOptions {
  readonly replica: Replica;
  readonly database: Pick<PatternDatabase, 'alone' | 'rewriteJournal'>;
  readonly statistics: Statistics;
  /** So many commands after a snapshot somebody writes the next one. */
  readonly snapshotEvery: () => number;
  /** How long a read waits for the next entry. */
  readonly waitMs: number;
  /** Text for ids and lock tokens, different each time. */
  readonly newId: () => string;
  /** Resolves after a while; sooner when the follower is to end. */
  readonly pause: (delayMs: number) => Promise<void>;
  /** The stream has been caught up with: the engine is there. */
  readonly onFollowing: () => void;
  /** The engine has answered. */
  readonly onContact: () => void;
  /** The engine takes commands again, or refuses them for a reason. */
  readonly onSending: (refusal: string | undefined) => void;
}

const seedRetryMs = 100;
const sendRetryMs = 1_000;
/** So many changes are made between two returns to the event loop. */
const sliceLength = 1_000;

export class Follower {
  readonly #options: FollowerOptions;
  readonly #store: Store;
  /** Between having caught up and the end: nothing may be sent before it is known what has arrived. */
  #isFollowing = false;
  #isSending = false;
  #sinceSnapshot = 0;
  /** Changes made since the last return to the event loop. */
  #steps = 0;
  #snapshotting: Promise<void> | undefined;

  constructor(store: Store, options: FollowerOptions) {
    this.#store = store;
    this.#options = options;
  }

  /** Rejects with what ended it. */
  async run(): Promise<never> {
    const { replica, waitMs } = this.#options;
    try {
      await this.#begin();
      replica.outbox.forgetSent();
      this.#isFollowing = true;
      replica.onWaiting = () => this.#send();
      this.#options.onFollowing();
      this.#send();
      for (;;) {
        await this.#readOnce(waitMs);
        this.#considerSnapshot();
      }
    } finally {
      this.#isFollowing = false;
      replica.onWaiting = () => {};
      await this.#snapshotting;
    }
  }

  async #begin(): Promise<void> {
    const { replica, newId } = this.#options;
    const store = this.#store;
    if (replica.isJournalOwed) await this.#keep();
    const run = await store.run();
    let mark = await store.mark();
    while (mark === undefined || !(await this.#continueFrom(mark))) {
      await this.#seed(run, mark);
      mark = await store.mark();
    }
    await this.#catchUp();
    if (replica.history.run === run) return;
    // The engine was started since, and may have lost the end of the stream.
    await store.append({ epoch: newId(), run });
    await this.#catchUp();
  }

  async #catchUp(): Promise<void> {
    while (await this.#readOnce(0));
  }

  /** Goes on where this node was, or begins with the snapshot; false when that is not whole. */
  async #continueFrom(mark: SnapshotMark): Promise<boolean> {
    const { history } = this.#options.replica;
    const { number = 0, count = 0 } = history.head().epochs.at(-1) ?? {};
    this.#sinceSnapshot = number === mark.epoch ? Math.max(0, count - mark.count) : 0;
    if (history.hasBegun) {
      if (history.position === mark.position && number === mark.epoch) return true;
      if (await this.#store.hasEntry(history.position)) return true;
    }
    return await this.#adopt(mark);
  }

  async #adopt(mark: SnapshotMark): Promise<boolean> {
    const { replica, database } = this.#options;
    const lines = await this.#store.snapshot(mark);
    const snapshot = lines && readSnapshot(lines);
    if (snapshot === undefined || !isOf(mark, snapshot.head)) return false;
    await database.alone(async (hands) => {
      replica.isJournalOwed = true;
      for (const _ of adopt(replica, snapshot, hands)) await this.#step();
    });
    await this.#keep();
    this.#sinceSnapshot = 0;
    return true;
  }

  /** The journal's way to the new state is not in it: it is written anew before it goes on. */
  async #keep(): Promise<void> {
    const { replica, database } = this.#options;
    const failure = await database.rewriteJournal();
    if (failure !== undefined) throw new EngineLost(failure);
    replica.isJournalOwed = false;
  }

  /** Begins a new epoch with what this node has, unless another node does. */
  async #seed(run: string, found: SnapshotMark | undefined): Promise<void> {
    const { replica, database, newId, pause } = this.#options;
    const store = this.#store;
    const token = newId();
    if (!(await store.lock(token))) return await pause(seedRetryMs);
    try {
      // Somebody may have been quicker.
      if ((await store.mark())?.id !== found?.id) return;
      const id = newId();
      const position = await store.laterThan(replica.history.position);
      const { history, lines } = await database.alone(async () => {
        const beginning = ownBeginning(replica, { id, run, position });
        return { history: beginning, lines: await this.#linesOf(beginning) };
      });
      const mark = markOf(history.head(), newId());
      const epoch = { epoch: id, run, seed: '1' };
      if (!(await store.publish({ mark, lines, token, epoch }))) return;
      await database.alone(() => {
        replica.isJournalOwed = true;
        replica.beginWith(history);
      });
      await this.#keep();
      this.#options.statistics.add('fleet_snapshots');
    } finally {
      await store.unlock(token);
    }
  }

  /** Reads what is next in the stream; false when there is nothing. */
  async #readOnce(waitMs: number): Promise<boolean> {
    const { replica, database } = this.#options;
    const entries = await this.#store.read(replica.history.position, waitMs);
    this.#options.onContact();
    await this.#checkPlace(entries.length);
    for (const { position, fields } of entries) {
      if (!isPosition(position)) throw new EngineLost(`the stream has an entry at ${position}`);
      const entry = entryOf(position, fields) ?? nothingAt(position);
      if (entry.kind === 'epoch' && entry.isSeed && (await this.#adoptSeed(position))) return true;
      const isForged = entry.kind === 'epoch' && entry.isSeed;
      await database.alone((hands) =>
        replica.receive(isForged ? nothingAt(position) : entry, hands),
      );
      if (entry.kind !== 'commands') continue;
      this.#sinceSnapshot += entry.commands.length;
      await this.#step(entry.commands.length);
    }
    if (entries.length > 0) this.#send();
    return entries.length > 0;
  }

  /**
   * A node that is slow may be left behind by the snapshots of the others, and then misses what was taken out
   * of the stream; of an engine that was emptied, it sees what comes, and not what is gone. Both begin anew.
   */
  async #checkPlace(count: number): Promise<void> {
    const store = this.#store;
    const { position } = this.#options.replica.history;
    // The next command alone follows at once: a snapshot leaves more of them.
    if (count === 1 || (count > 1 && (await store.hasEntry(position)))) return;
    const mark = await store.mark();
    if (mark === undefined) throw new EngineLost('the engine has been emptied');
    if (count === 0 || mark.position === position) return;
    throw new EngineLost('the stream does not go on where this machine was');
  }

  /**
   * Another node found nothing to go on with, and has begun anew. False: none has, because its snapshot
   * would be there since the same moment; what there is would lead to this entry again and again.
   */
  async #adoptSeed(position: string): Promise<boolean> {
    const mark = await this.#store.mark();
    if (mark !== undefined && isBefore(mark.position, position)) return false;
    if (mark === undefined || !(await this.#adopt(mark))) {
      throw new EngineLost('the snapshot of a new epoch is gone');
    }
    return true;
  }

  #send(): void {
    if (this.#isSending || !this.#isFollowing) return;
    this.#isSending = true;
    void this.#sendAll();
  }

  /** Sends what waits; a connection that fails is noticed by whoever reads. */
  async #sendAll(): Promise<void> {
    const { replica, statistics, pause, onSending } = this.#options;
    for (;;) {
      const batch = this.#isFollowing ? replica.outbox.nextBatch() : undefined;
      // In the same turn as the look, lest a command come between.
      this.#isSending = batch !== undefined;
      if (batch === undefined) return;
      const { held, session, seq, text } = batch;
      for (const each of held) each.isSent = true;
      try {
        await this.#store.append({
          ...{ session, seq: String(seq), node: replica.node ?? '', commands: text },
        });
        statistics.add('fleet_commands_sent', held.length);
        onSending(undefined);
      } catch (error) {
        if (!(error instanceof EngineRefusal)) return;
        for (const each of held) each.isSent = false;
        statistics.add('fleet_failures');
        onSending(error.message);
        await pause(sendRetryMs);
      }
    }
  }

  #considerSnapshot(): void {
    const { replica, snapshotEvery } = this.#options;
    if (this.#sinceSnapshot < snapshotEvery() || replica.outbox.size > 0) return;
    this.#snapshotting ??= this.#writeSnapshot()
      .catch(() => this.#options.statistics.add('fleet_failures'))
      .finally(() => {
        this.#snapshotting = undefined;
      });
  }

  /** Writes a snapshot unless another node has, and takes out of the stream what the one before it has. */
  async #writeSnapshot(): Promise<void> {
    const { replica, database, newId, statistics } = this.#options;
    const store = this.#store;
    this.#sinceSnapshot = 0;
    const token = newId();
    if (!(await store.lock(token))) return;
    try {
      const before = await store.mark();
      const { count = 0, number = 0 } = replica.history.head().epochs.at(-1) ?? {};
      const isNew =
        before?.epoch === number && count - before.count < this.#options.snapshotEvery() / 2;
      if (before === undefined || isNew) return;
      const made = await database.alone(async () => {
        if (replica.outbox.size > 0) return undefined;
        forgetDeletions(replica.view, replica.history);
        const mark = markOf(replica.history.head(), newId());
        return { mark, lines: await this.#linesOf(replica.history) };
      });
      if (made === undefined || !(await store.publish({ ...made, token }))) return;
      statistics.add('fleet_snapshots');
      await store.trim(before.position);
    } finally {
      await store.unlock(token);
    }
  }

  async #linesOf(history: Replica['history']): Promise<string[]> {
    const { replica } = this.#options;
    const lines: string[] = [];
    for (const line of snapshotLines(replica.view, history, replica.node ?? '')) {
      lines.push(line);
      await this.#step();
    }
    return lines;
  }

  /** Returns to the event loop now and then. */
  async #step(count = 1): Promise<void> {
    this.#steps += count;
    if (this.#steps < sliceLength) return;
    this.#steps = 0;
    await nextTurnOfLoop();
  }
}

/** What stands for an entry that makes no sense. */
function nothingAt(position: string): CommandEntry {
  return { kind: 'commands', position, session: '', seq: 1, commands: [] };
}

/** Whether a snapshot is the one that the mark tells of. */
function isOf({ position, epoch, count }: SnapshotMark, head: HistoryHead): boolean {
  const told = markOf(head, '');
  const isSame = told.position === position && told.epoch === epoch && told.count === count;
  return isSame && epoch > 0;
}

function markOf(head: HistoryHead, id: string) {
  const { number = 0, count = 0 } = head.epochs.at(-1) ?? {};
  return { id, position: head.position, epoch: number, count };
}
