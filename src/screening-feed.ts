/**
 * What workers have to know of the pattern database and of Auto Update: gathered as it changes, given as the
 * difference to what was given last, or whole.
 */
import type { Clock } from './clock.ts';
import type { Settings } from './config/shape.ts';
import type { Deciding } from './deciding.ts';
import type { KeywordState, ScreeningChange, ScreeningRules } from './fleet/messages.ts';
import { batchesOf, PatternChanges } from './fleet/pattern-batch.ts';
import { blockedBatches, SourceChanges } from './fleet/source-changes.ts';
import type { HitRates } from './virus/hit-rates.ts';
import type { PatternDatabase } from './virus/pattern-database.ts';

export interface ScreeningFeedOptions {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly hitRates: HitRates;
  readonly database: PatternDatabase;
  readonly deciding: () => Pick<Deciding, 'autoUpdate' | 'sources' | 'state'> | undefined;
}

/** Patterns in one message when all are sent. */
const batchMax = 20_000;

export class ScreeningFeed {
  /** Told when there is something to take. */
  onChange: () => void = () => {};
  readonly #options: ScreeningFeedOptions;
  readonly #patterns: PatternChanges;
  #hasOtherKeywords = true;
  readonly #sources = new SourceChanges();
  #toldKeywords = '';
  #toldRules = '';

  constructor(options: ScreeningFeedOptions) {
    const { settings, database } = options;
    this.#options = options;
    this.#patterns = new PatternChanges(settings.virus.patternSize);
    database.patterns.watcher = this.#patterns;
    database.onChange(({ kind }) => {
      // These two touch no keyword; a deletion may take a confirmation back.
      if (kind !== 'seen' && kind !== 'propose') this.#hasOtherKeywords = true;
      this.onChange();
    });
  }

  /** What has changed since the last call; undefined: nothing. */
  take(): ScreeningChange | undefined {
    const patterns = this.#patterns.isEmpty ? undefined : this.#patterns.take();
    const keywords = this.#takeKeywords();
    const rules = this.#takeRules();
    const { deciding, clock } = this.#options;
    const table = deciding()?.sources.watch.sources;
    const sources = table && this.#sources.take(table, clock.nowMs());
    if (patterns === undefined && keywords === undefined && rules === undefined) return sources;
    return {
      ...sources,
      ...(patterns !== undefined && { patterns }),
      ...(keywords !== undefined && { keywords }),
      ...(rules !== undefined && { rules }),
    };
  }

  /** Everything, for a worker that knows nothing; after `take`. */
  *whole(): Generator<ScreeningChange> {
    for (const patterns of batchesOf(this.#options.database.patterns, batchMax)) yield { patterns };
    yield { keywords: this.#keywords() };
    const table = this.#options.deciding()?.sources.watch.sources;
    if (table === undefined) return;
    for (const blocked of blockedBatches(table, batchMax)) yield { blocked };
  }

  rules(): ScreeningRules {
    const threshold = this.#options.database.tunables.get('HitThreshold');
    // Other machines are told of a window long before this one has seen it too often, but of none that each
    // worker has seen once.
    const tallyFloor = this.#options.deciding()?.state.fleet.tallyFloor ?? Number.POSITIVE_INFINITY;
    const { settings, clock, hitRates } = this.#options;
    const autoUpdate = this.#options.deciding()?.autoUpdate;
    return {
      isWatching: autoUpdate?.suspects.isWatching === true,
      threshold: Math.min(threshold, Math.max(tallyFloor - 1, settings.fleet.workers)),
      intervalSeconds: hitRates.intervalSeconds,
      intervalStartMs: hitRates.startMs(clock.nowMs()),
      searchesKeywords: autoUpdate?.keywordScreen.isOn === true,
      blocksKeywords: autoUpdate?.keywordScreen.isBlocking === true,
    };
  }

  #keywords(): KeywordState[] {
    const entries = this.#options.database.keywords.entries();
    return Array.from(entries, ({ keyword, from, confirmedAtMs }) => {
      return { keyword, from, isConfirmed: confirmedAtMs !== undefined };
    });
  }

  #takeKeywords(): KeywordState[] | undefined {
    if (!this.#hasOtherKeywords) return undefined;
    this.#hasOtherKeywords = false;
    const keywords = this.#keywords();
    const told = JSON.stringify(keywords);
    if (told === this.#toldKeywords) return undefined;
    this.#toldKeywords = told;
    return keywords;
  }

  /** The source with this key has become blocked, or free, or its block was prolonged. */
  noteSource(address: string): void {
    this.#sources.note(address);
    this.onChange();
  }

  #takeRules(): ScreeningRules | undefined {
    const rules = this.rules();
    // The beginning alone moves on by itself.
    const told = JSON.stringify({ ...rules, intervalStartMs: 0 });
    if (told === this.#toldRules) return undefined;
    this.#toldRules = told;
    return rules;
  }
}
