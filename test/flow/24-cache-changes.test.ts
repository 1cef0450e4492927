/**
 * Variants, HEAD, what unsafe requests take out, and what Cache-Status tells of it all (RFC 9111 §§4.1, 4.3.5,
 * 4.4, RFC 9211), on both lanes.
 */
import { after } from 'node:test';
import { ago, type Case, playCases, type Step, startCacheLanes } from '../support/cache-lanes.ts';

const lanes = await startCacheLanes({ after }, ['MaxCacheVariants=3']);

const stored = 'fwd=uri-miss; fwd-status=200; stored';
const fresh = 'Cache-Control: max-age=600';
const hit: Step = { body: 'one', cache: 'hit' };

function storing(lines: readonly string[] = [], body = 'one'): Step {
  return { origin: { lines: [fresh, ...lines], body }, body, cache: stored };
}

const varyMiss = 'fwd=vary-miss; fwd-status=200; stored';

/** One variant, and whether another request gets it. */
function selects(vary: string, first: string, second: string): Step[] {
  return [
    { ...storing([`Vary: ${vary}`]), lines: first === '' ? [] : [first] },
    { ...hit, lines: second === '' ? [] : [second] },
  ];
}
function selectsNot(vary: string, first: string, second: string): Step[] {
  const other = { ...storing([`Vary: ${vary}`], 'two'), cache: varyMiss };
  return [
    ...selects(vary, first, first),
    { ...other, lines: second === '' ? [] : [second] },
    { ...hit, lines: first === '' ? [] : [first] },
    { body: 'two', cache: 'hit', lines: second === '' ? [] : [second] },
  ];
}

const variants: Case[] = [
  ['§4.1: the same value', ...selects('X-A', 'X-A: 1', 'x-a: 1')],
  ['§4.1: blanks around commas make no difference', ...selects('X-A', 'X-A: 1,2', 'X-A: 1 ,  2')],
  ['§4.1: a field that is missing in both', ...selects('X-A', '', '')],
  ['§4.1: another value', ...selectsNot('X-A', 'X-A: 1', 'X-A: 2')],
  ['§4.1: the case of a value', ...selectsNot('X-A', 'X-A: a', 'X-A: A')],
  ['§4.1: missing is not the same as empty', ...selectsNot('X-A', '', 'X-A: ')],
  ['§4.1: fields in any case', ...selectsNot('x-A, X-b', 'X-B: 1', 'X-B: 2')],
  [
    '§4.1: codings in any order and case',
    ...selects('Accept-Encoding', 'Accept-Encoding: gzip, BR', 'Accept-Encoding: br,gzip'),
  ],
  [
    '§4.1: other codings',
    ...selectsNot('Accept-Encoding', 'Accept-Encoding: gzip', 'Accept-Encoding: br'),
  ],
  [
    '§4.1: one of several fields is enough to differ',
    ...selectsNot('X-A, Accept-Language', 'Accept-Language: de', 'Accept-Language: en'),
  ],
  [
    'MaxCacheVariants: beyond it the one that was not used for longest goes',
    { ...storing(['Vary: X-A'], '1'), lines: ['X-A: 1'] },
    ...['2', '3', '4', '5'].map(
      (value): Step => ({
        ...storing(['Vary: X-A'], value),
        lines: [`X-A: ${value}`],
        cache: varyMiss,
      }),
    ),
    { lines: ['X-A: 5'], body: '5', cache: 'hit' },
  ],
];

const heads: Case[] = [
  [
    '§4.3.5: HEAD is answered from what GET has brought',
    storing(['X-A: 1'], 'four'),
    { method: 'HEAD', body: '', cache: 'hit', sees: { 'content-length': '4', 'x-a': '1' } },
  ],
  [
    '§4.3.5: the answer to a HEAD freshens what is stored',
    { origin: { lines: ['Cache-Control: max-age=10', 'Age: 20', 'ETag: "a"'], body: 'one' } },
    {
      method: 'HEAD',
      origin: { lines: [fresh, 'ETag: "a"', 'Content-Length: 3', 'X-New: 1'] },
      cache: 'fwd=stale',
    },
    { ...hit, ttl: 600, sees: { 'x-new': '1' } },
  ],
  ...['ETag: "b"', 'Content-Length: 9', `Last-Modified: ${ago(100)}`].map(
    (line): Case => [
      `§4.3.5: a HEAD with another ${line.split(':')[0]} makes it stale`,
      storing(['ETag: "a"', `Last-Modified: ${ago(5000)}`]),
      {
        method: 'HEAD',
        lines: ['Cache-Control: no-cache'],
        origin: { lines: [fresh, line] },
        cache: 'fwd=request',
      },
      {
        origin: { lines: [fresh], body: 'two' },
        body: 'two',
        cache: 'fwd=stale; fwd-status=200; stored',
      },
    ],
  ),
  [
    '§4.3.5: a HEAD that fails changes nothing',
    storing(['ETag: "a"']),
    { method: 'HEAD', lines: ['Cache-Control: no-cache'], origin: { status: 500 }, status: 500 },
    hit,
  ],
];

