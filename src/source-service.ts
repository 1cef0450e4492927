/**
 * Virus sources at work: follows the settings, lets blocks end, keeps them over restarts, and tells of new
 * ones in the console's log, as events, and in a warning where a balancer may have been blocked. Decides
 * nothing itself: virus/source-watch.ts does.
 */
import type { AutoUpdate } from './auto-update.ts';
import type { Clock, Timer } from './clock.ts';
import { AddressList } from './config/address-list.ts';
import { escapeText } from './config/quoted.ts';
import type { Settings } from './config/shape.ts';
import { CrawlerChecks, type NameLookups } from './crawler-checks.ts';
import { formatDate } from './log/access.ts';
import { SourceJournal } from './source-journal.ts';
import type { Statistics } from './statistics.ts';
import { missRules } from './virus/miss-scope.ts';
import type { NeverBlock } from './virus/never-block.ts';
import { sourceKey } from './virus/source-key.ts';
import { SourceWatch } from './virus/source-watch.ts';
import type { Source } from './virus/sources.ts';

export interface SourceServiceOptions {
  readonly settings: () => Settings;
  readonly clock: Clock;
  readonly statistics: Statistics;
  readonly autoUpdate: Pick<AutoUpdate, 'served' | 'keywordScreen'>;
  readonly neverBlock: () => NeverBlock;
  readonly dataFolder: string;
  readonly names: NameLookups;
  /** Takes a line for the console's log. */
  readonly record: (line: string) => void;
  readonly onBlock: (source: Source) => void;
  /** Told of the key of each source that becomes blocked, or free, or whose block is prolonged. */
  readonly onSource?: ((address: string) => void) | undefined;
  /** Told in a sentence what the operator should look at. */
  readonly warn: (sentence: string) => void;
}

const sweepPeriodMs = 1000;

/** Where no reader comes from over the internet (RFC 6890). */
const nearby = new AddressList([
  '127.0.0.0/8',
  '::1',
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '100.64.0.0/10',
  '169.254.0.0/16',
  'fc00::/7',
  'fe80::/10',
]);

export class SourceService {
  readonly watch: SourceWatch;
  readonly #options: SourceServiceOptions;
  readonly #journal: SourceJournal;
  readonly #crawlers: CrawlerChecks;
  #timer: Timer | undefined;
  /** A nearby source was blocked: that is told once. */
  #hasWarned = false;

  /** Reads the journal; throws DurableFileError when it is unusable. */
  constructor(options: SourceServiceOptions) {
    const { settings, statistics, autoUpdate, neverBlock, clock } = options;
    this.#options = options;
    this.#crawlers = new CrawlerChecks({
      ...options,
      onImpostor: (address) => this.#blockImpostor(address),
    });
    this.watch = new SourceWatch({
      rules: missRules(settings()),
      sourceRules: settings().sources,
      served: autoUpdate.served,
      holdsKeyword: (requestString) => autoUpdate.keywordScreen.holdsAny(requestString),
      neverBlock,
      statistics,
      spares: (address, client, nowMs) => this.#crawlers.spares(address, client, nowMs),
      onBlock: (source, nowMs) => this.#tell(source, nowMs),
      onRenew: (source) => this.#journal.note({ kind: 'blocked', source }),
    });
    const { sources } = this.watch;
    this.#journal = SourceJournal.open(
      {
        ...options,
        bytesMax: () => settings().limits.journalBytesMax,
        sources: () => sources.repeaters(clock.nowMs()),
      },
      (record) => {
        if (record.kind === 'forgiven') sources.forgive(record.address);
        else sources.restore(record.source, clock.nowMs());
      },
    );
    sources.onChange = options.onSource;
    this.applySettings();
  }

  /** Rejects with DurableFileError. */
  async start(): Promise<void> {
    const { clock } = this.#options;
    await this.#journal.tidy();
    this.#timer = clock.every(sweepPeriodMs, () => this.watch.sources.sweep(clock.nowMs()));
  }

  /** Takes over the settings in force. */
  applySettings(): void {
    const settings = this.#options.settings();
    this.watch.isWatching = settings.scanVirusPatterns && settings.sources.blocking;
    this.watch.sources.rules = settings.sources;
    this.watch.misses.setRules(missRules(settings));
  }

  /** The operator blocks the source of an address; on the disk when it resolves. */
  async block(address: string, lengthMs?: number): Promise<Source> {
    const key = sourceKey(address);
    const nowMs = this.#options.clock.nowMs();
    const length = lengthMs ?? this.watch.sources.rules.blockMs;
    const source = this.watch.block(key, 'console', nowMs, length);
    await this.#journal.write({ kind: 'blocked', source });
    return source;
  }

  /** The same for letting one go; undefined: it is not known. */
  async forgive(address: string): Promise<Source | undefined> {
    const source = this.watch.sources.forgive(sourceKey(address));
    if (source !== undefined) {
      await this.#journal.write({ kind: 'forgiven', address: source.address });
    }
    return source;
  }

  async close(): Promise<void> {
    this.#timer?.cancel();
    await this.#journal.close();
  }

  /** Unless it was forgiven, or blocked for something else, while it was looked up. */
  #blockImpostor(address: string): void {
    const nowMs = this.#options.clock.nowMs();
    const { sources } = this.watch;
    if (sources.find(address, nowMs) === undefined && sources.get(address, nowMs) !== undefined) {
      this.watch.block(address, 'misses', nowMs);
    }
  }

  #tell(source: Source, nowMs: number): void {
    const { record, onBlock, settings } = this.#options;
    onBlock(source);
    if (source.cause === 'console') return;
    this.#journal.note({ kind: 'blocked', source });
    const { address, lengthMs, misses, viruses } = source;
    const counts = `misses=${misses.length} viruses=${viruses.length}`;
    const isDetected = settings().virus.mode === 'detect';
    const what = isDetected ? 'Mode=detect; would be blocked' : 'Blocked';
    record(
      `[virus sources] [${formatDate(nowMs)}] ${what} for ${lengthMs / 1000} s: ${escapeText(address)}, ${counts}`,
    );
    if (!isDetected) this.#warnOfNeighbour(address);
  }

  #warnOfNeighbour(address: string): void {
    if (this.#hasWarned || !nearby.has(address.replace(/\/64$/, ''))) return;
    this.#hasWarned = true;
    this.#options.warn(
      `${address} was blocked as a virus source. It is an address nearby: if a balancer or proxy stands there, name it in TrustedProxies, so that its clients are told apart; "virus forgive ${address}" lets it go.`,
    );
  }
}
