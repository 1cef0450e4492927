/** Clients that try to poison the cache, or to break it by leaving at any moment; on both lanes. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { headerOf } from '../support/answer.ts';
import { type Case, playCases, startCacheLanes } from '../support/cache-lanes.ts';
import { inLanes } from '../support/lanes.ts';
import { RawClient } from '../support/raw-client.ts';
import { until } from '../support/wormgate.ts';

const lanes = await startCacheLanes({ after }, ['MaxCacheObject=200000']);
const trusting = await startCacheLanes({ after }, [], ['TrustedProxies=127.0.0.1']);

const fresh = 'Cache-Control: max-age=600';
const stored = 'fwd=uri-miss; fwd-status=200; stored';
const varyMiss = 'fwd=vary-miss; fwd-status=200; stored';

const poison: Case[] = [
  [
    'RFC 9111 §4.1: a field that Connection takes out does not select a variant',
    {
      lines: ['Connection: X-Language', 'X-Language: de'],
      origin: { lines: [fresh, 'Vary: X-Language'], body: 'none' },
      heard: { 'x-language': undefined },
    },
    {
      lines: ['X-Language: de'],
      origin: { lines: [fresh, 'Vary: X-Language'], body: 'de' },
      heard: { 'x-language': 'de' },
      body: 'de',
      cache: varyMiss,
    },
    { body: 'none', cache: 'hit' },
  ],
  ...['X-Forwarded-For', 'Accept, Forwarded'].map(
    (vary): Case => [
      `RFC 9111 §4.1: what varies by ${vary} is for one address alone`,
      {
        origin: { lines: [fresh, `Vary: ${vary}`], body: 'one' },
        cache: 'fwd=uri-miss; fwd-status=200; detail=vary-star',
      },
      { origin: { lines: [fresh, `Vary: ${vary}`], body: 'two' }, body: 'two' },
    ],
  ),
  [
    'fields of forwarding from strangers reach no origin and select nothing',
    {
      lines: ['X-Forwarded-Host: evil.test', 'X-Forwarded-Proto: https'],
      origin: { lines: [fresh], body: 'one' },
      heard: { 'x-forwarded-host': 'site.test', 'x-forwarded-proto': 'http' },
      cache: stored,
    },
    { body: 'one', cache: 'hit' },
  ],
  [
    'RFC 9112 §3.3: a GET with content cannot fill the cache, nor be answered from it',
    { content: 'abc', origin: { lines: [fresh], body: 'odd' }, body: 'odd' },
    { origin: { lines: [fresh], body: 'one' }, body: 'one', cache: stored },
    { content: 'abc', origin: { lines: [fresh], body: 'odd' }, body: 'odd' },
    { body: 'one', cache: 'hit' },
  ],
  [
    'what only looks like the same URL is another',
    { path: 'a/../b', origin: { lines: [fresh], body: '1' }, cache: stored },
    { path: 'b', origin: { lines: [fresh], body: '2' }, cache: stored },
    { path: 'a%2f..%2fb', origin: { lines: [fresh], body: '3' }, cache: stored },
    { path: 'B', origin: { lines: [fresh], body: '4' }, cache: stored },
    { path: 'b?', origin: { lines: [fresh], body: '5' }, cache: stored },
    { path: 'b', body: '2', cache: 'hit' },
  ],
  [
    'RFC 9111 §4.3.5: a HEAD that the cache is not asked about changes nothing',
    { origin: { lines: [fresh, 'Link: <good>'], body: 'one' }, cache: stored },
    {
      method: 'HEAD',
      lines: ['X_Lang: //evil.test'],
      origin: { lines: [fresh, 'Link: <//evil.test>'] },
      cache: 'fwd=bypass',
      body: '',
    },
    { body: 'one', cache: 'hit', sees: { link: '<good>' } },
  ],
  [
    'RFC 9111 §4.3.5: nor does one that is answered with a cookie',
    { origin: { lines: [fresh], body: 'one' }, cache: stored },
    {
      method: 'HEAD',
      lines: ['Cache-Control: no-cache'],
      origin: { lines: [fresh, 'Set-Cookie: a=1', 'X-User: alice'] },
      sees: { 'x-user': 'alice' },
      body: '',
    },
    { body: 'one', cache: 'hit', sees: { 'x-user': undefined } },
  ],
  [
    'RFC 9111 §3: what a request forbids to store takes nothing out that is stored',
    { origin: { lines: [fresh, 'ETag: "a"'], body: 'one' }, cache: stored },
    {
      method: 'HEAD',
      lines: ['Authorization: Basic eA=='],
      origin: { lines: [fresh, 'ETag: "a"'] },
      body: '',
    },
    {
      lines: ['Cache-Control: no-cache, no-store'],
      origin: { status: 304, lines: ['ETag: "a"'] },
      body: 'one',
    },
    { body: 'one', cache: 'hit' },
  ],
];

playCases('poison', lanes, poison);

/** A request of a trusted proxy with these lines, and the origin's answer to it. */
const told = (lines: readonly string[], body: string, cache: string) => ({
  lines,
  origin: { lines: [fresh], body },
  body,
  cache,
});

