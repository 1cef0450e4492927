/**
 * Requests that two servers could read differently, and requests that are none. Each is refused, its
 * connection closed, nothing of it reaches the origin, and the log and the counters know about it.
 */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { type Answer, headerOf } from '../support/answer.ts';
import { RawClient } from '../support/raw-client.ts';
import { type Call, startScriptedOrigin } from '../support/scripted-origin.ts';
import { startSites } from '../support/sites.ts';

/** How a refusal appears in PROXY.LOG. */
const forms = {
  /** The request line itself is none: the paper's form. */
  line: /^127\.0\.0\.1 - - \[[^\]]+\] "\(bad request line\) [^"]*" 400 \d+ id=\S+$/,
  head: /^127\.0\.0\.1 - - \[[^\]]+\] "[^"(][^"]*" 400 \d+ error=ambiguous_head id=\S+$/,
  body: /^127\.0\.0\.1 - - \[[^\]]+\] "[^"(][^"]*" 400 \d+ error=ambiguous_body id=\S+$/,
} as const;

interface Case {
  readonly bytes: string;
  readonly form: keyof typeof forms;
}

const line = (text: string): Case => ({ bytes: `${text}\r\nHost: a\r\n\r\n`, form: 'line' });
const head = (lines: string, request = 'GET /x HTTP/1.1'): Case => ({
  bytes: `${request}\r\n${lines}\r\n\r\n`,
  form: 'head',
});
const framed = (
  lines: string,
  body = '5\r\nabcde\r\n0\r\n\r\n',
  form: Case['form'] = 'head',
): Case => ({
  bytes: `POST /x HTTP/1.1\r\nHost: a\r\n${lines}\r\n\r\n${body}`,
  form,
});
const chunks = (body: string): Case => framed('Transfer-Encoding: chunked', body, 'body');

