/** The rows of `[Cache]`: how much is kept, for how long where the origin does not say, and who may purge. */
import { network } from './endpoint.ts';
import { defineSection } from './table.ts';
import { flag, integer, listOf } from './value.ts';

const daysMax = 31_536_000;

/** `[Cache]`. */
export const cacheSection = defineSection({
  name: 'Cache',
  help: 'The cache of all accelerators with Cache=1, in memory. What is stored, and for how long, the origin says in Cache-Control; these are the bounds, and what holds where it says nothing.',
  rows: {
    MaxCacheSize: {
      type: integer({ min: 1_048_576, max: 1_099_511_627_776 }, 'bytes'),
      default: '67108864',
      live: true,
      help: 'How much memory the stored answers take together, with their heads and what it takes to find them. Beyond it, those that were not used for longest are evicted (`cache_evicted`).',
    },
    MaxCacheObject: {
      type: integer({ min: 1024, max: 1_073_741_824 }, 'bytes'),
      default: '4194304',
      live: true,
      help: 'The largest answer that is stored, head included. Larger ones are relayed (`cache_too_large`). At most MaxCacheSize.',
    },
    MaxCacheEntries: {
      type: integer({ min: 1, max: 10_000_000 }, 'answers'),
      default: '100000',
      live: true,
      help: 'How many answers are stored.',
    },
    MaxCacheVariants: {
      type: integer({ min: 1, max: 1000 }, 'answers'),
      default: '16',
      live: true,
      help: 'How many answers are stored for one URL whose answers differ by the fields that Vary names.',
    },
    DefaultTtl: {
      type: integer({ min: 0, max: daysMax }, 'seconds'),
      default: '0',
      live: true,
      help: 'How long an answer is fresh that has neither max-age, s-maxage or Expires nor Last-Modified. 0: such answers are not served from the cache without asking the origin. Answers to requests with a cookie are left out.',
    },
    HeuristicFraction: {
      type: integer({ min: 0, max: 100 }, 'percent'),
      default: '10',
      live: true,
      help: 'How long an answer with Last-Modified is fresh where the origin does not say: this part of the time since. 0 turns that off. Answers to requests with a cookie are left out.',
    },
    HeuristicMax: {
      type: integer({ min: 0, max: daysMax }, 'seconds'),
      default: '86400',
      live: true,
      help: 'The longest time that HeuristicFraction comes to.',
    },
    StaleWhileRevalidateDefault: {
      type: integer({ min: 0, max: daysMax }, 'seconds'),
      default: '0',
      live: true,
      help: 'How long an answer that has become stale is served once more while the origin is asked in the background, where the answer has no stale-while-revalidate of its own. What must be revalidated never is.',
    },
    StaleIfErrorDefault: {
      type: integer({ min: 0, max: daysMax }, 'seconds'),
      default: '0',
      live: true,
      help: 'How long an answer that has become stale stands in for an origin that cannot be reached or answers 500, 502, 503 or 504, where the answer has no stale-if-error of its own. What must be revalidated never does.',
    },
    IgnoreClientNoCache: {
      type: flag,
      default: '0',
      live: true,
      help: 'Whether no-cache, no-store, max-age and min-fresh of clients, and Pragma, are ignored, so that nobody reaches the origin by pressing reload.',
    },
    CacheStatusHeader: {
      type: flag,
      default: '1',
      live: true,
      help: 'Whether answers carry Cache-Status, which says whether and why not they came from the cache.',
    },
    PurgeAllow: {
      type: listOf(network, 'comma list of CIDRs'),
      default: '',
      defaultNote: 'empty: nobody',
      example: '127.0.0.1, 10.1.0.0/16',
      live: true,
      help: 'Who may take a URL out of the cache with a PURGE request. Others are answered 403. The console (`cache purge`) can always. Behind a proxy in TrustedProxies the address that it names counts.',
    },
  },
});
