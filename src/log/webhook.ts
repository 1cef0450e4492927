/**
 * Sends events to the webhook: a bounded queue, POSTs of several events with one under way at a time,
 * and retries. Nobody waits for it; at the end what is queued is tried once.
 */
import { randomUUID } from 'node:crypto';
import type { Clock, Timer } from '../clock.ts';
import type { WebhookSettings } from '../config/shape.ts';
import type { Statistics } from '../statistics.ts';
import { EventQueue } from './event-queue.ts';
import type { SendPost } from './webhook-post.ts';
import { describePost, judgePost, type PostOutcome, retryDelayMs } from './webhook-retry.ts';

export interface WebhookOptions {
  readonly settings: () => WebhookSettings;
  readonly clock: Clock;
  readonly statistics: Statistics;
  /** A sentence for the operator. Never of secrets, which the path of a URL may be. */
  readonly warn: (sentence: string) => void;
  readonly post: SendPost;
  /** From 0 to 1. */
  readonly random: () => number;
}

/** Events that come within this time share a POST. */
const gatherMs = 100;

interface Batch {
  readonly id: string;
  readonly texts: readonly string[];
  tries: number;
}

export class Webhook {
  readonly #options: WebhookOptions;
  readonly #queue = new EventQueue();
  #batch: Batch | undefined;
  /** Aborts the POST under way. */
  #posting: AbortController | undefined;
  /** Gathers events, or waits for the next try. */
  #timer: Timer | undefined;
  #isBackingOff = false;
  #failures = 0;
  #lostInARow = 0;
  #place: string;
  #end: 'no' | 'ending' | 'ended' = 'no';
  #deadline: Timer | undefined;
  #onIdle: (() => void) | undefined;

  constructor(options: WebhookOptions) {
    this.#options = options;
    this.#place = placeOf(options.settings());
  }

  /** Takes one event, as JSON; returns at once. */
  push(text: string): void {
    const { url, queueMax, batchMax } = this.#options.settings();
    if (url === '') return;
    if (this.#end === 'ended') return this.#lose(1);
    this.#lose(this.#queue.push(text, queueMax));
    if (this.#posting !== undefined || this.#isBackingOff) return;
    if (this.#queue.size >= batchMax || this.#end === 'ending') this.#pump();
    else this.#timer ??= this.#options.clock.after(gatherMs, () => this.#pump());
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

  /** From now on each event is tried once, and after `drainMs` none any more. */
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
      const texts = this.#queue.take(this.#options.settings().batchMax);
      this.#batch = { id: randomUUID(), texts, tries: 0 };
    }
    if (this.#batch === undefined) this.#onIdle?.();
    else void this.#send(this.#batch);
  }

  async #send(batch: Batch): Promise<void> {
    const { settings, statistics, post } = this.#options;
    const { url, token, timeoutMs } = settings();
    const posting = new AbortController();
    this.#posting = posting;
    const place = this.#place;
    statistics.add('webhook_posts');
    const body = `[${batch.texts.join(',')}]`;
    const outcome = await post({ url, token, id: batch.id, body, timeoutMs }, posting.signal);
    this.#posting = undefined;
    const isDelivered = judgePost(outcome) === 'delivered';
    // Given up meanwhile, or on its way to another place: what the old one says decides nothing.
    const isForeign = this.#batch !== batch || (place !== this.#place && !isDelivered);
    if (!isForeign) this.#settle(batch, outcome);
    else if (!isDelivered) statistics.add('webhook_failures');
    if (!this.#isBackingOff) this.#pump();
  }

  #settle(batch: Batch, outcome: PostOutcome): void {
    const { settings, clock, statistics, random } = this.#options;
    const verdict = judgePost(outcome);
    if (verdict === 'delivered') {
      statistics.add('webhook_events_sent', batch.texts.length);
      this.#batch = undefined;
      return this.#noteSuccess();
    }
    statistics.add('webhook_failures');
    batch.tries += 1;
    this.#noteFailure(outcome);
    const isLast = this.#end !== 'no' || batch.tries > settings().retriesMax;
    if (verdict === 'refused' || isLast) this.#dropBatch();
    if (verdict === 'refused' || this.#end !== 'no') return;
    const delayMs = retryDelayMs(this.#failures, outcome, clock.nowMs(), random());
    this.#isBackingOff = true;
    this.#timer = clock.after(delayMs, () => this.#pump());
  }

  #noteSuccess(): void {
    if (this.#failures > 0) {
      this.#warn(`takes events again; ${this.#lostInARow} were lost`);
    }
    this.#failures = 0;
    this.#lostInARow = 0;
  }

  #noteFailure(outcome: PostOutcome): void {
    this.#failures += 1;
    if (this.#failures === 1) this.#warn(`does not take events: ${describePost(outcome)}`);
  }

  #warn(what: string): void {
    const { url } = this.#options.settings();
    this.#options.warn(`the webhook at ${new URL(url).host} ${what}`);
  }

  #dropBatch(): void {
    this.#lose(this.#batch?.texts.length ?? 0);
    this.#batch = undefined;
  }

  #lose(count: number): void {
    if (count === 0) return;
    this.#lostInARow += count;
    this.#options.statistics.add('webhook_events_lost', count);
  }

  #giveUp(): void {
    this.#end = 'ended';
    this.#lose(this.#queue.shrink(0));
    if (this.#posting === undefined) this.#pump();
    else this.#posting.abort();
  }
}

function placeOf({ url, token }: WebhookSettings): string {
  return `${token} ${url}`;
}