const cases: Readonly<Record<string, Case>> = {
  'two blanks after the method': line('GET  /x HTTP/1.1'),
  'a tab after the method': line('GET\t/x HTTP/1.1'),
  'a tab before the version': line('GET /x\tHTTP/1.1'),
  'a tab in the target': line('GET /x\ty HTTP/1.1'),
  'a blank in the target': line('GET /x y HTTP/1.1'),
  'a blank behind the version': line('GET /x HTTP/1.1 '),
  'a blank before the method': line(' GET /x HTTP/1.1'),
  'an empty target': line('GET  HTTP/1.1'),
  'no target': line('GET HTTP/1.1'),
  'no version (HTTP/0.9)': line('GET /x'),
  'a version of three numbers': line('GET /x HTTP/1.1.1'),
  'HTTP/1.2': line('GET /x HTTP/1.2'),
  'HTTP/2.0': line('GET /x HTTP/2.0'),
  'HTTP/0.9 spelled out': line('GET /x HTTP/0.9'),
  'http/1.1 in lower case': line('GET /x http/1.1'),
  RTSP: line('GET /x RTSP/1.0'),
  ICE: line('SOURCE /x ICE/1.0'),
  'the preface of HTTP/2': { bytes: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', form: 'line' },
  'authority-form without CONNECT': line('GET a:80 HTTP/1.1'),
  'a target that is neither form': line('GET x HTTP/1.1'),
  'a target of another scheme': line('GET ftp://a/x HTTP/1.1'),
  '* without OPTIONS': line('GET * HTTP/1.1'),
  'a NUL in the target': line('GET /x\0y HTTP/1.1'),
  'a NUL in the method': line('G\0T /x HTTP/1.1'),
  'a DEL in the target': line('GET /x\x7f HTTP/1.1'),
  'bytes above 127 in the target': line('GET /caf\xe9 HTTP/1.1'),
  'a TLS greeting': { bytes: '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n', form: 'line' },
  'garbage with a line end': { bytes: 'helo there\r\n\r\n', form: 'line' },
  'a bare LF behind the request line': { bytes: 'GET /x HTTP/1.1\nHost: a\r\n\r\n', form: 'head' },
  'a bare CR in the request line': line('GET /x\rHTTP/1.1'),
  'a bare LF behind a header': head('Host: a\nX: b'),
  'a bare LF at the end of the head': { bytes: 'GET /x HTTP/1.1\r\nHost: a\r\n\n', form: 'head' },
  'bare LFs alone': { bytes: 'GET /x HTTP/1.1\nHost: a\n\n', form: 'head' },
  'a bare CR in a header value': head('Host: a\r\nX: b\rY: c'),
  'a bare CR behind a header': head('Host: a\rX: b'),
  'a folded header (obs-fold)': head('Host: a\r\nX: b\r\n c'),
  'a header folded with a tab': head('Host: a\r\nX: b\r\n\tc'),
  'a folded Host': head('Host:\r\n a'),
  'a blank before a colon': head('Host: a\r\nX : b'),
  'a blank before the colon of Host': head('Host : a'),
  'a blank before the first header': head(' X: b\r\nHost: a'),
  'a header without colon': head('Host: a\r\nX'),
  'a header without name': head('Host: a\r\n: b'),
  'a NUL in a header name': head('Host: a\r\nX\0Y: b'),
  'a NUL in a header value': head('Host: a\r\nX: b\0c'),
  'a control byte in a header value': head('Host: a\r\nX: b\x01c'),
  'a quote in a header name': head('Host: a\r\n"X": b'),
  'a byte above 127 in a header name': head('Host: a\r\nX\xe9: b'),
  'no Host': head('X: y'),
  'two Hosts': head('Host: a\r\nHost: b'),
  'the same Host twice': head('Host: a\r\nHost: a'),
  'two names in Host': head('Host: a, b'),
  'a blank in Host': head('Host: a b'),
  'a path in Host': head('Host: a/b'),
  'a user in Host': head('Host: u@a'),
  'a port that is none in Host': head('Host: a:x'),
  'a bracket in Host': head('Host: [::1'),
  'a bad Host beside an absolute-form target': head('Host: a b', 'GET http://a/x HTTP/1.1'),
  'no Host beside an absolute-form target': head('X: y', 'GET http://a/x HTTP/1.1'),
  'an absolute-form target without host': head('Host: a', 'GET http:///x HTTP/1.1'),
  'an absolute-form target with a port alone': head('Host: a', 'GET http://:80/x HTTP/1.1'),
  'an absolute-form target with a user': head('Host: a', 'GET http://u@a/x HTTP/1.1'),
  'an absolute-form target with a backslash': head('Host: a', 'GET http://a\\@b/x HTTP/1.1'),
  'Content-Length and Transfer-Encoding': framed('Content-Length: 5\r\nTransfer-Encoding: chunked'),
  'Transfer-Encoding and Content-Length': framed('Transfer-Encoding: chunked\r\nContent-Length: 5'),
  'two Content-Lengths': framed('Content-Length: 5\r\nContent-Length: 6', 'abcdef'),
  'the same Content-Length twice': framed('Content-Length: 5\r\nContent-Length: 5', 'abcde'),
  'a list of Content-Lengths': framed('Content-Length: 5, 5', 'abcde'),
  'a signed Content-Length': framed('Content-Length: +5', 'abcde'),
  'a negative Content-Length': framed('Content-Length: -1', 'abcde'),
  'a hexadecimal Content-Length': framed('Content-Length: 0x5', 'abcde'),
  'an empty Content-Length': framed('Content-Length:', 'abcde'),
  'a Content-Length with a blank in it': framed('Content-Length: 5 5', 'abcde'),
  'a Content-Length beyond all numbers': framed('Content-Length: 99999999999999999999', 'abcde'),
  'Transfer-Encoding: xchunked': framed('Transfer-Encoding: xchunked'),
  'Transfer-Encoding: chunked, identity': framed('Transfer-Encoding: chunked, identity'),
  'Transfer-Encoding: identity': framed('Transfer-Encoding: identity', ''),
  'Transfer-Encoding: gzip, chunked': framed('Transfer-Encoding: gzip, chunked'),
  'Transfer-Encoding: chunked, chunked': framed('Transfer-Encoding: chunked, chunked'),
  'Transfer-Encoding twice': framed('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked'),
  'Transfer-Encoding, empty': framed('Transfer-Encoding:', ''),
  'Transfer-Encoding: "chunked"': framed('Transfer-Encoding: "chunked"'),
  'Transfer-Encoding with a vertical tab': framed('Transfer-Encoding:\x0bchunked'),
  'Transfer-Encoding with a blank before the colon': framed('Transfer-Encoding : chunked'),
  'Transfer-Encoding on HTTP/1.0': {
    bytes:
      'POST /x HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n',
    form: 'head',
  },
  'a chunk size that is no number': chunks('x\r\nabcde\r\n0\r\n\r\n'),
  'a chunk size with 0x': chunks('0x5\r\nabcde\r\n0\r\n\r\n'),
  'a signed chunk size': chunks('+5\r\nabcde\r\n0\r\n\r\n'),
  'an empty chunk size': chunks('\r\nabcde\r\n0\r\n\r\n'),
  'a blank before a chunk size': chunks(' 5\r\nabcde\r\n0\r\n\r\n'),
  'a blank behind a chunk size': chunks('5 \r\nabcde\r\n0\r\n\r\n'),
  'a chunk size beyond all numbers': chunks('fffffffffffffffff\r\nabcde\r\n0\r\n\r\n'),
  'a chunk longer than its size': chunks('5\r\nabcdef\r\n0\r\n\r\n'),
  'a chunk without its line end': chunks('5\r\nabcde0\r\n\r\n'),
  'a chunk size that ends in a bare LF': chunks('5\nabcde\r\n0\r\n\r\n'),
  'a chunk that ends in a bare LF': chunks('5\r\nabcde\n0\r\n\r\n'),
  'a bare CR in a chunk extension': chunks('5;a\rb\r\nabcde\r\n0\r\n\r\n'),
  'a bare LF in a chunk extension': chunks('5;a\nb\r\nabcde\r\n0\r\n\r\n'),
  'a trailer without colon': chunks('5\r\nabcde\r\n0\r\nnonsense\r\n\r\n'),
  'a folded trailer': chunks('5\r\nabcde\r\n0\r\nX: a\r\n b\r\n\r\n'),
};

const origin = await startScriptedOrigin({ after });
const {
  wormgate,
  ports: { site: port },
} = await startSites({ after }, { site: { origin: origin.url } });

interface Outcome {
  readonly answer: Answer;
  /** What came behind the answer. */
  readonly rest: string;
  readonly wasReset: boolean;
  readonly countedTimes: number;
  /** What reached the origin, when the connections that carried it are closed. */
  readonly calls: readonly Call[];
}

/** Sends one case and a good request behind it: where that begins, nobody can say. */
async function send(bytes: string): Promise<Outcome> {
  const before = await wormgate.counter('requests_malformed');
  origin.calls.length = 0;
  const client = await RawClient.connect(port);
  client.send(`${bytes}GET /behind HTTP/1.1\r\nHost: a\r\n\r\n`);
  const answer = await client.answer();
  await client.end();
  client.destroy();
  const countedTimes = (await wormgate.counter('requests_malformed')) - before;
  const calls = [...origin.calls];
  for (const call of calls) await call.closed;
  return { answer, rest: client.text, wasReset: client.wasReset, countedTimes, calls };
}

describe('refused with 400', () => {
  const outcomes = new Map<string, Outcome>();

  for (const [title, { bytes, form }] of Object.entries(cases)) {
    test(title, async () => {
      const outcome = await send(bytes);
      outcomes.set(title, outcome);
      const { answer, rest, wasReset, countedTimes, calls } = outcome;
      assert.equal(answer.status, 400);
      assert.equal(headerOf(answer, 'connection'), 'close');
      assert.equal(rest, '');
      assert.equal(wasReset, false);
      assert.equal(countedTimes, 1);
      // A chunked body's head and good chunks may be on their way when its fault arrives; no more.
      if (form !== 'body') assert.deepEqual(calls, []);
      assert.ok(calls.every((call) => !call.body().includes('0\r\n\r\n')));
    });
  }

  test('each has one line in the log, in the form of its fault', async () => {
    await wormgate.stop();
    const lines = wormgate.log().trimEnd().split('\n');
    for (const [title, { answer }] of outcomes) {
      const id = headerOf(answer, 'x-request-id');
      const own = lines.filter((entry) => entry.endsWith(`id=${id}`));
      assert.equal(own.length, 1, title);
      assert.match(own[0] ?? '', forms[cases[title]?.form ?? 'line'], title);
    }
    await wormgate.start();
    assert.equal(outcomes.size, lines.length);
  });
});

describe('refused with another status', () => {
  for (const [title, bytes, status] of [
    ['a method in lower case', 'get /x HTTP/1.1\r\nHost: a\r\n\r\n', 501],
    ['a method that nobody knows', 'BREW /x HTTP/1.1\r\nHost: a\r\n\r\n', 501],
    ['CONNECT', 'CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n', 405],
  ] as const) {
    test(`${title}: ${status}`, async () => {
      const before = await wormgate.counter('requests_unsupported');
      const client = await RawClient.connect(port);
      client.send(bytes, 'GET /behind HTTP/1.1\r\nHost: a\r\n\r\n');
      const answer = await client.answer();
      assert.equal(answer.status, status);
      await client.end();
      assert.equal(client.text, '');
      assert.equal(client.wasReset, false);
      const id = headerOf(answer, 'x-request-id');
      const entry = await wormgate.logLine(new RegExp(`id=${id}$`));
      assert.match(
        entry,
        new RegExp(`" ${status} \\d+ error=(unknown_method|connect_refused) id=`),
      );
      assert.equal(await wormgate.counter('requests_unsupported'), before + 1);
      assert.deepEqual(origin.calls, []);
      client.destroy();
    });
  }
});

describe('what is not refused', () => {
  test('empty lines before a request (RFC 9112 §2.2)', async () => {
    const client = await RawClient.connect(port);
    assert.equal((await client.ask('\r\n\r\nGET /empty HTTP/1.1\r\nHost: a\r\n\r\n')).status, 200);
    assert.match(await wormgate.logLine(/empty/), /"GET \/empty HTTP\/1\.1" 200 2$/);
    client.destroy();
  });

  test('several blanks before the version, which Code Red sends: the origin gets one', async () => {
    const client = await RawClient.connect(port);
    assert.equal((await client.ask('GET /blanks  HTTP/1.1\r\nHost: a\r\n\r\n')).status, 200);
    assert.match(origin.callsOf('/blanks')[0]?.head ?? '', /^GET \/blanks HTTP\/1\.1\r\n/);
    assert.match(await wormgate.logLine(/blanks/), /"GET \/blanks {2}HTTP\/1\.1" 200 2$/);
    client.destroy();
  });

  test('what a client sends behind a request that ends the connection is no request, and no fault', async () => {
    const before = await wormgate.counter('requests_malformed');
    const client = await RawClient.connect(port);
    client.send(
      'GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nGET /behind HTTP/1.1\r\n\r\n',
    );
    assert.equal((await client.answer()).status, 200);
    await client.end();
    assert.equal(client.text, '');
    assert.equal(client.wasReset, false);
    assert.equal(origin.callsOf('/behind').length, 0);
    assert.equal(await wormgate.counter('requests_malformed'), before);
    client.destroy();
  });
});
