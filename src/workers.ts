/**
 * The workers, from the primary's side: started, sent the whole state before they listen, kept up to date, asked,
 * replaced when they end, drained. The only file that knows node:cluster, which accepts connections here and
 * hands them to the workers in turn.
 */
import cluster from 'node:cluster';
import type { CacheConsole } from './admin/cache-commands.ts';
import type { ListedAnswer } from './cache/store.ts';
import { type Clock, processUpMs, type Timer } from './clock.ts';
import type { Certificate, Settings } from './config/shape.ts';
import type { CurrentCertificate } from './data-plane.ts';
import type { DataPlanes } from './data-planes.ts';
import {
  type Down,
  messagesVersion,
  type Report,
  type Up,
  type WatchedWindow,
} from './fleet/messages.ts';
import { mergedRows } from './fleet/origin-views.ts';
import { RestartDelay } from './fleet/restart-delay.ts';
import { handOnFrom } from './handed-connections.ts';
import { newTicketKeys, ticketKeyMs } from './http/tls-handshakes.ts';
import type { ReportIntake } from './report-intake.ts';
import type { ScreeningFeed } from './screening-feed.ts';
import type { Statistics } from './statistics.ts';
import type { ThrottleDesk } from './throttle-desk.ts';
import type { OriginRow } from './upstream/origins.ts';
import { WorkerLink } from './worker-link.ts';
import { workerMark } from './worker-process.ts';

export interface WorkersOptions {
  readonly clock: Clock;
  readonly statistics: Statistics;
  /** For the hashes of what was served. */
  readonly seed: number;
  readonly currentCertificate: CurrentCertificate;
  readonly feed: ScreeningFeed;
  readonly intake: ReportIntake;
  readonly throttle: ThrottleDesk;
  readonly warn: (sentence: string) => void;
}

/** The whole state may be large, and is taken over before anything else. */
const fillTimeoutMs = 120_000;
/** A worker may need so much longer than its drain's time to end. */
const endMs = 5_000;
/** The same sentence of several workers is told once in so long. */
const sameSentenceMs = 10_000;
const sentencesMax = 1_000;
/** Where the demonstration site of each worker listens. */
const demoHost = '127.0.0.1';

export class Workers implements DataPlanes {
  readonly #options: WorkersOptions;
  readonly #links = new Map<number, WorkerLink>();
  readonly #reports = new Map<number, Report>();
  readonly #restartDelay = new RestartDelay();
  readonly #sentences = new Map<string, { readonly id: number; readonly atMs: number }>();
  #settings: Settings;
  /** The workers that have prepared to take over other settings. */
  #prepared = new Set<WorkerLink>();
  #failStart: ((error: Error) => void) | undefined;
  #ticketKeys = newTicketKeys();
  #ticketKeysMadeAt = processUpMs();
  #pinging: Timer | undefined;
  #sending: Timer | undefined;
  #isClosing = false;
  readonly cache: CacheConsole;

  constructor(settings: Settings, options: WorkersOptions) {
    this.#settings = settings;
    this.#options = options;
    this.cache = this.#makeCache();
    options.throttle.onAnswer = (worker, message) => this.#links.get(worker)?.send(message);
    options.throttle.onKnown = (message) => this.#sendAll(message);
    options.feed.onChange = () => this.#sendSoon();
  }

  /** Has windows counted for the primary. */
  watch(startMs: number, windows: readonly WatchedWindow[]): void {
    this.#sendAll({ kind: 'watch', startMs, windows });
  }

  unwatch(startMs: number, ids: readonly number[]): void {
    this.#sendAll({ kind: 'unwatch', startMs, ids: Uint32Array.from(ids) });
  }

