import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readerOf, storedLines } from '../../../src/cache/fields.ts';
import { type Exchange, judgeStoring, type PolicyRules } from '../../../src/cache/policy.ts';
import { dateAt, headerLines, plainRules, startMs } from '../../support/cache-rig.ts';

interface Case {
  readonly lines?: readonly string[];
  readonly request?: readonly string[];
  readonly rules?: Partial<PolicyRules>;
  readonly exchange?: Partial<Exchange>;
}

function judged({ lines = [], request = [], rules = {}, exchange = {} }: Case) {
  const whole: Exchange = {
    ...{ method: 'GET', header: readerOf(headerLines(...request)), status: 200 },
    ...{ lines: headerLines(...lines), requestMs: startMs, responseMs: startMs },
    ...exchange,
  };
  return judgeStoring(whole, { ...plainRules, ...rules });
}

function freshness(given: Case) {
  const storing = judged(given);
  assert.ok(storing.ok, storing.ok ? '' : storing.refusal);
  return storing.freshness;
}

const fresh = 'Cache-Control: max-age=60';
const modified = `Last-Modified: ${dateAt(-100_000)}`;

test('§3: why an answer is not stored, in the words of Cache-Status', () => {
  const rows: readonly (readonly [string, Case])[] = [
    ['method', { lines: [fresh], exchange: { method: 'POST' } }],
    ['method', { lines: [fresh], exchange: { method: 'HEAD' } }],
    ['content', { lines: [fresh], request: ['Content-Length: 5'] }],
    ['content', { lines: [fresh], request: ['Transfer-Encoding: chunked'] }],
    ['partial', { lines: [fresh], exchange: { status: 206 } }],
    ['status', { lines: [fresh], exchange: { status: 304 } }],
    ['status', { lines: [fresh], exchange: { status: 101 } }],
    ['status', { lines: [modified], exchange: { status: 403 } }],
    ['request-no-store', { lines: [fresh], request: ['Cache-Control: no-store'] }],
    ['no-store', { lines: ['Cache-Control: no-store'] }],
    ['private', { lines: ['Cache-Control: private, private="a"'] }],
    ['authorization', { lines: [fresh], request: ['Authorization: x'] }],
    ['set-cookie', { lines: [fresh, 'Set-Cookie: a=b'] }],
    ['vary-star', { lines: [fresh, 'Vary: *'] }],
    ['not-fresh', { lines: [] }],
    ['not-fresh', { lines: ['Cache-Control: no-cache'] }],
  ];
  for (const [refusal, given] of rows) {
    assert.deepEqual(judged(given), { ok: false, refusal }, JSON.stringify(given));
  }
  assert.ok(judged({ lines: ['Cache-Control: no-cache', 'ETag: "a"'] }).ok, 'to be revalidated');
});

test('§4.2.3: the age on arrival is the largest of what Date, Age and the way say', () => {
  const ageOf = (exchange: Partial<Exchange>, ...lines: string[]) =>
    freshness({ lines: [fresh, ...lines], exchange }).initialAgeMs;
  assert.equal(ageOf({}), 0);
  assert.equal(ageOf({}, `Date: ${dateAt(-9)}`), 9000);
  assert.equal(ageOf({}, `Date: ${dateAt(9)}`), 0);
  assert.equal(ageOf({}, `Date: ${dateAt(-9)}`, 'Age: 12'), 12_000);
  assert.equal(ageOf({ requestMs: startMs - 2500 }, 'Age: 12'), 14_500);
  assert.equal(ageOf({ requestMs: startMs - 2500 }, `Date: ${dateAt(-1)}`), 2500);
  // A Date has no fractions: that of this second is no age at all.
  const late = { requestMs: startMs + 900, responseMs: startMs + 900 };
  assert.equal(ageOf(late, `Date: ${dateAt(0)}`), 0);
  assert.equal(ageOf({}, 'Age: 7;x=1'), 7000);
});

test('§4.2.2: heuristics take a part of the time since Last-Modified, up to a bound', () => {
  const lifetime = (rules: Partial<PolicyRules>, ...lines: string[]) =>
    freshness({ lines: ['ETag: "a"', ...lines], rules }).lifetimeMs;
  assert.equal(lifetime({}, modified), 10_000_000);
  assert.equal(lifetime({ heuristicFraction: 0.5 }, modified), 50_000_000);
  assert.equal(lifetime({ heuristicMaxMs: 60_000 }, modified), 60_000);
  assert.equal(lifetime({ heuristicFraction: 0 }, modified), 0);
  assert.equal(lifetime({}, `Last-Modified: ${dateAt(10)}`), 0);
  assert.equal(lifetime({ heuristicMaxMs: 60_000 }, 'Cache-Control: max-age=3600'), 3_600_000);
});

test('DefaultTtl is for answers that say nothing at all', () => {
  const rules = { defaultTtlMs: 30_000 };
  const lifetime = (...lines: string[]) =>
    freshness({ lines: ['ETag: "a"', ...lines], rules }).lifetimeMs;
  assert.equal(lifetime(), 30_000);
  assert.equal(lifetime('Last-Modified: rubbish'), 30_000);
  assert.equal(lifetime('Cache-Control: max-age=0'), 0);
  assert.equal(lifetime('Cache-Control: no-cache'), 0);
  assert.equal(lifetime('Expires: 0'), 0);
});

test('what somebody with a cookie was answered without a word about caches is not stored', () => {
  const refusal = (...lines: string[]) => {
    const storing = judged({ lines, request: ['Cookie: a=b'], rules: { defaultTtlMs: 30_000 } });
    return storing.ok ? 'stored' : storing.refusal;
  };
  assert.equal(refusal('ETag: "a"'), 'cookie');
  assert.equal(refusal(modified), 'cookie');
  assert.equal(refusal(modified, 'Cache-Control: no-cache'), 'cookie');
  assert.equal(refusal(modified, 'Cache-Control: public'), 'stored');
  assert.equal(refusal(fresh), 'stored');
});

test('RFC 5861: the origin’s windows, the operator’s where it has none, and none where it forbids', () => {
  const rules = { staleWhileRevalidateMs: 5000, staleIfErrorMs: 7000 };
  const windows = (directives: string) => {
    const found = freshness({ lines: [`Cache-Control: max-age=9, ${directives}`], rules });
    return [found.staleWhileRevalidateMs, found.staleIfErrorMs];
  };
  assert.deepEqual(windows('public'), [5000, 7000]);
  assert.deepEqual(windows('stale-while-revalidate=1, stale-if-error=0'), [1000, 0]);
  assert.deepEqual(windows('stale-while-revalidate=x, stale-if-error=2'), [0, 2000]);
  for (const directive of ['must-revalidate', 'proxy-revalidate', 's-maxage=9']) {
    assert.deepEqual(windows(`${directive}, stale-if-error=2`), [0, 0], directive);
  }
});

test('IgnoreClientNoCache: a client’s no-store does not keep an answer from being stored', () => {
  const given = { lines: [fresh], request: ['Cache-Control: no-store'] };
  assert.ok(judged({ ...given, rules: { ignoresClientNoCache: true } }).ok);
});

test('§3.1: Connection takes out what it names, but not what an answer is made of', () => {
  const lines = headerLines('Connection: X-Hop, ETag, set-cookie', 'X-Hop: 1', 'ETag: "a"');
  assert.deepEqual(storedLines(lines), [['ETag', '"a"']]);
});
