/** What becomes of a stored answer: revalidated, updated, stale, varied, invalidated; as a client sees it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CacheRig,
  dateAt,
  headerLines,
  type OriginAnswer,
  type RigOrigin,
} from '../../support/cache-rig.ts';

function answer(lines: readonly string[], body = 'body', status = 200): OriginAnswer {
  return { status, lines: headerLines(...lines), body };
}

const gone: RigOrigin = () => undefined;
const failing: RigOrigin = () => answer([], 'broken', 503);

/** An origin that answers 304 to a tag that it knows, with `lines`. */
function confirming(tag: string, lines: readonly string[] = []): RigOrigin {
  return ({ header }) =>
    header('if-none-match') === tag
      ? answer([`ETag: ${tag}`, ...lines], '', 304)
      : answer(lines, 'new');
}

/** A rig with one stored answer. */
function holding(...lines: string[]): CacheRig {
  const rig = new CacheRig();
  rig.fetch({}, () => answer(lines));
  return rig;
}

function ask(rig: CacheRig, origin: RigOrigin, ...lines: string[]) {
  return rig.fetch({ lines: headerLines(...lines) }, origin);
}

test('§4.3.1: a stale answer is asked for with both of its validators', () => {
  const modified = dateAt(-3000);
  const rig = holding('Cache-Control: max-age=2', 'ETag: W/"a"', `Last-Modified: ${modified}`);
  rig.wait(3);
  const sent: (string | undefined)[] = [];
  const served = rig.fetch({}, ({ header }) => {
    sent.push(header('if-none-match'), header('if-modified-since'));
    return answer(['ETag: W/"a"'], '', 304);
  });
  assert.deepEqual(sent, ['W/"a"', modified]);
  assert.deepEqual([served.status, served.body], [200, 'body']);
  assert.equal(ask(rig, gone).asked, 0, 'fresh again');
});

test('§4.3.1: the client’s own condition gives way to the cache’s, and is answered all the same', () => {
  const rig = holding('Cache-Control: max-age=2', 'ETag: "a"');
  rig.wait(3);
  const served = ask(rig, confirming('"a"'), 'If-None-Match: "old", "a"', 'Range: bytes=0-0');
  assert.equal(served.status, 304);
  rig.wait(3);
  assert.equal(ask(rig, confirming('"a"'), 'If-None-Match: "old"').status, 200);
});

test('§4.3.3: a full answer takes the place of the stored one', () => {
  const rig = holding('Cache-Control: max-age=2', 'ETag: "a"');
  rig.wait(3);
  assert.equal(ask(rig, () => answer(['Cache-Control: max-age=9'], 'later')).body, 'later');
  assert.deepEqual([ask(rig, gone).body, rig.store.totals.answers], ['later', 1]);
});

test('§4.3.4: a 304 with another strong tag is about something else', () => {
  const rig = holding('Cache-Control: max-age=2', 'ETag: "a"');
  rig.wait(3);
  const served = ask(rig, ({ header }) =>
    header('if-none-match') === undefined ? answer([], 'whole') : answer(['ETag: "b"'], '', 304),
  );
  assert.deepEqual([served.body, served.asked], ['whole', 2]);
});

test('§3.2: a 304 brings new header fields, and leaves out what belongs to the body', () => {
  const rig = holding(
    'Cache-Control: max-age=2',
    'ETag: "a"',
    'X-A: 1',
    'X-B: 1',
    'Content-Type: a/b',
  );
  rig.wait(3);
  const lines = ['X-A: 2', 'X-C: 3', 'Content-Length: 99', 'Content-Type: c/d'];
  ask(rig, confirming('"a"', [...lines, 'Connection: X-C', 'Keep-Alive: timeout=5']));
  const served = ask(rig, gone);
  const values = ['x-a', 'x-b', 'x-c', 'content-length', 'content-type', 'keep-alive'];
  assert.deepEqual(
    values.map((name) => served.header(name)),
    ['2', '1', undefined, '4', 'c/d', undefined],
  );
});