const body = ['Content-Length: 0'];
/** Stored, then an unsafe request, then asked for again. */
function unsafe(method: string, status: number, lines: readonly string[] = []): Step[] {
  return [storing(), { method, lines: body, origin: { status, lines }, status }];
}
const again: Step = { ...storing([], 'two') };

const changes: Case[] = [
  ...['POST', 'PUT', 'PATCH', 'DELETE'].flatMap((method): Case[] => [
    [`§4.4: ${method} takes it out`, ...unsafe(method, 200), again],
    [`§4.4: ${method} with a redirect does`, ...unsafe(method, 303), again],
    [`§4.4: ${method} that fails does not`, ...unsafe(method, 404), hit],
  ]),
  ['§4.4: OPTIONS is safe', ...unsafe('OPTIONS', 200), hit],
  ...['Location', 'Content-Location'].flatMap((field): Case[] => [
    [
      `§4.4: ${field} of the answer, relative`,
      { ...storing(), path: 'x?b' },
      { ...unsafe('POST', 201, [`${field}: {path}x?b`])[1], path: 'y' } as Step,
      { ...again, path: 'x?b' },
    ],
    [
      `§4.4: ${field} of the answer on the same host`,
      { ...storing(), path: 'x' },
      { ...unsafe('POST', 201, [`${field}: http://SITE.test:80{path}x#f`])[1], path: 'y' } as Step,
      { ...again, path: 'x' },
    ],
    [
      `§4.4: ${field} on another host is nobody’s business`,
      { ...storing(), path: 'x' },
      { ...unsafe('POST', 201, [`${field}: http://other.test{path}x`])[1], path: 'y' } as Step,
      { ...hit, path: 'x' },
    ],
  ]),
  [
    '§4.4: every variant goes',
    { ...storing(['Vary: X-A']), lines: ['X-A: 1'] },
    { ...storing(['Vary: X-A']), lines: ['X-A: 2'], cache: varyMiss },
    { method: 'DELETE', origin: {} },
    { ...again, lines: ['X-A: 1'] },
  ],
];

const words: Case[] = [
  ['RFC 9211 §2.2: method', { method: 'POST', lines: body, origin: {}, cache: 'fwd=method' }],
  [
    'RFC 9211 §2.2: bypass, because of content; it is not stored either',
    {
      content: 'abc',
      origin: { lines: [fresh], body: 'abc' },
      cache: 'fwd=bypass; detail=content',
    },
    storing(),
    { content: 'abc', origin: { lines: [fresh], body: 'abc' }, body: 'abc' },
    hit,
  ],
  ['RFC 9211 §2.2: method, of OPTIONS', { method: 'OPTIONS', origin: {}, cache: 'fwd=method' }],
  [
    'RFC 9211 §2.2: bypass, because of credentials',
    storing(),
    { lines: ['Authorization: a'], origin: {}, cache: 'fwd=bypass; detail=authorization' },
  ],
  [
    'RFC 9211 §2.2: request, because of a precondition',
    storing(['ETag: "a"']),
    {
      lines: ['If-Match: "b"'],
      origin: { status: 412 },
      status: 412,
      cache: 'fwd=request; detail=precondition',
    },
  ],
  [
    'RFC 9211 §2: what the origin’s own caches say comes first',
    {
      origin: { lines: [fresh, 'Cache-Status: Inner; hit'], body: 'one' },
      cache: 'Inner; hit, wormgate; fwd=uri-miss; fwd-status=200; stored',
    },
    { body: 'one', cache: 'Inner; hit, wormgate; hit' },
  ],
  [
    'RFC 9211 §2.6: ttl of what is fresh and of what is not',
    {
      origin: { lines: ['Cache-Control: max-age=600', 'Age: 1600', 'ETag: "a"'], body: 'one' },
      ttl: -1000,
    },
    { lines: ['Cache-Control: max-stale'], cache: 'hit', ttl: -1000 },
    {
      origin: { status: 304, lines: [fresh] },
      cache: 'fwd=stale; fwd-status=304; stored',
      ttl: 600,
    },
    { cache: 'hit', ttl: 600 },
  ],
];

playCases('RFC 9111: variants', lanes, variants);
playCases('RFC 9111: HEAD', lanes, heads);
playCases('RFC 9111: changes', lanes, changes);
playCases('Cache-Status', lanes, words);
