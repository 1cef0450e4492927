import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BodySkipper, type Framing } from '../../../src/http/body-skipper.ts';

const next = 'GET /next HTTP/1.1\r\n\r\n';
const chunked = { chunked: true, contentLength: 0 };

/** Skips in one go; the offset behind the body, and whether it is over. */
function skipOnce(framing: Framing, text: string): [number, boolean] {
  const skipper = new BodySkipper(framing);
  return [skipper.skip(Buffer.from(text, 'latin1'), 0), skipper.isOver];
}

test('no body: over at once, and nothing is taken', () => {
  assert.deepEqual(skipOnce({ chunked: false, contentLength: 0 }, next), [0, true]);
});

test('a length: that many bytes, whatever they look like', () => {
  assert.deepEqual(skipOnce({ chunked: false, contentLength: next.length }, next + next), [
    next.length,
    true,
  ]);
  assert.deepEqual(skipOnce({ chunked: false, contentLength: 100 }, next), [next.length, false]);
});

test('chunks: sizes in hexadecimal with extensions, the last one, trailers and the empty line', () => {
  for (const body of [
    '0\r\n\r\n',
    '5\r\nhello\r\n0\r\n\r\n',
    'A\r\n0\r\n\r\nGET /\r\n0\r\n\r\n',
    '5;name="a;b"\r\nhello\r\n0;last\r\n\r\n',
    '005\r\nhello\r\n000\r\n\r\n',
    '5\r\nhello\r\n0\r\nX-Sum: 1\r\nX-More: 0\r\n\r\n',
  ]) {
    assert.deepEqual(skipOnce(chunked, body + next), [body.length, true], body);
  }
});

test('an incomplete line is left in place, for the next call to begin with', () => {
  const skipper = new BodySkipper(chunked);
  assert.equal(skipper.skip(Buffer.from('5\r\nhello\r\n1'), 0), 10);
  assert.equal(skipper.skip(Buffer.from('1'), 0), 0);
  assert.equal(skipper.skip(Buffer.from(`10\r\n${'x'.repeat(0x110)}\r\n0`), 0), 5 + 0x110 + 2);
  assert.equal(skipper.isOver, false);
});

test('a size that is no number: all the rest is the body, and no head is ever found in it', () => {
  const skipper = new BodySkipper(chunked);
  const text = Buffer.from(`zz\r\n${next}0\r\n\r\n${next}`);
  assert.equal(skipper.skip(text, 0), text.length);
  assert.equal(skipper.skip(text, 0), text.length);
  assert.equal(skipper.isOver, false);
});

const data = fc.oneof(
  fc.constantFrom('', '0\r\n\r\n', '\r\n', next, '5\r\n'),
  fc.string({ unit: 'binary', maxLength: 40 }).map((each) => Buffer.from(each).toString('latin1')),
);
/** A body as bytes and how the head announces it. */
const body = fc.oneof(
  data.map((text) => ({ framing: { chunked: false, contentLength: text.length }, text })),
  fc
    .record({
      chunks: fc.array(data.filter((text) => text !== '')),
      extension: fc.constantFrom('', ';a', ';b="c"'),
      trailers: fc.array(fc.constantFrom('X-A: 0\r\n', 'X-B: \r\n')),
    })
    .map(({ chunks, extension, trailers }) => {
      const parts = chunks.map(
        (chunk) => `${chunk.length.toString(16)}${extension}\r\n${chunk}\r\n`,
      );
      return { framing: chunked, text: `${parts.join('')}0\r\n${trailers.join('')}\r\n` };
    }),
);

test('the end is found exactly, however the bytes are split into packets', () => {
  fc.assert(
    fc.property(body, fc.array(fc.nat({ max: 300 })), ({ framing, text }, cuts) => {
      const bytes = Buffer.from(text + next, 'latin1');
      const ends = [...cuts, bytes.length]
        .filter((cut) => cut <= bytes.length)
        .sort((one, other) => one - other);
      const skipper = new BodySkipper(framing);
      let at = 0;
      for (const end of ends) {
        // What was left of the packets so far and what came since, as the tap holds them.
        at += skipper.skip(bytes.subarray(at, end), 0);
        assert.ok(at <= text.length);
        assert.equal(skipper.isOver, at === text.length && end >= text.length, `${at}/${end}`);
      }
      assert.equal(at, text.length);
    }),
    { numRuns: 1000 },
  );
});