test('§3.2: a 304 that forbids to store takes the stored answer away, once it has been served', () => {
  const rig = holding('Cache-Control: max-age=2', 'ETag: "a"');
  rig.wait(3);
  assert.equal(ask(rig, confirming('"a"', ['Cache-Control: no-store'])).body, 'body');
  assert.equal(rig.store.totals.answers, 0);
});

test('§4.2.4: what must be revalidated is not served when the origin is gone', () => {
  for (const directive of ['must-revalidate', 'proxy-revalidate', 's-maxage=2', 'no-cache']) {
    const rig = holding(`Cache-Control: max-age=2, ${directive}, stale-if-error=60`, 'ETag: "a"');
    rig.wait(3);
    assert.equal(ask(rig, gone).status, 0, directive);
    assert.equal(ask(rig, failing, 'Cache-Control: stale-if-error=60').status, 503, directive);
    assert.equal(ask(rig, failing, 'Cache-Control: max-stale').status, 503, directive);
  }
});

test('RFC 5861 §4: stale-if-error serves what is stored, within its window, when the origin fails', () => {
  const rig = holding('Cache-Control: max-age=2, stale-if-error=10');
  rig.wait(5);
  assert.equal(ask(rig, gone).body, 'body');
  assert.equal(ask(rig, failing).status, 200);
  assert.equal(ask(rig, () => answer([], '', 404)).status, 404);
  assert.equal(ask(rig, failing, 'Cache-Control: no-cache').status, 503);
  rig.wait(8);
  assert.equal(ask(rig, failing).status, 503);
});

test('RFC 5861 §4: a client may allow it, too', () => {
  const rig = holding('Cache-Control: max-age=1', 'ETag: "a"');
  rig.wait(5);
  assert.equal(ask(rig, failing).status, 503);
  assert.equal(ask(rig, failing, 'Cache-Control: stale-if-error=60').status, 200);
  assert.equal(ask(rig, failing, 'Cache-Control: stale-if-error=1').status, 503);
});

test('RFC 5861 §3: stale-while-revalidate answers at once, and asks behind the client’s back', () => {
  const rig = holding('Cache-Control: max-age=1, stale-while-revalidate=60', 'ETag: "a"');
  rig.wait(3);
  const served = ask(rig, () => answer(['Cache-Control: max-age=60'], 'later'));
  assert.deepEqual([served.kind, served.body, served.asked], ['hit', 'body', 1]);
  assert.deepEqual([ask(rig, gone).body, ask(rig, gone).asked], ['later', 0]);
  const other = holding('Cache-Control: max-age=1, stale-while-revalidate=4');
  other.wait(6);
  assert.equal(ask(other, () => answer([], 'later')).kind, 'revalidate');
});

test('§5.2.1: what clients can ask for', () => {
  const rows: readonly (readonly [string, readonly string[], 'hit' | 'revalidate'])[] = [
    ['max-age=0', ['max-age=60'], 'revalidate'],
    ['max-age=1', ['max-age=60'], 'revalidate'],
    ['max-age=5', ['max-age=60'], 'hit'],
    ['max-age=x', ['max-age=60'], 'revalidate'],
    ['min-fresh=30', ['max-age=60'], 'hit'],
    ['min-fresh=58', ['max-age=60'], 'revalidate'],
    ['no-cache', ['max-age=60'], 'revalidate'],
    ['no-store', ['max-age=60'], 'hit'],
    ['max-stale', ['max-age=1'], 'hit'],
    ['max-stale=2', ['max-age=1'], 'hit'],
    ['max-stale=1', ['max-age=1'], 'revalidate'],
    ['max-stale=x', ['max-age=1'], 'revalidate'],
    ['max-stale=9', ['max-age=1, must-revalidate'], 'revalidate'],
  ];
  for (const [directive, stored, kind] of rows) {
    const rig = holding(`Cache-Control: ${stored.join()}`, 'ETag: "a"');
    rig.wait(3);
    const found = ask(rig, confirming('"a"'), `Cache-Control: ${directive}`);
    assert.equal(found.kind, kind, `${directive} of ${stored}`);
  }
});

