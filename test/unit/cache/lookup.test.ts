import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readerOf } from '../../../src/cache/fields.ts';
import { isOriginFailure, lookUp, plainHit } from '../../../src/cache/lookup.ts';
import { CacheRig, headerLines, type OriginAnswer } from '../../support/cache-rig.ts';

function answer(...lines: string[]): OriginAnswer {
  return { lines: headerLines(...lines), body: 'body' };
}

/** What is decided about a request with these lines, in words. */
function decision(rig: CacheRig, method: string, ...lines: string[]): string {
  const header = readerOf(headerLines(...lines));
  const found = lookUp({ method, header }, rig.store.find(`${rig.prefix}/`), rig.rules, rig.nowMs);
  const forward = 'forward' in found ? ` ${found.forward}` : '';
  return `${found.kind}${forward}${'detail' in found ? ` ${found.detail}` : ''}`;
}

function holding(...lines: string[]): CacheRig {
  const rig = new CacheRig();
  rig.fetch({}, () => answer(...lines));
  return rig;
}

test('RFC 9211 §2.2: why a request goes to the origin', () => {
  const empty = new CacheRig();
  assert.equal(decision(empty, 'GET'), 'miss uri-miss');
  const rig = holding('Cache-Control: max-age=60', 'Vary: Foo');
  assert.equal(decision(rig, 'GET', 'Foo: 1'), 'miss vary-miss');
  assert.equal(decision(rig, 'POST'), 'bypass method undefined');
  assert.equal(decision(rig, 'get'), 'bypass method undefined');
  assert.equal(decision(rig, 'GET', 'Cache-Control: no-cache'), 'revalidate request');
  assert.equal(decision(rig, 'GET', 'Authorization: x'), 'bypass bypass authorization');
  assert.equal(decision(rig, 'GET', 'Content-Length: 1'), 'bypass bypass content');
  assert.equal(decision(rig, 'GET', 'Content-Length: 0'), 'hit');
  rig.wait(60);
  assert.equal(decision(rig, 'GET'), 'revalidate stale');
});

test('RFC 9110 §13.1.1: a precondition that does not hold is the origin’s to answer', () => {
  const modified = 'Thu, 26 Nov 2026 01:00:00 GMT';
  const rig = holding('Cache-Control: max-age=60', 'ETag: "a"', `Last-Modified: ${modified}`);
  const rows: readonly (readonly [string, boolean])[] = [
    ['If-Match: "a"', true],
    ['If-Match: "b", "a"', true],
    ['If-Match: *', true],
    ['If-Match: W/"a"', false],
    ['If-Match: "b"', false],
    [`If-Unmodified-Since: ${modified}`, true],
    ['If-Unmodified-Since: Thu, 26 Nov 2026 00:59:59 GMT', false],
    ['If-Unmodified-Since: rubbish', true],
  ];
  for (const [line, holds] of rows) {
    const expected = holds ? 'hit' : 'bypass request precondition';
    assert.equal(decision(rig, 'GET', line), expected, line);
  }
  const bare = holding('Cache-Control: max-age=60');
  assert.equal(
    decision(bare, 'GET', `If-Unmodified-Since: ${modified}`),
    'bypass request precondition',
  );
});

test('§4.1: of several that match, the one with the latest Date is selected', () => {
  const rig = new CacheRig();
  const later = 'Date: Thu, 26 Nov 2026 02:00:05 GMT';
  rig.fetch({ lines: headerLines('Foo: 1', 'Bar: 2') }, () => ({
    ...answer('Cache-Control: max-age=60', 'Vary: Foo', later),
    body: 'by Foo',
  }));
  rig.fetch({ lines: headerLines('Foo: 2', 'Bar: 1') }, () => ({
    ...answer('Cache-Control: max-age=60', 'Vary: Bar'),
    body: 'by Bar',
  }));
  const answers = rig.store.find(`${rig.prefix}/`) ?? [];
  const hit = plainHit(answers, readerOf(headerLines('Foo: 1', 'Bar: 1')), rig.nowMs);
  assert.equal(hit?.body.toString(), 'by Foo');
  const first = [...answers].reverse();
  const again = plainHit(first, readerOf(headerLines('Foo: 1', 'Bar: 1')), rig.nowMs);
  assert.equal(again?.body.toString(), 'by Foo', 'in whatever order they are stored');
});

test('a plain hit is a fresh one for these fields, and is counted', () => {
  const rig = holding('Cache-Control: max-age=60', 'Vary: Foo');
  const answers = rig.store.find(`${rig.prefix}/`) ?? [];
  const none = readerOf([]);
  rig.wait(5);
  const hit = plainHit(answers, none, rig.nowMs);
  assert.deepEqual([hit?.uses, hit?.lastUsedMs], [1, rig.nowMs]);
  assert.equal(plainHit(answers, readerOf(headerLines('Foo: 1')), rig.nowMs), undefined);
  assert.equal(plainHit(answers, none, rig.nowMs + 55_000), undefined);
  assert.ok(plainHit(answers, none, rig.nowMs + 54_999));
  assert.equal(decision(rig, 'GET'), 'hit');
  assert.equal(hit?.uses, 3);
});

test('RFC 5861 §4: four statuses are an origin’s failure', () => {
  const failures = [200, 404, 429, 500, 501, 502, 503, 504, 505].filter(isOriginFailure);
  assert.deepEqual(failures, [500, 502, 503, 504]);
});