playCases('poison by way of a trusted proxy', trusting, [
  [
    'RFC 9111 §2: X-Forwarded-Host is part of the key beside Host, not in its place',
    told(['X-Forwarded-Host: shop.test'], 'of shop.test at site.test', stored),
    { lines: ['X-Forwarded-Host: shop.test'], body: 'of shop.test at site.test', cache: 'hit' },
    told(['X-Forwarded-Host: other.test'], 'other', stored),
    told([], 'site', stored),
    { lines: ['X-Forwarded-Host: site.test'], body: 'site', cache: 'hit' },
  ],
  ...['shop.test/static', 'shop.test?', 'SHOP.test', 'a, b'].map(
    (host): Case => [
      `RFC 9111 §2: ${host} is no host that could stand in a key`,
      told([`X-Forwarded-Host: ${host}`], 'odd', 'fwd=bypass'),
      told([], 'site', stored),
    ],
  ),
  ...['javascript:alert(1)//', 'HTTP', 'https, http'].map(
    (scheme): Case => [
      `RFC 9111 §2: ${scheme} is no scheme that could stand in a key`,
      told([`X-Forwarded-Proto: ${scheme}`], 'odd', 'fwd=bypass'),
      told([], 'site', stored),
    ],
  ),
  [
    'RFC 7239: what Forwarded says stands in no key, and a HEAD with it changes nothing',
    told([], 'site', stored),
    {
      method: 'HEAD',
      lines: ['Forwarded: host=evil.test'],
      origin: { lines: [fresh, 'Link: <//evil.test>'] },
      cache: 'fwd=bypass',
      body: '',
    },
    { body: 'site', cache: 'hit', sees: { link: undefined } },
  ],
]);

