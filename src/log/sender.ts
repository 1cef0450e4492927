/**
 * Sends events or spans to their receiver: a bounded queue, POSTs of several with one under way at a time,
 * and retries. Nobody waits for it; at the end what is queued is tried once.
 */
import type { Clock, Timer } from '../clock.ts';
import type { CounterName, Statistics } from '../statistics.ts';
import { escapeText } from './escape.ts';
import type { Post, SendPost } from './post.ts';
import {
  describePost,
  judgePost,
  type MayPass,
  type PostOutcome,
  retryDelayMs,
} from './post-retry.ts';
import { SenderQueue } from './sender-queue.ts';

/** Where it is sent, and how patiently; an empty `url` means nowhere. */
export interface SenderSettings {
  readonly url: string;
  /** What proves who sends it, and the like. */
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly retriesMax: number;
  readonly queueMax: number;
  readonly batchMax: number;
}

export interface SenderOptions {
  readonly settings: () => SenderSettings;
  readonly clock: Clock;
  readonly statistics: Statistics;
  /** A sentence for the operator. Never of secrets, which the path of a URL may be. */
  readonly warn: (sentence: string) => void;
  readonly post: SendPost;
  /** From 0 to 1. */
  readonly random: () => number;
}

/** What is sent, and how it is spoken of. */
export interface Cargo<T> {
  /** `the webhook`, and what it takes: `events`. */
  readonly receiver: string;
  readonly things: string;
  readonly counters: Readonly<
    Record<'posts' | 'failures' | 'sent' | 'refused' | 'lost', CounterName>
  >;
  /** What comes within this time shares a POST. */
  readonly gatherMs: number;
  readonly mayPass: MayPass;
  /** Made once for all tries of a batch. */
  readonly pack: (items: readonly T[]) => Pick<Post, 'headers' | 'body'>;
  /** How many of a batch an answer of 2xx refuses, and why. */
  readonly refusedIn?: (content: Uint8Array) => { readonly count: number; readonly reason: string };
}

/** What a receiver says about itself is told so far, in characters. */
const reasonLengthMax = 200;

interface Batch extends Pick<Post, 'headers' | 'body'> {
  readonly count: number;
  tries: number;
}

export class Sender<T> {
  readonly #options: SenderOptions;
  readonly #cargo: Cargo<T>;
  readonly #queue = new SenderQueue<T>();
  #batch: Batch | undefined;
  /** Aborts the POST under way. */
  #posting: AbortController | undefined;
  /** Gathers events, or waits for the next try. */
  #timer: Timer | undefined;
  #isBackingOff = false;
  #failures = 0;
  /** The last answer refused a part of what it took. */
  #isRefusing = false;
  #lostInARow = 0;
  #place: string;
  #end: 'no' | 'ending' | 'ended' = 'no';
  #deadline: Timer | undefined;
  #onIdle: (() => void) | undefined;

  constructor(options: SenderOptions, cargo: Cargo<T>) {
    this.#options = options;
    this.#cargo = cargo;
    this.#place = placeOf(options.settings());
  }

