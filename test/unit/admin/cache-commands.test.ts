import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  answerCacheLine,
  type CacheConsole,
  isCacheLine,
} from '../../../src/admin/cache-commands.ts';
import { keyPrefix } from '../../../src/cache/key.ts';
import { madeAnswer } from '../../support/cache-rig.ts';

const nowMs = 1_700_000_000_000;

function start() {
  const asked: unknown[] = [];
  const cache: CacheConsole = {
    totals: () => ({ keys: 0, answers: 0, bytes: 0 }),
    list: () => [],
    purge: (url, isPrefix) => {
      asked.push([url, isPrefix]);
      return 2;
    },
    purgeAll: () => 1,
  };
  return { asked, typed: (line: string) => answerCacheLine(line, cache, nowMs) };
}

test('a line is for the cache when it begins with the word', () => {
  for (const line of ['cache', 'CACHE show', ' cache\tpurge all', 'cache\r\n']) {
    assert.equal(isCacheLine(line), true, line);
  }
  for (const line of ['caches', 'virus cache', '', 'cache-show']) {
    assert.equal(isCacheLine(line), false, line);
  }
});

test('a URL is purged as it stands in keys, with an asterisk all that begin so', async () => {
  const { asked, typed } = start();
  assert.deepEqual(await typed('cache purge HTTP://WWW.Example.com:80/A?b=C'), {
    ok: true,
    text: 'Took 2 stored answers out.',
  });
  await typed('cache purge "https://www.example.com/a b"'.replace(' b', '%20b'));
  await typed('cache purge http://www.example.com/a*');
  assert.deepEqual(asked, [
    ['http://www.example.com/A?b=C', false],
    ['https://www.example.com/a%20b', false],
    ['http://www.example.com/a', true],
  ]);
  assert.equal((await typed('cache purge all')).text, 'Took 1 stored answer out.');
});

test('an empty cache says so', async () => {
  assert.deepEqual(await start().typed('cache show'), {
    ok: true,
    text: '0 stored answers, 0 bytes.',
  });
});

test('the beginning of a URL may end in its host', async () => {
  const { asked, typed } = start();
  await typed('cache purge http://www.exam*');
  assert.deepEqual(asked, [['http://www.exam', true]]);
});

test('what is stored is listed by site and URL, a stale answer with a negative time', async () => {
  const key = (target: string) => `${keyPrefix('shop 1', 'http', 'a')}${target}`;
  const listed = [
    { key: key('/new'), answer: madeAnswer({ responseMs: nowMs }) },
    { key: key('/old'), answer: madeAnswer({ responseMs: nowMs - 200_000 }) },
  ];
  const cache: CacheConsole = {
    totals: () => ({ keys: 2, answers: 2, bytes: 5000 }),
    list: () => listed,
    purge: () => 0,
    purgeAll: () => 0,
  };
  assert.equal(
    (await answerCacheLine('cache show', cache, nowMs)).text,
    [
      '2 stored answers, 5000 bytes.',
      'USED  AGE  FRESH FOR  BYTES  STATUS  SITE    URL',
      '   0    0         60      4     200  shop 1  http://a/new',
      '   0  200       -140      4     200  shop 1  http://a/old',
    ].join('\n'),
  );
});

test('help names every form', async () => {
  for (const line of ['cache', 'cache -h', 'cache /?']) {
    const { ok, text } = await start().typed(line);
    assert.equal(ok, true);
    for (const form of ['cache show newest', 'cache purge URL*', 'cache purge all']) {
      assert.ok(text.includes(form));
    }
  }
});

test('what cannot be understood is refused with what was wrong and the syntax', async () => {
  for (const [line, wrong] of [
    ['cache purge', 'The URL is missing'],
    ['cache purge /path', '"/path": a URL is needed'],
    ['cache purge ftp://a/', 'a URL is needed'],
    ['cache purge http://a/#b', 'no fragment'],
    ['cache purge http://a/ http://b/', 'a word too many'],
    ['cache show oldest', 'newest or nothing, not "oldest"'],
    ['cache flush', 'no command cache "flush"'],
    ['cache purge "http://a', 'Column 13: the string has no closing quotation mark'],
  ] as const) {
    const { ok, text } = await start().typed(line);
    assert.equal(ok, false, line);
    assert.ok(text.includes(wrong), text);
    assert.match(text, /Syntax: cache show; /);
  }
});
