import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  cutWindow,
  formatPattern,
  padPattern,
  parsePatternText,
} from '../../../src/virus/pattern.ts';

function latin1(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'latin1'));
}

test('a pattern is read with its escapes undone, as bytes', () => {
  assert.deepEqual(parsePatternText('a\\x00\\"\\\\\\xff'), {
    ok: true,
    bytes: latin1('a\x00"\\\xff'),
  });
});

test('an empty pattern is refused', () => {
  assert.deepEqual(parsePatternText(''), { ok: false, message: 'the pattern is empty' });
});

test('a pattern with a broken escape is refused with a sentence', () => {
  const parsed = parsePatternText('abc\\q');
  assert.equal(parsed.ok, false);
  assert.match(parsed.ok ? '' : parsed.message, /\\q/);
});

test('a short pattern is filled up with zero bytes', () => {
  const padded = padPattern(latin1('.env HTTP/1.1'), 16);
  assert.deepEqual(padded, latin1('.env HTTP/1.1\0\0\0'));
});

test('a pattern of exactly PatternSize bytes is kept, in a copy', () => {
  const bytes = latin1('default.ida?NNNN');
  const padded = padPattern(bytes, 16);
  assert.deepEqual(padded, bytes);
  assert.notEqual(padded, bytes);
});

test('a pattern one byte too long is refused', () => {
  assert.equal(padPattern(latin1('default.ida?NNNNN'), 16), undefined);
});

test('a pattern is printed without the zeros at its end, those inside as escapes', () => {
  assert.equal(formatPattern(latin1('a\0"b\\\xe9\0\0')), 'a\\x00\\"b\\\\\\xe9');
});

test('a pattern of zeros alone is printed as \\x00', () => {
  assert.equal(formatPattern(new Uint8Array(16)), '\\x00');
});

test('any pattern printed and read again is the same pattern', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 4, maxLength: 64 }), (pattern) => {
      const parsed = parsePatternText(formatPattern(pattern));
      assert.ok(parsed.ok);
      assert.deepEqual(padPattern(parsed.bytes, pattern.length), Uint8Array.from(pattern));
    }),
  );
});

test('the window of the Code Red request at offset 1 is default.ida?NNNN', () => {
  const requestString = `/default.ida?${'N'.repeat(224)}  HTTP/1.0`;
  assert.deepEqual(cutWindow(requestString, 1, 16), latin1('default.ida?NNNN'));
});

test('a window that reaches past the request string ends in zeros', () => {
  assert.deepEqual(cutWindow('/.env HTTP/1.1', 1, 16), latin1('.env HTTP/1.1\0\0\0'));
  assert.deepEqual(cutWindow('/ HTTP/1.1', 100, 4), new Uint8Array(4));
});