  async start(): Promise<void> {
    if (process.platform !== 'win32') cluster.schedulingPolicy = cluster.SCHED_RR;
    const failed = new Promise<never>((_, reject) => {
      this.#failStart = reject;
    });
    const serving = Array.from({ length: this.#settings.fleet.workers }, () => this.#fork());
    await Promise.race([failed, Promise.all(serving)]);
    this.#failStart = undefined;
    this.#ping();
  }

  async prepare(next: Settings): Promise<void> {
    const links = this.#serving();
    this.#prepared = new Set(links);
    const done = await Promise.all(links.map((link) => link.ask('prepare', next)));
    const failure = done.find((each) => each?.failure !== undefined)?.failure;
    if (failure === undefined) return;
    await this.abandon();
    throw new Error(failure);
  }

  async abandon(): Promise<void> {
    await Promise.all(this.#serving().map((link) => link.ask('abandon', null)));
  }

  async adopt(next: Settings): Promise<void> {
    this.#settings = next;
    // What has begun meanwhile with the settings before these begins anew.
    for (const link of this.#links.values()) if (!this.#prepared.has(link)) link.kill();
    await Promise.all([...this.#prepared].map((link) => link.ask('adopt', next)));
    this.#prepared.clear();
    await this.reported();
    this.#options.intake.keepOrigins(new Set(this.origins().map(({ origin: name }) => name)));
  }

  renewCertificates(current: CurrentCertificate): void {
    const certificates = certificatesOf(this.#settings).map(current);
    for (const link of this.#serving()) void link.ask('certificates', certificates);
  }

  async applied(): Promise<void> {
    this.#options.throttle.look();
    this.#sendChanges();
    // Asks are carried out in order.
    await Promise.all(this.#serving().map((link) => link.ask('change', {})));
  }

  async reported(): Promise<void> {
    await Promise.all(this.#serving().map((link) => link.ask('report', null)));
    this.#options.intake.settle();
  }

  origins(): readonly OriginRow[] {
    return mergedRows(Array.from(this.#reports.values(), ({ origins }) => origins));
  }

  hasOrigin(host: string): boolean {
    return this.#settings.accelerators.some(({ origins }) =>
      origins.some((origin) =>
        origin.kind === 'url' ? origin.host === host : origin.kind === 'demo' && host === demoHost,
      ),
    );
  }

  noteDraining(): void {
    this.#sendAll({ kind: 'draining' });
  }

  async close(drainMs: number): Promise<void> {
    this.#isClosing = true;
    this.#pinging?.cancel();
    const links = [...this.#links.values()];
    for (const link of links) if (link.phase !== 'serving') link.kill();
    const draining = links.filter(({ phase }) => phase === 'serving');
    await Promise.all(draining.map((link) => link.ask('drain', { drainMs }, drainMs + endMs)));
    this.#options.intake.settle();
  }

  async end(): Promise<void> {
    const links = [...this.#links.values()];
    for (const link of links) link.kill();
    await Promise.all(links.map((link) => link.ended));
  }

  #makeCache(): CacheConsole {
    const purge = async (url: string, isPrefix: boolean) => {
      const counts = await this.#askAll((link) => link.ask('purge', { url, isPrefix }));
      return counts.reduce((sum, count) => sum + count, 0);
    };
    return {
      totals: () => {
        const totals = { keys: 0, answers: 0, bytes: 0 };
        for (const { cache } of this.#reports.values()) {
          totals.keys += cache.keys;
          totals.answers += cache.answers;
          totals.bytes += cache.bytes;
        }
        return totals;
      },
      list: async (order, max) => {
        const lists = await this.#askAll((link) => link.ask('list', { order, max }));
        const rank = ({ answer }: ListedAnswer) =>
          order === 'most-used' ? answer.uses : answer.responseMs;
        return lists
          .flat()
          .sort((one, other) => rank(other) - rank(one))
          .slice(0, max);
      },
      purge,
      purgeAll: () => purge('', true),
    };
  }

  /** The answers of all that serve and go on living. */
  async #askAll<T>(ask: (link: WorkerLink) => Promise<T | undefined>): Promise<T[]> {
    const answers = await Promise.all(this.#serving().map(ask));
    return answers.filter((answer): answer is Awaited<T> & T => answer !== undefined);
  }

  #fork(): Promise<void> {
    const { clock } = this.#options;
    const worker = cluster.fork({ [workerMark]: '1' });
    handOnFrom(worker, () => this.#serving().length > 0, clock);
    const bornMs = processUpMs();
    return new Promise((resolve) => {
      const link: WorkerLink = new WorkerLink(worker, {
        clock,
        timeoutMs: () => this.#settings.fleet.workerTimeoutMs,
        onMessage: (message) => this.#take(link, message, resolve),
        onLate: (kind) => this.#noteLate(link, kind),
        onEnd: (how) => this.#noteEnd(link, how, processUpMs() - bornMs),
      });
      this.#links.set(link.id, link);
      clock.after(fillTimeoutMs, () => {
        if (link.phase === 'starting') link.kill();
      });
    });
  }

  #take(link: WorkerLink, message: Exclude<Up, { kind: 'answer' }>, onServing: () => void): void {
    const { throttle } = this.#options;
    switch (message.kind) {
      case 'hello':
        void this.#fill(link, message.version).then((serves) => serves && onServing());
        return;
      case 'report':
        this.#takeReport(link, message.report);
        return;
      case 'forgotten':
        this.#sendOthers(link, { kind: 'forget', keys: message.keys }, message.keys.length);
        return;
      case 'admit':
        throttle.admit(link.id, message.id, message.host);
        return;
      case 'leave':
        throttle.leave(link.id, message.id);
        return;
      case 'warn':
        this.#warnOnce(link, message.sentence);
    }
  }

  #takeReport(link: WorkerLink, report: Report): void {
    const { intake, feed } = this.#options;
    this.#reports.set(link.id, report);
    intake.take(link.id, report);
    this.#sendOthers(link, { kind: 'origins', changes: report.health }, report.health.length);
    link.send({ kind: 'taken', intervalStartMs: feed.rules().intervalStartMs });
  }

  /** Sends the whole state, then lets it listen; true: it serves. */
  async #fill(link: WorkerLink, version: number): Promise<boolean> {
    const { feed, intake, throttle, seed, currentCertificate } = this.#options;
    if (version !== messagesVersion) {
      this.#options.warn('the program was replaced while it ran; restart wormgate');
      link.kill();
      return false;
    }
    this.#sendChanges();
    link.phase = 'filling';
    const settings = this.#settings;
    link.send({ kind: 'state', version, settings, rules: feed.rules(), seed });
    for (const change of feed.whole()) void link.ask('change', change, fillTimeoutMs);
    link.send(throttle.known());
    link.send({ kind: 'tickets', keys: this.#ticketKeys });
    for (const { startMs, windows } of intake.watched()) {
      link.send({ kind: 'watch', startMs, windows });
    }
    await link.ask('change', {}, fillTimeoutMs);
    if (link.phase !== 'filling') return false;
    link.phase = 'serving';
    const done = await link.ask('listen', null);
    if (done === undefined) return false;
    // Its origins are there now, and certificates that may have been renewed since the settings were read.
    link.send({ kind: 'origins', changes: intake.downOrigins() });
    void link.ask('certificates', certificatesOf(settings).map(currentCertificate));
    if (done.failure === undefined) return true;
    if (this.#failStart === undefined) this.#options.warn(done.failure);
    else this.#failStart(new Error(done.failure));
    link.kill();
    return false;
  }

  #noteLate(link: WorkerLink, kind: string): void {
    const { statistics, warn } = this.#options;
    statistics.add('workers_killed');
    warn(`worker process ${link.pid} did not answer in time (${kind}), and is killed`);
  }

  #noteEnd(link: WorkerLink, how: string, livedMs: number): void {
    const { intake, throttle, statistics, clock, warn } = this.#options;
    this.#links.delete(link.id);
    this.#reports.delete(link.id);
    intake.noteEnd(link.id);
    throttle.noteEnd(link.id);
    if (this.#isClosing) return;
    statistics.add('workers_ended');
    if (this.#failStart !== undefined) {
      this.#failStart(new Error(`a worker process ended before it served: ${how}`));
      return;
    }
    const delayMs = this.#restartDelay.afterEnd(livedMs);
    const when = delayMs === 0 ? 'now' : `in ${delayMs} ms`;
    warn(`worker process ${link.pid} ended (${how}); another takes its place ${when}`);
    if (delayMs === 0) void this.#fork();
    else clock.after(delayMs, () => this.#isClosing || void this.#fork());
  }

  /** Whoever hangs is found, and what is shown of all is never older than this. */
  #ping(): void {
    const { clock } = this.#options;
    this.#pinging = clock.after(this.#settings.fleet.workerTimeoutMs / 2, () => {
      void this.reported();
      this.#renewTicketKeys();
      this.#ping();
    });
  }

  #renewTicketKeys(): void {
    if (processUpMs() - this.#ticketKeysMadeAt < ticketKeyMs) return;
    this.#ticketKeys = newTicketKeys();
    this.#ticketKeysMadeAt = processUpMs();
    this.#sendAll({ kind: 'tickets', keys: this.#ticketKeys });
  }

  /** What one worker has told another need not repeat. */
  #warnOnce({ id }: WorkerLink, sentence: string): void {
    const nowMs = processUpMs();
    const told = this.#sentences.get(sentence);
    if (told !== undefined && told.id !== id && nowMs - told.atMs < sameSentenceMs) return;
    if (this.#sentences.size >= sentencesMax) this.#sentences.clear();
    this.#sentences.set(sentence, { id, atMs: nowMs });
    this.#options.warn(sentence);
  }

  #sendSoon(): void {
    this.#sending ??= this.#options.clock.after(0, () => this.#sendChanges());
  }

  /** Sends what was changed since the last time. */
  #sendChanges(): void {
    this.#sending?.cancel();
    this.#sending = undefined;
    const change = this.#options.feed.take();
    if (change === undefined) return;
    for (const link of this.#links.values()) {
      if (link.phase === 'serving') void link.ask('change', change);
      else if (link.phase === 'filling') void link.ask('change', change, fillTimeoutMs);
    }
  }

  #serving(): WorkerLink[] {
    return [...this.#links.values()].filter(({ phase }) => phase === 'serving');
  }

  /** Tells all but `link`, if there is anything to tell. */
  #sendOthers(link: WorkerLink, message: Down, count: number): void {
    if (count === 0) return;
    for (const other of this.#serving()) if (other !== link) other.send(message);
  }

  #sendAll(message: Down): void {
    for (const link of this.#links.values()) if (link.phase !== 'starting') link.send(message);
  }
}

function certificatesOf({ accelerators }: Settings): Certificate[] {
  return accelerators.flatMap(({ tls }) => tls.certificates);
}
