/**
 * How long what is stored is fresh, how old it is, and what happens then (RFC 9111 §§4.2, 5.1, 5.2, RFC 5861,
 * RFC 9213), as client and origin see it, on both lanes.
 */
import { after } from 'node:test';
import {
  ago,
  type Case,
  playCases,
  type Reply,
  type Step,
  startCacheLanes,
} from '../support/cache-lanes.ts';

const lanes = await startCacheLanes({ after });

const stored = 'fwd=uri-miss; fwd-status=200; stored';
const asked: Step = { origin: { lines: ['Cache-Control: max-age=600'], body: 'two' }, body: 'two' };

/** Stores `lines`, asks again. */
function then(lines: readonly string[], second: Step): Step[] {
  const body = 'one';
  const first: Step = { origin: { lines, body }, body, cache: stored };
  return [first, second.cache?.startsWith('hit') === true ? { body, ...second } : second];
}

function freshFor(ttl: number, ...lines: string[]): Step[] {
  return then(lines, { cache: 'hit', ttl });
}

/** What is stale is asked for again; without validators, as a whole. */
function isStale(...lines: string[]): Step[] {
  return then(lines, { ...asked, cache: 'fwd=stale; fwd-status=200; stored' });
}

const lifetimes: Case[] = [
  ['§4.2.1: max-age', ...freshFor(600, 'Cache-Control: max-age=600')],
  ['§4.2.1: s-maxage before max-age', ...freshFor(900, 'Cache-Control: max-age=600, s-maxage=900')],
  [
    '§4.2.1: max-age before Expires',
    ...freshFor(600, 'Cache-Control: max-age=600', `Expires: ${ago(1000)}`),
  ],
  ['§4.2.1: Expires less Date', ...freshFor(500, `Date: ${ago(100)}`, `Expires: ${ago(-500)}`)],
  ['§5.3: Expires that is no date is stale', ...isStale('Expires: 0', 'ETag: "a"')],
  [
    '§5.3: the obsolete forms of a date are read',
    ...freshFor(
      1_000_000,
      'Expires: Sunday, 06-Nov-94 08:49:37 GMT',
      'Cache-Control: max-age=1000000',
    ),
  ],
  [
    '§4.2.1: of several the first counts',
    ...freshFor(600, 'Cache-Control: max-age=600, max-age=1'),
  ],
  [
    '§1.2.2: a number that is too large is very long',
    ...freshFor(2147483648, 'Cache-Control: max-age=99999999999999'),
  ],
  ['§5.2: a number in quotation marks is read', ...freshFor(600, 'Cache-Control: max-age="600"')],
  ['§4.2.1: a number that is none is stale', ...isStale('Cache-Control: max-age=1.5', 'ETag: "a"')],
  ['§5.2: a negative one, too', ...isStale('Cache-Control: max-age=-1', 'ETag: "a"')],
  [
    '§4.2.2: a tenth of the time since Last-Modified',
    ...freshFor(10_000, `Last-Modified: ${ago(100_000)}`),
  ],
  ['§4.2.2: a day at most', ...freshFor(86_400, `Last-Modified: ${ago(100_000_000)}`)],
  [
    '§4.2.2: not for a request with a cookie',
    { lines: ['Cookie: a=1'], origin: { lines: [`Last-Modified: ${ago(100_000)}`], body: 'one' } },
    { ...asked, cache: 'fwd=uri-miss; fwd-status=200; stored' },
  ],
];

const ages: Case[] = [
  [
    '§4.2.3: the Age that it came with',
    ...then(['Cache-Control: max-age=600', 'Age: 100'], { cache: 'hit', age: 100, ttl: 500 }),
  ],
  [
    '§4.2.3: the time since its Date',
    ...then(['Cache-Control: max-age=600', `Date: ${ago(200)}`], {
      cache: 'hit',
      age: 200,
      ttl: 400,
    }),
  ],
  [
    '§4.2.3: the larger of both',
    ...then(['Cache-Control: max-age=600', `Date: ${ago(100)}`, 'Age: 200'], {
      cache: 'hit',
      age: 200,
      ttl: 400,
    }),
  ],
  [
    '§4.2.3: a Date that is to come does not make it younger',
    ...then(['Cache-Control: max-age=600', `Date: ${ago(-5000)}`], {
      cache: 'hit',
      age: 0,
      ttl: 600,
    }),
  ],
  [
    '§5.1: an Age that is no number does not count',
    ...then(['Cache-Control: max-age=600', 'Age: old'], { cache: 'hit', age: 0 }),
  ],
  [
    '§5.1: of several the first counts',
    ...then(['Cache-Control: max-age=600', 'Age: 100, 7'], { cache: 'hit', age: 100 }),
  ],
  [
    '§5.1: there is one Age, and it is ours',
    ...then(['Cache-Control: max-age=600', 'age: 100'], { cache: 'hit', age: 100 }),
  ],
  [
    '§5.1: the first client is told of it, too',
    { origin: { lines: ['Cache-Control: max-age=600', 'Age: 100'], body: 'one' }, age: 100 },
  ],
  [
    '§4.2.3: what comes too old is stale at once',
    ...isStale('Cache-Control: max-age=600', 'Age: 700'),
  ],
  [
    '§4.2.3: at exactly its lifetime it is stale',
    ...isStale('Cache-Control: max-age=600', 'Age: 600'),
  ],
];

