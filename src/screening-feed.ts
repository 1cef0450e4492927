/**
 * What workers have to know of the pattern database and of Auto Update: gathered as it changes, given as the
 * difference to what was given last, or whole.
 */
import type { Clock } from './clock.ts';
import type { Settings } from './config/shape.ts';
import type { Deciding } from './deciding.ts';
import type {
  BlockedState,
  KeywordState,
  ScreeningChange,
  ScreeningRules,
} from './fleet/messages.ts';
import { batchesOf, PatternChanges } from './fleet/pattern-batch.ts';
import type { HitRates } from './virus/hit-rates.ts';
import type { PatternDatabase } from './virus/pattern-database.ts';
import type { Source } from './virus/sources.ts';

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
  /** The keys of sources that have become blocked, or free, or whose blocks were prolonged. */
  readonly #otherSources = new Set<string>();
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
    const sources = this.#takeSources();
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
    let blocked: BlockedState[] = [];
    for (const source of this.#options.deciding()?.sources.watch.sources.blocked() ?? []) {
      blocked.push(stateOf(source));
      if (blocked.length < batchMax) continue;
      yield { blocked };
      blocked = [];
    }
    yield { blocked };
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

  /** A source has become blocked, or free, or its block was prolonged. */
  noteSource(address: string): void {
    this.#otherSources.add(address);
    this.onChange();
  }

  #takeSources(): Pick<ScreeningChange, 'blocked' | 'freed'> | undefined {
    const sources = this.#options.deciding()?.sources.watch.sources;
    if (this.#otherSources.size === 0 || sources === undefined) return undefined;
    const nowMs = this.#options.clock.nowMs();
    const blocked: BlockedState[] = [];
    const freed: string[] = [];
    for (const address of this.#otherSources) {
      const source = sources.find(address, nowMs);
      if (source === undefined) freed.push(address);
      else blocked.push(stateOf(source));
    }
    // After `find`, which may have let some go.
    this.#otherSources.clear();
    return { ...(blocked.length > 0 && { blocked }), ...(freed.length > 0 && { freed }) };
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

function stateOf({ misses, viruses, ...source }: Source): BlockedState {
  const { address, cause, sinceMs, lengthMs, untilMs } = source;
  const spans = { sinceMs, lengthMs, untilMs };
  return { address, cause, ...spans, misses: misses.length, viruses: viruses.length };
}
