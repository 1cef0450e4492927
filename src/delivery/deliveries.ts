/**
 * The cache at work: a request is answered from the store, or with what an origin is asked for on its
 * behalf, once for all who want the same. What may be stored, served and for how long is decided in
 * src/cache; fetch.ts talks to the origin; what a client is written is its lane's business.
 */
import type { StoredAnswer } from '../cache/entry.ts';
import { madeStale } from '../cache/entry.ts';
import type { HeaderLine, HeaderReader } from '../cache/fields.ts';
import { invalidatedKeys } from '../cache/invalidation.ts';
import { urlOfKey } from '../cache/key.ts';
import { type Lookup, lookUp, plainHit, selectAnswer } from '../cache/lookup.ts';
import { judgeStoring, type PolicyRules } from '../cache/policy.ts';
import type { CacheStore } from '../cache/store.ts';
import { effectOfHead, updated } from '../cache/update.ts';
import type { Clock, Timer } from '../clock.ts';
import type { Statistics } from '../statistics.ts';
import { answerHead } from '../upstream/answer-content.ts';
import type { AnswerScanner } from '../upstream/answer-head.ts';
import { tickMs } from '../upstream/waits.ts';
import { obviousRefusal } from './obvious-refusal.ts';
import { OriginFetch, type Wanted } from './origin-fetch.ts';
import { PassMemory } from './pass-memory.ts';
import type { DeliveryRequest, Recipient, Watched } from './recipient.ts';

export interface DeliveriesOptions {
  readonly store: CacheStore;
  readonly rules: () => PolicyRules;
  readonly answerBytesMax: () => number;
  readonly clock: Clock;
  readonly statistics: Statistics;
  /** Told of the key of stored answers that may be wrong since a request of a client. */
  readonly onForgotten?: (key: string) => void;
}

/** So many keys are remembered as answered for one client alone, for so long. */
const passedKeysMax = 10_000;
const passedMs = 60_000;

/** Fields with which a request is answered by the origin alone when nothing is stored for it. */
const alone = ['range', 'if-match', 'if-unmodified-since'] as const;

export class Deliveries {
  readonly #options: DeliveriesOptions;
  /** Fetches that others may join, by key and by what most answers vary by. */
  readonly #shared = new Map<string, OriginFetch>();
  readonly #running = new Set<OriginFetch>();
  /** What is refreshed behind the clients' backs, by the same. */
  readonly #refreshing = new Map<string, OriginFetch>();
  readonly #passes = new PassMemory(passedKeysMax, passedMs);
  #timer: Timer | undefined;

  constructor(options: DeliveriesOptions) {
    this.#options = options;
  }

  /** The fresh answer to a GET or HEAD with none of `lookupFields`; undefined: ask `serve`. */
  find(key: string, header: HeaderReader, nowMs: number): StoredAnswer | undefined {
    const answers = this.#options.store.find(key);
    if (answers === undefined) return undefined;
    const answer = plainHit(answers, header, nowMs);
    if (answer !== undefined) this.#options.statistics.totals.cache_hits += 1;
    return answer;
  }

  /**
   * Whether the answer to a plain GET, which `find` knows nothing for, is most likely for its client alone:
   * then it may be relayed by itself, if `judgePassed` sees its head.
   */
  isPassed(key: string, nowMs: number): boolean {
    return this.#passes.hasOften(key, nowMs) && this.#options.store.peek(key) === undefined;
  }

  /** Why the answer to such a request is not stored; `passed`: it could have been, and the next one is. */
  judgePassed(key: string, header: HeaderReader, head: AnswerScanner, bytes: Buffer): string {
    const rules = this.#options.rules();
    const obvious = obviousRefusal(head, bytes, rules);
    if (obvious !== undefined) return obvious;
    const { status, received: lines } = answerHead(head, bytes);
    const nowMs = this.#options.clock.nowMs();
    const times = { requestMs: nowMs, responseMs: nowMs };
    const storing = judgeStoring({ method: 'GET', header, status, lines, ...times }, rules);
    if (!storing.ok) return storing.refusal;
    this.#passes.forget(key);
    return 'passed';
  }

