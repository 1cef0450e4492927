/**
 * What is for one client is never given to another: not from the store, and not while both wait for the same
 * URL (RFC 9111 §§3.5, 4, 5.2.2.7, 7.3); on both lanes.
 */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { headerOf } from '../support/answer.ts';
import { startCacheLanes } from '../support/cache-lanes.ts';
import { RawClient } from '../support/raw-client.ts';
import { until } from '../support/wormgate.ts';

const lanes = await startCacheLanes({ after }, ['PurgeAllow=127.0.0.2']);

const users = Array.from({ length: 8 }, (_, index) => `user-${index}`);

/** Lines of an answer that may be for one user alone. */
const privately: readonly (readonly [string, readonly string[]])[] = [
  ['private', ['Cache-Control: private, max-age=600']],
  ['no-store', ['Cache-Control: no-store']],
  ['Set-Cookie', ['Cache-Control: max-age=600', 'Set-Cookie: session={user}']],
  ['no word at all', []],
  ['a tag without a lifetime', ['ETag: "{user}"']],
  ['no-cache with a tag', ['Cache-Control: no-cache', 'ETag: "{user}"']],
  [
    'max-age=0 with a date',
    ['Cache-Control: max-age=0', 'Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT'],
  ],
  ['Vary: Cookie', ['Cache-Control: max-age=600', 'Vary: Cookie']],
  ['Vary: *', ['Cache-Control: max-age=600', 'Vary: *']],
];

