/**
 * The events, put together: what the running parts tell becomes lines of the EventLog and POSTs to the
 * webhook, at most EventsPerSecond of each kind.
 */
import type { Timer } from './clock.ts';
import type { EventKind } from './config/event-rows.ts';
import type { EventSettings } from './config/shape.ts';
import type { LearningCause } from './learning-lines.ts';
import { type AccessEntry, unpaddedText } from './log/access.ts';
import { EventRate } from './log/event-rate.ts';
import { blockedFields, type EventFields, formatEvent, formatOmitted } from './log/events.ts';
import type { LogFile } from './log/file.ts';
import { Poster, type PosterOptions } from './log/post.ts';
import type { ThrottleAlert } from './log/throttle-log.ts';
import { Webhook } from './log/webhook.ts';
import type { Statistics } from './statistics.ts';
import type { Change } from './virus/change.ts';
import type { Source } from './virus/sources.ts';
import type { Suspect } from './virus/suspects.ts';

export interface EventServiceOptions extends PosterOptions {
  readonly settings: () => EventSettings;
  /** The EventLog, if there is one. */
  readonly file: () => LogFile | undefined;
  readonly statistics: Statistics;
  /** A sentence for the operator. */
  readonly warn: (sentence: string) => void;
}

const secondMs = 1000;

/** Makes no event unless a file or a webhook is configured. */
export class EventService {
  readonly #options: EventServiceOptions;
  readonly #rate = new EventRate();
  readonly #poster: Poster;
  readonly #webhook: Webhook;
  #kinds: ReadonlySet<EventKind> = new Set();
  #wantsBlocked = false;
  /** Runs while a second is counted. */
  #second: Timer | undefined;

  constructor(options: EventServiceOptions) {
    this.#options = options;
    this.#poster = new Poster(options);
    this.#webhook = new Webhook({
      ...options,
      settings: () => options.settings().webhook,
      post: this.#poster.post,
      random: Math.random,
    });
    this.applySettings();
  }

  /** Follows the settings in force. */
  applySettings(): void {
    const { kinds, logFile, webhook } = this.#options.settings();
    const isTold = logFile !== '' || webhook.url !== '';
    this.#kinds = new Set(isTold ? kinds : []);
    this.#wantsBlocked = this.#kinds.has('blocked');
    this.#webhook.applySettings();
  }

  /** A line of PROXY.LOG: nearly all of them are no events, and cost no more than these comparisons. */
  noteAccess(entry: AccessEntry): void {
    if (!this.#wantsBlocked) return;
    const { kind } = entry.outcome;
    if (kind !== 'slipped' && kind !== 'dropped') return;
    if (!this.#admit('blocked')) return;
    const fields = blockedFields(entry);
    if (fields !== undefined) this.#tell(formatEvent('blocked', entry.atMs, fields));
  }

  /** Whether `noteAccess` makes anything of blocked requests. */
  get wantsBlocked(): boolean {
    return this.#wantsBlocked;
  }

  /** There were `count` more blocked requests, in workers that tell of as many as may be told. */
  noteUnlisted(count: number): void {
    if (count === 0 || !this.#wantsBlocked) return;
    const { clock, statistics } = this.#options;
    this.#second ??= clock.after(secondMs, () => this.#endSecond());
    this.#rate.omit('blocked', count);
    statistics.add('events_omitted', count);
  }

  noteSuspect({ client, requestLine: request, pattern, atMs }: Suspect): void {
    this.#make('suspect', atMs, { client, request, pattern: unpaddedText(pattern) });
  }

  /** Auto Update has added or proposed something. */
  noteLearned(change: Change, { suspect, keyword, frequency }: LearningCause): void {
    const { client, requestLine: request, atMs } = suspect;
    const cause = { keyword, client, request, ...frequency };
    if (change.kind === 'add') {
      const { origLength } = change;
      this.#make('learned', atMs, { pattern: unpaddedText(change.pattern), origLength, ...cause });
    } else if (change.kind === 'propose') {
      const { pattern, origLength, reason } = change.proposal;
      const what = { pattern: unpaddedText(pattern), origLength, reason };
      this.#make('proposed', atMs, { ...what, ...cause });
    }
  }

  noteAlert({ event: alert, source, waiting, dropped, atMs }: ThrottleAlert): void {
    this.#make('throttle', atMs, { alert, source, waiting, dropped });
  }

  noteOrigin(origin: string, state: 'down' | 'up', why: string): void {
    const atMs = this.#options.clock.nowMs();
    this.#make('origin', atMs, { origin, state, why: state === 'down' ? why : null });
  }

  noteSource({ address, cause: why, misses, viruses, lengthMs, sinceMs }: Source): void {
    const counts = { misses: misses.length, viruses: viruses.length };
    this.#make('source', sinceMs, { address, why, ...counts, seconds: lengthMs / secondMs });
  }

  noteFleet(engine: string, state: 'down' | 'up', why: string): void {
    const atMs = this.#options.clock.nowMs();
    this.#make('fleet', atMs, { engine, state, why: state === 'down' ? why : null });
  }

  /** The process ends: each event that waits is POSTed once, and after `drainMs` none any more. */
  endWithin(drainMs: number): void {
    this.#webhook.endWithin(drainMs);
  }

  /** Tells what was omitted so far, and waits as `endWithin` says; what is noted afterwards is lost. */
  async close(): Promise<void> {
    this.#second?.cancel();
    this.#endSecond();
    this.#kinds = new Set();
    this.#wantsBlocked = false;
    await this.#webhook.close();
    this.#poster.close();
  }

  #make<K extends EventKind>(kind: K, atMs: number, fields: EventFields<K>): void {
    if (this.#kinds.has(kind) && this.#admit(kind)) this.#tell(formatEvent(kind, atMs, fields));
  }

  #admit(kind: EventKind): boolean {
    const { settings, clock, statistics } = this.#options;
    this.#second ??= clock.after(secondMs, () => this.#endSecond());
    if (this.#rate.admit(kind, settings().perSecondMax)) return true;
    statistics.add('events_omitted');
    return false;
  }

  #endSecond(): void {
    this.#second = undefined;
    const atMs = this.#options.clock.nowMs();
    for (const [kind, omitted] of this.#rate.endSecond()) {
      this.#tell(formatOmitted(kind, atMs, omitted));
    }
  }

  #tell(text: string): void {
    const { file, statistics } = this.#options;
    statistics.add('events');
    if (file()?.append(text) === true) statistics.add('event_lines');
    this.#webhook.push(text);
  }
}