  /** Answers the recipient's request, now or later. */
  serve(recipient: Recipient): void {
    const { store, rules, clock, statistics } = this.#options;
    const { request } = recipient;
    const nowMs = clock.nowMs();
    recipient.isCollapsed = false;
    recipient.bypassDetail = undefined;
    const answers = store.find(request.key);
    if (answers === undefined && request.isPlain) {
      recipient.forward = 'uri-miss';
      return this.#ask(recipient, plainMiss);
    }
    const found = lookUp(request, answers, rules(), nowMs);
    switch (found.kind) {
      case 'hit':
        statistics.add(found.refresh === undefined ? 'cache_hits' : 'cache_stale_hits');
        if (found.refresh !== undefined) this.#refresh(request, found);
        return recipient.onStored(found.answer, undefined);
      case 'only-if-cached':
        return recipient.onOnlyIfCached();
      case 'bypass':
        recipient.forward = found.forward;
        recipient.bypassDetail = found.detail;
        statistics.add('cache_bypassed');
        return recipient.onAlone();
      case 'miss':
      case 'revalidate':
        recipient.forward = found.forward;
        return this.#ask(recipient, found);
    }
  }

  /** The head of the origin's answer to a request that went by the cache. */
  note(watched: Watched, status: number, lines: readonly HeaderLine[]): void {
    const { store, statistics } = this.#options;
    if (watched.method === 'HEAD') return this.#noteHead(watched, status, lines);
    for (const key of invalidatedKeys({ ...watched, status, lines })) {
      statistics.add('cache_invalidated', store.delete(key));
      // What is on its way was asked for before.
      this.#forget(key);
      this.#options.onForgotten?.(key);
    }
  }

  /** Takes out what is stored for a key; gives how many answers there were. */
  purge(key: string): number {
    const count = this.#options.store.delete(key);
    this.#options.statistics.add('cache_purged', count);
    this.#forget(key);
    this.#options.onForgotten?.(key);
    return count;
  }

  /** Another process was sent a request after which what is stored for the key may be wrong. */
  drop(key: string): void {
    this.#options.statistics.add('cache_invalidated', this.#options.store.delete(key));
    this.#forget(key);
  }

