import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { escapeText, quote, quotedEnd, unescapeText, unquote } from '../../../src/config/quoted.ts';

const latin1Text = fc
  .uint8Array({ maxLength: 80 })
  .map((bytes) => Buffer.from(bytes).toString('latin1'));

test('any bytes survive quoting and unquoting, and are printed in printable ASCII', () => {
  fc.assert(
    fc.property(latin1Text, (text) => {
      const written = quote(text);
      assert.match(written, /^"[\x20-\x7e]*"$/);
      assert.deepEqual(unquote(written), { ok: true, text });
      assert.equal(quotedEnd(written, 0), written.length);
    }),
  );
});

test('the three escapes are undone, bytes from 0x80 up stand for themselves', () => {
  assert.deepEqual(unescapeText('a\\x00\\xfF\\"\\\\\u00e9'), {
    ok: true,
    text: 'a\0\xff"\\\u00e9',
  });
});

test('escapes are written in lower case and only where they are needed', () => {
  assert.equal(escapeText('a b?"\\\n\xff'), 'a b?\\"\\\\\\x0a\\xff');
});

const refused: readonly (readonly [string, RegExp])[] = [
  ['a\\x1', /two hexadecimal digits/],
  ['a\\xg0', /two hexadecimal digits/],
  ['a\\n', /\\n is unknown/],
  ['a\\', /ends in a single/],
  ['a"b', /must be written \\"/],
  ['a\tb', /here as \\x09/],
  ['a\x7f', /here as \\x7f/],
  ['a\u20ac', /not one byte/],
];

for (const [body, message] of refused) {
  test(`${JSON.stringify(body)} is refused with a sentence`, () => {
    const unescaped = unescapeText(body);
    assert.equal(unescaped.ok, false);
    assert.match(unescaped.ok ? '' : unescaped.message, message);
  });
}

test('text without both quotation marks is refused', () => {
  for (const text of ['', '"', 'a', '"a', 'a"']) assert.equal(unquote(text).ok, false, text);
});

test('a quoted part that is not closed ends with the text', () => {
  assert.equal(quotedEnd('"abc\\"', 0), 6);
  assert.equal(quotedEnd('x"a\\\\"b', 1), 6);
});
