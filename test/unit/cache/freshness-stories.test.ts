/** Several requests one after the other, with an origin that is a function: what a client would see. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HeaderLine } from '../../../src/cache/fields.ts';
import {
  CacheRig,
  dateAt,
  headerLines,
  type OriginAnswer,
  type RigRequest,
} from '../../support/cache-rig.ts';

function answer(lines: readonly string[], status = 200, body = 'body'): OriginAnswer {
  return { status, lines: headerLines(...lines), body };
}

function asking(...lines: string[]): { lines: HeaderLine[] } {
  return { lines: headerLines(...lines) };
}

/** Whether a second request is answered from what the first has brought. */
function isReused(
  first: OriginAnswer,
  options: { first?: RigRequest; second?: RigRequest; waitSeconds?: number } = {},
): boolean {
  const rig = new CacheRig();
  rig.fetch(options.first ?? {}, () => first);
  rig.wait(options.waitSeconds ?? 3);
  return rig.fetch(options.second ?? {}, () => answer([])).asked === 0;
}

const day = 86_400;

/** Clause, header lines of the answer, whether it is reused three seconds later. */
const freshnessTable: readonly (readonly [string, readonly string[], boolean])[] = [
  ['§4.2.1: nothing about freshness', [], false],
  ['§5.2.2.1: max-age', ['Cache-Control: max-age=3600'], true],
  ['§5.2.2.1: max-age=0', ['Cache-Control: max-age=0'], false],
  ['§1.2.2: max-age of 2^31', ['Cache-Control: max-age=2147483648'], true],
  ['§1.2.2: max-age beyond', ['Cache-Control: max-age=99999999999999999999'], true],
  ['§1.2.2: leading zeros', ['Cache-Control: max-age=003600'], true],
  ['§5.2: names in any case', ['Cache-Control: MaX-aGe=3600'], true],
  ['§5.2: an unknown directive beside it', ['Cache-Control: foobar, max-age=3600'], true],
  ['§5.2: a quoted argument', ['Cache-Control: max-age="3600"'], true],
  ['§4.2.1: single quotation marks', ["Cache-Control: max-age='3600'"], false],
  ['§4.2.1: a negative time', ['Cache-Control: max-age=-100'], false],
  ['§4.2.1: letters before', ['Cache-Control: max-age=a3600'], false],
  ['§4.2.1: letters behind', ['Cache-Control: max-age=3600a'], false],
  ['§4.2.1: a fraction', ['Cache-Control: max-age=3600.5'], false],
  ['§5.2: a blank before =', ['Cache-Control: max-age =3600'], false],
  ['§5.2: a blank behind =', ['Cache-Control: max-age= 3600'], false],
  ['§5.2: max-age within quotes', ['Cache-Control: ext="max-age=3600", max-age=1'], false],
  ['§5.2: max-age within quotes, behind', ['Cache-Control: max-age=1, ext="a, max-age=9"'], false],
  ['§4.2.1: the first of two', ['Cache-Control: max-age=1800, max-age=1'], true],
  ['§4.2.1: the first of two, stale', ['Cache-Control: max-age=1, max-age=1800'], false],
  [
    '§4.2.1: the first of two lines',
    ['Cache-Control: max-age=1', 'Cache-Control: max-age=9'],
    false,
  ],
  ['§5.2.2.10: s-maxage', ['Cache-Control: s-maxage=3600'], true],
  ['§5.2.2.10: before a shorter max-age', ['Cache-Control: max-age=1, s-maxage=3600'], true],
  ['§5.2.2.10: before a longer max-age', ['Cache-Control: s-maxage=1, max-age=3600'], false],
  [
    '§5.2.2.10: on a line of its own',
    ['Cache-Control: max-age=60', 'Cache-Control: s-maxage=1'],
    false,
  ],
  ['§5.3: Expires', [`Expires: ${dateAt(30 * day)}`, `Date: ${dateAt(0)}`], true],
  ['§5.3: Expires without Date', [`Expires: ${dateAt(60)}`], true],
  ['§5.3: Expires and a Date that is none', [`Expires: ${dateAt(10)}`, 'Date: foo'], true],
  ['§5.3: Expires in the past', [`Expires: ${dateAt(-day)}`], false],
  ['§5.3: Expires now', [`Expires: ${dateAt(0)}`, `Date: ${dateAt(0)}`], false],
  ['§5.3: Expires before a Date ahead', [`Expires: ${dateAt(300)}`, `Date: ${dateAt(400)}`], false],
  ['§5.3: 0 is in the past', ['Expires: 0'], false],
  ['§5.3: max-age wins over Expires', ['Cache-Control: max-age=60', 'Expires: 0'], true],
  [
    '§5.3: max-age=0 wins over Expires',
    ['Cache-Control: max-age=0', `Expires: ${dateAt(60)}`],
    false,
  ],
  ['§4.2: weekday in any case', ['Expires: THU, 18 Aug 2050 02:01:18 GMT'], true],
  ['§4.2: month in any case', ['Expires: Thu, 18 AUG 2050 02:01:18 GMT'], true],
  ['§4.2: zone in any case', ['Expires: Thu, 18 Aug 2050 02:01:18 gMT'], true],
  ['§4.2: beyond 32 bits', ['Expires: Sun, 21 Nov 2286 04:46:39 GMT'], true],
  ['RFC 9110 §5.6.7: RFC 850', ['Expires: Thursday, 18-Aug-50 02:01:18 GMT'], true],
  ['RFC 9110 §5.6.7: asctime', ['Expires: Thu Aug  8 02:01:18 2050'], true],
  ['§4.2: another zone', ['Expires: Thu, 18 Aug 2050 02:01:18 AEST'], false],
  ['§4.2: UTC is no GMT', ['Expires: Thu, 18 Aug 2050 02:01:18 UTC'], false],
  ['§5.3: a year of two digits', ['Expires: Thu, 18 Aug 50 02:01:18 GMT'], false],
  ['§5.3: no comma', ['Expires: Thu 18 Aug 2050 02:01:18 GMT'], false],
  ['§5.3: several blanks', ['Expires: Thu, 18  Aug  2050 02:01:18 GMT'], false],
  ['§5.3: dashes', ['Expires: Thu, 18-Aug-2050 02:01:18 GMT'], false],
  ['§5.3: an hour of one digit', ['Expires: Thu, 18 Aug 2050 2:01:18 GMT'], false],
  ['§4.2.3: Age above max-age', ['Cache-Control: max-age=3600', 'Age: 7200'], false],
  [
    '§4.2.3: Age above Expires less Date',
    [`Date: ${dateAt(10)}`, `Expires: ${dateAt(20)}`, 'Age: 15'],
    false,
  ],
  ['§4.2.3: a Date that is old', ['Cache-Control: max-age=3600', `Date: ${dateAt(-7200)}`], false],
  ['§5.1: Age that is no number', ['Cache-Control: max-age=3600', 'Age: abc'], true],
  ['§5.1: a negative Age', ['Cache-Control: max-age=3600', 'Age: -7200'], true],
  ['§5.1: Age with a fraction', ['Cache-Control: max-age=3600', 'Age: 7200.0'], true],
  ['§1.2.2: a huge Age', ['Cache-Control: max-age=3600', 'Age: 2147483649'], false],
  ['§5.1: the first of several', ['Cache-Control: max-age=3600', 'Age: 7200, 0'], false],
  ['§5.1: the first of several, young', ['Cache-Control: max-age=3600', 'Age: 0, 7200'], true],
  ['§5.1: the first of two lines', ['Cache-Control: max-age=3600', 'Age: 7200', 'Age: 0'], false],
  [
    '§4.2.2: a day since Last-Modified',
    [`Last-Modified: ${dateAt(-day)}`, `Date: ${dateAt(0)}`],
    true,
  ],
  ['§4.2.2: five seconds since', [`Last-Modified: ${dateAt(-5)}`], false],
  [
    '§4.2.2: not with max-age',
    [`Last-Modified: ${dateAt(-day)}`, 'Cache-Control: max-age=0'],
    false,
  ],
  ['§5.2.2.5: no-store', ['Cache-Control: max-age=60, No-StOrE'], false],
  ['§5.2.2.4: no-cache', ['Cache-Control: max-age=60, no-cache'], false],
  ['§5.2.2.7: private', ['Cache-Control: private, max-age=60'], false],
  ['§5.2.2.2: must-revalidate while fresh', ['Cache-Control: max-age=60, must-revalidate'], true],
  ['§5.2.2.8: proxy-revalidate while fresh', ['Cache-Control: max-age=60, proxy-revalidate'], true],
  [
    '§5.2.2.3: must-understand, and we do',
    ['Cache-Control: max-age=60, no-store, must-understand'],
    true,
  ],
  [
    '§5.4: Pragma means nothing in answers',
    ['Cache-Control: max-age=60', 'Pragma: no-cache'],
    true,
  ],
  ['§4.1: Vary *', ['Cache-Control: max-age=60', 'Vary: foo, *'], false],
  [
    '§7.3: Set-Cookie is for one user',
    ['Cache-Control: max-age=60, public', 'Set-Cookie: a=b'],
    false,
  ],
  ['RFC 9213: CDN-Cache-Control', ['CDN-Cache-Control: max-age=3600'], true],
  [
    'RFC 9213: it wins when longer',
    ['Cache-Control: no-store', 'CDN-Cache-Control: max-age=60'],
    true,
  ],
  [
    'RFC 9213: it wins when shorter',
    ['Cache-Control: max-age=60', 'CDN-Cache-Control: max-age=1'],
    false,
  ],
  ['RFC 9213: private', ['Cache-Control: max-age=60', 'CDN-Cache-Control: private'], false],
  ['RFC 9213: no-cache', ['Cache-Control: max-age=60', 'CDN-Cache-Control: no-cache'], false],
  [
    'RFC 9213: Expires does not count',
    ['CDN-Cache-Control: max-age=0', `Expires: ${dateAt(60)}`],
    false,
  ],
  ['RFC 9213: nor a past one', ['CDN-Cache-Control: max-age=60', 'Expires: 0'], true],
  ['RFC 9213: Age counts', ['CDN-Cache-Control: max-age=3600', 'Age: 7200'], false],
  ['RFC 9213: unknown directives', ['CDN-Cache-Control: foobar, max-age=60'], true],
  [
    'RFC 9213: a broken one is missing',
    ['CDN-Cache-Control: max-age=60, &&', 'Cache-Control: no-store'],
    false,
  ],
  [
    'RFC 9213: as is a wrong type',
    ['CDN-Cache-Control: max-age="60"', 'Cache-Control: max-age=60'],
    true,
  ],
  [
    'RFC 9213: a blank before =',
    ['CDN-Cache-Control: max-age =60', 'Cache-Control: max-age=1'],
    false,
  ],
];

