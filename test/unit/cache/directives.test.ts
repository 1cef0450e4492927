import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCacheControl, parseTargeted } from '../../../src/cache/cache-control.ts';
import { parseDictionary } from '../../../src/cache/dictionary.ts';
import { formatHttpDate, parseHttpDate } from '../../../src/cache/http-date.ts';

test('§5.2: a broken member spoils itself alone', () => {
  const directives = parseCacheControl([
    'max-age =5, =, ,,"x, y", no-store;q, s-maxage=9',
    'public=',
  ]);
  assert.ok(Number.isNaN(directives.seconds('max-age')));
  assert.equal(directives.seconds('s-maxage'), 9);
  assert.ok(directives.has('no-store'), 'a broken restriction restricts');
  assert.ok(directives.has('public'));
  assert.ok(!directives.has('y'));
  assert.equal(directives.seconds('stale-if-error'), undefined);
});

test('§§5.2.2.4, 5.2.2.7: field names, escapes undone, unless one directive stands for all', () => {
  const fields = (...values: string[]) => parseCacheControl(values).fields('private');
  assert.deepEqual(fields('private="A, b"'), ['a', 'b']);
  assert.deepEqual(fields('private="\\a"', 'private=c'), ['a', 'c']);
  for (const whole of [
    'private',
    'private="a", private',
    'private=""',
    'private="a',
    'private="a"x',
  ]) {
    assert.equal(fields(whole), undefined, whole);
  }
});

test('RFC 9651 §4.2.2: dictionaries', () => {
  const read = (text: string) => {
    const members = parseDictionary(text);
    return members && [...members].map(([key, { type, text: value }]) => `${key}:${type}:${value}`);
  };
  assert.deepEqual(read(' a=1, b;x;y=2 ,\tc="\\"q\\\\", d=?0 '), [
    ...['a:integer:1', 'b:boolean:1', 'c:string:"q\\', 'd:boolean:0'],
  ]);
  assert.deepEqual(read('a=-1.5, b=tok/en, c=:aGk=:, d=@17, *e=()'), [
    ...['a:decimal:-1.5', 'b:token:tok/en', 'c:bytes:aGk=', 'd:date:17', '*e:list:()'],
  ]);
  assert.deepEqual(read('a=1, b=2, a=3'), ['b:integer:2', 'a:integer:3']);
  assert.deepEqual(read('a=("x" 1;p=2   tok);q'), ['a:list:("x" 1;p=2   tok)']);
  assert.deepEqual(read(''), []);
  for (const broken of [
    ...[
      'A=1',
      'a=',
      'a,',
      'a b',
      'a=1 2',
      'a="x',
      'a="\xfc"',
      'a=1.',
      'a=1.2345',
      'a=?2',
      '&',
      ',',
    ],
    ...['a=(1', 'a=("x""y")', 'a;', 'a;x=', 'a=1234567890123456', 'a =1', 'a= 1', 'a="\\n"'],
  ]) {
    assert.equal(read(broken), undefined, broken);
  }
});

test('RFC 9213 §2.1: a targeted field counts as a whole, or not at all', () => {
  assert.equal(parseTargeted(['max-age=5', 'public'])?.seconds('max-age'), 5);
  assert.deepEqual(parseTargeted(['private="a, B"'])?.fields('private'), ['a', 'b']);
  assert.equal(parseTargeted(['no-store=?0'])?.has('no-store'), false);
  assert.ok(Number.isNaN(parseTargeted(['max-age=-1'])?.seconds('max-age')));
  for (const broken of [
    '',
    ' ',
    'max-age',
    'max-age=1.5',
    'max-age="1"',
    'no-store=1',
    'no-cache=a',
  ]) {
    assert.equal(parseTargeted([broken]), undefined, broken);
  }
  assert.equal(parseTargeted([]), undefined);
});

test('RFC 9110 §5.6.7: dates, read strictly', () => {
  const nowMs = Date.UTC(2026, 10, 26);
  const atMs = Date.UTC(1994, 10, 6, 8, 49, 37);
  for (const text of [
    ...['Sun, 06 Nov 1994 08:49:37 GMT', 'Sunday, 06-Nov-94 08:49:37 GMT'],
    ...['Sun Nov  6 08:49:37 1994', 'SUN, 06 nov 1994 08:49:37 gmt', ' Sun Nov 06 08:49:37 1994 '],
  ]) {
    assert.equal(parseHttpDate(text, nowMs), atMs, text);
  }
  assert.equal(formatHttpDate(atMs + 999), 'Sun, 06 Nov 1994 08:49:37 GMT');
  for (const text of [
    ...['', '0', '-1', 'Sun, 06 Nov 1994 24:00:00 GMT', 'Sun, 06 Nov 1994 08:60:00 GMT'],
    ...[
      'Sun, 31 Nov 1994 08:49:37 GMT',
      'Sun, 00 Nov 1994 08:49:37 GMT',
      '06 Nov 1994 08:49:37 GMT',
    ],
    ...[
      'Sun, 06 Nov 1994 08:49:37',
      'Sun, 06 Nov 1994 08:49:37 +0000',
      'Sun, 6 Nov 1994 08:49:37 GMT',
    ],
    ...['Foo, 06 Nov 1994 08:49:37 GMT', 'Sun, 06 Foo 1994 08:49:37 GMT', 'x'.repeat(100_000)],
  ]) {
    assert.ok(Number.isNaN(parseHttpDate(text, nowMs)), text.slice(0, 40));
  }
  const century = (year: string) =>
    new Date(parseHttpDate(`Sunday, 06-Nov-${year} 08:49:37 GMT`, nowMs)).getUTCFullYear();
  assert.deepEqual(['26', '76', '77', '99'].map(century), [2026, 2076, 1977, 1999]);
});
