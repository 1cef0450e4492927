/** Many clients who want the same at once: one fetch for all of them, each at its own pace; on both lanes. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { type Answer, headerOf } from '../support/answer.ts';
import { startCacheLanes } from '../support/cache-lanes.ts';
import { RawClient } from '../support/raw-client.ts';
import type { Call } from '../support/scripted-origin.ts';
import { until } from '../support/wormgate.ts';

const objectBytesMax = 4_194_304;
const lanes = await startCacheLanes({ after }, [`MaxCacheObject=${objectBytesMax}`]);

const fresh = 'HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\n';
const chunkedHead = `${fresh}Transfer-Encoding: chunked\r\n\r\n`;

function chunk(text: string): string {
  return `${text.length.toString(16)}\r\n${text}\r\n`;
}

function request(path: string, ...lines: string[]): string {
  const fields = lines.map((line) => `${line}\r\n`).join('');
  return `GET ${path} HTTP/1.1\r\nHost: site.test\r\n${fields}\r\n`;
}

for (const { name, wormgate, origin } of lanes) {
  /** Clients that have each sent the request. */
  const crowd = async (path: string, lines: readonly (readonly string[])[]) => {
    const clients = await Promise.all(lines.map(() => RawClient.connect(wormgate.port)));
    for (const [index, client] of clients.entries()) {
      client.send(request(path, ...(lines[index] ?? [])));
    }
    return clients;
  };
  const answersOf = async (clients: readonly RawClient[]): Promise<Answer[]> => {
    const answers = await Promise.all(clients.map((client) => client.answer()));
    for (const client of clients) client.destroy();
    return answers;
  };
  /** The origin's calls for `path`, held until it is told to answer. */
  const held = (path: string): Call[] => {
    const calls: Call[] = [];
    origin.on(path, (call) => calls.push(call));
    return calls;
  };
  const arrived = async (calls: readonly Call[], count = 1) => {
    await until(() => calls.length >= count);
  };
  const waiting = async (count: number) => {
    const seen = () => wormgate.counter('cache_collapsed');
    await until(async () => (await seen()) >= count);
  };
  const askOnce = async (path: string, ...lines: string[]) => {
    const [answer] = await answersOf(await crowd(path, [lines]));
    assert.ok(answer !== undefined);
    return answer;
  };
  const status = (answer: Answer) => headerOf(answer, 'cache-status') ?? '';

  describe(`on the ${name}`, () => {
    test('RFC 9111 §4: a hundred who wait are answered with one fetch', async () => {
      const calls = held('/hundred');
      const before = await wormgate.counter('cache_collapsed');
      const clients = await crowd(
        '/hundred',
        Array.from({ length: 100 }, () => []),
      );
      await arrived(calls);
      await waiting(before + 99);
      const text = 'x'.repeat(50_000);
      calls[0]?.say(`${fresh}Content-Length: ${text.length}\r\n\r\n${text}`);
      const answers = await answersOf(clients);
      for (const { body } of answers) assert.equal(body.toString(), text);
      assert.equal(calls.length, 1);
      assert.equal(answers.filter((answer) => /; collapsed/.test(status(answer))).length, 99);
      assert.match(status(await askOnce('/hundred')), /; hit/);
    });

    test('the fetch goes on when the one who asked first goes away', async () => {
      const calls = held('/first-gone');
      const before = await wormgate.counter('cache_collapsed');
      const [first, ...others] = await crowd('/first-gone', [[], [], []]);
      await arrived(calls);
      await waiting(before + 2);
      const lefts = await wormgate.counter('client_aborts');
      first?.reset();
      await until(async () => (await wormgate.counter('client_aborts')) > lefts);
      calls[0]?.say(`${fresh}Content-Length: 3\r\n\r\none`);
      for (const { body } of await answersOf(others)) assert.equal(body.toString(), 'one');
      assert.equal(calls.length, 1);
    });

    test('and when all have gone: what it brings is stored', async () => {
      const calls = held('/all-gone');
      const clients = await crowd('/all-gone', [[], []]);
      await arrived(calls);
      for (const client of clients) client.reset();
      const stored = await wormgate.counter('cache_stored');
      calls[0]?.say(`${fresh}Content-Length: 3\r\n\r\none`);
      await until(async () => (await wormgate.counter('cache_stored')) > stored);
      assert.match(status(await askOnce('/all-gone')), /; hit/);
      assert.equal(calls.length, 1);
    });

    test('what has arrived is passed on at once, and who comes later gets the whole', async () => {
      const calls = held('/stream');
      const [first] = (await crowd('/stream', [[]])) as [RawClient];
      await arrived(calls);
      calls[0]?.say(chunkedHead + chunk('begin '));
      await first.until(() => first.text.includes('begin '), 'the beginning');
      const [second] = (await crowd('/stream', [[]])) as [RawClient];
      await second.until(() => second.text.includes('begin '), 'the beginning');
      calls[0]?.say(chunk('middle '));
      await first.until(() => first.text.includes('middle '), 'the middle');
      calls[0]?.say(`${chunk('end')}0\r\nX-Sum: 1\r\n\r\n`);
      for (const { body } of await answersOf([first, second])) {
        assert.equal(body.toString(), 'begin middle end');
      }
      const third = await askOnce('/stream');
      assert.match(status(third), /; hit/);
      assert.equal(third.body.toString(), 'begin middle end');
      assert.equal(headerOf(third, 'content-length'), '16');
      assert.equal(calls.length, 1);
    });

    test('a part, a condition and HEAD wait for the whole', async () => {
      const calls = held('/whole');
      const [first] = (await crowd('/whole', [[]])) as [RawClient];
      await arrived(calls);
      calls[0]?.say(`${chunkedHead}${chunk('01234')}`);
      await first.until(() => first.text.includes('01234'), 'the beginning');
      const before = await wormgate.counter('cache_collapsed');
      const others = await crowd('/whole', [['If-None-Match: "b"']]);
      await waiting(before + 1);
      calls[0]?.say(`${chunk('56789')}0\r\n\r\n`);
      for (const { body } of await answersOf([first, ...others])) {
        assert.equal(body.toString(), '0123456789');
      }
      assert.equal(calls.length, 1);
    });

    test('a slow reader does not hold up a quick one', async () => {
      const text = 'x'.repeat(4_000_000);
      const calls = held('/slow');
      const before = await wormgate.counter('cache_collapsed');
      const [slow, quick] = (await crowd('/slow', [[], []])) as [RawClient, RawClient];
      await arrived(calls);
      await waiting(before + 1);
      slow.socket.pause();
      calls[0]?.say(`${fresh}Content-Length: ${text.length}\r\n\r\n${text}`);
      assert.equal((await quick.answer()).body.length, text.length);
      slow.socket.resume();
      for (const { body } of await answersOf([slow])) assert.equal(body.length, text.length);
      assert.equal(calls.length, 1);
    });

    test('RFC 9111 §3.3: an answer cut short is cut short for all, and not stored', async () => {
      for (const [path, beginning] of [
        ['/cut-length', `${fresh}Content-Length: 100\r\n\r\nhalf`],
        ['/cut-chunks', chunkedHead + chunk('half')],
      ] as const) {
        const calls = held(path);
        const before = await wormgate.counter('cache_collapsed');
        const clients = await crowd(path, [[], [], ['If-None-Match: "b"']]);
        await arrived(calls);
        await waiting(before + 2);
        calls[0]?.say(beginning);
        const [one, two, whole] = clients as [RawClient, RawClient, RawClient];
        for (const client of [one, two]) {
          await client.until(() => client.text.includes('half'), 'the beginning');
        }
        calls[0]?.socket.destroy();
        for (const client of [one, two]) {
          await client.end();
          await assert.rejects(client.answer(), /closed without an answer/);
          client.destroy();
        }
        assert.equal((await whole.answer()).status, 502);
        whole.destroy();
        origin.on(path, (call) => call.say(`${fresh}Content-Length: 3\r\n\r\ntwo`));
        assert.equal((await askOnce(path)).body.toString(), 'two');
      }
    });

    test('RFC 9112 §6.3: an answer that ends with its connection is stored with its length', async () => {
      origin.on('/close', (call) => call.socket.end(`${fresh}Connection: close\r\n\r\nup to here`));
      assert.equal((await askOnce('/close')).body.toString(), 'up to here');
      const again = await askOnce('/close');
      assert.match(status(again), /; hit/);
      assert.equal(headerOf(again, 'content-length'), '10');
      assert.equal(again.body.toString(), 'up to here');
    });

    test('MaxCacheObject: what is larger is passed on whole and not stored', async () => {
      const text = 'x'.repeat(objectBytesMax + 1);
      const head = `${fresh}Content-Length: ${text.length}\r\n\r\n`;
      for (const [path, said] of [
        ['/large-length', head + text],
        ['/large-chunks', `${chunkedHead}${chunk(text)}0\r\n\r\n`],
      ] as const) {
        const calls = held(path);
        origin.on(path, (call) => {
          calls.push(call);
          call.say(said);
        });
        const before = await wormgate.counter('cache_too_large');
        for (const { body } of await answersOf(await crowd(path, [[], [], []]))) {
          assert.equal(body.length, text.length);
        }
        const count = calls.length;
        assert.equal((await askOnce(path)).body.length, text.length);
        assert.equal(calls.length, count + 1);
        assert.ok((await wormgate.counter('cache_too_large')) > before);
      }
    });

    test('what was private several times in a row is stored once it is for all', async () => {
      const path = '/turns';
      let asked = 0;
      const answerWith = (lines: string) => (call: Call) => {
        asked += 1;
        call.say(`HTTP/1.1 200 OK\r\n${lines}Content-Length: 5\r\n\r\nanswe`);
      };
      origin.on(path, answerWith('Cache-Control: private, max-age=600\r\n'));
      for (let turn = 1; turn <= 6; turn += 1) {
        const answer = await askOnce(path);
        assert.equal(status(answer), 'wormgate; fwd=uri-miss; fwd-status=200; detail=private');
        assert.equal(answer.body.toString(), 'answe');
        assert.equal(asked, turn);
      }
      origin.on(path, answerWith('Cache-Control: max-age=600\r\n'));
      // One goes by the cache still where nothing but the head was looked at.
      for (let turn = 1; turn <= 2; turn += 1) {
        assert.match(status(await askOnce(path)), /fwd=uri-miss; fwd-status=200|; hit/);
      }
      assert.match(status(await askOnce(path)), /; hit/);
      assert.ok(asked === 7 || asked === 8, `${asked}`);
    });

    test('RFC 9111 §4.1: of those who wait, each gets the variant that is for him', async () => {
      const path = '/vary';
      const calls: Call[] = [];
      origin.on(path, (call) => {
        calls.push(call);
        const language = /X-Language: (\w+)/.exec(call.head)?.[1] ?? '';
        const answer = `${fresh}Vary: X-Language\r\nContent-Length: 2\r\n\r\n${language}`;
        setImmediate(() => call.say(answer));
      });
      const languages = ['de', 'en', 'de', 'fr', 'en', 'de'];
      const clients = await crowd(
        path,
        languages.map((each) => [`X-Language: ${each}`]),
      );
      const answers = await answersOf(clients);
      assert.deepEqual(
        answers.map(({ body }) => body.toString()),
        languages,
      );
      const known = await askOnce(path, 'X-Language: fr');
      assert.match(status(known), /; hit/);
      assert.equal(known.body.toString(), 'fr');
    });
  });
}
