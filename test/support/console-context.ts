/** A stand-in for the running server: what the console works on, in memory. */
import type { CacheConsole } from '../../src/admin/cache-commands.ts';
import type { ConsoleContext } from '../../src/admin/console.ts';
import type { Listed } from '../../src/admin/listing.ts';
import type { ScreenSnapshot } from '../../src/admin/screen.ts';
import type { SourceConsole } from '../../src/admin/source-commands.ts';
import type { OriginRow } from '../../src/upstream/origins.ts';
import type { Change, Outcome, Proposal } from '../../src/virus/change.ts';
import type { KeywordEntry } from '../../src/virus/keyword-list.ts';
import type { PatternEntry } from '../../src/virus/pattern-set.ts';

/** The figures of a screen, all different. */
export const sampleSnapshot: ScreenSnapshot = {
  noOfPatterns: 3,
  patternSize: 16,
  patternStartOffset: 1,
  refreshInterval: 10,
  hitThreshold: 250,
  autoUpdate: false,
  virusRequests: 41,
  nonVirusRequests: 5200,
  recommendThreshold: 33,
  maxNonVirusHitRate: 52,
  aveVirusHitRate: 0.5,
  aveNonVirusHitRate: 13.125,
  virusSources: [
    { address: '2001:db8::7', atMs: 1_700_000_000_000, count: 2 },
    { address: '203.0.113.9', atMs: 1_699_999_000_000, count: 1 },
  ],
  lastPredictedRequest: undefined,
  learnedPatterns: 0,
  proposedPatterns: 0,
  differences: [],
  mode: 'block',
  atMs: 1_700_000_001_000,
};

function keywordEntry(keyword: string): KeywordEntry {
  const addedAtMs = 1_700_000_000_000;
  const confirmation = { confirmedAtMs: undefined, lastHitMs: undefined, servedAtMs: undefined };
  return { keyword, from: 'console', addedAtMs, hits: 0, ...confirmation };
}

/** A context that keeps what is committed in a map, and remembers what it was told. */
export class FakeContext implements ConsoleContext {
  readonly patternSize = 16;
  readonly entries = new Map<string, PatternEntry>();
  readonly keywordNames = new Set<string>();
  /** The changes of each commit, in order. */
  readonly commits: (readonly Change[])[] = [];
  readonly recorded: string[] = [];
  isReady = true;
  scans = true;
  maxPatterns = 100_000;
  /** Awaited by every commit. */
  commitDelay: Promise<unknown> = Promise.resolve();
  commitError: Error | undefined;
  dumpError: Error | undefined;
  snapshotError: Error | undefined;

  ready() {
    return this.isReady;
  }

  scanVirusPatterns() {
    return this.scans;
  }

  async commit(changes: readonly Change[]): Promise<Outcome[]> {
    await this.commitDelay;
    if (this.commitError !== undefined) throw this.commitError;
    this.commits.push(changes);
    return changes.map((change) => this.#apply(change));
  }

  async refresh() {}

  snapshot(): ScreenSnapshot {
    if (this.snapshotError !== undefined) throw this.snapshotError;
    return { ...sampleSnapshot, noOfPatterns: this.entries.size };
  }

  readonly proposed: Proposal[] = [];

  status(source: string | undefined, isAdvice: boolean) {
    return source === 'unknown' ? undefined : `${source ?? 'all'} ${isAdvice}`;
  }

  readonly cache: CacheConsole = {
    totals: () => ({ keys: 0, answers: 0, bytes: 0 }),
    list: () => [],
    purge: () => 0,
    purgeAll: () => 0,
  };

  readonly originRows: OriginRow[] = [];

  async fleet() {
    return undefined;
  }

  origins() {
    return this.originRows;
  }

  readonly listed: Listed = {
    patterns: () => this.entries.values(),
    learned: () => [],
    proposals: () => this.proposed,
    keywords: () => Array.from(this.keywordNames, keywordEntry),
    count: (what) =>
      ({
        patterns: this.entries.size,
        learned: 0,
        proposals: this.proposed.length,
        keywords: this.keywordNames.size,
      })[what],
  };

  readonly sources: SourceConsole = {
    isWatching: () => true,
    list: () => [],
    counts: () => ({ blocked: 0, watched: 0 }),
    find: () => undefined,
    objection: () => undefined,
    block: () => Promise.reject(new Error('nothing is blocked here')),
    forgive: () => Promise.resolve(undefined),
    read: (text) => text,
  };

  async dump() {
    if (this.dumpError !== undefined) throw this.dumpError;
    const { entries, keywordNames } = this;
    return { path: 'data/VIRPAT.NCF', patterns: entries.size, keywords: keywordNames.size };
  }

  nowMs() {
    return 1_700_000_000_000;
  }

  record(text: string) {
    this.recorded.push(text);
  }

  #apply(change: Change): Outcome {
    switch (change.kind) {
      case 'add': {
        const key = `${Buffer.from(change.pattern).toString('hex')}/${change.origLength}`;
        if (this.entries.has(key)) return { kind: 'unchanged', message: 'It is there already.' };
        if (this.entries.size >= this.maxPatterns) return { kind: 'refused', message: 'Full.' };
        const { pattern, origLength, from, atMs } = change;
        const counts = { hits: 0, lastHitMs: undefined };
        this.entries.set(key, { pattern, origLength, from, addedAtMs: atMs, ...counts });
        return { kind: 'done' };
      }
      case 'del': {
        const key = `${Buffer.from(change.pattern).toString('hex')}/${change.origLength}`;
        return this.entries.delete(key)
          ? { kind: 'done' }
          : { kind: 'refused', message: 'There is no such pattern.' };
      }
      case 'add-keyword':
        this.keywordNames.add(change.keyword);
        return { kind: 'done' };
      case 'del-keyword':
        this.keywordNames.delete(change.keyword);
        return { kind: 'done' };
      case 'clear':
        this.entries.clear();
        return { kind: 'done' };
      default:
        return { kind: 'done' };
    }
  }
}
