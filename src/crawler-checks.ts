/**
 * Whether a source that misses much is the crawler of a search engine: the name that its address has must
 * lie in one of the domains that the settings name, and must in turn have that address, because anybody can
 * give an address of his own any name. Off the request's way, a few at once, each for a bounded time; the
 * answers are remembered for a day, but not that there was none.
 */
import type { Clock } from './clock.ts';
import { normalizeAddress } from './config/address-list.ts';
import type { Settings } from './config/shape.ts';
import type { Statistics } from './statistics.ts';
import { RecencyMap } from './virus/recency-map.ts';

/** The part of the name servers that is used here. Both reject when nobody says. */
export interface NameLookups {
  namesOf(address: string): Promise<readonly string[]>;
  addressesOf(name: string): Promise<readonly string[]>;
}

export interface CrawlerChecksOptions {
  readonly settings: () => Settings;
  readonly clock: Clock;
  readonly statistics: Statistics;
  readonly names: NameLookups;
  /** A source that was spared while it was looked up is no crawler. */
  readonly onImpostor: (address: string) => void;
}

const rememberedMs = 86_400_000;
/** Of the names of an address so many are looked up. */
const namesMax = 4;

interface Answer {
  readonly isCrawler: boolean;
  readonly atMs: number;
}

export class CrawlerChecks {
  readonly #options: CrawlerChecksOptions;
  readonly #answers = new RecencyMap<Answer>();
  /** The sources that are being looked up. */
  readonly #pending = new Set<string>();

  constructor(options: CrawlerChecksOptions) {
    this.#options = options;
  }

  /**
   * Whether a source is not blocked for its misses: it is a crawler, or is being looked up now. `client` is
   * the address that has sent the last miss.
   */
  spares(source: string, client: string, nowMs: number): boolean {
    const { sources } = this.#options.settings();
    if (sources.crawlers.length === 0) return false;
    if (this.#pending.has(source)) return true;
    const known = this.#answers.get(client);
    if (known !== undefined && Math.abs(nowMs - known.atMs) < rememberedMs) return known.isCrawler;
    if (this.#pending.size >= sources.crawlerLookupsMax) {
      this.#options.statistics.add('source_lookups_refused');
      return false;
    }
    this.#pending.add(source);
    void this.#lookUp(source, client, nowMs);
    return true;
  }

  async #lookUp(source: string, client: string, atMs: number): Promise<void> {
    const isCrawler = await this.#inTime(this.#isCrawler(client));
    this.#pending.delete(source);
    if (isCrawler !== undefined) this.#remember(client, { isCrawler, atMs });
    if (isCrawler === true) this.#options.statistics.add('crawlers_proven');
    else this.#options.onImpostor(source);
  }

  #remember(client: string, answer: Answer): void {
    const { sourcesMax } = this.#options.settings().sources;
    while (this.#answers.size >= sourcesMax) this.#answers.delete(this.#answers.oldestKey ?? '');
    this.#answers.set(client, answer);
  }

  /** Undefined when it fails, or takes longer than NameTimeout. */
  #inTime(check: Promise<boolean>): Promise<boolean | undefined> {
    const { clock, settings } = this.#options;
    return new Promise((resolve) => {
      const timer = clock.after(settings().limits.nameTimeoutMs, () => resolve(undefined));
      check
        .catch(() => undefined)
        .then((answer) => {
          timer.cancel();
          resolve(answer);
        });
    });
  }

  async #isCrawler(client: string): Promise<boolean> {
    const { names, settings } = this.#options;
    const { crawlers } = settings().sources;
    const isListed = (name: string) => crawlers.some((domain) => name.endsWith(`.${domain}`));
    const found = await names.namesOf(client);
    const listed = found.map((name) => name.toLowerCase().replace(/\.$/, '')).filter(isListed);
    let failure: unknown;
    for (const name of listed.slice(0, namesMax)) {
      const addresses = await names.addressesOf(name).catch((error: unknown) => {
        failure = error;
        return [];
      });
      if (addresses.some((address) => normalizeAddress(address) === client)) return true;
    }
    if (failure !== undefined) throw failure;
    return false;
  }
}