test('§5.2.1.7: only-if-cached is a stored answer or 504', () => {
  const only = 'Cache-Control: only-if-cached';
  const rig = holding('Cache-Control: max-age=5');
  assert.deepEqual([ask(rig, gone, only).status, ask(rig, gone, only).asked], [200, 0]);
  rig.wait(6);
  assert.deepEqual([ask(rig, gone, only).status, ask(rig, gone, only).asked], [504, 0]);
  assert.equal(ask(new CacheRig(), gone, only).status, 504);
});

test('§5.2.1.5: what was asked for with no-store is not stored', () => {
  const rig = new CacheRig();
  const fresh = () => answer(['Cache-Control: max-age=60']);
  ask(rig, fresh, 'Cache-Control: no-store');
  assert.equal(rig.store.totals.answers, 0);
});

test('§5.4: Pragma counts where there is no Cache-Control', () => {
  const rig = holding('Cache-Control: max-age=60', 'ETag: "a"');
  assert.equal(ask(rig, confirming('"a"'), 'Pragma: no-cache').kind, 'revalidate');
  assert.equal(ask(rig, gone, 'Pragma: no-cache', 'Cache-Control: max-stale').kind, 'hit');
  assert.equal(ask(rig, gone, 'Pragma: other').kind, 'hit');
});

test('IgnoreClientNoCache: nobody reaches the origin by pressing reload', () => {
  const rig = new CacheRig({ ignoresClientNoCache: true });
  const fresh = () => answer(['Cache-Control: max-age=60']);
  ask(rig, fresh, 'Cache-Control: no-store');
  for (const line of ['Cache-Control: no-cache', 'Cache-Control: max-age=0', 'Pragma: no-cache']) {
    assert.equal(ask(rig, gone, line).kind, 'hit', line);
  }
});

test('§4.1: variants live side by side, and an absent field is a value of its own', () => {
  const rig = new CacheRig();
  const varied: RigOrigin = ({ header }) =>
    answer(['Cache-Control: max-age=60', 'Vary: Foo', 'Vary: Bar'], header('foo') ?? 'none');
  for (const foo of ['1', '2']) ask(rig, varied, `Foo: ${foo}`);
  ask(rig, varied);
  assert.equal(rig.store.totals.answers, 3);
  assert.deepEqual(
    [ask(rig, gone, 'Foo: 1').body, ask(rig, gone, 'Foo: 2').body, ask(rig, gone).body],
    ['1', '2', 'none'],
  );
  assert.equal(ask(rig, varied, 'Foo: 1', 'Bar: 1').asked, 1);
});

test('§4.1: fields that mean the same select the same', () => {
  const pairs: readonly (readonly [string, readonly string[], readonly string[], boolean])[] = [
    ['Foo', ['1, 2'], ['1', '2'], true],
    ['Foo', ['1,2'], [' 1,  2 '], true],
    ['Foo', ['1,2'], ['2,1'], false],
    ['Foo', ['a'], ['A'], false],
    ['Foo', ['"a, b"'], ['"a,b"'], false],
    ['Foo', ['"a, b" , x'], ['"a, b",x'], true],
    ['Foo', ['x , "a" y, z'], ['x,"a" y,z'], true],
    ['Foo', ['x , "a" y'], ['x,"a"y'], false],
    ['Accept-Language', ['en, de'], ['de, en'], true],
    ['Accept-Language', ['en, de'], ['eN, De'], true],
    ['Accept-Language', ['en;q=1.0,de;q=0.5'], ['de ; q=0.5, en'], true],
    ['Accept-Language', ['en;q=0.9,de'], ['en,de;q=0.9'], false],
    ['Accept-Encoding', ['gzip, br'], ['br,gzip'], true],
  ];
  for (const [field, first, second, same] of pairs) {
    const rig = new CacheRig();
    const origin = () => answer(['Cache-Control: max-age=60', `Vary: ${field}`]);
    ask(rig, origin, ...first.map((value) => `${field}: ${value}`));
    const { asked } = ask(rig, origin, ...second.map((value) => `${field}: ${value}`));
    assert.equal(asked === 0, same, `${first} and ${second}`);
  }
});

