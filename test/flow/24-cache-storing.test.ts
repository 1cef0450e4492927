/** Which answers the cache stores, and what of them (RFC 9111 §3), as client and origin see it, on both lanes. */
import { after } from 'node:test';
import { ago, type Case, playCases, type Step, startCacheLanes } from '../support/cache-lanes.ts';

const lanes = await startCacheLanes({ after });

const stored = 'fwd=uri-miss; fwd-status=200; stored';

/** Asked for twice, and the second time it comes from the store. */
function kept(lines: readonly string[], changed: Partial<Step> = {}): Step[] {
  const { origin, status = 200, ...rest } = changed;
  const reply = { status, lines, body: status === 204 ? '' : 'one', ...(origin as object) };
  const cache = `fwd=uri-miss; fwd-status=${status}; stored`;
  return [
    { ...rest, origin: reply, status, body: reply.body, cache },
    { ...rest, status, body: reply.body, cache: 'hit' },
  ];
}

/** Asked for twice, and the origin twice. */
function passed(
  lines: readonly string[],
  detail: string,
  changed: Partial<Step> = {},
  status = 200,
): Step[] {
  const asking = (body: string): Step => ({
    ...changed,
    origin: { status, lines, body: status === 304 ? '' : body },
    status,
    body: status === 304 ? '' : body,
    cache: `fwd=uri-miss; fwd-status=${status}; detail=${detail}`,
  });
  return [asking('one'), asking('two')];
}

const fresh = 'Cache-Control: max-age=600';
const old = `Last-Modified: ${ago(1_000_000)}`;

const byStatus: Case[] = [
  ...[200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501].map(
    (status): Case => [
      `RFC 9110 §15.1: ${status} is fresh by heuristics`,
      ...kept([old], { status }),
    ],
  ),
  ...[201, 302, 303, 307, 400, 403, 500, 503].flatMap((status): Case[] => [
    [
      `RFC 9110 §15.1: ${status} is not stored by heuristics`,
      ...passed([old], 'status', {}, status),
    ],
    [`RFC 9111 §3: ${status} is stored when it says so`, ...kept([fresh], { status })],
  ]),
  ...[304, 412, 416, 428, 429, 431, 511].map(
    (status): Case => [
      `RFC 9110 §15, RFC 6585: ${status} is never stored`,
      ...passed([fresh], 'status', {}, status),
    ],
  ),
  [
    'RFC 9111 §3.3: a part that nobody asked for is not stored',
    ...passed([fresh, 'Content-Range: bytes 0-2/9'], 'partial', {}, 206),
  ],
];

const byDirective: Case[] = [
  ['RFC 9111 §3: max-age is enough', ...kept([fresh])],
  ['RFC 9111 §3: s-maxage is enough', ...kept(['Cache-Control: s-maxage=600'])],
  ['RFC 9111 §3: Expires is enough', ...kept([`Expires: ${ago(-600)}`])],
  ['RFC 9111 §3: public with Last-Modified is', ...kept(['Cache-Control: public', old])],
  ['RFC 9111 §3: nothing at all is not', ...passed([], 'not-fresh')],
  [
    'RFC 9111 §3: of no use is what is stale and cannot be asked about',
    ...passed(['Cache-Control: max-age=0'], 'not-fresh'),
  ],
  [
    'RFC 9111 §3: what is stale but has a tag is stored, and asked about',
    {
      origin: { lines: ['Cache-Control: max-age=0', 'ETag: "a"'], body: 'one' },
      cache: stored,
    },
    {
      origin: { status: 304, lines: ['ETag: "a"'] },
      heard: { 'if-none-match': '"a"' },
      body: 'one',
      cache: 'fwd=stale; fwd-status=304; stored',
    },
  ],
  ['RFC 9111 §5.2.2.5: no-store', ...passed(['Cache-Control: no-store, max-age=600'], 'no-store')],
  ['RFC 9111 §5.2.2.7: private', ...passed(['Cache-Control: private, max-age=600'], 'private')],
  [
    'RFC 9111 §5.2: a directive in any case, in several lines, counts',
    ...passed(['Cache-Control: max-age=600', 'Cache-Control: , NO-STORE'], 'no-store'),
  ],
  [
    'RFC 9111 §5.2: what stands within quotation marks is no directive',
    ...kept(['Cache-Control: x="no-store, private", max-age=600']),
  ],
  [
    'RFC 9111 §5.2.2.3: must-understand with a known status overrides no-store',
    ...kept(['Cache-Control: must-understand, no-store, max-age=600']),
  ],
  [
    'RFC 9111 §5.2.2.3: must-understand with an unknown status forbids',
    ...passed(['Cache-Control: must-understand, max-age=600'], 'status', {}, 299),
  ],
  ['RFC 9111 §4.1: Vary: * is not stored', ...passed([fresh, 'Vary: *'], 'vary-star')],
  [
    'RFC 9111 §4.1: nor is a list with * in it',
    ...passed([fresh, 'Vary: accept', 'Vary: a, *'], 'vary-star'),
  ],
  ['RFC 9111 §7.3: Set-Cookie is not stored', ...passed([fresh, 'Set-Cookie: a=1'], 'set-cookie')],
  [
    'RFC 9111 §7.3: nor with public',
    ...passed(['Cache-Control: public, max-age=600', 'Set-Cookie: a=1'], 'set-cookie'),
  ],
  [
    'RFC 9111 §5.2.1.5: the request’s no-store forbids to store',
    ...passed([fresh], 'request-no-store', { lines: ['Cache-Control: no-store'] }),
  ],
];

