/**
 * Who is a virus source: told of every virus request and of every answer of an origin, it counts them for
 * their sources and has those blocked that have too many. The request path asks `find`; `tune` replays a
 * log with the same calls and the log's clock. NeverBlock holds. Pure.
 */
import type { Statistics } from '../statistics.ts';
import { type AnsweredRequest, Misses, type MissesOptions, type MissVerdict } from './misses.ts';
import type { NeverBlock } from './never-block.ts';
import { sourceKey } from './source-key.ts';
import { type BlockCause, type Source, type SourceRules, Sources } from './sources.ts';

/** Whose request it is. Text is latin1, one character a byte. */
export interface WatchedRequest {
  readonly client: string;
  /** In origin-form. */
  readonly target: string;
  readonly requestId: string;
}

export interface SourceWatchOptions extends MissesOptions {
  readonly sourceRules: SourceRules;
  readonly neverBlock: () => NeverBlock;
  readonly statistics: Statistics;
  /** A source has become blocked. */
  readonly onBlock?: (source: Source, nowMs: number) => void;
  /** The end of a block has moved. */
  readonly onRenew?: (source: Source) => void;
  /** Whether a source that is to be blocked for its misses is spared, for now or at all. */
  readonly spares?: (address: string, client: string, nowMs: number) => boolean;
}

/** Counts requests for their sources. */
export class SourceWatch {
  readonly sources: Sources;
  readonly misses: Misses;
  /** Whether sources are watched and blocked at all; may be changed at any time. */
  isWatching = true;
  readonly #options: SourceWatchOptions;
  #forgotten = 0;

  constructor(options: SourceWatchOptions) {
    this.#options = options;
    this.sources = new Sources(options.sourceRules);
    this.misses = new Misses(options);
  }

  /** Nobody is blocked: what requests pay for then. */
  get isQuiet(): boolean {
    return this.sources.blockedCount === 0 || !this.isWatching;
  }

  /** The source of a client if it is blocked. */
  find(client: string, nowMs: number): Source | undefined {
    return this.isQuiet ? undefined : this.sources.find(sourceKey(client), nowMs);
  }

  /** Counts a virus request; `matched` is the pattern or keyword. */
  noteVirus(request: WatchedRequest, matched: string, nowMs: number): void {
    const { client, target, requestId } = request;
    if (this.#options.neverBlock().covers(client, target)) return;
    const address = sourceKey(client);
    if (this.sources.find(address, nowMs) !== undefined) return this.renew(address, nowMs);
    const isDue = this.sources.noteVirus(address, { matched, atMs: nowMs, requestId });
    this.#countForgotten();
    if (isDue) this.block(address, 'viruses', nowMs);
  }

  /** Judges what an origin answered to a humble request, and counts it if it is a miss. */
  noteAnswer(request: WatchedRequest, answer: AnsweredRequest): MissVerdict {
    const verdict = this.misses.judge(answer);
    if (verdict !== 'miss' && verdict !== 'referred') return verdict;
    const { client, target, requestId } = request;
    const { statistics, neverBlock, spares } = this.#options;
    if (neverBlock().covers(client, target)) return 'excepted';
    statistics.add(verdict === 'miss' ? 'misses' : 'misses_referred');
    if (verdict === 'referred') return verdict;
    const { hash, path } = this.misses;
    const { status, atMs } = answer;
    const address = sourceKey(client);
    const isDue = this.sources.noteMiss(address, { hash, path, status, atMs, requestId });
    this.#countForgotten();
    if (isDue && spares?.(address, client, atMs) !== true) this.block(address, 'misses', atMs);
    return verdict;
  }

  /** A request of a blocked source was blocked: its block begins anew. */
  renew(address: string, nowMs: number): void {
    const source = this.sources.renew(address, nowMs);
    if (source !== undefined) this.#options.onRenew?.(source);
  }

  /** Blocks a source, for `lengthMs` or as long as is due. */
  block(address: string, cause: BlockCause, nowMs: number, lengthMs?: number): Source {
    const source = this.sources.block(address, cause, nowMs, lengthMs);
    this.#options.statistics.add('sources_blocked');
    this.#countForgotten();
    this.#options.onBlock?.(source, nowMs);
    return source;
  }

  #countForgotten(): void {
    const { forgotten } = this.sources;
    if (forgotten === this.#forgotten) return;
    this.#options.statistics.add('sources_forgotten', forgotten - this.#forgotten);
    this.#forgotten = forgotten;
  }
}