for (const [title, lines, expected] of freshnessTable) {
  test(`${title}: ${lines.join(' | ')}`, () => {
    assert.equal(isReused(answer(lines)), expected);
  });
}

test('§3: any final status with explicit freshness is stored, and stale it is not reused', () => {
  for (const status of [
    200, 203, 204, 299, 301, 302, 303, 307, 308, 400, 404, 410, 499, 500, 502,
  ]) {
    const body = status === 204 ? '' : 'x';
    assert.ok(isReused(answer(['Cache-Control: max-age=60'], status, body)), String(status));
    assert.ok(!isReused(answer(['Expires: 0'], status, body)), String(status));
  }
  for (const status of [503, 504, 599]) {
    assert.ok(isReused(answer(['Cache-Control: max-age=60'], status)), String(status));
  }
});

test('§3, RFC 6585: what answers a part or a condition of one request is not stored', () => {
  for (const status of [206, 304, 412, 416, 428, 429, 431, 511]) {
    assert.ok(!isReused(answer(['Cache-Control: public, max-age=60'], status)), String(status));
  }
});

test('§5.2.2.3: must-understand with a status that we do not know', () => {
  assert.ok(!isReused(answer(['Cache-Control: max-age=60, must-understand'], 599)));
});

test('§4.2.2: heuristics are for statuses that allow them, and for public', () => {
  const modified = `Last-Modified: ${dateAt(-day)}`;
  const isStored = (status: number, ...lines: string[]) =>
    isReused(answer([modified, ...lines], status, status === 204 ? '' : 'x'));
  for (const status of [200, 203, 204, 404, 405, 410, 414, 501])
    assert.ok(isStored(status), `${status}`);
  for (const status of [201, 202, 403, 502, 503, 504, 599])
    assert.ok(!isStored(status), `${status}`);
  assert.ok(isStored(599, 'Cache-Control: public'));
});