const byMethod: Case[] = [
  [
    'RFC 9111 §3: the answer to a POST is not stored',
    { method: 'POST', lines: ['Content-Length: 0'], origin: { lines: [fresh], body: 'posted' } },
    { origin: { lines: [fresh], body: 'got' }, body: 'got', cache: stored },
  ],
  [
    'RFC 9111 §3: nor that to a HEAD, and GET is not answered from it',
    { method: 'HEAD', origin: { lines: [fresh], body: 'one' }, cache: 'fwd=uri-miss' },
    { origin: { lines: [fresh], body: 'one' }, body: 'one', cache: stored },
  ],
  [
    'RFC 9110 §9.3.1: a GET that announces no content is like any other',
    { lines: ['Content-Length: 0'], origin: { lines: [fresh], body: 'one' }, cache: stored },
    { cache: 'hit' },
    { lines: ['Content-Length: 0'], cache: 'hit' },
  ],
  [
    'RFC 9111 §2: the query is part of the key, byte for byte',
    { path: '?a=%41', origin: { lines: [fresh], body: 'one' }, cache: stored },
    { path: '?a=A', origin: { lines: [fresh], body: 'two' }, cache: stored },
    { path: '?a=%41', body: 'one', cache: 'hit' },
    { path: '?a=A', body: 'two', cache: 'hit' },
  ],
];

const bearer = ['Authorization: Bearer a'];

/** What somebody with credentials was answered, and what others get then. */
function sharedByAll(directives: string): Step[] {
  const lines = [`Cache-Control: ${directives}`, 'ETag: "a"'];
  return [
    { lines: bearer, origin: { lines, body: 'one' }, body: 'one', cache: stored },
    { lines: ['Authorization: Bearer b'], body: 'one', cache: 'hit' },
    { body: 'one', cache: 'hit' },
  ];
}

const byCredentials: Case[] = [
  [
    'RFC 9111 §3.5: with public, answers to Authorization are for all',
    ...sharedByAll('public, max-age=600'),
  ],
  ['RFC 9111 §3.5: with s-maxage they are', ...sharedByAll('s-maxage=600')],
  ['RFC 9111 §3.5: with must-revalidate they are', ...sharedByAll('must-revalidate, max-age=600')],
  [
    'RFC 9111 §3.5: with max-age alone they are not stored',
    ...passed([fresh], 'authorization', { lines: bearer }),
  ],
  [
    'RFC 9111 §3.5: who has credentials is not given what nobody’s were answered',
    { origin: { lines: [fresh], body: 'for all' }, cache: stored },
    {
      lines: bearer,
      origin: { lines: [fresh], body: 'for one' },
      body: 'for one',
      heard: { authorization: 'Bearer a' },
    },
    { body: 'for all', cache: 'hit' },
  ],
];

const fields: Case[] = [
  [
    'RFC 9111 §3.1: what is hop-by-hop is not stored',
    {
      origin: {
        lines: [fresh, 'Connection: X-Hop', 'X-Hop: 1', 'Keep-Alive: timeout=5', 'X-Kept: 1'],
        body: 'one',
      },
      sees: { 'x-hop': undefined, 'keep-alive': undefined, 'x-kept': '1' },
    },
    { cache: 'hit', sees: { 'x-hop': undefined, 'keep-alive': undefined, 'x-kept': '1' } },
  ],
  [
    'RFC 9111 §3.1: fields and their order and case are as they came, repeated ones too',
    { origin: { lines: [fresh, 'x-B: 1', 'X-a: gr\xfc\xdf', 'x-B: 2'], body: 'one' } },
    { cache: 'hit', sees: { 'x-b': '1, 2', 'x-a': 'gr\xfc\xdf' } },
  ],
  ...['private', 'no-cache'].map(
    (directive): Case => [
      `RFC 9111 §5.2.2: ${directive} with fields keeps those fields for who asked`,
      {
        origin: {
          lines: [`Cache-Control: max-age=600, ${directive}="X-One"`, 'X-One: 1', 'X-Two: 2'],
          body: 'one',
        },
        cache: stored,
        sees: { 'x-one': '1', 'x-two': '2' },
      },
      { cache: 'hit', sees: { 'x-one': undefined, 'x-two': '2' } },
    ],
  ),
  [
    'RFC 9112 §6: a chunked answer is stored with a Content-Length',
    {
      origin: {
        lines: [fresh, 'Transfer-Encoding: chunked'],
        body: '3\r\none\r\n4;x=y\r\n two\r\n0\r\n\r\n',
      },
      body: 'one two',
      cache: stored,
    },
    {
      body: 'one two',
      cache: 'hit',
      sees: { 'content-length': '7', 'transfer-encoding': undefined },
    },
  ],
  [
    'RFC 9111 §3.3: an empty body is whole',
    ...kept([fresh], { origin: { body: '' }, sees: { 'content-length': '0' } }),
  ],
];

playCases('by status', lanes, byStatus);
playCases('by directive', lanes, byDirective);
playCases('by method', lanes, byMethod);
playCases('by credentials', lanes, byCredentials);
playCases('fields', lanes, fields);
