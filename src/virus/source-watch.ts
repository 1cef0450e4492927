/**
 * Who is a virus source: told of every virus request and of every answer of an origin, it counts them for
 * their sources and has those blocked that have too many. The request path asks `find`; `tune` replays a
 * log with the same calls and the log's clock. NeverBlock holds. Pure.
 */
import type { Statistics } from '../statistics.ts';
import { type AnsweredRequest, Misses, type MissesOptions, type MissVerdict } from './misses.ts';
import type { NeverBlock } from './never-block.ts';
import { sourceKey } from './source-key.ts';
import {
  type BlockCause,
  type BlockedSource,
  type Source,
  type SourceRules,
  Sources,
} from './sources.ts';

/** Whose request it is. Text is latin1, one character a byte. */
export interface WatchedRequest {
  readonly client: string;
  /** In origin-form. */
  readonly target: string;
  readonly requestId: string;
}

/** What the request path knows of sources, and tells of them. */
export interface SourceGate {
  readonly isWatching: boolean;
  /** Nobody is blocked: what requests pay for then. */
  readonly isQuiet: boolean;
  /** The source of a client if it is blocked. */
  find(client: string, nowMs: number): BlockedSource | undefined;
  /** The source with a key if it is blocked; to be asked unless `isQuiet`. */
  findKey(address: string, nowMs: number): BlockedSource | undefined;
  /** A request of a blocked source was blocked: its block begins anew. */
  renew(address: string, nowMs: number): void;
  /** Counts a virus request; `matched` is the pattern or keyword. */
  noteVirus(request: WatchedRequest, matched: string, nowMs: number): void;
  /** Whether an answer with this status may be a miss. */
  isRefusal(status: number): boolean;
  /** Judges what an origin answered to a humble request, and counts it if it is a miss. */
  noteAnswer(request: WatchedRequest, answer: AnsweredRequest): MissVerdict;
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
export class SourceWatch implements SourceGate {
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

  get isQuiet(): boolean {
    return this.sources.blockedCount === 0 || !this.isWatching;
  }

  find(client: string, nowMs: number): Source | undefined {
    return this.isQuiet ? undefined : this.sources.find(sourceKey(client), nowMs);
  }

  findKey(address: string, nowMs: number): Source | undefined {
    return this.sources.find(address, nowMs);
  }

  isRefusal(status: number): boolean {
    return this.misses.isRefusal(status);
  }

  noteVirus(request: WatchedRequest, matched: string, nowMs: number): void {
    const { client, target, requestId } = request;
    if (this.#options.neverBlock().covers(client, target)) return;
    this.countVirus(sourceKey(client), matched, requestId, nowMs);
  }

  /** Counts a virus request that NeverBlock does not cover, by the key of its source. */
  countVirus(address: string, matched: string, requestId: string, nowMs: number): void {
    if (this.sources.find(address, nowMs) !== undefined) return this.renew(address, nowMs);
    const isDue = this.sources.noteVirus(address, { matched, atMs: nowMs, requestId });
    this.#countForgotten();
    if (isDue) this.block(address, 'viruses', nowMs);
  }

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

  /** `count`: so many requests were blocked, the last one at `nowMs`. */
  renew(address: string, nowMs: number, count = 1): void {
    const source = this.sources.renew(address, nowMs, count);
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
