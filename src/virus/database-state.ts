/**
 * What the pattern database knows at one moment, and how each change alters it: the patterns, the
 * keywords, the tunables, and the operator's overlay over the files that are run at start. The rule
 * that everything here keeps: the state is PROXY.CFG, then PatternFiles, then VIRPAT.NCF, then every
 * change that was answered since, in order. What Auto Update has learned is in learning-state.ts. Pure
 * and synchronous; the journal, the queue of commits and the listeners are in pattern-database.ts.
 */
import type { Change, Outcome } from './change.ts';
import { Deletions, patternKey, patternOfKey } from './deletions.ts';
import { foldKeyword, KeywordList, keywordFault } from './keyword-list.ts';
import { type LearningBounds, LearningState } from './learning-state.ts';
import { formatPattern } from './pattern.ts';
import { origLengthMax, PatternSet } from './pattern-set.ts';
import { Tunables, type TunableValues, tunableFault, tunableNames } from './tunables.ts';

export interface StateOptions {
  /** Bytes; fixed until the next start. */
  readonly patternSize: number;
  readonly maxKeywords: number;
  /** How many deletions of patterns, and of keywords, are remembered at most. */
  readonly maxDeletions: number;
  readonly learning: LearningBounds;
  /** For the pattern set's hash; random at every start. */
  readonly seed: number;
  /** PROXY.CFG's values. */
  readonly tunables: TunableValues;
}

type AddPattern = Extract<Change, { kind: 'add' }>;
type AddKeyword = Extract<Change, { kind: 'add-keyword' }>;

function refused(message: string) {
  return { kind: 'refused', message } as const;
}

function shown({ pattern, origLength }: { pattern: Uint8Array; origLength: number }): string {
  return `"${formatPattern(pattern)}" -o ${origLength}`;
}

/** Patterns, keywords and tunables in force; read them, but change them by the methods only. */
export class DatabaseState {
  readonly patterns: PatternSet;
  readonly keywords: KeywordList;
  readonly tunables: Tunables;
  readonly learning: LearningState;
  readonly #patternSize: number;
  readonly #deletedPatterns: Deletions;
  readonly #deletedKeywords: Deletions;
  /** Whether the operator cleared all patterns: then the files bring none any more. */
  #cleared = false;

  constructor(options: StateOptions) {
    const { patternSize, maxKeywords, maxDeletions, seed, tunables } = options;
    this.#patternSize = patternSize;
    this.tunables = new Tunables(tunables);
    this.patterns = new PatternSet({
      patternSize,
      maxPatterns: this.tunables.get('MaxVirusPatterns'),
      seed,
    });
    this.keywords = new KeywordList(maxKeywords);
    this.learning = new LearningState(this.patterns, this.keywords, options.learning);
    this.#deletedPatterns = new Deletions(maxDeletions);
    this.#deletedKeywords = new Deletions(maxDeletions);
  }

  /**
   * Takes one change from PROXY.CFG or a file run at start. Before any `replay` or `apply`. Returns
   * the sentence that says why it was refused; a pattern that is there already is no refusal.
   */
  loadBase(change: Change): string | undefined {
    const fault = this.#faultOf(change);
    if (fault !== undefined) return fault;
    switch (change.kind) {
      case 'add': {
        const { pattern, origLength, from, atMs } = change;
        this.#deletedPatterns.noteInFiles(patternKey(pattern, origLength));
        if (this.patterns.add(pattern, origLength, from, atMs) !== 'full') return undefined;
        return `MaxVirusPatterns=${this.patterns.maxPatterns} is reached; raise it in PROXY.CFG.`;
      }
      case 'add-keyword': {
        const { keyword, from, atMs } = change;
        this.#deletedKeywords.noteInFiles(foldKeyword(keyword));
        if (this.keywords.add(keyword, from, atMs) !== 'full') return undefined;
        return `MaxVirusKeywords=${this.keywords.maxKeywords} is reached; raise it in PROXY.CFG.`;
      }
      case 'del':
        if (this.patterns.del(change.pattern, change.origLength)) return undefined;
        return `There is no pattern ${shown(change)} to delete.`;
      case 'del-keyword':
        return this.keywords.del(change.keyword)
          ? undefined
          : 'There is no such keyword to delete.';
      case 'clear':
        this.patterns.clear();
        return undefined;
      case 'set':
        this.tunables.configure(change.name, change.value);
        this.#obeyLimit();
        return undefined;
      default:
        return 'Only the journal holds what was learned.';
    }
  }