  /** The same for a URL, whatever the accelerator, or for all that begin so. */
  purgeUrl(url: string, isPrefix: boolean): number {
    const { store, statistics } = this.#options;
    const count = isPrefix ? store.purgePrefix(url) : store.purgeUrl(url);
    statistics.add('cache_purged', count);
    for (const fetch of [...this.#running]) {
      const other = urlOfKey(fetch.key);
      if (isPrefix ? other.startsWith(url) : other === url) this.#forget(fetch.key);
    }
    return count;
  }

  /** Gives up what is fetched for nobody, and what is fetched at all. */
  close(): void {
    for (const { fetch } of [...this.#running]) fetch.abort();
    this.#timer?.cancel();
  }

  #ask(recipient: Recipient, found: Lookup & { readonly kind: 'miss' | 'revalidate' }): void {
    const { statistics } = this.#options;
    const { request } = recipient;
    if (found.kind === 'miss') {
      statistics.add('cache_misses');
      // The part or the condition is the origin's business; HEAD has nothing to keep.
      const isAlone = request.method === 'HEAD' || isPart(request);
      if (isAlone) return recipient.onAlone();
    }
    const nowMs = this.#options.clock.nowMs();
    // A GET may bring what is worth having; a HEAD asks for it only to have something if the origin fails.
    const hasExcuse = found.kind === 'revalidate' && nowMs < found.onErrorUntilMs;
    if (request.method === 'HEAD' && !hasExcuse) return recipient.onAlone();
    const isPassed = this.#passes.has(request.key, nowMs);
    const isShareable =
      !isPassed && !recipient.isLoner && found.forward !== 'request' && isImpersonal(request);
    const mayJoin =
      isShareable && (this.#options.rules().ignoresClientNoCache || takesAny(request));
    const running = mayJoin ? this.#shared.get(sharedKeyOf(request)) : undefined;
    if (running?.mayJoin(recipient) === true) {
      recipient.isCollapsed = true;
      statistics.add('cache_collapsed');
      return running.fetch.join(recipient);
    }
    const wanted = found.kind === 'miss' ? { ...found, isPassed } : found;
    this.#start(request, wanted, isShareable, recipient);
  }

  /** Behind the client's back. */
  #refresh(request: DeliveryRequest, found: Lookup & { readonly kind: 'hit' }): void {
    const sharedKey = sharedKeyOf(request);
    if (this.#shared.has(sharedKey) || this.#refreshing.has(sharedKey)) return;
    this.#refreshing.set(sharedKey, this.#start(request, found, isImpersonal(request), undefined));
  }

  #start(
    request: DeliveryRequest,
    wanted: Wanted,
    isShareable: boolean,
    recipient: Recipient | undefined,
  ): OriginFetch {
    const sharedKey = sharedKeyOf(request);
    const { key } = request;
    const started = new OriginFetch(
      request,
      wanted,
      {
        ...this.#options,
        again: (other) => this.serve(other),
        onClosed: (closed) => {
          if (this.#shared.get(sharedKey) === closed) this.#shared.delete(sharedKey);
        },
        onDone: (done) => {
          this.#running.delete(done);
          if (this.#refreshing.get(sharedKey) === done) this.#refreshing.delete(sharedKey);
        },
        onPassed: (isPassed) => {
          if (isPassed && isImpersonal(request))
            this.#passes.note(key, this.#options.clock.nowMs());
          else if (!isPassed) this.#passes.forget(key);
        },
      },
      recipient?.idleRelay,
    );
    const { fetch } = started;
    if (isShareable) this.#shared.set(sharedKey, started);
    this.#keepTime(started);
    this.#options.statistics.totals.requests_forwarded += 1;
    if (wanted.kind !== 'miss') this.#options.statistics.add('cache_revalidations');
    fetch.start(recipient);
    return started;
  }

  #keepTime(started: OriginFetch): void {
    this.#running.add(started);
    this.#timer ??= this.#options.clock.every(tickMs, () => this.#tick());
  }

  #tick(): void {
    for (const { fetch } of [...this.#running]) fetch.tick();
    if (this.#running.size > 0) return;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #noteHead(watched: Watched, status: number, lines: readonly HeaderLine[]): void {
    const { store, rules, clock } = this.#options;
    const { header, requestMs } = watched;
    const key = watched.keyPrefix + watched.target;
    const stored = selectAnswer(store.peek(key) ?? [], header);
    // What was asked for since then is newer.
    if (stored === undefined || stored.requestMs > requestMs) return;
    const nowMs = clock.nowMs();
    const effect = effectOfHead(stored, status, lines, nowMs);
    if (effect === 'none') return;
    if (effect === 'stale') return store.replace(key, stored, madeStale(stored, nowMs));
    const exchange = { method: 'HEAD', header, status, lines, requestMs, responseMs: nowMs };
    const { answer, outcome } = updated(stored, exchange, rules());
    if (outcome !== 'kept') store.replace(key, stored, outcome === 'replaces' ? answer : undefined);
  }

  /** What is fetched for a key now is for those who wait, and not to be stored. */
  #forget(key: string): void {
    for (const fetch of this.#running) if (fetch.key === key) fetch.isOutdated = true;
    for (const [sharedKey, fetch] of this.#shared) {
      if (fetch.key === key) this.#shared.delete(sharedKey);
    }
  }
}

/** Whether others may wait for its answer: nothing in it says that the answer is not for them. */
function isImpersonal({ isPlain, header }: DeliveryRequest): boolean {
  if (isPlain) return true;
  return header('authorization') === undefined && !/no-store/i.test(header('cache-control') ?? '');
}

/** Whether an answer will do that was asked for before (RFC 9111 §5.2.1). */
function takesAny({ isPlain, header }: DeliveryRequest): boolean {
  if (isPlain) return true;
  const wishes = header('cache-control');
  if (wishes === undefined) return header('pragma') === undefined;
  return !/no-cache|max-age|min-fresh/i.test(wishes);
}

function isPart({ isPlain, header }: DeliveryRequest): boolean {
  return !isPlain && alone.some((name) => header(name) !== undefined);
}

function sharedKeyOf({ key, coding }: DeliveryRequest): string {
  return `${key} ${coding}`;
}

const plainMiss = { kind: 'miss', forward: 'uri-miss' } as const;
