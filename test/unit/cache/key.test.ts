import assert from 'node:assert/strict';
import { test } from 'node:test';
import { invalidatedKeys } from '../../../src/cache/invalidation.ts';
import {
  acceleratorOfKey,
  keyPrefix,
  parsePurgeTarget,
  toldPrefix,
  urlOfKey,
} from '../../../src/cache/key.ts';
import { headerLines } from '../../support/cache-rig.ts';

test('§2: the host is in lower case, and a default port is left out', () => {
  const rows = [
    ['http', 'WWW.Example.com', 'http://www.example.com'],
    ['http', 'a:80', 'http://a'],
    ['http', 'a:', 'http://a'],
    ['http', 'a:443', 'http://a:443'],
    ['https', 'a:443', 'https://a'],
    ['https', 'a:80', 'https://a:80'],
    ['http', '[::1]', 'http://[::1]'],
    ['http', '[::1]:80', 'http://[::1]'],
    ['http', '[::1]:8080', 'http://[::1]:8080'],
  ] as const;
  for (const [scheme, host, url] of rows) {
    assert.equal(urlOfKey(keyPrefix('site 1', scheme, host)), url);
  }
  assert.notEqual(keyPrefix('one', 'http', 'a'), keyPrefix('two', 'http', 'a'));
});

test('what an operator writes is brought into the form of keys', () => {
  const rows: readonly (readonly [string, string | RegExp])[] = [
    ['http://WWW.example.com:80/A?b', 'http://www.example.com/A?b'],
    ['HTTPS://a:443', 'https://a/'],
    ['http://a?x', 'http://a/?x'],
    ['http://[::1]:8080/', 'http://[::1]:8080/'],
    ['/path', /a URL is needed/],
    ['ftp://a/', /a URL is needed/],
    ['http://user@a/', /a URL is needed/],
    ['http:///x', /a URL is needed/],
    ['http://a/b c', /a URL is needed/],
    ['http://a/#x', /no fragment/],
  ];
  for (const [text, expected] of rows) {
    const read = parsePurgeTarget(text, false);
    const got = read.ok ? read.url : read.message;
    if (typeof expected === 'string') assert.equal(got, expected, text);
    else assert.match(got, expected, text);
  }
});

test('the beginning of a URL may end within its host', () => {
  const prefix = (text: string) => parsePurgeTarget(text, true);
  assert.deepEqual(prefix('http://WWW.exam'), { ok: true, url: 'http://www.exam' });
  assert.deepEqual(prefix('http://a:80/x'), { ok: true, url: 'http://a/x' });
});

test('what a trusted peer tells the origin stands in the key, or the cache is not asked', () => {
  const told = (host: string, forwardedHost?: string, forwardedProto?: string) =>
    toldPrefix('site 1', { scheme: 'http', host, forwardedHost, forwardedProto });
  assert.equal(told('a'), keyPrefix('site 1', 'http', 'a'));
  assert.equal(told('a', 'a', 'https'), keyPrefix('site 1', 'https', 'a'));
  const two = told('inner', 'shop.example:80') ?? '';
  assert.deepEqual([acceleratorOfKey(two), urlOfKey(two)], ['site 1', 'http://shop.example']);
  assert.notEqual(two, told('other', 'shop.example'));
  for (const host of ['shop.example/static', 'a?b', 'a#b', 'A', 'a, b', 'a b', 'a\t']) {
    assert.equal(told('a', host), undefined, host);
    assert.equal(told(host), undefined, host);
  }
  for (const proto of ['HTTP', 'javascript:', 'https, http', '', 'toString']) {
    assert.equal(told('a', undefined, proto), undefined, proto);
  }
});

test('§4.4: Location and Content-Location are invalid, too, if they are of the same origin', () => {
  const prefix = keyPrefix('demo', 'http', 'a');
  const invalid = (...lines: string[]) =>
    invalidatedKeys({
      ...{ method: 'POST', keyPrefix: prefix, target: '/x/y?z', status: 201 },
      lines: headerLines(...lines),
    }).map((key) => urlOfKey(key));
  const own = 'http://a/x/y?z';
  const rows: readonly (readonly [string, readonly string[]])[] = [
    ['Location: /new', [own, 'http://a/new']],
    ['Content-Location: /new?q#f', [own, 'http://a/new?q']],
    ['Location: http://A:80/%7Eb', [own, 'http://a/%7Eb']],
    ['Location: //a/new', [own, 'http://a/new']],
    ['Location: new', [own, 'http://a/x/new']],
    ['Location: ../new', [own, 'http://a/new']],
    ['Location: ?q', [own, 'http://a/x/y?q']],
    ['Location: http://a', [own, 'http://a/']],
    ['Location: https://a/new', [own]],
    ['Location: http://a:8080/new', [own]],
    ['Location: http://ab/new', [own]],
    ['Location: //b/new', [own]],
    ['Location: mailto:x', [own]],
    ['Location: /x/y?z', [own]],
  ];
  for (const [line, expected] of rows) assert.deepEqual(invalid(line), expected, line);
  assert.equal(invalid('Location: /l', 'Content-Location: /c').length, 3);
});

test('§4.4: safe methods and errors make nothing invalid, methods that nobody knows do', () => {
  const count = (method: string, status: number) =>
    invalidatedKeys({ method, keyPrefix: 'a\t\thttp://a', target: '/', status, lines: [] }).length;
  for (const method of ['GET', 'HEAD', 'OPTIONS', 'TRACE', 'QUERY', 'PROPFIND']) {
    assert.equal(count(method, 200), 0, method);
  }
  for (const method of ['POST', 'PATCH', 'M-SEARCH', 'FOO']) assert.equal(count(method, 204), 1);
  for (const status of [100, 400, 404, 500]) assert.equal(count('POST', status), 0);
});