test('§4.4: an unsafe request makes invalid what is stored for its target, unless it failed', () => {
  for (const method of ['POST', 'PUT', 'DELETE', 'M-SEARCH']) {
    const rig = holding('Cache-Control: max-age=60');
    rig.fetch({ method }, () => answer([], '', 500));
    assert.equal(rig.store.totals.answers, 1, method);
    rig.fetch({ method }, () => answer([], '', 303));
    assert.equal(rig.store.totals.answers, 0, method);
  }
});

test('§4.3.5: the answer to a HEAD freshens what it matches, and makes stale what it does not', () => {
  const head = (rig: CacheRig, ...lines: string[]) =>
    rig.fetch({ method: 'HEAD' }, () => answer(lines, ''));
  const same = holding('Cache-Control: max-age=2', 'ETag: "a"', 'X-A: 1');
  same.wait(3);
  head(same, 'Cache-Control: max-age=60', 'ETag: "a"', 'X-A: 2', 'Content-Length: 4');
  assert.deepEqual([ask(same, gone).body, ask(same, gone).header('x-a')], ['body', '2']);
  for (const line of ['ETag: "b"', 'Content-Length: 5', `Last-Modified: ${dateAt(0)}`]) {
    const other = holding('Cache-Control: max-age=2', 'ETag: "a"');
    other.wait(3);
    head(other, 'Cache-Control: max-age=60', line);
    assert.equal(ask(other, () => answer([], 'new')).body, 'new', line);
  }
});

test('RFC 9110 §9.3.2: HEAD is answered from a stored GET, and never stored itself', () => {
  const rig = holding('Cache-Control: max-age=60');
  const served = rig.fetch({ method: 'HEAD' }, gone);
  assert.deepEqual([served.asked, served.body, served.header('content-length')], [0, '', '4']);
  const empty = new CacheRig();
  empty.fetch({ method: 'HEAD' }, () => answer(['Cache-Control: max-age=60'], ''));
  assert.equal(empty.store.totals.answers, 0);
});

test('§3.1: what belongs to one connection is not stored, nor what the origin has excluded', () => {
  const rig = holding(
    'Cache-Control: max-age=60, no-cache="X-Secret", private="X-Own"',
    ...['Connection: X-Hop, close', 'X-Hop: 1', 'X-Secret: 1', 'X-Own: 1', 'X-Kept: 1'],
    ...['Keep-Alive: timeout=5', 'Proxy-Authenticate: Basic', 'Proxy-Authentication-Info: x'],
    ...['Transfer-Encoding: chunked', 'TE: gzip', 'Trailer: X', 'Upgrade: x', 'Age: 7'],
  );
  const [{ lines = [] } = {}] = rig.store.find(`${rig.prefix}/`) ?? [];
  assert.deepEqual(
    lines.map(([name]) => name),
    ['Cache-Control', 'X-Kept', 'Date', 'Content-Length'],
  );
  rig.wait(2);
  assert.equal(ask(rig, gone).header('age'), '9', '§5.1: Age goes on from what was received');
});

test('§3.3: an answer that is cut short is not stored', () => {
  const rig = holding('Cache-Control: max-age=60', 'Content-Length: 5');
  assert.equal(rig.store.totals.answers, 0);
});
