import assert from 'node:assert/strict';
import { Socket } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Framing } from '../../../src/http/body-skipper.ts';
import { RequestTap } from '../../../src/http/request-tap.ts';

const none: Framing = { chunked: false, contentLength: 0 };

/** A tap on a socket that is never connected; packets are handed to it by `receive`. */
function startTap(bytesMax = 1000) {
  const socket = new Socket();
  const state = { overflows: 0 };
  const tap = new RequestTap(socket, bytesMax, () => {
    state.overflows += 1;
  });
  const receive = (bytes: string | Buffer) =>
    void socket.emit('data', typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  return { socket, tap, receive, state };
}

test('a head is given with its line as it was sent, and its size', () => {
  const { tap, receive } = startTap();
  const head = 'GET /default.ida?NNNN  HTTP/1.0\r\nContent-type: text/xml\r\n\r\n';
  receive(head);
  assert.deepEqual(tap.takeHead('GET', '/default.ida?NNNN', none), {
    line: 'GET /default.ida?NNNN  HTTP/1.0',
    byteCount: head.length,
  });
});

test('a head is given once', () => {
  const { tap, receive } = startTap();
  receive('GET / HTTP/1.1\r\n\r\n');
  assert.ok(tap.takeHead('GET', '/', none) !== undefined);
  assert.equal(tap.takeHead('GET', '/', none), undefined);
});

test('blanks that the parser drops are part of the line, bytes above 0x7f stay single', () => {
  for (const line of ['GET   /x HTTP/1.1', 'GET /x \t HTTP/1.1', 'GET /x\xff HTTP/1.1', 'GET /x']) {
    const { tap, receive } = startTap();
    receive(`${line}\r\nHost: a\r\n\r\n`);
    assert.equal(tap.takeHead('GET', '/x', none)?.line, line);
  }
});

test('a request that is not at its place is not given', () => {
  for (const [method, url] of [
    ['POST', '/a'],
    ['GE', '/a'],
    ['GET', '/b'],
  ] as const) {
    const { tap, receive } = startTap();
    receive('GET /a HTTP/1.1\r\n\r\n');
    assert.equal(tap.takeHead(method, url, none), undefined);
  }
  const { tap, receive } = startTap();
  receive('GET /a HTTP/1.1\r\n');
  assert.equal(tap.takeHead('GET', '/a', none), undefined);
});

test('a request within a body is not given', () => {
  const { tap, receive } = startTap();
  const inner = 'GET /inner HTTP/1.1\r\n\r\n';
  receive(`POST / HTTP/1.1\r\n\r\n${inner}`);
  assert.ok(tap.takeHead('POST', '/', { chunked: false, contentLength: 100 }) !== undefined);
  assert.equal(tap.takeHead('GET', '/inner', none), undefined);
  receive(inner);
  assert.equal(tap.takeHead('GET', '/inner', none), undefined);
});

test('after stop nothing more is noted', () => {
  const { socket, tap, receive } = startTap();
  tap.stop();
  assert.equal(socket.listenerCount('data'), 0);
  receive('GET / HTTP/1.1\r\n\r\n');
  assert.equal(tap.takeHead('GET', '/', none), undefined);
});

test('the tap hears a packet before those who listened first', () => {
  const socket = new Socket();
  socket.addListener('data', () => {
    assert.ok(tap.takeHead('GET', '/', none) !== undefined);
    reported = true;
  });
  let reported = false;
  const tap = new RequestTap(socket, 100, () => {});
  socket.emit('data', Buffer.from('GET / HTTP/1.1\r\n\r\n'));
  assert.ok(reported);
});

test('a head that outgrows its bound is reported, whole or not; what follows it does not count', () => {
  for (const [text, overflows] of [
    [`GET /${'a'.repeat(200)}`, 1],
    [`GET / HTTP/1.1\r\nX: ${'a'.repeat(80)}\r\n\r\n`, 1],
    [`GET / HTTP/1.1\r\nX: ${'a'.repeat(77)}\r\n\r\n`, 0],
    [`GET / HTTP/1.1\r\n\r\n${'a'.repeat(200)}`, 0],
  ] as const) {
    const { receive, state } = startTap(100);
    receive(text);
    assert.equal(state.overflows, overflows, text);
  }
});

test('a body of any size is no overflow, a line within it is', () => {
  const { tap, receive, state } = startTap(100);
  receive('POST / HTTP/1.1\r\n\r\n');
  tap.takeHead('POST', '/', { chunked: true, contentLength: 0 });
  receive(`1000\r\n${'x'.repeat(0x1000)}\r\n`);
  assert.equal(state.overflows, 0);
  receive(`1;${'e'.repeat(60)}`);
  assert.equal(state.overflows, 0);
  receive('e'.repeat(60));
  assert.equal(state.overflows, 1);
});

test('the bytes of a refused head begin with it and are bounded; within a body there are none', () => {
  const { tap, receive } = startTap(20);
  receive('GET / HTTP/1.1\r\n\r\n\r\nBAD HEAD');
  tap.takeHead('GET', '/', none);
  assert.equal(tap.refusedBytes().toString(), 'BAD HEAD');
  receive('x'.repeat(30));
  assert.equal(tap.refusedBytes().toString(), `BAD HEAD${'x'.repeat(12)}`);

  const other = startTap(20);
  other.receive('POST / HTTP/1.1\r\n\r\nzz\r\n');
  other.tap.takeHead('POST', '/', { chunked: true, contentLength: 0 });
  assert.equal(other.tap.refusedBytes().length, 0);
});

/** One request of a stream: its bytes, and what the tap should give for it. */
interface SentRequest {
  readonly empty: string;
  readonly method: string;
  readonly url: string;
  readonly line: string;
  readonly head: string;
  readonly framing: Framing;
  readonly body: string;
}

const decoy = 'GET /decoy HTTP/1.1\r\nHost: a\r\n\r\n';
const payload = fc.oneof(
  fc.constantFrom('', decoy, '\r\n\r\n', '0\r\n\r\n', '\r\n'),
  fc.string({ maxLength: 30 }).map((text) => Buffer.from(text).toString('latin1')),
);
const body = fc.oneof(
  fc.constant({ framing: none, text: '' }),
  payload.map((text) => ({ framing: { chunked: false, contentLength: text.length }, text })),
  fc
    .array(
      payload.filter((text) => text !== ''),
      { maxLength: 4 },
    )
    .map((chunks) => {
      const parts = chunks.map((chunk) => `${chunk.length.toString(16)};e\r\n${chunk}\r\n`);
      const text = `${parts.join('')}0\r\nX-Trailer: 1\r\n\r\n`;
      return { framing: { chunked: true, contentLength: 0 }, text };
    }),
);
const request: fc.Arbitrary<SentRequest> = fc
  .record({
    // RFC 9112 §2.2: an empty line before a request is to be ignored.
    empty: fc.constantFrom('', '', '\r\n', '\r\n\r\n'),
    method: fc.constantFrom('GET', 'POST', 'DELETE'),
    url: fc.constantFrom('/', '/a?b', '*', '/%ff', 'http://a/'),
    before: fc.constantFrom(' ', ' ', '  '),
    blanks: fc.constantFrom(' ', ' ', '  '),
    fields: fc.array(fc.constantFrom('Host: a', 'X: GET /x HTTP/1.1', 'Y:'), { maxLength: 3 }),
    body,
  })
  .map(({ empty, method, url, before, blanks, fields, body: { framing, text } }) => {
    const line = `${method}${before}${url}${blanks}HTTP/1.1`;
    const head = `${[line, ...fields].join('\r\n')}\r\n\r\n`;
    return { empty, method, url, line, head, framing, body: text };
  });

test('every head of a pipelined stream is given with its true line, however the stream is cut', () => {
  fc.assert(
    fc.property(
      fc.array(request, { minLength: 1, maxLength: 8 }),
      fc.array(fc.nat({ max: 800 }), { maxLength: 30 }),
      (requests, cuts) => {
        const { tap, receive, state } = startTap();
        const stream = Buffer.from(
          requests.map(({ empty, head, body: text }) => empty + head + text).join(''),
          'latin1',
        );
        const ends = [...new Set([...cuts, stream.length])]
          .filter((end) => end > 0 && end <= stream.length)
          .sort((one, other) => one - other);
        // Where each head ends: a parser reports a request with the packet that brings this byte.
        let at = 0;
        const heads = requests.map((each) => {
          const headEnd = at + each.empty.length + each.head.length;
          at = headEnd + each.body.length;
          return { ...each, headEnd };
        });
        let from = 0;
        for (const end of ends) {
          receive(stream.subarray(from, end));
          for (const { method, url, line, head, framing } of heads.filter(
            ({ headEnd }) => headEnd > from && headEnd <= end,
          )) {
            assert.deepEqual(tap.takeHead(method, url, framing), { line, byteCount: head.length });
          }
          from = end;
        }
        assert.equal(state.overflows, 0);
        assert.equal(tap.refusedBytes().length, 0);
      },
    ),
    { numRuns: 1000 },
  );
});