/** The same numbers each time: a linear congruential generator. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * below);
  };
}

function bodyOf(target: string): string {
  const size = [0, 10, 5000, 100_000, 300_000][Number(target.at(-1)) % 5] ?? 0;
  return target.padEnd(size, '.');
}

for (const { name, wormgate, origin } of lanes) {
  describe(`on the ${name}`, () => {
    test('RFC 9112 §3.2.2: an absolute target counts, and not the Host beside it', async () => {
      origin.on('/absolute', (call) =>
        call.say(`HTTP/1.1 200 OK\r\n${fresh}\r\nContent-Length: 3\r\n\r\none`),
      );
      const client = await RawClient.connect(wormgate.port);
      await client.ask('GET http://evil.test/absolute HTTP/1.1\r\nHost: site.test\r\n\r\n');
      const ask = (host: string) => client.ask(`GET /absolute HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
      assert.match(headerOf(await ask('evil.test'), 'cache-status') ?? '', /; hit/);
      assert.match(headerOf(await ask('site.test'), 'cache-status') ?? '', /fwd=uri-miss/);
      client.destroy();
    });

    test('RFC 5861 §3: clients with credentials refresh what is stale once as well', async () => {
      const swr = 'Cache-Control: public, max-age=600, stale-while-revalidate=600\r\nAge: 700';
      origin.on('/known', (call) => {
        if (origin.callsOf('/known').length > 1) return;
        call.say(`HTTP/1.1 200 OK\r\n${swr}\r\nContent-Length: 3\r\n\r\none`);
      });
      const client = await RawClient.connect(wormgate.port);
      const ask = (lines: string) =>
        client.ask(`GET /known HTTP/1.1\r\nHost: site.test\r\n${lines}\r\n`);
      await ask('');
      for (let round = 0; round < 10; round += 1) {
        const { body } = await ask('Authorization: Basic eA==\r\n');
        assert.equal(body.toString(), 'one');
      }
      await until(() => origin.callsOf('/known').length === 2);
      client.destroy();
    });

    test('RFC 5861 §3: however many ask, what is stale is asked for once', async () => {
      const says = (lines: string, body: string) =>
        `HTTP/1.1 200 OK\r\n${lines}\r\nContent-Length: 3\r\n\r\n${body}`;
      const swr = 'Cache-Control: max-age=600, stale-while-revalidate=600';
      let release = () => {};
      origin.on('/refresh', (call) => {
        if (origin.callsOf('/refresh').length === 1) call.say(says(`${swr}\r\nAge: 700`, 'one'));
        else release = () => call.say(says(swr, 'two'));
      });
      const client = await RawClient.connect(wormgate.port);
      const ask = () => client.ask('GET /refresh HTTP/1.1\r\nHost: site.test\r\n\r\n');
      for (let round = 0; round < 20; round += 1)
        assert.equal((await ask()).body.toString(), 'one');
      await until(() => origin.callsOf('/refresh').length === 2);
      release();
      await until(async () => (await ask()).body.toString() === 'two');
      assert.equal(origin.callsOf('/refresh').length, 2);
      client.destroy();
    });

    test('clients and origins that leave at any moment: who gets an answer gets the right one', async () => {
      const random = numbers(7);
      origin.on('/chaos', (call) => {
        const body = bodyOf(call.target);
        const kind = random(10);
        const chunked = kind % 2 === 0;
        const vary = kind === 3 ? 'Vary: X-A\r\n' : '';
        const control = kind === 5 ? 'Cache-Control: private' : 'Cache-Control: max-age=600';
        const framing = chunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${body.length}`;
        call.say(`HTTP/1.1 200 OK\r\n${control}\r\n${vary}${framing}\r\n\r\n`);
        if (call.head.startsWith('HEAD')) return;
        const middle = random(body.length + 1);
        const pieces = [body.slice(0, middle), body.slice(middle)].filter((each) => each !== '');
        const say = (piece: string) =>
          call.say(chunked ? `${piece.length.toString(16)}\r\n${piece}\r\n` : piece);
        const [first = '', second] = pieces;
        setTimeout(() => {
          if (first !== '') say(first);
          if (kind === 7) return void call.socket.destroy();
          setTimeout(() => {
            if (second !== undefined) say(second);
            if (chunked) call.say('0\r\n\r\n');
          }, random(5));
        }, random(5));
      });
      let whole = 0;
      await inLanes(
        Array.from({ length: 600 }, (_, index) => index),
        24,
        async (index) => {
          const client = await RawClient.connect(wormgate.port);
          const target = `/chaos-${index % 3}/${random(10)}`;
          const method = random(8) === 0 ? 'HEAD' : 'GET';
          const extra =
            ['', 'Range: bytes=0-0\r\n', 'Cache-Control: no-cache\r\n', 'X-A: 1\r\n'][random(6)] ??
            '';
          client.send(`${method} ${target} HTTP/1.1\r\nHost: site.test\r\n${extra}\r\n`);
          if (random(3) === 0) {
            await new Promise((resolve) => setTimeout(resolve, random(6)));
            return client.reset();
          }
          const answer = await client.answer(method).catch(() => undefined);
          client.destroy();
          if (answer === undefined || answer.status >= 500) return;
          const wanted = answer.status === 206 ? bodyOf(target).slice(0, 1) : bodyOf(target);
          assert.equal(answer.body.toString(), method === 'HEAD' ? '' : wanted, target);
          whole += 1;
        },
      );
      assert.ok(whole > 100, `${whole} answers`);
      const client = await RawClient.connect(wormgate.port);
      assert.equal((await client.ask('GET / HTTP/1.1\r\nHost: site.test\r\n\r\n')).status, 200);
      client.destroy();
      // Several in a row that end too soon may take the origin out for a while.
      const others = wormgate.stderr.split('\n').filter((line) => !/ is (down|back)/.test(line));
      assert.deepEqual(others, ['']);
    });
  });
}
