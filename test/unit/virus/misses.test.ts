/** What is a miss, and what is none. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AnsweredRequest, Misses } from '../../../src/virus/misses.ts';
import { ServedMemory } from '../../../src/virus/served-memory.ts';

function judging(keywords: readonly string[] = []) {
  const served = new ServedMemory({
    ...{ patternStartOffset: 1, patternSize: 16, bytesMax: 1 << 20 },
    ...{ lastsMs: 1000, seed: 7, nowMs: 0 },
  });
  const misses = new Misses({
    rules: { statuses: [403, 404], exceptions: ['/', '/robots.txt', '/favicon*'] },
    served,
    holdsKeyword: (text) => keywords.some((keyword) => text.includes(keyword)),
  });
  const serve = (target: string, atMs = 0) =>
    served.note(`${target} HTTP/1.1`, 0, target.length + 9, atMs);
  const judge = (target: string, rest: Partial<AnsweredRequest> = {}) =>
    misses.judge({
      requestString: `${target} HTTP/1.1`,
      ...{ status: 404, referer: undefined, host: 'www.a.test', atMs: 10 },
      ...rest,
    });
  return { misses, serve, judge };
}

test('a target that the origin refuses and nobody was ever served is a miss', () => {
  const { judge } = judging();
  assert.equal(judge('/gone'), 'miss');
  assert.equal(judge('/gone', { status: 403 }), 'miss');
});

test('an answer with any other status is none', () => {
  const { judge } = judging();
  for (const status of [0, 101, 200, 302, 401, 410, 500, 503, 999]) {
    assert.equal(judge('/gone', { status }), 'status', String(status));
  }
});

test('what was served is no miss, with another query or written in another way', () => {
  const { serve, judge } = judging();
  serve('/page?a=1');
  for (const target of ['/page', '/page?b=2', '/%70age', '/x/../page', '//page', '/./page?c']) {
    assert.equal(judge(target), 'served', target);
  }
  assert.equal(judge('/pages'), 'miss');
});

test('what shares its window with what was served is a miss all the same', () => {
  const { serve, judge } = judging();
  serve('/wp-content/uploads/2026/a.png');
  assert.equal(judge('/wp-content/uploads/2026/b.php'), 'miss');
});

test('what was served is forgotten in the end', () => {
  const { serve, judge } = judging();
  serve('/page', 0);
  assert.equal(judge('/page', { atMs: 999 }), 'served');
  assert.equal(judge('/page', { atMs: 2001 }), 'miss');
});

test('paths that are asked for unbidden never count, however they are written', () => {
  const { judge } = judging();
  for (const target of ['/', '/?x=1', '//', '/a/..', '/robots.txt', '/%72obots.txt']) {
    assert.equal(judge(target), 'excepted', target);
  }
  for (const target of ['/favicon.ico', '/favicon-32x32.png?v=2', '/favicon']) {
    assert.equal(judge(target), 'excepted', target);
  }
  assert.equal(judge('/robots.txt.bak'), 'miss');
  assert.equal(judge('/x/favicon.ico'), 'miss');
});

test('what a served page of this site has led to does not count', () => {
  const { serve, judge } = judging();
  serve('/page');
  for (const referer of [
    'http://www.a.test/page',
    'https://WWW.a.test:8443/page?x#y',
    'https://www.a.test/p%61ge',
  ]) {
    assert.equal(judge('/gone.png', { referer }), 'referred', referer);
  }
  serve('/');
  assert.equal(judge('/gone.png', { referer: 'http://www.a.test' }), 'referred');
  const port = { referer: 'http://www.a.test/page', host: 'www.a.test:8080' };
  assert.equal(judge('/gone.png', port), 'referred');
});

test('no other Referer helps', () => {
  const { serve, judge } = judging();
  serve('/page');
  for (const referer of [
    '',
    '/page',
    'www.a.test/page',
    'http://b.test/page',
    'http://www.a.test.b.test/page',
    'http://www.a.test@b.test/page',
    'http://www.a.test/gone.png',
    'ftp://www.a.test/page',
  ]) {
    assert.equal(judge('/gone.png', { referer }), 'miss', referer);
  }
  const without = { referer: 'http://www.a.test/page', host: undefined };
  assert.equal(judge('/gone.png', without), 'miss');
});

test('a request that holds a keyword is a miss whatever its Referer says', () => {
  const { serve, judge } = judging(['.git/config']);
  serve('/page');
  const referer = 'http://www.a.test/page';
  assert.equal(judge('/.git/config', { referer }), 'miss');
  assert.equal(judge('/gone', { referer }), 'referred');
});

test('misses of one path are told from those of others by their hash', () => {
  const { misses, judge } = judging();
  const hashOf = (target: string) => {
    judge(target);
    return misses.hash;
  };
  const hash = hashOf(`/${'a'.repeat(200)}/1`);
  assert.equal(hashOf(`/${'a'.repeat(200)}/1?x=1`), hash);
  assert.equal(hashOf(`/x/../${'a'.repeat(200)}/1`), hash);
  assert.notEqual(hashOf(`/${'a'.repeat(200)}/2`), hash);
  assert.equal(misses.path.length, 96);
});

test('other rules hold from then on', () => {
  const { misses, judge } = judging();
  misses.setRules({ statuses: [401], exceptions: [] });
  assert.equal(judge('/gone'), 'status');
  assert.equal(judge('/robots.txt', { status: 401 }), 'miss');
});
