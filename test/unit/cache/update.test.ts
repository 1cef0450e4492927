import assert from 'node:assert/strict';
import { test } from 'node:test';
import { madeStale, type StoredAnswer } from '../../../src/cache/entry.ts';
import { readerOf } from '../../../src/cache/fields.ts';
import { answersMeant, effectOfHead, updated, updatedLines } from '../../../src/cache/update.ts';
import { dateAt, headerLines, madeAnswer, plainRules, startMs } from '../../support/cache-rig.ts';

function stored(...lines: string[]): StoredAnswer {
  return madeAnswer({ lines: headerLines(...lines) });
}

test('§4.3.4: a strong tag means all that have it, a weak validator the latest, none the one asked about', () => {
  const one = stored('ETag: "a"', `Date: ${dateAt(-9)}`, `Last-Modified: ${dateAt(-99)}`);
  const two = stored('ETag: "a"', `Date: ${dateAt(-5)}`, `Last-Modified: ${dateAt(-99)}`);
  const weak = stored('ETag: W/"a"', `Date: ${dateAt(-7)}`);
  const bare = stored();
  const all = [one, two, weak, bare];
  const meant = (asked: StoredAnswer, ...lines: string[]) =>
    answersMeant(all, asked, headerLines(...lines), startMs).map((answer) => all.indexOf(answer));
  assert.deepEqual(meant(one, 'ETag: "a"'), [0, 1]);
  assert.deepEqual(meant(one, 'ETag: "b"'), []);
  assert.deepEqual(meant(one, 'ETag: W/"a"'), [1]);
  assert.deepEqual(meant(one, `Last-Modified: ${dateAt(-99)}`), [1]);
  assert.deepEqual(meant(one, `Last-Modified: ${dateAt(-98)}`), []);
  assert.deepEqual(meant(bare), [3]);
  assert.deepEqual(answersMeant([one], bare, [], startMs), [], 'it has gone meanwhile');
});

test('§3.2: later lines stand where the first of theirs stood, and new ones at the end', () => {
  const lines = updatedLines(
    headerLines('A: 1', 'B: 1', 'a: 2', 'C: 1'),
    headerLines('a: 3', 'D: 1', 'A: 4', 'Content-Length: 9', 'Set-Cookie: x', 'Age: 1', 'TE: x'),
  );
  assert.deepEqual(lines, headerLines('a: 3', 'A: 4', 'B: 1', 'C: 1', 'D: 1'));
});

test('§4.3.4: an updated answer counts its age from the later one, and keeps its use', () => {
  const old = stored('ETag: "a"', 'X: 1');
  old.uses = 7;
  const atMs = startMs + 100_000;
  const exchange = {
    ...{
      method: 'GET',
      header: readerOf([]),
      status: 304,
      requestMs: atMs - 500,
      responseMs: atMs,
    },
    lines: headerLines('Age: 5'),
  };
  const { answer, outcome } = updated(old, exchange, plainRules);
  assert.equal(outcome, 'replaces');
  assert.equal(answer.bornMs, atMs - 5500);
  assert.equal(answer.freshUntilMs, atMs - 5500 + 60_000);
  assert.equal(answer.dateMs, atMs);
  assert.deepEqual([answer.uses, answer.body, answer.status], [7, old.body, 200]);
  assert.doesNotMatch(answer.headText, /Age/);
});

test('a 304 with a cookie is for the one who asked, and leaves what is stored as it is', () => {
  const exchange = {
    ...{ method: 'GET', header: readerOf([]), status: 304 },
    ...{ requestMs: startMs, responseMs: startMs },
    lines: headerLines('Set-Cookie: s=1', 'X-User: alice'),
  };
  const { answer, outcome, clientLines } = updated(stored(), exchange, plainRules);
  assert.equal(outcome, 'kept');
  assert.deepEqual(clientLines, [['Set-Cookie', 's=1']]);
  assert.match(answer.headText, /X-User/);
  assert.doesNotMatch(answer.headText, /Set-Cookie/);
});

test('what the request alone forbids to store leaves what is stored as it is', () => {
  const lines = headerLines('Cache-Control: no-cache');
  const withLine = (line: string) =>
    updated(
      madeAnswer({ lines: headerLines('ETag: "a"') }),
      {
        ...{ method: 'GET', header: readerOf(headerLines(line)), status: 304, lines },
        ...{ requestMs: startMs, responseMs: startMs },
      },
      plainRules,
    ).outcome;
  assert.equal(withLine('Authorization: Basic eA=='), 'kept');
  assert.equal(withLine('Cache-Control: no-store'), 'kept');
  assert.equal(withLine('Cookie: a=b'), 'kept');
  assert.equal(withLine('Accept: */*'), 'replaces');
});

test('§4.1: with another Vary, only the variant that was asked about can be kept', () => {
  const of = (foo: string) => {
    const requestLines = headerLines(`Foo: ${foo}`, 'Bar: 1');
    return madeAnswer({ lines: headerLines('Vary: Foo', 'ETag: "a"'), requestLines });
  };
  const exchange = {
    ...{ method: 'GET', header: readerOf(headerLines('Foo: 1', 'Bar: 2')), status: 304 },
    ...{ requestMs: startMs, responseMs: startMs },
  };
  const changed = { ...exchange, lines: headerLines('Vary: Foo, Bar') };
  assert.equal(updated(of('2'), changed, plainRules).outcome, 'removed');
  const { outcome, answer } = updated(of('1'), changed, plainRules);
  assert.equal(outcome, 'replaces');
  assert.deepEqual(answer.varyValues, ['2', '1']);
  const same = updated(of('2'), { ...exchange, lines: headerLines('Vary: foo') }, plainRules);
  assert.deepEqual([same.outcome, same.answer.varyValues], ['replaces', ['2']]);
});

test('§4.3.5: what an answer to HEAD means', () => {
  const modified = `Last-Modified: ${dateAt(-99)}`;
  const old = stored('ETag: "a"', modified);
  const effect = (status: number, ...lines: string[]) =>
    effectOfHead(old, status, headerLines(...lines), startMs);
  assert.equal(effect(200), 'update');
  assert.equal(effect(200, 'ETag: "a"', modified, 'Content-Length: 4'), 'update');
  assert.equal(effect(200, 'ETag: W/"a"'), 'stale');
  assert.equal(effect(200, `Last-Modified: ${dateAt(-98)}`), 'stale');
  assert.equal(effect(200, 'Content-Length: 5'), 'stale');
  assert.equal(effect(404), 'none');
  assert.equal(effect(200, 'Set-Cookie: s=1'), 'none');
});

test('what is made stale is served by no window any more', () => {
  const old = stored('Cache-Control: stale-while-revalidate=60, stale-if-error=60');
  const stale = madeStale(old, startMs + 1000);
  assert.deepEqual(
    [stale.freshUntilMs, stale.staleWhileRevalidateUntilMs, stale.staleIfErrorUntilMs],
    [startMs + 1000, startMs + 1000, startMs + 1000],
  );
  assert.equal(madeStale(stale, startMs + 2000).freshUntilMs, startMs + 1000);
});