/** Fresh for 500 seconds more, and 100 old. */
const halfOld = ['Cache-Control: max-age=600', 'Age: 100'];

function wants(directive: string, second: Step, lines: readonly string[] = halfOld): Step[] {
  return then(lines, { ...second, lines: [directive] });
}
const anew: Step = { ...asked, cache: 'fwd=request; fwd-status=200; stored' };
const hit: Step = { cache: 'hit' };
const oldLines = ['Cache-Control: max-age=600', 'Age: 1600'];
const none: Step = { status: 504, cache: '' };

const requests: Case[] = [
  ['§5.2.1.1: max-age that it has passed', ...wants('Cache-Control: max-age=50', anew)],
  ['§5.2.1.1: max-age that it has not', ...wants('Cache-Control: max-age=5000', hit)],
  ['§5.2.1.1: max-age=0', ...wants('Cache-Control: max-age=0', anew)],
  [
    '§5.2.1.2: max-stale without a number',
    ...wants('Cache-Control: max-stale', { ...hit, ttl: -1000 }, oldLines),
  ],
  [
    '§5.2.1.2: max-stale that covers it',
    ...wants('Cache-Control: max-stale=5000', { ...hit, ttl: -1000 }, oldLines),
  ],
  [
    '§5.2.1.2: max-stale that does not',
    ...wants(
      'Cache-Control: max-stale=100',
      { ...asked, cache: 'fwd=stale; fwd-status=200; stored' },
      oldLines,
    ),
  ],
  ['§5.2.1.3: min-fresh that it has', ...wants('Cache-Control: min-fresh=100', hit)],
  ['§5.2.1.3: min-fresh that it has not', ...wants('Cache-Control: min-fresh=550', anew)],
  ['§5.2.1.4: no-cache', ...wants('Cache-Control: no-cache', anew)],
  ['§5.2.1.5: no-store is served what is stored', ...wants('Cache-Control: no-store', hit)],
  ['§5.2.1.7: only-if-cached, and it is', ...wants('Cache-Control: only-if-cached', hit)],
  [
    '§5.2.1.7: only-if-cached, and it is stale',
    ...wants('Cache-Control: only-if-cached', none, oldLines),
  ],
  [
    '§5.2.1.7: only-if-cached and nothing there',
    { ...none, lines: ['Cache-Control: only-if-cached'] },
  ],
  ['§5.4: Pragma', ...wants('Pragma: no-cache', anew)],
  [
    '§5.4: not beside Cache-Control',
    ...then(halfOld, { ...hit, lines: ['Pragma: no-cache', 'Cache-Control: max-age=500'] }),
  ],
  ['§5.2: an unknown directive is ignored', ...wants('Cache-Control: frob=1', hit)],
];

const broken: Reply = { status: 503, body: 'broken' };

/** What a stale answer becomes when the origin fails. */
function failing(directives: string, age: number, second: Step): Step[] {
  return then([`Cache-Control: ${directives}`, `Age: ${age}`], second);
}
const standsIn = (origin: Reply | 'gone'): Step => ({
  origin,
  status: 200,
  body: 'one',
  age: 1600,
});