test('§3.5: an answer to a request with Authorization is stored only where the origin allows it', () => {
  const first = asking('Authorization: Basic eDp5');
  for (const [directives, expected] of [
    ['max-age=60', false],
    ['max-age=60, public', true],
    ['max-age=60, must-revalidate', true],
    ['s-maxage=60', true],
  ] as const) {
    const fresh = answer([`Cache-Control: ${directives}`]);
    assert.equal(isReused(fresh, { first }), expected, directives);
    // And a request with it gets no more than that, either.
    assert.equal(isReused(fresh, { second: first }), expected, directives);
  }
});

test('§4: a cookie alone changes nothing, but for heuristics', () => {
  const cookie = asking('Cookie: a=b');
  const explicit = answer(['Cache-Control: max-age=60']);
  const guessed = answer([`Last-Modified: ${dateAt(-day)}`]);
  assert.ok(isReused(explicit, { first: cookie }));
  assert.ok(isReused(guessed, { second: cookie }));
  assert.ok(!isReused(guessed, { first: cookie }));
});

test('§2: the query belongs to the key', () => {
  const fresh = answer(['Cache-Control: max-age=60']);
  const first = { target: '/a?x=1' };
  assert.ok(isReused(fresh, { first, second: { target: '/a?x=1' } }));
  assert.ok(!isReused(fresh, { first, second: { target: '/a?x=2' } }));
});