for (const { name, wormgate, origin } of lanes) {
  /** Asks as all users at once, each on a connection of his own, and gives what each was told. */
  const askAsAll = async (path: string, field: string) => {
    const clients = await Promise.all(users.map(() => RawClient.connect(wormgate.port)));
    const answers = clients.map((client, index) =>
      client.ask(`GET ${path} HTTP/1.1\r\nHost: site.test\r\n${field}: ${users[index]}\r\n\r\n`),
    );
    const all = await Promise.all(answers);
    for (const client of clients) client.destroy();
    return all;
  };

  describe(`on the ${name}`, () => {
    for (const [index, [kind, lines]] of privately.entries()) {
      test(`RFC 9111 §§3, 4: a page for one, with ${kind}, is his alone`, async () => {
        const path = `/private-${index}`;
        origin.on(path, (call) => {
          const user = /Cookie: (\S+)/.exec(call.head)?.[1] ?? 'nobody';
          const fields = lines.map((line) => `${line.replace('{user}', user)}\r\n`).join('');
          const head = `HTTP/1.1 200 OK\r\n${fields}Content-Length: ${user.length}\r\n\r\n`;
          // Late enough for the others to wait; in two pieces, so that it is read as it arrives. One timer
          // begins the other: of two, a busy process may fire the later one first.
          setTimeout(() => {
            call.say(head);
            setTimeout(() => call.say(user), 10);
          }, 30);
        });
        for (let round = 0; round < 2; round += 1) {
          const answers = await askAsAll(path, 'Cookie');
          assert.deepEqual(
            answers.map(({ body }) => body.toString()),
            users,
          );
          for (const [at, answer] of answers.entries()) {
            const cookie = headerOf(answer, 'set-cookie');
            assert.ok(cookie === undefined || cookie === `session=${users[at]}`);
          }
        }
      });
    }

    test('a page without a word about caches that somebody with a cookie got stays his', async () => {
      const date = 'Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT';
      origin.on('/account', (call) => {
        const user = /Cookie: (\S+)/.exec(call.head)?.[1] ?? 'nobody';
        // As a page whose date is that of its template.
        if (call.head.includes('If-Modified-Since')) call.say('HTTP/1.1 304 Not Modified\r\n\r\n');
        else
          call.say(`HTTP/1.1 200 OK\r\n${date}\r\nContent-Length: ${user.length}\r\n\r\n${user}`);
      });
      const client = await RawClient.connect(wormgate.port);
      const ask = async (line: string) =>
        String((await client.ask(`GET /account HTTP/1.1\r\nHost: site.test\r\n${line}\r\n`)).body);
      assert.equal(await ask('Cookie: alice\r\n'), 'alice');
      assert.equal(await ask(''), 'nobody');
      assert.equal(await ask('Cookie: bob\r\n'), 'nobody');
      client.destroy();
    });

    test('RFC 9111 §3.5: nobody waits for the answer to another’s credentials', async () => {
      const path = '/credentials';
      origin.on(path, (call) => {
        const user = /Authorization: (\S+)/.exec(call.head)?.[1] ?? 'nobody';
        const head = `HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\nContent-Length: ${user.length}\r\n`;
        setTimeout(() => call.say(`${head}\r\n${user}`), 30);
      });
      for (let round = 0; round < 2; round += 1) {
        const answers = await askAsAll(path, 'Authorization');
        assert.deepEqual(
          answers.map(({ body }) => body.toString()),
          users,
        );
      }
    });

    test('RFC 9111 §5.2.2.7: a field for one reaches nobody who waits beside him', async () => {
      const path = '/field';
      origin.on(path, (call) => {
        const user = /Cookie: (\S+)/.exec(call.head)?.[1] ?? 'nobody';
        call.say(
          `HTTP/1.1 200 OK\r\nCache-Control: max-age=600, private="X-User"\r\nX-User: ${user}\r\n`,
        );
        setTimeout(() => {
          call.say('Content-Length: 3\r\n\r\no');
          setTimeout(() => call.say('ne'), 10);
        }, 30);
      });
      const answers = await askAsAll(path, 'Cookie');
      for (const [at, answer] of answers.entries()) {
        assert.ok([undefined, users[at]].includes(headerOf(answer, 'x-user')), users[at]);
      }
      const later = await askAsAll(path, 'Cookie');
      for (const answer of later) assert.equal(headerOf(answer, 'x-user'), undefined);
    });

    test('RFC 9111 §4.4: what was on its way when something changed is not stored', async () => {
      const changes: readonly (readonly [string, string, string])[] = [
        ['/change-post', 'POST', ''],
        ['/change-purge', 'PURGE', ''],
        ['/change-reload', 'POST', 'Cache-Control: no-cache\r\n'],
        ['/change-user', 'POST', 'Authorization: a\r\n'],
      ];
      for (const [path, method, fields] of changes) {
        let release = () => {};
        origin.on(path, (call) => {
          const say = (body: string) =>
            call.say(
              `HTTP/1.1 200 OK\r\nCache-Control: s-maxage=600\r\nContent-Length: 3\r\n\r\n${body}`,
            );
          if (call.head.startsWith('POST')) say('yes');
          else release = () => say('old');
        });
        const client = await RawClient.connect(wormgate.port);
        client.send(`GET ${path} HTTP/1.1\r\nHost: site.test\r\n${fields}\r\n`);
        await until(() => origin.callsOf(path).length === 1);
        const other = await RawClient.connect(wormgate.port, '127.0.0.2');
        await other.ask(
          `${method} ${path} HTTP/1.1\r\nHost: site.test\r\nContent-Length: 0\r\n\r\n`,
        );
        release();
        assert.equal((await client.answer()).body.toString(), 'old');
        origin.on(path, (call) => call.say('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nnew'));
        const again = await client.ask(`GET ${path} HTTP/1.1\r\nHost: site.test\r\n\r\n`);
        assert.equal(again.body.toString(), 'new', path);
        client.destroy();
        other.destroy();
      }
    });

    test('a purge is for PurgeAllow', async () => {
      const path = '/purge';
      let count = 0;
      origin.on(path, (call) => {
        count += 1;
        const head = 'HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\nContent-Length: 1\r\n\r\n';
        call.say(`${head}${count}`);
      });
      const purge = `PURGE ${path} HTTP/1.1\r\nHost: site.test\r\n\r\n`;
      const ask = `GET ${path} HTTP/1.1\r\nHost: site.test\r\n\r\n`;
      const stranger = await RawClient.connect(wormgate.port);
      const operator = await RawClient.connect(wormgate.port, '127.0.0.2');
      assert.equal((await operator.ask(purge)).status, 404);
      assert.equal((await operator.ask(ask)).body.toString(), '1');
      assert.equal((await stranger.ask(purge)).status, 403);
      assert.equal((await operator.ask(ask)).body.toString(), '1');
      const purged = await wormgate.counter('cache_purged');
      const told = await operator.ask(purge);
      assert.equal(told.status, 200);
      assert.match(told.body.toString(), /taken out of the cache: 1\./);
      assert.equal(await wormgate.counter('cache_purged'), purged + 1);
      assert.equal((await operator.ask(ask)).body.toString(), '2');
      assert.equal(
        origin.callsOf(path).some(({ head }) => head.startsWith('PURGE')),
        false,
      );
      await wormgate.logLine(/"PURGE \/purge HTTP\/1\.1" 403 \d+ error=purge_not_allowed/);
      stranger.destroy();
      operator.destroy();
    });
  });
}
