import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answerFrom } from '../../../src/cache/answer.ts';
import { forwardStatus, hitStatus } from '../../../src/cache/cache-status.ts';
import { makeStoredAnswer, type StoredAnswer } from '../../../src/cache/entry.ts';
import { readerOf } from '../../../src/cache/fields.ts';
import { judgeStoring } from '../../../src/cache/policy.ts';
import { dateAt, headerLines, plainRules, startMs } from '../../support/cache-rig.ts';

function stored(lines: readonly string[], body = '0123456789', status = 200): StoredAnswer {
  const exchange = {
    ...{ method: 'GET', header: readerOf([]), status, requestMs: startMs, responseMs: startMs },
    lines: headerLines('Cache-Control: max-age=60', ...lines),
  };
  const storing = judgeStoring(exchange, plainRules);
  assert.ok(storing.ok);
  const { freshness } = storing;
  const pieces = [Buffer.from(body.slice(0, 3)), Buffer.from(body.slice(3))];
  const made = makeStoredAnswer({ exchange, freshness, reason: 'OK', body: pieces });
  assert.ok(made !== undefined);
  return made;
}

/** Status and body that a GET with these lines is answered. */
function outcome(answer: StoredAnswer, ...lines: string[]): string {
  const request = { method: 'GET', header: readerOf(headerLines(...lines)) };
  const client = answerFrom(answer, request, startMs);
  const body = answer.body.subarray(client.bodyStart, client.bodyEnd).toString();
  return `${client.status} ${body}`;
}

const modified = dateAt(-3000);
const whole = '200 0123456789';

test('RFC 9110 §13.1.2: If-None-Match compares weakly, in lists, and * is any', () => {
  const rows: readonly (readonly [string, string, boolean])[] = [
    ['"a"', '"a"', true],
    ['"a"', 'W/"a"', true],
    ['W/"a"', '"a"', true],
    ['"a"', '"b"', false],
    ['"a"', '"b", "a", "c"', true],
    ['"a"', '"b","a"', true],
    ['"a,b"', '"a,b"', true],
    ['"a,b"', '"a", b"', false],
    ['"a"', '*', true],
    ['abc', 'abc', true],
    ['"ab\xfc"', '"ab\xfc"', true],
    ['"a"', '', false],
  ];
  for (const [etag, value, matches] of rows) {
    const got = outcome(stored([`ETag: ${etag}`]), `If-None-Match: ${value}`);
    assert.equal(got, matches ? '304 ' : whole, `${value} of ${etag}`);
  }
  assert.equal(outcome(stored([]), 'If-None-Match: "a"'), whole);
  assert.equal(outcome(stored([]), 'If-None-Match: *'), '304 ');
});

test('RFC 9110 §13.1.3: If-Modified-Since, in three forms, and not beside If-None-Match', () => {
  const answer = stored([`Last-Modified: ${modified}`, 'ETag: "a"']);
  assert.equal(outcome(answer, `If-Modified-Since: ${modified}`), '304 ');
  assert.equal(outcome(answer, `If-Modified-Since: ${dateAt(-2000)}`), '304 ');
  assert.equal(outcome(answer, `If-Modified-Since: ${dateAt(-3001)}`), whole);
  assert.equal(outcome(answer, 'If-Modified-Since: yesterday'), whole);
  assert.equal(outcome(answer, 'If-Modified-Since: Thursday, 26-Nov-26 01:10:00 GMT'), '304 ');
  assert.equal(outcome(answer, 'If-Modified-Since: Thu Nov 26 01:10:00 2026'), '304 ');
  const both = ['If-None-Match: "b"', `If-Modified-Since: ${modified}`];
  assert.equal(outcome(answer, ...both), whole);
});

test('§4.3.2: without Last-Modified, the Date is compared', () => {
  const answer = stored([`Date: ${dateAt(0)}`]);
  assert.equal(outcome(answer, `If-Modified-Since: ${dateAt(0)}`), '304 ');
  assert.equal(outcome(answer, `If-Modified-Since: ${dateAt(-1)}`), whole);
});

test('RFC 9110 §13.2.1: conditions do not count where the answer is no success', () => {
  assert.equal(outcome(stored(['ETag: "a"'], 'no', 404), 'If-None-Match: "a"'), '404 no');
});

test('RFC 9110 §15.4.5: what a 304 carries', () => {
  const sent = (lines: readonly string[]) => {
    const answer = stored(lines);
    const header = readerOf(headerLines('If-None-Match: *'));
    const client = answerFrom(answer, { method: 'GET', header }, startMs);
    return client.lines.map(([name]) => name);
  };
  const kept = ['Content-Location: /a', 'Expires: 0', 'Vary: X', 'X-Frame-Options: deny'];
  const names = ['Content-Location', 'Expires', 'Vary', 'X-Frame-Options'];
  const left = ['Content-Type: text/html', 'Content-Encoding: gzip', 'Content-Language: en'];
  const lines = [...kept, ...left, `Last-Modified: ${modified}`];
  assert.deepEqual(sent(lines), ['Cache-Control', ...names, 'Last-Modified', 'Date']);
  assert.deepEqual(sent([...lines, 'ETag: "a"']), ['Cache-Control', ...names, 'ETag', 'Date']);
});

