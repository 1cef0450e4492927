/** A node of a fleet in memory: database, replica and follower over a journal that survives its end. */
import { Follower } from '../../src/fleet/follower.ts';
import { Replica } from '../../src/fleet/replica.ts';
import { EngineLost, EngineRefusal } from '../../src/fleet/store.ts';
import { Statistics } from '../../src/statistics.ts';
import type { Change, Outcome } from '../../src/virus/change.ts';
import { PatternDatabase } from '../../src/virus/pattern-database.ts';
import { type FakeEngine, turns } from './fleet-engine.ts';
import { MemoryJournal } from './memory-journal.ts';

const patternSize = 4;
let ids = 0;

/** What there is on disk when the power goes: all that was synced, and some of the rest. */
class PowerlessJournal extends MemoryJournal {
  safe = 0;

  override async sync(): Promise<void> {
    const { size } = this;
    await super.sync();
    this.safe = Math.max(this.safe, Math.min(size, this.size));
  }

  override async replace(lines: Iterable<string>): Promise<void> {
    await super.replace(lines);
    this.safe = this.size;
  }
}

/** A command in the order in which it was given; no outcome: its node died before it was answered. */
export interface Tried {
  readonly change: Change;
  outcome?: Outcome;
}

export class FleetNode {
  readonly name: string;
  isCut = false;
  readonly tried: Tried[] = [];
  readonly warnings: string[] = [];
  database!: PatternDatabase;
  replica!: Replica;
  readonly statistics = new Statistics();
  #journal = new PowerlessJournal();
  engine: FakeEngine;
  readonly #base: readonly Change[];
  #generation = 0;

  constructor(name: string, engine: FakeEngine, base: readonly Change[]) {
    this.name = name;
    this.engine = engine;
    this.#base = base;
  }

  async start(isInFleet = true): Promise<void> {
    this.#generation += 1;
    const generation = this.#generation;
    this.database = new PatternDatabase({
      patternSize,
      maxKeywords: 100,
      learning: { maxLearned: 100, maxProposals: 100 },
      seed: 1,
      tunables: {
        HitThreshold: 250,
        RefreshInterval: 10,
        EnablePatternAutoUpdate: 0,
        MaxVirusPatterns: 1000,
      },
      journal: this.#journal,
      journalBytesMax: 20_000,
      statistics: this.statistics,
      warn: (message) => {
        if (generation === this.#generation) this.warnings.push(message);
      },
    });
    this.replica = new Replica({
      view: this.database,
      patternSize,
      node: () => (isInFleet ? this.name : undefined),
      outboxMax: () => 1000,
      newSession: () => newId(),
      statistics: this.statistics,
    });
    this.database.share(this.replica);
    this.database.loadBase(this.#base);
    this.database.recover(Buffer.from(this.#journal.text, 'latin1'));
    await this.database.tidyJournal();
    if (isInFleet) void this.#follow(generation);
  }

  async commit(change: Change): Promise<void> {
    const generation = this.#generation;
    const tried: Tried = { change };
    this.tried.push(tried);
    const [outcome] = await this.database.commit([change]);
    if (generation === this.#generation && outcome !== undefined) tried.outcome = outcome;
  }

  /** `kill -9`, or a power cut that takes a share of what was not synced. */
  kill(share: number): void {
    this.#generation += 1;
    const { text, safe } = this.#journal;
    const journal = new PowerlessJournal(
      text.slice(0, safe + Math.floor((text.length - safe) * share)),
    );
    journal.safe = journal.size;
    // What the killed process still has under way goes nowhere.
    this.#journal.freeBytes = 0;
    this.#journal.failSync = true;
    this.#journal.failReplace = true;
    this.#journal = journal;
  }

  async #follow(generation: number): Promise<void> {
    const { database, replica, statistics } = this;
    const isOver = () => generation !== this.#generation;
    while (!isOver()) {
      const store = this.engine.connect(() => this.isCut || isOver());
      const follower = new Follower(store, {
        replica,
        database,
        statistics,
        snapshotEvery: () => 8,
        waitMs: 10,
        newId,
        pause: () => turns(3),
        onContact: () => {},
        onFollowing: () => {},
        onSending: () => {},
      });
      await follower.run().catch((error: unknown) => {
        if (isOver() || error instanceof EngineLost || error instanceof EngineRefusal) return;
        this.warnings.push(error instanceof Error ? (error.stack ?? '') : String(error));
      });
      await turns(5);
    }
  }

  /** What has to be the same on all nodes. */
  state(): object {
    const { patterns, keywords, learning, tunables } = this.database;
    const rejected = Array.from(learning.proposals.rejections(), ({ pattern, keyword }) => {
      return `${Buffer.from(pattern).toString('latin1')} ${keyword ?? ''}`;
    });
    return {
      dump: [...this.database.dumpLines(undefined)].join(''),
      from: Array.from(patterns.entries(), ({ from }) => from),
      rejected: rejected.sort(),
      confirmed: Array.from(keywords.entries()).flatMap(({ keyword, confirmedAtMs }) =>
        confirmedAtMs === undefined ? [] : [keyword],
      ),
      threshold: tunables.get('HitThreshold'),
    };
  }
}

function newId(): string {
  ids += 1;
  return ids.toString(16).padStart(16, '0');
}
