/** The cache, put together: what is stored, how it is used, and the settings of both. Follows reloads. */
import type { PolicyRules } from './cache/policy.ts';
import { CacheStore, type StoreBounds } from './cache/store.ts';
import type { Clock } from './clock.ts';
import type { CacheSettings, Settings } from './config/shape.ts';
import { Deliveries } from './delivery/deliveries.ts';
import type { Statistics } from './statistics.ts';

export interface CachingOptions {
  readonly settings: () => Settings;
  readonly clock: Clock;
  readonly statistics: Statistics;
  /** Told of the key of stored answers that may be wrong since a request of a client. */
  readonly onForgotten?: (key: string) => void;
}

export class Caching {
  readonly store: CacheStore;
  readonly deliveries: Deliveries;
  readonly #options: CachingOptions;

  constructor(options: CachingOptions) {
    const { settings, clock, statistics, onForgotten } = options;
    this.#options = options;
    this.store = new CacheStore(boundsOf(settings().cache), (count) => {
      statistics.add('cache_evicted', count);
    });
    this.deliveries = new Deliveries({
      store: this.store,
      rules: (): PolicyRules => settings().cache,
      answerBytesMax: () => settings().cache.answerBytesMax,
      clock,
      statistics,
      ...(onForgotten !== undefined && { onForgotten }),
    });
  }

  /** Follows a reload. */
  applySettings(): void {
    const { cache, accelerators } = this.#options.settings();
    this.store.configure(boundsOf(cache));
    // What is done to a site without a cache is not seen: what was stored for it may be wrong by the time it has one.
    const kept = new Set(accelerators.filter((each) => each.cache).map(({ name }) => name));
    this.store.keepAccelerators(kept);
  }

  close(): void {
    this.deliveries.close();
  }
}

function boundsOf(settings: CacheSettings): StoreBounds {
  const { bytesMax, answerBytesMax, answersMax, variantsMax } = settings;
  return { bytesMax, answerBytesMax, answersMax, variantsMax };
}
