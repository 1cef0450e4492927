/**
 * Sources as a worker knows them: which ones are blocked, as the primary has told, and what requests have done
 * since the last report. What may be a miss is for the primary to judge, which alone knows all that was ever
 * served. Bounded: the primary's bound holds for the blocked; what is beyond the bounds of a report counts for
 * nobody, and is counted. Pure.
 */
import type { Settings } from '../config/shape.ts';
import type { Statistics } from '../statistics.ts';
import { MissScope, missRules, normalizedOf, pathOf } from '../virus/miss-scope.ts';
import type { AnsweredRequest, MissVerdict } from '../virus/misses.ts';
import type { NeverBlock } from '../virus/never-block.ts';
import { sourceKey } from '../virus/source-key.ts';
import type { SourceGate, WatchedRequest } from '../virus/source-watch.ts';
import type { BlockedSource } from '../virus/sources.ts';
import type { Suspect } from '../virus/suspects.ts';
import type { BlockedState, MissNote, SourceNotes, VirusNote } from './messages.ts';

export interface CopiedSourcesOptions {
  readonly settings: Settings;
  readonly statistics: Statistics;
  /** Much has gathered for the next report. */
  readonly onMuch: () => void;
}

/** So many of each, and so many characters of possible misses, are in one report at most. */
const missesMax = 1_000;
const virusesMax = 1_000;
const missTextMax = 1_048_576;

interface Copied extends BlockedSource {
  readonly sinceMs: number;
  readonly lengthMs: number;
  untilMs: number;
  /** Requests that were blocked since the last report, and when the last one was. */
  requests: number;
  usedMs: number;
}

export class CopiedSources implements SourceGate {
  isWatching = false;
  readonly #options: CopiedSourcesOptions;
  readonly #scope: MissScope;
  readonly #blocked = new Map<string, Copied>();
  readonly #used = new Map<string, Copied>();
  #neverBlock: NeverBlock | undefined;
  #virusLimit = 0;
  #misses: MissNote[] = [];
  #missText = 0;
  #viruses: VirusNote[] = [];
  /** How many of them each source has. */
  readonly #virusCounts = new Map<string, number>();

  constructor(options: CopiedSourcesOptions) {
    this.#options = options;
    this.#scope = new MissScope(missRules(options.settings));
  }

  /** Takes over settings that come into force. */
  adopt(settings: Settings, neverBlock: NeverBlock): void {
    this.isWatching = settings.scanVirusPatterns && settings.sources.blocking;
    this.#virusLimit = settings.sources.virusLimit;
    this.#scope.setRules(missRules(settings));
    this.#neverBlock = neverBlock;
  }

  /** Follows the primary. */
  change(blocked: readonly BlockedState[], freed: readonly string[]): void {
    for (const address of freed) this.#blocked.delete(address);
    for (const { misses, viruses, ...state } of blocked) {
      const known = this.#blocked.get(state.address);
      // The same block may have been renewed here since.
      const isSame = known?.sinceMs === state.sinceMs && state.cause !== 'console';
      const untilMs = isSame ? Math.max(known.untilMs, state.untilMs) : state.untilMs;
      const counts = { misses: { length: misses }, viruses: { length: viruses } };
      const { requests, usedMs } = known ?? { requests: 0, usedMs: 0 };
      const source = { ...state, ...counts, untilMs, requests, usedMs };
      this.#blocked.set(source.address, source);
      if (this.#used.has(source.address)) this.#used.set(source.address, source);
    }
  }

  get isQuiet(): boolean {
    return this.#blocked.size === 0 || !this.isWatching;
  }

  find(client: string, nowMs: number): BlockedSource | undefined {
    return this.isQuiet ? undefined : this.findKey(sourceKey(client), nowMs);
  }

  findKey(address: string, nowMs: number): BlockedSource | undefined {
    const source = this.#blocked.get(address);
    // One whose time is over is taken off the table by the primary.
    if (source === undefined || nowMs >= source.untilMs) return undefined;
    if (source.untilMs - nowMs > source.lengthMs) source.untilMs = nowMs + source.lengthMs;
    return source;
  }

  renew(address: string, nowMs: number): void {
    const source = this.#blocked.get(address);
    if (source === undefined) return;
    source.requests += 1;
    source.usedMs = nowMs;
    if (source.cause !== 'console') source.untilMs = nowMs + source.lengthMs;
    this.#used.set(address, source);
  }

  noteVirus({ client, target, requestId }: WatchedRequest, matched: string, atMs: number): void {
    if (this.#neverBlock?.covers(client, target) === true) return;
    const address = sourceKey(client);
    if (this.findKey(address, atMs) !== undefined) return this.renew(address, atMs);
    const count = this.#virusCounts.get(address) ?? 0;
    // More say nothing new: these are enough to block it.
    if (count >= this.#virusLimit) return;
    if (this.#viruses.length >= virusesMax) return this.#lose();
    this.#virusCounts.set(address, count + 1);
    this.#viruses.push({ address, matched, requestId, atMs });
    if (this.#viruses.length === virusesMax / 2) this.#options.onMuch();
  }

  isRefusal(status: number): boolean {
    return this.#scope.isRefusal(status);
  }

  /** `miss` stands for what may be one. */
  noteAnswer(request: WatchedRequest, answer: AnsweredRequest): MissVerdict {
    const { client, target, requestId } = request;
    if (!this.isRefusal(answer.status)) return 'status';
    if (this.#scope.isExcepted(pathOf(normalizedOf(answer.requestString)))) return 'excepted';
    if (this.#neverBlock?.covers(client, target) === true) return 'excepted';
    const textLength = target.length + answer.requestString.length + (answer.referer ?? '').length;
    if (this.#misses.length >= missesMax || this.#missText + textLength > missTextMax) {
      this.#lose();
      return 'excepted';
    }
    this.#missText += textLength;
    const told = { requestLine: undefined, mark: undefined };
    this.#misses.push({ client, target, requestId, ...answer, ...told });
    if (this.#misses.length === missesMax / 2) this.#options.onMuch();
    return 'miss';
  }

  /** The possible miss that was noted last is for the keyword check, too. */
  noteSuspect({ requestLine }: Suspect): void {
    const miss = this.#misses.at(-1);
    if (miss !== undefined) miss.requestLine = requestLine;
  }

  /** The line of a possible miss was written without its mark, which belongs `at` a place in all lines. */
  noteMark(requestId: string, at: number, text: string): void {
    const miss = this.#misses.at(-1);
    if (miss?.requestId === requestId) miss.mark = { at, text };
  }

  /** What requests have done since the last call. */
  take(): SourceNotes {
    const sourceUses = Array.from(this.#used, ([address, { requests: count, usedMs: atMs }]) => {
      return { address, count, atMs };
    });
    for (const source of this.#used.values()) source.requests = 0;
    const notes = { misses: this.#misses, viruses: this.#viruses, sourceUses };
    this.#used.clear();
    this.#virusCounts.clear();
    this.#misses = [];
    this.#missText = 0;
    this.#viruses = [];
    return notes;
  }

  #lose(): void {
    this.#options.statistics.add('source_notes_lost');
  }
}