test('RFC 9110 §14: one range is cut out, several and nonsense are the whole', () => {
  const rows: readonly (readonly [string, string])[] = [
    ['bytes=0-1', '206 01'],
    ['bytes=1-', '206 123456789'],
    ['bytes=-1', '206 9'],
    ['bytes=-99', '206 0123456789'],
    ['bytes=9-9', '206 9'],
    ['bytes=5-99999999999999999999', '206 56789'],
    ['Bytes=0-0', '206 0'],
    ['bytes= 0-0', '206 0'],
    ['bytes=10-', '416 '],
    ['bytes=-0', '416 '],
    ['bytes=2-1', whole],
    ['bytes=0-0,2-2', whole],
    ['bytes=a-b', whole],
    ['bytes=', whole],
    ['bytes=-', whole],
    ['bytes=0--1', whole],
    ['items=0-1', whole],
  ];
  for (const [range, expected] of rows) {
    assert.equal(outcome(stored([]), `Range: ${range}`), expected, range);
  }
  assert.equal(outcome(stored([], ''), 'Range: bytes=-5'), '200 ');
  assert.equal(outcome(stored([], ''), 'Range: bytes=0-'), '416 ');
  assert.equal(outcome(stored([], 'no', 404), 'Range: bytes=0-0'), '404 no');
});

test('RFC 9110 §§15.3.7, 15.5.17: what 206 and 416 say about the range', () => {
  const lines = (range: string) => {
    const request = { method: 'GET', header: readerOf(headerLines(`Range: ${range}`)) };
    return answerFrom(stored(['Content-Type: a/b', 'ETag: "a"']), request, startMs).lines;
  };
  assert.deepEqual(lines('bytes=2-4'), [
    ['Cache-Control', 'max-age=60'],
    ['Content-Type', 'a/b'],
    ['ETag', '"a"'],
    ['Date', dateAt(0)],
    ['Content-Length', '3'],
    ['Content-Range', 'bytes 2-4/10'],
  ]);
  assert.deepEqual(lines('bytes=10-'), [
    ['Date', dateAt(0)],
    ['Content-Range', 'bytes */10'],
    ['Content-Length', '0'],
  ]);
});

test('RFC 9110 §13.1.5: If-Range compares strongly, and a date only if it is a strong one', () => {
  const range = 'Range: bytes=0-0';
  const tagged = stored(['ETag: "a"', `Last-Modified: ${modified}`]);
  assert.equal(outcome(tagged, range, 'If-Range: "a"'), '206 0');
  assert.equal(outcome(tagged, range, 'If-Range: W/"a"'), whole);
  assert.equal(outcome(stored(['ETag: W/"a"']), range, 'If-Range: W/"a"'), whole);
  assert.equal(outcome(tagged, range, `If-Range: ${modified}`), '206 0');
  assert.equal(outcome(tagged, range, `If-Range: ${dateAt(-2999)}`), whole);
  const young = stored([`Last-Modified: ${dateAt(0)}`, `Date: ${dateAt(0)}`]);
  assert.equal(outcome(young, range, `If-Range: ${dateAt(0)}`), whole);
  assert.equal(outcome(tagged, range, 'If-Range: rubbish'), whole);
});

test('an answer without a Date or a length gets them, and 204 gets no length', () => {
  assert.match(
    stored([]).headText,
    /Date: Thu, 26 Nov 2026 02:00:00 GMT\r\nContent-Length: 10\r\n$/,
  );
  assert.doesNotMatch(stored(['Content-Length: 0'], '', 204).headText, /Content-Length/);
  assert.match(stored(['Content-length: 010']).headText, /Content-length: 10\r\n/);
});

test('RFC 9211 §2: the members of Cache-Status', () => {
  const forward = 'uri-miss';
  assert.equal(forwardStatus({ forward }), 'wormgate; fwd=uri-miss');
  assert.equal(
    forwardStatus({ forward, originStatus: 200, ttlSeconds: 9, isStored: true, isCollapsed: true }),
    'wormgate; fwd=uri-miss; fwd-status=200; ttl=9; stored; collapsed',
  );
  assert.equal(
    forwardStatus({ forward: 'bypass', isStored: false, detail: 'set-cookie' }),
    'wormgate; fwd=bypass; detail=set-cookie',
  );
  assert.equal(
    forwardStatus({ forward: 'stale', detail: 'a "b" \xfc' }),
    'wormgate; fwd=stale; detail="a \\"b\\" ?"',
  );
  const answer = stored([]);
  assert.equal(hitStatus(answer, startMs + 61_500, 'x'), 'wormgate; hit; ttl=-2; detail=x');
});
