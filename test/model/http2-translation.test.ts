/** HTTP/2 to HTTP/1.1 and back: no field can become another, no answer changes by how it is cut. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type AnswerHead, AnswerReader, fieldsOf } from '../../src/http/h2-answer.ts';
import { plainRequest } from '../../src/http/h2-request.ts';

const seed = 2113;
const oddText = fc.string({
  unit: fc.constantFrom(...'ab:/? \t\r\n\0,;=', '\x7f', '\xe9', 'Z'),
  maxLength: 12,
});
const fieldName = fc.oneof(
  fc.constantFrom('accept', 'cookie', 'host', 'x-a', 'te', 'connection', 'content-length'),
  fc.constantFrom('transfer-encoding', 'upgrade', ':path', ':authority', 'X-Upper', 'x a', ''),
  oddText,
);
const fields = fc.array(fc.tuple(fieldName, oddText), { maxLength: 8 });
const pseudo = fc.record({
  ':method': fc.oneof(fc.constantFrom('GET', 'POST', 'CONNECT'), oddText),
  ':scheme': fc.constantFrom('https', 'https', 'http'),
  ':authority': fc.oneof(fc.constantFrom('a.test', 'a.test:443'), oddText),
  ':path': fc.oneof(fc.constantFrom('/', '/a?b', '*'), oddText),
});

test('a head has one line for each field, and no field says what another one does', () => {
  let made = 0;
  fc.assert(
    fc.property(pseudo, fields, fc.boolean(), (first, others, hasBody) => {
      const raw = [...Object.entries(first), ...others].flat();
      const request = plainRequest(raw, hasBody);
      if (request === undefined) return;
      made += 1;
      assert.match(request.head, /^[^\r\n]*\r\n(?:[^\r\n]+\r\n)*\r\n$/);
      const [line = '', ...lines] = request.head.slice(0, -4).split('\r\n');
      const target = first[':method'] === 'CONNECT' ? first[':authority'] : first[':path'];
      assert.equal(line, `${first[':method']} ${target} HTTP/1.1`);
      const sent = others.filter(([name]) => name !== 'cookie' && name !== 'host');
      const kept = lines.filter((each) => !/^(cookie|Host|Transfer-Encoding): /.test(each));
      assert.deepEqual(
        kept,
        sent.map(([name, value]) => `${name}: ${value}`),
      );
      const crumbs = others.filter(([name]) => name === 'cookie').map(([, value]) => value);
      const cookies = lines.filter((each) => each.startsWith('cookie: '));
      assert.deepEqual(cookies, crumbs.length === 0 ? [] : [`cookie: ${crumbs.join('; ')}`]);
      const isChunked = lines.includes('Transfer-Encoding: chunked');
      assert.equal(isChunked, request.framing === 'chunked');
      assert.equal(request.framing === 'none', !hasBody);
    }),
    { seed, numRuns: 12_000 },
  );
  assert.ok(made > 200, `${made} heads were made`);
});

const chunk = fc.uint8Array({ minLength: 1, maxLength: 40 }).map((bytes) => Buffer.from(bytes));
const trailers = fc.array(
  fc.tuple(fc.constantFrom('X-One', 'X-Two'), fc.constantFrom('a', 'b c', '')),
  { maxLength: 2 },
);

const written = fc.record({
  chunks: fc.array(chunk, { maxLength: 5 }),
  framing: fc.constantFrom('length', 'chunked', 'close'),
  trailers,
  interim: fc.boolean(),
  cuts: fc.array(fc.nat({ max: 600 }), { maxLength: 12 }),
  isHead: fc.boolean(),
});

test('fields may have the names of what every object has', () => {
  const names = ['__proto__', 'constructor', 'toString', 'X-A', 'x-a'];
  const fields = fieldsOf(names.map((each) => [each, 'v']));
  assert.deepEqual(Object.keys(fields), ['__proto__', 'constructor', 'tostring', 'x-a']);
  assert.deepEqual(fields['x-a'], ['v', 'v']);
});

test('an answer is the same however it is cut', () => {
  fc.assert(
    fc.property(written, (answer) => {
      const content = Buffer.concat(answer.chunks);
      const head =
        answer.framing === 'length'
          ? `Content-Length: ${content.length}\r\n`
          : answer.framing === 'chunked'
            ? 'Transfer-Encoding: chunked\r\n'
            : '';
      const parts = [
        Buffer.from(answer.interim ? 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n' : ''),
        Buffer.from(`HTTP/1.1 200 OK\r\nX-A: b\r\nConnection: close\r\n${head}\r\n`),
      ];
      const isFramed = answer.framing === 'chunked' && !answer.isHead;
      if (!answer.isHead && !isFramed) parts.push(content);
      for (const piece of isFramed ? answer.chunks : []) {
        parts.push(Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n'));
      }
      const last = answer.trailers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
      if (isFramed) parts.push(Buffer.from(`0\r\n${last}\r\n`));
      const heads: AnswerHead[] = [];
      const interim: number[] = [];
      const received: Buffer[] = [];
      const reader = new AnswerReader(answer.isHead, {
        onInterim: (status) => interim.push(status),
        onHead: (each) => heads.push(each),
        onContent: (bytes) => received.push(Buffer.from(bytes)),
      });
      const bytes = Buffer.concat(parts);
      const cuts = [...answer.cuts.filter((at) => at < bytes.length), 0, bytes.length];
      cuts.sort((one, other) => one - other);
      for (const [index, at] of cuts.entries()) {
        if (index > 0) reader.take(bytes.subarray(cuts[index - 1], at));
      }
      reader.end();
      assert.equal(reader.isBroken, false);
      assert.equal(reader.isOver, true);
      assert.deepEqual(interim, answer.interim ? [103] : []);
      assert.equal(heads.length, 1);
      assert.equal(heads[0]?.closes, true);
      assert.deepEqual(fieldsOf(heads[0]?.lines ?? [])['x-a'], 'b');
      assert.ok(Buffer.concat(received).equals(answer.isHead ? Buffer.alloc(0) : content));
      assert.deepEqual(reader.trailers, isFramed ? answer.trailers : []);
    }),
    { seed, numRuns: 3000 },
  );
});
