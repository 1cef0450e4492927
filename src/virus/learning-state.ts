/**
 * What Auto Update has learned, beside the patterns and keywords themselves: the sample behind each
 * learned pattern, the proposals, the rejections and the confirmed keywords; and how each change of
 * `LearningChange` alters it. Part of database-state.ts, which tells it of all other changes. Pure.
 */
import type { Change, LearningChange, Outcome, Proposal, Sample } from './change.ts';
import { patternKey } from './deletions.ts';
import { foldKeyword, type KeywordEntry, type KeywordList } from './keyword-list.ts';
import { formatPattern } from './pattern.ts';
import type { PatternEntry, PatternSet } from './pattern-set.ts';
import { Proposals } from './proposals.ts';
import { learnedKeyword } from './provenance.ts';

/** Bounds that a reload may change. */
export interface LearningBounds {
  readonly maxLearned: number;
  readonly maxProposals: number;
}

/** A pattern that was learned, as the database holds it now. */
export interface LearnedPattern extends PatternEntry {
  readonly keyword: string;
  readonly sample: Sample;
}

/** What a learned pattern has besides its entry in the pattern set. */
interface Details {
  readonly pattern: Uint8Array;
  readonly origLength: number;
  readonly keyword: string;
  readonly sample: Sample;
  /** The hits that the journal knows of. */
  writtenHits: number;
}

/** A confirmed keyword: since when, and when a request that holds it last came. */
type Confirmation = Omit<Extract<Change, { kind: 'confirm-keyword' }>, 'kind'>;

type Add = Extract<Change, { kind: 'add' }>;
type Accept = Extract<Change, { kind: 'accept' }>;

const noSample: Sample = { requestLine: '', source: '' };

const rejection = 'The operator has rejected the pattern.';

function refused(message: string) {
  return { kind: 'refused', message } as const;
}

/** Learned patterns, proposals and confirmations over a pattern set and a keyword list. */
export class LearningState {
  readonly proposals: Proposals;
  maxLearned: number;
  readonly #patterns: PatternSet;
  readonly #keywords: KeywordList;
  readonly #details = new Map<string, Details>();
  /** Confirmations of keywords that the files no longer bring, should they bring them again. */
  readonly #absent = new Map<string, Confirmation>();
  /** The last hits of confirmed keywords that the journal knows of. */
  readonly #writtenHitsMs = new Map<string, number>();

  constructor(patterns: PatternSet, keywords: KeywordList, bounds: LearningBounds) {
    this.#patterns = patterns;
    this.#keywords = keywords;
    this.maxLearned = bounds.maxLearned;
    this.proposals = new Proposals(bounds.maxProposals);
  }

  /** Takes over the bounds of a state that other settings were read into. */
  adoptBounds(other: LearningState): void {
    this.maxLearned = other.maxLearned;
    this.proposals.max = other.proposals.max;
  }

  /** How many learned patterns there are. */
  get learnedCount(): number {
    return this.#details.size;
  }

  /** The learned patterns, in the order in which they were learned. */
  *learned(): Generator<LearnedPattern> {
    for (const { pattern, origLength, keyword, sample } of this.#details.values()) {
      const entry = this.#patterns.find(pattern, origLength);
      if (entry !== undefined) yield { ...entry, keyword, sample };
    }
  }

