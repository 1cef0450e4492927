import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ambiguityOf, isHost, readHeadFields, viaName } from '../../../src/http/head.ts';

/** The raw header list of some lines. */
function raw(...lines: string[]): string[] {
  return lines.flatMap((line) => {
    const colon = line.indexOf(': ');
    return [line.slice(0, colon), line.slice(colon + 2)];
  });
}

/** What is ambiguous about a request with these header lines. */
function fault(lines: string[], version: 0 | 1 = 1, authority?: string): string | undefined {
  return ambiguityOf({ httpVersionMinor: version }, readHeadFields(raw(...lines)), authority);
}

test('the fields are gathered whatever the case of their names, repeated ones in order', () => {
  const lines = raw(
    'HOST: a ',
    'Transfer-Encoding: Chunked',
    'content-length: 12',
    'X-Forwarded-For: 1.1.1.1',
    'x-forwarded-for: 2.2.2.2, 3.3.3.3',
    'Forwarded: for=a',
    'forwarded: for=b',
    'Expect: 100-Continue ',
    'Accept: Application/JSON',
    'X-Forwarded-Host: b.test',
    'Referer: http://b.test/ ',
  );
  assert.deepEqual(readHeadFields(lines), {
    hosts: ['a'],
    transferEncodings: ['chunked'],
    contentLength: 12,
    forwardedFor: '1.1.1.1,2.2.2.2, 3.3.3.3',
    forwarded: 'for=a,for=b',
    forwardedHost: 'b.test',
    referer: 'http://b.test/',
    expect: '100-Continue',
    accept: 'application/json',
    viaHops: 0,
    lineCount: 11,
  });
});

test('an empty list has no fields', () => {
  assert.deepEqual(readHeadFields([]), {
    hosts: [],
    transferEncodings: [],
    contentLength: undefined,
    forwardedFor: undefined,
    forwarded: undefined,
    forwardedHost: undefined,
    referer: undefined,
    expect: undefined,
    accept: '',
    viaHops: 0,
    lineCount: 0,
  });
});

test('a Content-Length is one number of digits only', () => {
  for (const lines of [
    ['Content-Length: +5'],
    ['Content-Length: -5'],
    ['Content-Length: 0x5'],
    ['Content-Length: 5.0'],
    ['Content-Length: 5e1'],
    ['Content-Length: 5, 5'],
    ['Content-Length: 5 5'],
    ['Content-Length: '],
    ['Content-Length: 5', 'Content-Length: 5'],
    ['Content-Length: 5', 'content-length: 6'],
  ]) {
    assert.ok(Number.isNaN(readHeadFields(raw(...lines)).contentLength), lines.join());
    assert.match(fault(['Host: a', ...lines]) ?? '', /Content-Length/, lines.join());
  }
  assert.equal(readHeadFields(raw('Content-Length: 005')).contentLength, 5);
  assert.equal(fault(['Host: a', 'Content-Length: 0']), undefined);
});

test('a host is a name, an IPv4 address or an IP literal, with or without a port', () => {
  for (const text of [
    '',
    'a',
    'Site.test',
    'site.test.',
    'site.test:80',
    'site.test:',
    '192.0.2.1:8080',
    '[2001:db8::1]',
    '[::ffff:192.0.2.1]:443',
    'a_b-c~d',
    '%41.test',
  ]) {
    assert.ok(isHost(text), text);
  }
  for (const text of [
    'a b',
    'a/b',
    'user@a',
    'a:b',
    'a:123456',
    'a:80:80',
    '::1',
    '[::1',
    '[g::1]',
    '[::1]x',
    'a?b',
    'a#b',
    'a\\b',
    'a,b',
    'a"b',
    'a\tb',
    'caf\xe9',
    'a\0',
  ]) {
    assert.ok(!isHost(text), text);
  }
});

test('an ordinary head has no ambiguity', () => {
  assert.equal(fault(['Host: a']), undefined);
  assert.equal(fault(['Host: a', 'Content-Length: 3']), undefined);
  assert.equal(fault(['Host: a', 'Transfer-Encoding: chunked']), undefined);
  assert.equal(fault(['Host: ']), undefined);
  assert.equal(fault(['Host: a'], 0), undefined);
});

test('HTTP/1.1 needs one Host, HTTP/1.0 may do without', () => {
  assert.match(fault([]) ?? '', /no Host/);
  assert.match(fault([], 1, 'site.test') ?? '', /no Host/);
  assert.equal(fault([], 0), undefined);
  assert.match(fault(['Host: a', 'Host: a']) ?? '', /more than one Host/);
  assert.match(fault(['Host: a', 'host: a'], 0) ?? '', /more than one Host/);
  assert.match(fault(['Host: a b']) ?? '', /not a host name/);
  assert.match(fault(['Host: a/b'], 0) ?? '', /not a host name/);
});

test('an absolute-form target names a host', () => {
  assert.equal(fault(['Host: a'], 1, 'site.test:80'), undefined);
  for (const authority of ['', ':80', 'user@site.test', 'a b']) {
    assert.match(fault(['Host: a'], 1, authority) ?? '', /target names no host/, authority);
  }
});

test('a transfer coding is chunked, once, alone, and not in HTTP/1.0', () => {
  for (const coding of ['gzip', 'gzip, chunked', 'chunked, chunked', 'identity', 'xchunked', '']) {
    assert.match(fault(['Host: a', `Transfer-Encoding: ${coding}`]) ?? '', /only Transfer-Enc/);
  }
  assert.equal(fault(['Host: a', 'Transfer-Encoding:  CHUNKED ']), undefined);
  const twice = ['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'];
  assert.match(fault(['Host: a', ...twice]) ?? '', /more than one Transfer-Encoding/);
  assert.match(fault(['Transfer-Encoding: chunked'], 0) ?? '', /HTTP\/1\.0/);
  const both = ['Transfer-Encoding: chunked', 'Content-Length: 0'];
  assert.match(fault(['Host: a', ...both]) ?? '', /both/);
  assert.match(fault(['Host: a', ...both.reverse()]) ?? '', /both/);
});

test('a request that came through us five times is a loop; other proxies do not count', () => {
  const hop = `1.1 ${viaName}`;
  assert.equal(fault(['Host: a', `Via: ${Array(4).fill(hop).join(', ')}`]), undefined);
  assert.match(fault(['Host: a', `Via: ${Array(5).fill(hop).join(', ')}`]) ?? '', /too often/);
  const lines = Array(5).fill(`Via: 1.0 other, ${hop} (comment)`);
  assert.match(fault(['Host: a', ...lines]) ?? '', /too often/);
  assert.equal(fault(['Host: a', `Via: ${Array(50).fill('1.1 other').join(', ')}`]), undefined);
  assert.equal(
    fault(['Host: a', `Via: ${Array(50).fill(`1.1 x${viaName}`).join(',')}`]),
    undefined,
  );
});