  /** The change with what is found out about it when it is carried out, for the journal to tell. */
  settled(change: Change): Change {
    return change.kind === 'accept' ? this.learning.settled(change) : change;
  }

  /** What keeps `change` from being made now; undefined when nothing does. */
  objection(change: Change): Outcome | undefined {
    const fault = this.#faultOf(change);
    if (fault !== undefined) return refused(fault);
    switch (change.kind) {
      case 'add':
        return this.#objectionToPattern(change);
      case 'add-keyword':
        return this.#objectionToKeyword(change);
      case 'del':
        if (!this.patterns.has(change.pattern, change.origLength)) {
          return refused(`There is no pattern ${shown(change)} to delete.`);
        }
        return this.#cleared
          ? undefined
          : this.#deletionObjection(
              this.#deletedPatterns,
              patternKey(change.pattern, change.origLength),
            );
      case 'del-keyword':
        if (!this.keywords.has(change.keyword)) {
          return refused('There is no such keyword to delete.');
        }
        return this.#deletionObjection(this.#deletedKeywords, foldKeyword(change.keyword));
      case 'clear':
        if (this.patterns.size > 0 || this.keywords.confirmedCount > 0) return undefined;
        return { kind: 'unchanged', message: 'There are no patterns to clear.' };
      case 'set':
        if (this.tunables.get(change.name) !== change.value) return undefined;
        return { kind: 'unchanged', message: `${change.name} is ${change.value} already.` };
      case 'accept': {
        const add = this.learning.accepted(change);
        return this.learning.objection(change) ?? (add && this.#objectionToPattern(add));
      }
      default:
        return this.learning.objection(change);
    }
  }

  /**
   * Makes a change, one that `objection` let pass or one from the journal. The limits do not apply:
   * what was answered once is never refused later. An add of what is there makes it the operator's
   * own, at the end of the order.
   */
  apply(change: Change): void {
    switch (change.kind) {
      case 'add': {
        this.#deletedPatterns.noteAdded(patternKey(change.pattern, change.origLength));
        this.patterns.del(change.pattern, change.origLength);
        this.#addAnyway(change);
        this.learning.noteAdded(change);
        return;
      }
      case 'add-keyword':
        this.#deletedKeywords.noteAdded(foldKeyword(change.keyword));
        this.keywords.del(change.keyword);
        this.#addKeywordAnyway(change);
        this.learning.noteKeywordChanged(change.keyword);
        return;
      case 'del':
        this.learning.noteDeleted(change.pattern, change.origLength);
        this.#del(change);
        return;
      case 'del-keyword':
        this.#deletedKeywords.noteDeleted(foldKeyword(change.keyword));
        this.keywords.del(change.keyword);
        this.learning.noteKeywordChanged(change.keyword);
        return;
      case 'clear':
        this.#deletedPatterns.clear();
        this.#cleared = true;
        this.patterns.clear();
        this.learning.noteCleared();
        return;
      case 'set':
        this.tunables.set(change.name, change.value);
        this.#obeyLimit();
        return;
      case 'accept': {
        const add = this.learning.accepted(change);
        if (add !== undefined) this.apply(add);
        return;
      }
      case 'expire':
        this.learning.noteExpired(change.pattern, change.origLength);
        this.#del(change);
        return;
      default:
        this.learning.apply(change);
    }
  }

  /** Makes a change read from the journal; false when it could never have been answered. */
  replay(change: Change): boolean {
    if (!this.isUsable(change)) return false;
    this.apply(change);
    return true;
  }

  /** Whether a change is within all ranges, whatever the state is. */
  isUsable(change: Change): boolean {
    return this.#faultOf(change) === undefined;
  }