  /** Takes one; returns at once. */
  push(item: T): void {
    const { url, queueMax, batchMax } = this.#options.settings();
    if (url === '') return;
    if (this.#end === 'ended') return this.#lose(1);
    this.#lose(this.#queue.push(item, queueMax));
    if (this.#posting !== undefined || this.#isBackingOff) return;
    if (this.#queue.size >= batchMax || this.#end === 'ending') this.#pump();
    else this.#timer ??= this.#options.clock.after(this.#cargo.gatherMs, () => this.#pump());
  }

  /** Follows the settings in force. What waits goes to a new URL at once. */
  applySettings(): void {
    const settings = this.#options.settings();
    const place = placeOf(settings);
    this.#lose(this.#queue.shrink(settings.url === '' ? 0 : settings.queueMax));
    if (place === this.#place) return;
    this.#place = place;
    this.#failures = 0;
    this.#lostInARow = 0;
    if (this.#batch !== undefined) this.#batch.tries = 0;
    if (settings.url === '') this.#dropBatch();
    if (this.#posting !== undefined) this.#posting.abort();
    else this.#pump();
  }

  /** From now on each is tried once, and after `drainMs` none any more. */
  endWithin(drainMs: number): void {
    if (this.#end !== 'no') return;
    this.#end = 'ending';
    this.#deadline = this.#options.clock.after(drainMs, () => this.#giveUp());
    if (this.#posting === undefined) this.#pump();
  }

  /** Resolves when nothing waits any more, or the time of `endWithin` is over. */
  async close(): Promise<void> {
    if (this.#isBusy) {
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve;
      });
    }
    this.#deadline?.cancel();
    this.#timer?.cancel();
    this.#end = 'ended';
  }

  get #isBusy(): boolean {
    return this.#posting !== undefined || this.#batch !== undefined || this.#queue.size > 0;
  }

  /** Sends the batch in hand, or the next one. */
  #pump(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#isBackingOff = false;
    if (this.#batch === undefined && this.#queue.size > 0) {
      const items = this.#queue.take(this.#options.settings().batchMax);
      this.#batch = { ...this.#cargo.pack(items), count: items.length, tries: 0 };
    }
    if (this.#batch === undefined) this.#onIdle?.();
    else void this.#send(this.#batch);
  }

  async #send(batch: Batch): Promise<void> {
    const { settings, statistics, post } = this.#options;
    const { url, headers, timeoutMs } = settings();
    const posting = new AbortController();
    this.#posting = posting;
    const place = this.#place;
    statistics.add(this.#cargo.counters.posts);
    const sent = { url, headers: { ...headers, ...batch.headers }, body: batch.body, timeoutMs };
    const outcome = await post(sent, posting.signal);
    this.#posting = undefined;
    const isDelivered = judgePost(outcome, this.#cargo.mayPass) === 'delivered';
    // Given up meanwhile, or on its way to another place: what the old one says decides nothing.
    const isForeign = this.#batch !== batch || (place !== this.#place && !isDelivered);
    if (!isForeign) this.#settle(batch, outcome);
    else if (!isDelivered) statistics.add(this.#cargo.counters.failures);
    if (!this.#isBackingOff) this.#pump();
  }

  #settle(batch: Batch, outcome: PostOutcome): void {
    const { settings, clock, statistics, random } = this.#options;
    const { counters, mayPass } = this.#cargo;
    const verdict = judgePost(outcome, mayPass);
    if (verdict === 'delivered') {
      this.#batch = undefined;
      const refused = this.#noteRefused(batch, outcome);
      statistics.add(counters.sent, batch.count - refused);
      return this.#noteSuccess();
    }
    statistics.add(counters.failures);
    batch.tries += 1;
    this.#noteFailure(outcome);
    const isLast = this.#end !== 'no' || batch.tries > settings().retriesMax;
    if (verdict === 'refused') this.#dropBatch(counters.refused);
    else if (isLast) this.#dropBatch();
    if (verdict === 'refused' || this.#end !== 'no') return;
    const delayMs = retryDelayMs(this.#failures, outcome, clock.nowMs(), random());
    this.#isBackingOff = true;
    this.#timer = clock.after(delayMs, () => this.#pump());
  }

  #noteSuccess(): void {
    if (this.#failures > 0) {
      this.#warn(`takes ${this.#cargo.things} again; ${this.#lostInARow} were lost`);
    }
    this.#failures = 0;
    this.#lostInARow = 0;
  }

  #noteFailure(outcome: PostOutcome): void {
    this.#failures += 1;
    if (this.#failures > 1) return;
    this.#warn(`does not take ${this.#cargo.things}: ${describePost(outcome)}`);
  }

  /** Gives how many an answer of 2xx refuses. The first such answer in a row is told. */
  #noteRefused({ count }: Batch, outcome: PostOutcome): number {
    const { refusedIn, counters, things } = this.#cargo;
    const content = outcome.kind === 'answered' ? outcome.content : undefined;
    const told = content === undefined ? undefined : refusedIn?.(content);
    const refused = Math.min(told?.count ?? 0, count);
    if (refused > 0 && !this.#isRefusing) {
      const reason = escapeText(told?.reason.slice(0, reasonLengthMax) ?? '');
      this.#warn(`refuses some ${things}${reason === '' ? '' : `: ${reason}`}`);
    }
    this.#isRefusing = refused > 0;
    this.#options.statistics.add(counters.refused, refused);
    return refused;
  }

  #warn(what: string): void {
    const { url } = this.#options.settings();
    this.#options.warn(`${this.#cargo.receiver} at ${new URL(url).host} ${what}`);
  }

  #dropBatch(counter?: CounterName): void {
    this.#lose(this.#batch?.count ?? 0, counter);
    this.#batch = undefined;
  }

  #lose(count: number, counter = this.#cargo.counters.lost): void {
    if (count === 0) return;
    this.#lostInARow += count;
    this.#options.statistics.add(counter, count);
  }

  #giveUp(): void {
    this.#end = 'ended';
    this.#lose(this.#queue.shrink(0));
    if (this.#posting === undefined) this.#pump();
    else this.#posting.abort();
  }
}

function placeOf({ url, headers }: SenderSettings): string {
  return JSON.stringify([url, headers]);
}
