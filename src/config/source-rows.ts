/** The rows of `[Virus Sources]`: when a client counts as a source of virus requests, and for how long it is blocked. */
import { domainName, pathPattern } from './endpoint.ts';
import { defineSection } from './table.ts';
import { flag, integer, listOf } from './value.ts';

const statusDefaults = [400, 403, 404, 405, 410, 501];

/** What browsers, feed readers and honest robots ask for without having been led to it. */
const exceptionDefaults = [
  '/',
  '/favicon*',
  '/apple-touch-icon*',
  '/apple-app-site-association',
  '/mstile-*',
  '/browserconfig.xml',
  '/manifest.json',
  '/manifest.webmanifest',
  '/site.webmanifest',
  '/service-worker.js',
  '/sw.js',
  '/opensearch.xml',
  '/crossdomain.xml',
  '/robots.txt',
  '/humans.txt',
  '/security.txt',
  '/llms.txt',
  '/llms-full.txt',
  '/ads.txt',
  '/app-ads.txt',
  '/sellers.json',
  '/sitemap*',
  '/rss',
  '/rss.xml',
  '/feed',
  '/feed/',
  '/feed.xml',
  '/atom.xml',
  '/index.xml',
  '/.well-known/acme-challenge/*',
  '/.well-known/ai-plugin.json',
  '/.well-known/apple-app-site-association',
  '/.well-known/appspecific/com.chrome.devtools.json',
  '/.well-known/assetlinks.json',
  '/.well-known/caldav',
  '/.well-known/carddav',
  '/.well-known/change-password',
  '/.well-known/dnt-policy.txt',
  '/.well-known/gpc.json',
  '/.well-known/host-meta',
  '/.well-known/http-opportunistic',
  '/.well-known/matrix/*',
  '/.well-known/mta-sts.txt',
  '/.well-known/nodeinfo',
  '/.well-known/oauth-authorization-server',
  '/.well-known/openid-configuration',
  '/.well-known/passkey-endpoints',
  '/.well-known/related-website-set.json',
  '/.well-known/resource-that-should-not-exist-whose-status-code-should-not-be-200',
  '/.well-known/security.txt',
  '/.well-known/traffic-advice',
  '/.well-known/webfinger',
];

/** Search engines that say in their documents by which names their crawlers can be told. */
const crawlerDefaults = [
  'googlebot.com',
  'google.com',
  'search.msn.com',
  'yandex.com',
  'yandex.ru',
  'yandex.net',
  'applebot.apple.com',
  'crawl.baidu.com',
  'crawl.baidu.jp',
  'crawl.yahoo.net',
];

/** How long a block may be at most, here and on the console. */
export const blockSecondsRange = { min: 1, max: 31_536_000 } as const;

/** `[Virus Sources]`. */
export const sourcesSection = defineSection({
  name: 'Virus Sources',
  help: 'Who quickly asks for many things that no one was ever served is a scanner, whatever it asks for. All its requests are then blocked for a while, as VirusAction says. The address of a client is its source, for IPv6 the /64 around it; behind TrustedProxies it is the address that they name. NeverBlock and Mode=detect hold. docs/detection.md tells more.',
  rows: {
    SourceBlocking: {
      type: flag,
      default: '1',
      shipped: '1',
      live: true,
      help: 'Whether sources are watched and blocked. At 0 nothing is counted, and nobody is blocked, not even by `virus block`. It needs ScanVirusPatterns=1.',
    },
    MissLimit: {
      type: integer({ min: 2, max: 1000 }, 'targets'),
      default: '5',
      live: true,
      help: 'So many different misses within MissInterval block their source. A miss is a path that an origin refuses (MissStatus) and has not served to anyone for as long as ServedMemoryHours reaches back. What a page of this site has led to, by its Referer, does not count.',
    },
    MissInterval: {
      type: integer({ min: 1, max: 3600 }, 'seconds'),
      default: '60',
      live: true,
      help: 'The interval of MissLimit. It slides: what counts is the last so many seconds.',
    },
    VirusLimit: {
      type: integer({ min: 1, max: 1000 }, 'requests'),
      default: '2',
      live: true,
      help: 'So many requests within BlockSeconds that match a pattern or hold a confirmed keyword block their source.',
    },
    BlockSeconds: {
      type: integer({ min: 1, max: 86_400 }, 'seconds'),
      default: '600',
      live: true,
      help: 'How long a source is blocked at first. Every further block lasts twice as long as the one before, and every request that comes meanwhile has the block begin anew.',
    },
    BlockSecondsMax: {
      type: integer(blockSecondsRange, 'seconds'),
      default: '86400',
      live: true,
      help: 'How long a source is blocked at most. One that was not blocked for so long begins with BlockSeconds again. At least BlockSeconds.',
    },
    MaxSources: {
      type: integer({ min: 100, max: 10_000_000 }, 'sources'),
      default: '100000',
      live: true,
      help: 'How many sources are kept, watched and blocked ones together; with the default limits each takes 1 KiB at most. Beyond it the one that was quiet for longest is forgotten, a blocked one only when there are no others (`sources_forgotten`).',
    },
    MissStatus: {
      type: listOf(integer({ min: 400, max: 599 }), 'comma list of statuses from 400 to 599'),
      default: statusDefaults.join(', '),
      live: true,
      help: 'The answers of an origin that make a miss. 401 may be added where nobody is asked for a password.',
    },
    MissExceptions: {
      type: listOf(pathPattern, 'comma list of paths, a * at the end stands for anything'),
      default: exceptionDefaults.join(', '),
      live: true,
      help: 'Paths that are never a miss, because browsers and robots ask for them unbidden. They are compared decoded and without dot segments.',
    },
    Crawlers: {
      type: listOf(domainName, 'comma list of domain names'),
      default: crawlerDefaults.join(', '),
      live: true,
      help: 'The domains of search engines whose crawlers are not blocked for misses. The address of a source that has reached MissLimit is looked up: the name that it has must lie in one of the domains, and must in turn have that address. Empty: nobody is looked up.',
    },
    MaxCrawlerLookups: {
      type: integer({ min: 1, max: 1024 }),
      default: '16',
      live: true,
      help: 'How many sources are looked up at once, each for NameTimeout at most. Further ones are blocked without (`source_lookups_refused`).',
    },
  },
});