  /** What the operator changed, as the shortest journal that does it over the same files. */
  *overlay(): Generator<Change> {
    if (this.#cleared) yield { kind: 'clear' };
    for (const key of this.#deletedPatterns.keys()) {
      // Not a `del`, which would be a rejection, too: the rejections there are follow.
      yield { kind: 'expire', ...patternOfKey(key, this.#patternSize) };
    }
    for (const { pattern, origLength, from, addedAtMs } of this.patterns.entries()) {
      if (from === 'shipped') continue;
      const sample = this.learning.sampleOf(pattern, origLength);
      const add = { kind: 'add', pattern, origLength, from, atMs: addedAtMs } as const;
      yield sample === undefined ? add : { ...add, sample };
    }
    for (const keyword of this.#deletedKeywords.keys()) yield { kind: 'del-keyword', keyword };
    for (const { keyword, from, addedAtMs } of this.keywords.entries()) {
      if (from !== 'shipped') yield { kind: 'add-keyword', keyword, from, atMs: addedAtMs };
    }
    yield* this.learning.overlay();
    for (const [name, value] of this.tunables.settings()) yield { kind: 'set', name, value };
  }

  /** Notes that the patterns and keywords there are will be in a file that is run at start. */
  noteDumped(change: { pattern: Uint8Array; origLength: number } | { keyword: string }): void {
    if ('keyword' in change) this.#deletedKeywords.noteInFiles(foldKeyword(change.keyword));
    else this.#deletedPatterns.noteInFiles(patternKey(change.pattern, change.origLength));
  }

  /**
   * Puts other files under the operator's overlay: `base` has been through `loadBase` and nothing
   * else. What is new is added first, then the shipped patterns that are gone are deleted, so that
   * no known pattern is absent in between. Yields each change made, and undefined now and then
   * where nothing changed, so that the caller can pause; nothing else may alter either state
   * meanwhile.
   */
  *adopt(base: DatabaseState): Generator<Change | undefined> {
    this.#deletedPatterns.noteAllInFiles(base.#deletedPatterns);
    this.#deletedKeywords.noteAllInFiles(base.#deletedKeywords);
    for (const name of tunableNames) {
      const before = this.tunables.get(name);
      this.tunables.configure(name, base.tunables.configured(name));
      const value = this.tunables.get(name);
      if (value !== before) yield { kind: 'set', name, value };
    }
    this.#obeyLimit();
    this.keywords.maxKeywords = base.keywords.maxKeywords;
    this.learning.adoptBounds(base.learning);
    yield* this.#adoptKeywords(base.keywords);
    if (!this.#cleared) yield* this.#adoptPatterns(base.patterns);
  }

  *#adoptPatterns(base: PatternSet): Generator<Change | undefined> {
    for (const { pattern, origLength, from, addedAtMs } of base.entries()) {
      const known = this.patterns.has(pattern, origLength);
      if (known || this.#deletedPatterns.has(patternKey(pattern, origLength))) {
        yield undefined;
        continue;
      }
      const change: AddPattern = { kind: 'add', pattern, origLength, from, atMs: addedAtMs };
      this.#addAnyway(change);
      yield change;
    }
    const gone: string[] = [];
    for (const { pattern, origLength, from } of this.patterns.entries()) {
      if (from === 'shipped' && !base.has(pattern, origLength)) {
        gone.push(patternKey(pattern, origLength));
      }
      yield undefined;
    }
    for (const key of gone) {
      const { pattern, origLength } = patternOfKey(key, this.#patternSize);
      this.patterns.del(pattern, origLength);
      yield { kind: 'del', pattern, origLength };
    }
  }

  *#adoptKeywords(base: KeywordList): Generator<Change> {
    for (const { keyword, from, addedAtMs } of base.entries()) {
      if (this.keywords.has(keyword) || this.#deletedKeywords.has(foldKeyword(keyword))) continue;
      const change: AddKeyword = { kind: 'add-keyword', keyword, from, atMs: addedAtMs };
      this.#addKeywordAnyway(change);
      this.learning.noteKeywordBack(keyword);
      yield change;
    }
    for (const { keyword, from } of [...this.keywords.entries()]) {
      if (from !== 'shipped' || base.has(keyword)) continue;
      this.learning.noteKeywordGone(keyword);
      this.keywords.del(keyword);
      yield { kind: 'del-keyword', keyword };
    }
  }

  #objectionToPattern(change: AddPattern): Outcome | undefined {
    if (change.from === 'shipped') {
      return refused('Shipped patterns come from PROXY.CFG and its PatternFiles only.');
    }
    if (this.patterns.has(change.pattern, change.origLength)) {
      return { kind: 'unchanged', message: `The pattern ${shown(change)} is there already.` };
    }
    const { size, maxPatterns } = this.patterns;
    if (size < maxPatterns) return this.learning.objectionToAdd(change);
    return {
      ...refused(
        `There are ${size} patterns and MaxVirusPatterns is ${maxPatterns}; raise it with "virus -m N".`,
      ),
      bound: 'patterns_refused',
    };
  }

  #objectionToKeyword(change: AddKeyword): Outcome | undefined {
    if (change.from === 'shipped') {
      return refused('Shipped keywords come from the PatternFiles of PROXY.CFG only.');
    }
    if (this.keywords.has(change.keyword)) {
      return { kind: 'unchanged', message: 'The keyword is there already.' };
    }
    const { size, maxKeywords } = this.keywords;
    if (size < maxKeywords) return undefined;
    return refused(
      `There are ${size} keywords and MaxVirusKeywords is ${maxKeywords}; raise it in PROXY.CFG.`,
    );
  }

  #deletionObjection(deletions: Deletions, key: string): Outcome | undefined {
    if (deletions.hasRoomFor(key)) return undefined;
    return refused(
      `${deletions.size} deletions are remembered, which is the limit; take what is not wanted out of PROXY.CFG, the PatternFiles and VIRPAT.NCF instead.`,
    );
  }

  /** What makes `change` unusable whatever the state is, as a sentence. */
  #faultOf(change: Change): string | undefined {
    switch (change.kind) {
      case 'add':
      case 'del':
      case 'expire':
      case 'seen':
        return this.#faultOfEntry(change);
      case 'propose':
        return this.#faultOfEntry(change.proposal);
      case 'accept':
      case 'reject':
      case 'lapse':
        return this.#faultOfSize(change.pattern);
      case 'add-keyword':
        return keywordFault(change.keyword);
      case 'set':
        return tunableFault(change.name, change.value);
      default:
        return undefined;
    }
  }

  #faultOfEntry({ pattern, origLength }: { pattern: Uint8Array; origLength: number }) {
    const isLength = Number.isInteger(origLength) && origLength >= 1 && origLength <= origLengthMax;
    if (isLength) return this.#faultOfSize(pattern);
    return `The original length is an integer of 1 to ${origLengthMax}, not ${origLength}.`;
  }

  #faultOfSize(pattern: Uint8Array): string | undefined {
    if (pattern.length === this.#patternSize) return undefined;
    return `The pattern has ${pattern.length} bytes and PatternSize is ${this.#patternSize}.`;
  }

  #del({ pattern, origLength }: { pattern: Uint8Array; origLength: number }): void {
    // After a clear the files bring nothing, so there is nothing to keep deleted.
    if (!this.#cleared) this.#deletedPatterns.noteDeleted(patternKey(pattern, origLength));
    this.patterns.del(pattern, origLength);
  }

  #addAnyway({ pattern, origLength, from, atMs }: AddPattern): void {
    this.patterns.maxPatterns = Number.MAX_SAFE_INTEGER;
    this.patterns.add(pattern, origLength, from, atMs);
    this.#obeyLimit();
  }

  #addKeywordAnyway({ keyword, from, atMs }: AddKeyword): void {
    const { maxKeywords } = this.keywords;
    this.keywords.maxKeywords = Number.MAX_SAFE_INTEGER;
    this.keywords.add(keyword, from, atMs);
    this.keywords.maxKeywords = maxKeywords;
  }

  #obeyLimit(): void {
    this.patterns.maxPatterns = this.tunables.get('MaxVirusPatterns');
  }
}
