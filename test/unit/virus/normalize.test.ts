import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  needsNormalizing,
  normalizedRequestString,
  normalizeTarget,
} from '../../../src/virus/normalize.ts';

function needs(requestString: string, windowEnd = 17): boolean {
  const bytes = Buffer.from(requestString, 'latin1');
  return needsNormalizing(bytes, 0, bytes.length, windowEnd);
}

const targets: [string, string | undefined][] = [
  ['/', undefined],
  ['/index.html?a=b#c', undefined],
  ['*', undefined],
  ['../default.ida', undefined],
  ['/%64efault.ida?NNNN', '/default.ida?NNNN'],
  ['/x/../default.ida?NNNN', '/default.ida?NNNN'],
  ['/x/./y/.', '/x/y/'],
  ['/x/y/..', '/x/'],
  ['/..', '/'],
  ['/../../default.ida', '/default.ida'],
  ['//default.ida', '/default.ida'],
  ['/a///b//', '/a/b/'],
  ['/a//../b', '/b'],
  ['\\default.ida', '/default.ida'],
  ['/scripts/..%5c../winnt/system32/cmd.exe?/c+dir', '/winnt/system32/cmd.exe?/c+dir'],
  ['/scripts/..%255c../winnt/cmd.exe', '/winnt/cmd.exe'],
  ['/scripts/..%%35c../winnt/cmd.exe', '/winnt/cmd.exe'],
  ['/scripts/..%%35%63../winnt/cmd.exe', '/winnt/cmd.exe'],
  ['/scripts/..%25%35%63../winnt/cmd.exe', '/winnt/cmd.exe'],
  ['/%25252e', '/%2e'],
  ['/%2e%2e/x', '/x'],
  ['/a%2fb%5Cc', '/a/b/c'],
  ['/100%', '/100%'],
  ['/%4', '/%4'],
  ['/%zz%4g', '/%zz%4g'],
  ['/%c0%af', '/\xc0\xaf'],
  ['/%00', '/\0'],
  ['/.env', '/.env'],
  ['/.../x', '/.../x'],
  ['/..a/b', '/..a/b'],
  ['/%3f/../x?y', '/x?y'],
  ['/x?a=//b/../c\\d', '/x?a=//b/../c\\d'],
  ['/x?a=%2e%2e%252f', '/x?a=../'],
  ['%2fdefault.ida', '/default.ida'],
  ['foo/../bar', '/bar'],
  ['..//x', 'x'],
  ['?%41', '?A'],
];

for (const [target, normalized] of targets) {
  const becomes =
    normalized === undefined ? 'is left alone' : `becomes ${JSON.stringify(normalized)}`;
  test(`the target ${target} ${becomes}`, () => {
    assert.equal(normalizeTarget(target), normalized);
  });
}

test('a normalised request string has one blank before the version', () => {
  assert.equal(normalizedRequestString('/%64efault.ida?N   HTTP/1.0'), '/default.ida?N HTTP/1.0');
  assert.equal(normalizedRequestString('/.env  HTTP/1.1'), '/.env HTTP/1.1');
});

test('a request string that holds nothing to normalise is left alone', () => {
  assert.equal(normalizedRequestString('/default.ida?N HTTP/1.0'), undefined);
});

test('of several blanks before the version one is left, as the origin is sent it', () => {
  assert.equal(normalizedRequestString('/sumthin   HTTP/1.1'), '/sumthin HTTP/1.1');
});

test('a request string without a version is its target', () => {
  assert.equal(normalizedRequestString('/%41'), '/A');
  assert.equal(normalizedRequestString('/%41  '), '/A ');
  assert.equal(normalizedRequestString(''), undefined);
});

test('slashes in the version are not the target', () => {
  assert.equal(normalizedRequestString('/x HTTP//1.1'), undefined);
});

test('an ordinary request needs no normalising', () => {
  assert.equal(needs('/ HTTP/1.1'), false);
  assert.equal(needs('/images/logo.png?v=%41%42 HTTP/1.1'), false);
  assert.equal(needs('/search/results?q=caf%c3%a9 HTTP/1.1'), false);
  assert.equal(needs('/products/list?next=//a/.b HTTP/1.1'), false);
});

test('a dot segment behind the window needs normalising, written in any way', () => {
  const long = '/a-directory-longer-than-the-window';
  assert.equal(needs(`${long}/../default.ida HTTP/1.1`), true);
  assert.equal(needs(`${long}/%2e%2e/default.ida HTTP/1.1`), true);
  assert.equal(needs(`${long}\\..\\default.ida HTTP/1.1`), true);
});

test('a double slash needs normalising only when it ends within the window', () => {
  assert.equal(needs('/234567890123456/8901 HTTP/1.1'), false);
  assert.equal(needs('/23456789012345//8901 HTTP/1.1'), true);
  assert.equal(needs('/234567890123456//901 HTTP/1.1'), false);
});

test('an escape in a query needs normalising only within the window', () => {
  assert.equal(needs('/a?cdefghijklmno%41 HTTP/1.1'), true);
  assert.equal(needs('/a?cdefghijklmnop%41 HTTP/1.1'), false);
});