  /** What keeps an add from being made because it is a learned one. */
  objectionToAdd(change: Add): Outcome | undefined {
    if (change.sample === undefined) return undefined;
    // The operator may have said so while it was decided upon.
    if (this.proposals.isRejected(change.pattern)) return refused(rejection);
    if (this.#details.size < this.maxLearned) return undefined;
    const message = `There are ${this.#details.size} learned patterns and MaxLearnedPatterns is ${this.maxLearned}; delete some, or raise it in PROXY.CFG.`;
    return { ...refused(message), bound: 'patterns_refused' };
  }

  /** What keeps `change` from being made now; undefined when nothing does. */
  objection(change: LearningChange): Outcome | undefined {
    switch (change.kind) {
      case 'propose':
        return this.#objectionToProposal(change.proposal);
      case 'accept':
      case 'reject': {
        const { pattern, origLength } = change;
        const proposal = this.proposals.find(pattern);
        if (proposal !== undefined && (origLength ?? proposal.origLength) === proposal.origLength) {
          return undefined;
        }
        const length = origLength === undefined ? '' : ` -o ${origLength}`;
        return refused(
          `There is no proposed pattern "${formatPattern(pattern)}"${length}; "virus list" shows those there are.`,
        );
      }
      case 'seen':
      case 'expire':
        if (this.#details.has(patternKey(change.pattern, change.origLength))) return undefined;
        return refused('There is no such learned pattern.');
      case 'lapse':
        return this.proposals.find(change.pattern) === undefined
          ? refused('There is no such proposed pattern.')
          : undefined;
      case 'confirm-keyword':
      case 'unconfirm-keyword':
        return this.#keywords.has(change.keyword)
          ? undefined
          : refused('There is no such keyword any more.');
    }
  }

  /** An accept with whether it confirms the keyword: not when that was served since it was proposed. */
  settled(change: Accept): Accept {
    const proposal = this.proposals.find(change.pattern);
    if (proposal === undefined) return change;
    const { servedAtMs = 0 } = this.#keywords.find(proposal.keyword) ?? {};
    return { ...change, confirms: proposal.confirms && servedAtMs < proposal.lastSeenMs };
  }

  /** The add that accepting a proposal makes; undefined when there is no proposal. */
  accepted({ pattern, atMs, confirms = false }: Accept): Add | undefined {
    const proposal = this.proposals.find(pattern);
    if (proposal === undefined) return undefined;
    const { origLength, keyword, sample } = proposal;
    return { kind: 'add', pattern, origLength, from: `auto(${keyword})`, atMs, sample, confirms };
  }

  /** Makes a change that has no part in the pattern set: all but `accept` and `expire`. */
  apply(change: LearningChange): void {
    switch (change.kind) {
      case 'propose':
        this.proposals.put(change.proposal);
        return;
      case 'reject':
        this.#reject(change.pattern, change.keyword);
        return;
      case 'seen': {
        const { pattern, origLength, hits, atMs } = change;
        const details = this.#details.get(patternKey(pattern, origLength));
        if (details !== undefined) details.writtenHits = hits;
        this.#patterns.noteSeen(pattern, origLength, hits, atMs);
        return;
      }
      case 'lapse':
        this.proposals.take(change.pattern);
        return;
      case 'confirm-keyword':
        this.#confirm(change);
        return;
      case 'unconfirm-keyword':
        this.#unconfirm(change.keyword);
    }
  }

  /** Follows an add that the pattern set has taken. */
  noteAdded({ pattern, origLength, from, atMs, sample, confirms }: Add): void {
    const key = patternKey(pattern, origLength);
    const keyword = learnedKeyword(from);
    this.proposals.take(pattern);
    this.proposals.allow(pattern);
    // At the end of the order, as the pattern itself.
    this.#details.delete(key);
    if (keyword === undefined) return;
    const details = { pattern, origLength, keyword, sample: sample ?? noSample, writtenHits: 0 };
    this.#details.set(key, details);
    if (confirms === true) this.#confirm({ keyword, atMs });
  }

  /**
   * Follows a deletion by the operator, before the set makes it. Whoever deletes a pattern wants its
   * requests to pass: it is not to be learned again, nor are they to be blocked by its keyword.
   */
  noteDeleted(pattern: Uint8Array, origLength: number): void {
    const details = this.#details.get(patternKey(pattern, origLength));
    this.#details.delete(patternKey(pattern, origLength));
    this.#reject(pattern, details?.keyword);
  }

  /** Follows the end of a learned pattern that was not seen any more. */
  noteExpired(pattern: Uint8Array, origLength: number): void {
    this.#details.delete(patternKey(pattern, origLength));
  }

  /** Follows a clear: nothing is blocked any more, not by keywords either. */
  noteCleared(): void {
    this.#details.clear();
    this.#absent.clear();
    this.#keywords.unconfirmAll();
  }

  /** Follows the addition or the deletion of a keyword by the operator. */
  noteKeywordChanged(keyword: string): void {
    this.#absent.delete(foldKeyword(keyword));
    this.#writtenHitsMs.delete(foldKeyword(keyword));
    this.proposals.unbar(keyword);
  }

  /** Follows a keyword that came back with the files: it is what it was when they lost it. */
  noteKeywordBack(keyword: string): void {
    const confirmation = this.#absent.get(foldKeyword(keyword));
    this.#absent.delete(foldKeyword(keyword));
    if (confirmation !== undefined) this.#confirm(confirmation);
  }

  /** Notes a confirmed keyword that the files bring no more, before it leaves the list. */
  noteKeywordGone(keyword: string): void {
    const confirmation = confirmationOf(this.#keywords.find(keyword));
    if (confirmation !== undefined) this.#keepAbsent(confirmation);
  }

  /** The sample to write with a learned pattern. */
  sampleOf(pattern: Uint8Array, origLength: number): Sample | undefined {
    return this.#details.get(patternKey(pattern, origLength))?.sample;
  }

  /** What a journal needs besides the patterns and keywords, which come first. */
  *overlay(): Generator<LearningChange> {
    for (const { pattern, origLength, hits, lastHitMs } of this.learned()) {
      if (lastHitMs !== undefined)
        yield { kind: 'seen', pattern, origLength, hits, atMs: lastHitMs };
    }
    for (const proposal of this.proposals.pending()) yield { kind: 'propose', proposal };
    for (const { pattern, keyword } of this.proposals.rejections()) {
      yield { kind: 'reject', pattern, ...(keyword !== undefined && { keyword }) };
    }
    for (const entry of this.#keywords.entries()) {
      const confirmation = confirmationOf(entry);
      if (confirmation !== undefined) yield { kind: 'confirm-keyword', ...confirmation };
    }
    for (const confirmation of this.#absent.values()) {
      yield { kind: 'confirm-keyword', ...confirmation };
    }
  }

  /**
   * What is to be written down: how often the proposed, the learned and the confirmed were seen since,
   * and what was not seen for `lastsMs` (0: nothing expires).
   */
  review(nowMs: number, lastsMs: number): LearningChange[] {
    const isOver = (seenMs: number) => lastsMs > 0 && nowMs - seenMs >= lastsMs;
    const changes: LearningChange[] = [];
    for (const proposal of this.proposals.pending()) {
      const { pattern, lastSeenMs } = proposal;
      if (isOver(lastSeenMs)) changes.push({ kind: 'lapse', pattern });
      else if (this.proposals.isUnwritten(proposal)) changes.push({ kind: 'propose', proposal });
    }
    const alive = new Set<string>();
    for (const { pattern, origLength, hits, lastHitMs = 0, addedAtMs, keyword } of this.learned()) {
      if (isOver(Math.max(lastHitMs, addedAtMs))) {
        changes.push({ kind: 'expire', pattern, origLength });
        continue;
      }
      alive.add(foldKeyword(keyword));
      const written = this.#details.get(patternKey(pattern, origLength))?.writtenHits ?? 0;
      if (hits > written)
        changes.push({ kind: 'seen', pattern, origLength, hits, atMs: lastHitMs });
    }
    for (const entry of this.#keywords.entries()) {
      const confirmation = confirmationOf(entry);
      if (confirmation === undefined) continue;
      const { keyword, atMs, seenMs = 0 } = confirmation;
      const folded = foldKeyword(keyword);
      if (isOver(Math.max(seenMs, atMs)) && !alive.has(folded)) {
        changes.push({ kind: 'unconfirm-keyword', keyword });
      } else if (seenMs > (this.#writtenHitsMs.get(folded) ?? 0)) {
        changes.push({ kind: 'confirm-keyword', ...confirmation });
      }
    }
    return changes;
  }

  #objectionToProposal({ pattern, origLength }: Proposal): Outcome | undefined {
    if (this.#patterns.has(pattern, origLength)) return refused('The pattern is there already.');
    if (this.proposals.isRejected(pattern)) return refused(rejection);
    if (this.proposals.find(pattern) !== undefined) return undefined;
    const { size, max } = this.proposals;
    if (size < max) return undefined;
    const message = `There are ${size} proposed patterns and MaxProposedPatterns is ${max}; accept or reject some, or raise it in PROXY.CFG.`;
    return { ...refused(message), bound: 'proposals_refused' };
  }

  #reject(pattern: Uint8Array, keyword: string | undefined): void {
    const barred = this.proposals.take(pattern)?.keyword ?? keyword;
    this.proposals.reject(pattern, barred);
    if (barred !== undefined) this.#unconfirm(barred);
  }

  #confirm(confirmation: Confirmation): void {
    const { keyword, atMs, seenMs } = confirmation;
    if (this.proposals.bars(keyword)) return;
    const entry = this.#keywords.find(keyword);
    if (entry === undefined) return this.#keepAbsent(confirmation);
    entry.confirmedAtMs ??= atMs;
    if (seenMs === undefined) return;
    entry.lastHitMs = Math.max(entry.lastHitMs ?? 0, seenMs);
    this.#writtenHitsMs.set(foldKeyword(keyword), seenMs);
  }

  #unconfirm(keyword: string): void {
    this.#absent.delete(foldKeyword(keyword));
    const entry = this.#keywords.find(keyword);
    if (entry !== undefined) entry.confirmedAtMs = undefined;
  }

  #keepAbsent(confirmation: Confirmation): void {
    if (this.#absent.size >= this.#keywords.maxKeywords) return;
    this.#absent.set(foldKeyword(confirmation.keyword), confirmation);
  }
}

function confirmationOf(entry: KeywordEntry | undefined): Confirmation | undefined {
  if (entry?.confirmedAtMs === undefined) return undefined;
  const { keyword, confirmedAtMs: atMs, lastHitMs: seenMs } = entry;
  return { keyword, atMs, ...(seenMs !== undefined && { seenMs }) };
}
