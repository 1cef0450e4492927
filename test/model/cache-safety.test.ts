/**
 * What a shared cache must never do, with random answers, requests and waits: give one user's answer to
 * another, serve what may not be stored, serve stale what must be revalidated, or show an age that is
 * not there. Each answer of the origin carries a number, so that it is known again.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CacheRig, dateAt, headerLines, startMs } from '../support/cache-rig.ts';

const directives = fc.subarray(
  [
    ...['max-age=5', 'max-age=50', 's-maxage=3', 'no-store', 'no-cache', 'private', 'public'],
    ...['must-revalidate', 'proxy-revalidate', 'stale-if-error=9', 'stale-while-revalidate=9'],
  ],
  { maxLength: 3 },
);
const answer = fc.record({
  directives,
  status: fc.constantFrom(200, 200, 200, 404, 500, 206),
  lines: fc.subarray(
    [
      ...['Set-Cookie: a=b', 'Vary: Foo', 'Vary: *', 'Age: 2', 'ETag: "a"', 'ETag: W/"b"'],
      `Last-Modified: ${dateAt(-100_000)}`,
    ],
    { maxLength: 2 },
  ),
});
const request = fc.record({
  method: fc.constantFrom('GET', 'GET', 'GET', 'HEAD', 'POST'),
  lines: fc.subarray(
    [
      ...['Authorization: x', 'Foo: 1', 'Foo: 2', 'Cookie: c', 'Cache-Control: max-stale=4'],
      ...['Cache-Control: no-cache', 'If-None-Match: "a"', 'Range: bytes=0-1'],
    ],
    { maxLength: 2 },
  ),
});
const step = fc.record({
  request,
  answer: fc.option(answer),
  waitSeconds: fc.integer({ min: 0, max: 6 }),
});

interface Made {
  readonly lines: readonly string[];
  readonly requestLines: readonly string[];
  readonly atMs: number;
}

test('no answer reaches a client whom it is not for', () => {
  let hits = 0;
  fc.assert(
    fc.property(fc.array(step, { minLength: 2, maxLength: 12 }), (steps) => {
      const rig = new CacheRig();
      const made: Made[] = [];
      for (const each of steps) {
        rig.wait(each.waitSeconds);
        const { method, lines } = each.request;
        const served = rig.fetch({ method, lines: headerLines(...lines) }, () => {
          // What an update mixes out of two answers has no number of its own.
          if (each.answer === null || method === 'HEAD') return undefined;
          const { directives: some, status } = each.answer;
          const sent = [...each.answer.lines];
          if (some.length > 0) sent.push(`Cache-Control: ${some.join(', ')}`);
          sent.push(`Date: ${new Date(rig.nowMs).toUTCString()}`, `X-Number: ${made.length}`);
          made.push({ lines: sent, requestLines: lines, atMs: rig.nowMs });
          return { status, lines: headerLines(...sent), body: 'body' };
        });
        if (served.asked > 0) continue;
        if (served.status === 416 || served.status === 504) continue;
        hits += 1;
        const source = made[Number(served.header('x-number'))] as Made;
        checkReuse(source, lines, Number(served.header('age')), rig.nowMs);
      }
    }),
    { numRuns: 2000 },
  );
  assert.ok(hits > 300, String(hits));
});

function checkReuse(source: Made, asked: readonly string[], age: number, nowMs: number): void {
  const control = source.lines.find((line) => line.startsWith('Cache-Control'))?.slice(15) ?? '';
  const has = (name: string) => control.split(', ').some((part) => part.trim().startsWith(name));
  const fooOf = (lines: readonly string[]) => {
    return lines.filter((line) => line.startsWith('Foo')).join();
  };
  assert.ok(!source.lines.includes('Set-Cookie: a=b'), 'a cookie');
  assert.ok(!source.lines.includes('Vary: *'));
  for (const never of ['no-store', 'private', 'no-cache']) assert.ok(!has(never), control);
  const isOpen = has('public') || has('s-maxage') || has('must-revalidate');
  assert.ok(isOpen || !source.requestLines.includes('Authorization: x'), 'credentials');
  assert.ok(isOpen || !asked.includes('Authorization: x'), 'credentials of the one who asks');
  if (source.lines.includes('Vary: Foo')) assert.equal(fooOf(source.requestLines), fooOf(asked));
  const passed = (nowMs - source.atMs) / 1000;
  const initial = source.lines.includes('Age: 2') ? 2 : 0;
  assert.equal(age, passed + initial);
  if (has('must-revalidate') || has('proxy-revalidate') || has('s-maxage')) {
    const [, seconds = '10000'] =
      /s-maxage=(\d+)/.exec(control) ?? /max-age=(\d+)/.exec(control) ?? [];
    assert.ok(age < Number(seconds), `${age} of ${control}`);
  }
  assert.ok(nowMs >= startMs);
}
