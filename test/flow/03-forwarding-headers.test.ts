/** Forwarding: what becomes of request targets, methods and header lines on their way, both ways. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { headerOf } from '../support/answer.ts';
import { askOnce, RawClient } from '../support/raw-client.ts';
import {
  type Call,
  headerLinesOf,
  okAnswer,
  startScriptedOrigin,
  valuesOf,
} from '../support/scripted-origin.ts';
import { startSites } from '../support/sites.ts';

const origin = await startScriptedOrigin({ after });
const {
  ports: { site: port, behind },
} = await startSites(
  { after },
  {
    site: { origin: origin.url },
    behind: { origin: origin.url, lines: ['TrustedProxies=127.0.0.0/8'] },
  },
);

/** Sends a request and returns what the origin received for it. */
async function passOn(request: string, to = port): Promise<Call> {
  const before = origin.calls.length;
  const answer = await askOnce(to, request);
  assert.equal(answer.status, 200, `${request}\n${answer.body}`);
  assert.equal(origin.calls.length, before + 1);
  const call = origin.calls[before];
  if (call === undefined) throw new Error('no call');
  return call;
}

const own = ['via', 'x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'connection'];

function withoutOurs(head: string): string[] {
  return headerLinesOf(head)
    .filter(([name]) => !own.includes(name.toLowerCase()))
    .map(([name, value]) => `${name}: ${value}`);
}

describe('targets and methods', () => {
  for (const target of [
    '/',
    '//a//b',
    '/a?b?c#',
    '/%zz',
    '/scripts/..%c0%af../winnt/',
    '/caf%E9?x=%ff',
    '/a/./b/../c',
    '/a\\b',
    '/{x}|"<>^`',
    '/?',
    '/a;b=c',
    '/*',
    `/${'x'.repeat(8000)}`,
  ]) {
    test(`the target ${target.slice(0, 40)} reaches the origin byte for byte`, async () => {
      const { head } = await passOn(`GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`);
      assert.equal(head.split('\r\n')[0], `GET ${target} HTTP/1.1`);
    });
  }

  for (const method of [
    'DELETE',
    'PATCH',
    'PROPFIND',
    'REPORT',
    'QUERY',
    'M-SEARCH',
    'MKCOL',
    'TRACE',
  ]) {
    test(`${method} passes`, async () => {
      const { head } = await passOn(`${method} /x HTTP/1.1\r\nHost: a\r\n\r\n`);
      assert.equal(head.split('\r\n')[0], `${method} /x HTTP/1.1`);
      assert.deepEqual(valuesOf(head, 'content-length'), []);
      assert.deepEqual(valuesOf(head, 'transfer-encoding'), []);
    });
  }

  test('OPTIONS * passes, in absolute-form too', async () => {
    assert.match((await passOn('OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n')).head, /^OPTIONS \* HTTP/);
    const { head } = await passOn('OPTIONS http://b.test HTTP/1.1\r\nHost: a\r\n\r\n');
    assert.match(head, /^OPTIONS \* HTTP/);
    assert.deepEqual(valuesOf(head, 'host'), ['b.test']);
  });

  test('an absolute-form target reaches the origin in origin-form, and replaces Host', async () => {
    const { head } = await passOn(
      'GET http://b.test:81?q HTTP/1.1\r\nA: 1\r\nHost: a.test\r\nB: 2\r\n\r\n',
    );
    assert.equal(head.split('\r\n')[0], 'GET /?q HTTP/1.1');
    assert.deepEqual(withoutOurs(head), ['A: 1', 'Host: b.test:81', 'B: 2']);
    assert.deepEqual(valuesOf(head, 'x-forwarded-host'), ['b.test:81']);
  });

  for (const method of ['DELETE', 'OPTIONS', 'GET']) {
    test(`${method} with a chunked body is one request (CVE-2026-29057)`, async () => {
      const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n';
      const chunk = `${smuggled.length.toString(16)}\r\n${smuggled}\r\n0\r\n\r\n`;
      origin.on('/body', ({ say, body, onBody }) => {
        onBody(() => {
          if (body().endsWith('0\r\n\r\n')) say(okAnswer());
        });
      });
      const client = await RawClient.connect(port);
      client.send(
        `${method} /body HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}`,
      );
      // The scripted origin takes the body for a request as well; what counts is how it is framed.
      await client.until(() => client.text.includes('ok'), 'an answer');
      const call = origin.callsOf('/body').at(-1);
      assert.deepEqual(valuesOf(call?.head ?? '', 'transfer-encoding'), ['chunked']);
      assert.deepEqual(valuesOf(call?.head ?? '', 'content-length'), []);
      assert.equal(call?.body(), chunk);
      client.destroy();
    });
  }

  test('GET with a body of known length passes', async () => {
    origin.on('/get', ({ say, body, onBody }) => {
      onBody(() => {
        if (body() === 'body') say(okAnswer());
      });
    });
    const { head } = await passOn('GET /get HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody');
    assert.deepEqual(valuesOf(head, 'content-length'), ['4']);
  });
});

describe('header lines', () => {
  test('names keep their case and order, repeated ones are kept, malformed values pass', async () => {
    const lines = [
      'hOST: a.test',
      'X-oDD: 1',
      'Content-Type: ;;not/a type;=',
      'Accept: text/html',
      'x-odd-empty: ',
      'X-Latin: caf\xe9',
      'Cookie: a=b',
    ];
    const { head } = await passOn(`GET / HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
    assert.deepEqual(withoutOurs(head), lines);
  });

  test('repeated lines stay lines, in their order', async () => {
    const { head } = await passOn('GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\nX: 2\r\nX: 1\r\n\r\n');
    assert.deepEqual(valuesOf(head, 'x'), ['1', '2', '1']);
  });

  test('names that mean something to JavaScript are only names', async () => {
    const lines = ['Host: a', '__proto__: x', 'constructor: y', 'toString: z'];
    const { head } = await passOn(`GET / HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
    assert.deepEqual(withoutOurs(head), lines);
  });

  test('what is hop-by-hop is not passed on to the origin', async () => {
    const { head } = await passOn(
      'GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, X-Mine, TE\r\nX-Mine: 1\r\nTE: trailers\r\n' +
        'Keep-Alive: timeout=5\r\nProxy-Connection: close\r\nProxy-Authorization: Basic x\r\n' +
        'Upgrade: a\r\nHTTP2-Settings: AAAA\r\nX-Else: 2\r\n\r\n',
    );
    assert.deepEqual(withoutOurs(head), ['Host: a', 'X-Else: 2']);
    assert.deepEqual(valuesOf(head, 'connection'), ['keep-alive']);
  });

  test('Connection cannot strip what framing and routing depend on', async () => {
    origin.on('/strip', ({ say, body, onBody }) =>
      onBody(() => body() === 'body' && say(okAnswer())),
    );
    const { head } = await passOn(
      'POST /strip HTTP/1.1\r\nHost: a\r\nConnection: host, content-length, x-forwarded-for\r\nContent-Length: 4\r\n\r\nbody',
    );
    assert.deepEqual(withoutOurs(head), ['Host: a', 'Content-Length: 4']);
    assert.deepEqual(valuesOf(head, 'x-forwarded-for'), ['127.0.0.1']);
  });

  test('Via, X-Forwarded-For, -Proto and -Host tell the origin where a request came from', async () => {
    const { head } = await passOn('GET / HTTP/1.1\r\nHost: a.test:8080\r\nVia: 1.1 cdn\r\n\r\n');
    assert.deepEqual(valuesOf(head, 'via'), ['1.1 cdn', '1.1 wormgate']);
    assert.deepEqual(valuesOf(head, 'x-forwarded-for'), ['127.0.0.1']);
    assert.deepEqual(valuesOf(head, 'x-forwarded-proto'), ['http']);
    assert.deepEqual(valuesOf(head, 'x-forwarded-host'), ['a.test:8080']);
    assert.deepEqual(valuesOf(head, 'forwarded'), []);
  });

  const spoofed =
    'GET / HTTP/1.1\r\nHost: a.test\r\nX-Forwarded-For: 1.1.1.1\r\nX-Forwarded-Proto: https\r\n' +
    'X-Forwarded-Host: evil\r\nForwarded: for=1.1.1.1\r\nX_Forwarded_For: 1.1.1.1\r\n\r\n';

  test('what an untrusted peer writes into these headers is replaced', async () => {
    const { head } = await passOn(spoofed);
    assert.deepEqual(valuesOf(head, 'x-forwarded-for'), ['127.0.0.1']);
    assert.deepEqual(valuesOf(head, 'x-forwarded-proto'), ['http']);
    assert.deepEqual(valuesOf(head, 'x-forwarded-host'), ['a.test']);
    assert.deepEqual(withoutOurs(head), ['Host: a.test']);
  });

  test('what a trusted peer writes into them is kept and added to', async () => {
    const { head } = await passOn(spoofed, behind);
    assert.deepEqual(valuesOf(head, 'x-forwarded-for'), ['1.1.1.1, 127.0.0.1']);
    assert.deepEqual(valuesOf(head, 'x-forwarded-proto'), ['https']);
    assert.deepEqual(valuesOf(head, 'x-forwarded-host'), ['evil']);
    assert.deepEqual(valuesOf(head, 'forwarded'), ['for=1.1.1.1', 'for=127.0.0.1;proto=http']);
  });

  test('a request that came through here too often is taken for a loop', async () => {
    const via = Array.from({ length: 5 }, () => 'Via: 1.1 wormgate\r\n').join('');
    assert.equal((await askOnce(port, `GET / HTTP/1.1\r\nHost: a\r\n${via}\r\n`)).status, 400);
  });

  test('the answer’s lines keep case, order and repetition, without what is hop-by-hop', async () => {
    const kept = [
      'x-lower: 1',
      'SERVER: Odd',
      'Set-Cookie: a=1; Path=/',
      'X-Between: 2',
      'Set-Cookie: b=2',
      'X-Latin: caf\xe9',
      'Content-Length: 2',
      'Date: Thu, 01 Jan 1970 00:00:00 GMT',
    ];
    const hops = [
      'Connection: X-Hop, close',
      'X-Hop: 1',
      'Keep-Alive: timeout=5',
      'Proxy-Authenticate: Basic',
    ];
    origin.on('/lines', ({ say }) =>
      say(`HTTP/1.1 299 Odd Reason\r\n${[...hops, ...kept].join('\r\n')}\r\n\r\nok`),
    );
    const client = await RawClient.connect(port);
    const answer = await client.ask('GET /lines HTTP/1.1\r\nHost: a\r\n\r\n');
    assert.deepEqual([answer.status, answer.reason], [299, 'Odd Reason']);
    assert.deepEqual(
      answer.lines.map((line) => line.join(': ')),
      kept,
    );
    assert.equal((await client.ask('GET / HTTP/1.1\r\nHost: a\r\n\r\n')).status, 200);
    client.destroy();
  });

  test('a status that no RFC knows passes', async () => {
    origin.on('/999', ({ say }) => say('HTTP/1.1 999 \r\nContent-Length: 2\r\n\r\nno'));
    const answer = await askOnce(port, 'GET /999 HTTP/1.1\r\nHost: a\r\n\r\n');
    assert.deepEqual([answer.status, answer.reason, answer.body.toString()], [999, '', 'no']);
  });

  test('an answer without Date gets one (RFC 9110 §6.6.1)', async () => {
    const answer = await askOnce(port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    assert.match(headerOf(answer, 'date') ?? '', /GMT$/);
  });

  test('a client that asks for the end of the connection gets it, and the origin does not', async () => {
    const client = await RawClient.connect(port);
    const answer = await client.ask('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    assert.equal(headerOf(answer, 'connection'), 'close');
    await client.end();
    assert.deepEqual(valuesOf(origin.calls.at(-1)?.head ?? '', 'connection'), ['keep-alive']);
  });
});