const staleness: Case[] = [
  [
    'RFC 9111 §4.2.4: stale, and the origin fails',
    ...failing('max-age=600', 1600, { origin: broken, status: 503, body: 'broken' }),
  ],
  [
    'RFC 9111 §4.2.4: stale, and the origin is gone',
    ...failing('max-age=600', 1600, { origin: 'gone', status: 502 }),
  ],
  [
    'RFC 5861 §4: stale-if-error, 503',
    ...failing('max-age=600, stale-if-error=9999', 1600, standsIn(broken)),
  ],
  [
    'RFC 5861 §4: stale-if-error, the origin is gone',
    ...failing('max-age=600, stale-if-error=9999', 1600, standsIn('gone')),
  ],
  [
    'RFC 5861 §4: stale-if-error, for HEAD as well, and what is asked for is a GET',
    ...failing('max-age=600, stale-if-error=9999', 1600, {
      ...standsIn(broken),
      method: 'HEAD',
      body: '',
    }),
  ],
  [
    'RFC 5861 §4: a HEAD that brings something new, for all or for one',
    ...failing('max-age=600, stale-if-error=9999', 1600, {
      method: 'HEAD',
      origin: { lines: ['Cache-Control: max-age=600'], body: 'two' },
      body: '',
      sees: { 'content-length': '3' },
    }),
    { cache: 'hit', body: 'two' },
  ],
  [
    'RFC 5861 §4: stale-if-error is over',
    ...failing('max-age=600, stale-if-error=99', 1600, {
      origin: broken,
      status: 503,
      body: 'broken',
    }),
  ],
  [
    'RFC 5861 §4: 404 is no error',
    ...failing('max-age=600, stale-if-error=9999', 1600, {
      origin: { status: 404, body: 'no' },
      status: 404,
      body: 'no',
    }),
  ],
  ...['must-revalidate', 'proxy-revalidate', 's-maxage=600', 'no-cache'].map(
    (directive): Case => [
      `RFC 9111 §5.2.2: ${directive} forbids it`,
      ...then(
        [`Cache-Control: max-age=600, stale-if-error=9999, ${directive}`, 'Age: 1600', 'ETag: "a"'],
        { origin: broken, status: 503, body: 'broken' },
      ),
      { lines: ['Cache-Control: max-stale'], origin: broken, status: 503, body: 'broken' },
    ],
  ),
  [
    'RFC 5861 §3: stale-while-revalidate, and the next one gets the new one',
    ...failing('max-age=600, stale-while-revalidate=9999', 1600, {
      cache: 'hit',
      ttl: -1000,
      origin: asked.origin as Reply,
      status: 200,
      body: 'one',
    }),
    { cache: 'hit', ttl: 600, body: 'two', isEventual: true },
  ],
  [
    'RFC 5861 §3: HEAD is answered stale, too, and what is asked for is a GET',
    ...failing('max-age=600, stale-while-revalidate=9999', 1600, {
      method: 'HEAD',
      cache: 'hit',
      ttl: -1000,
      origin: asked.origin as Reply,
      status: 200,
      body: '',
    }),
    { cache: 'hit', ttl: 600, body: 'two', isEventual: true },
  ],
  [
    'RFC 5861 §3: a part is answered stale, and what is asked for is the whole',
    ...failing('max-age=600, stale-while-revalidate=9999', 1600, {
      lines: ['Range: bytes=0-0'],
      cache: 'hit',
      origin: asked.origin as Reply,
      heard: { range: undefined },
      status: 206,
      body: 'o',
    }),
    { cache: 'hit', ttl: 600, body: 'two', isEventual: true },
  ],
  [
    'RFC 5861 §3: stale-while-revalidate is over',
    ...failing('max-age=600, stale-while-revalidate=99', 1600, {
      ...asked,
      cache: 'fwd=stale; fwd-status=200; stored',
    }),
  ],
];

const targeted: Case[] = [
  [
    'RFC 9213 §2.2: CDN-Cache-Control before Cache-Control',
    ...freshFor(900, 'Cache-Control: no-store', 'CDN-Cache-Control: max-age=900'),
  ],
  [
    'RFC 9213 §2.2: and before Expires',
    ...freshFor(900, 'Expires: 0', 'CDN-Cache-Control: max-age=900'),
  ],
  [
    'RFC 9213 §2.2: no-store of its own',
    {
      origin: { lines: ['Cache-Control: max-age=600', 'CDN-Cache-Control: no-store'], body: 'one' },
      cache: 'fwd=uri-miss; fwd-status=200; detail=no-store',
    },
    { origin: { body: 'two' }, body: 'two' },
  ],
  [
    'RFC 9213 §2.1: broken, it does not count',
    ...freshFor(600, 'Cache-Control: max-age=600', 'CDN-Cache-Control: max-age="900"'),
  ],
  [
    'RFC 9213 §2.1: empty neither',
    ...freshFor(600, 'Cache-Control: max-age=600', 'CDN-Cache-Control: '),
  ],
  [
    'RFC 9213 §3.1: it is passed on to whoever comes next',
    ...then(['CDN-Cache-Control: max-age=900'], {
      ...hit,
      sees: { 'cdn-cache-control': 'max-age=900' },
    }),
  ],
];

playCases('RFC 9111: lifetimes', lanes, lifetimes);
playCases('RFC 9111: ages', lanes, ages);
playCases('RFC 9111: what clients ask for', lanes, requests);
playCases('stale answers', lanes, staleness);
playCases('targeted fields', lanes, targeted);
