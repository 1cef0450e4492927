import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  parseRequestLine,
  reduceToOriginForm,
  requestStringOf,
} from '../../../src/http/request-line.ts';

test('an ordinary line is method, target, one blank, version', () => {
  assert.deepEqual(parseRequestLine('GET /a?b HTTP/1.1'), {
    method: 'GET',
    target: '/a?b',
    blanks: ' ',
    version: 'HTTP/1.1',
  });
});

test('blanks between target and version are kept: Code Red has two, and a request string of 385 bytes', () => {
  const target = `/default.ida?${'N'.repeat(224)}${'%u9090%u6858%ucbd3%u7801'.repeat(3)}`.padEnd(
    375,
    '%u00',
  );
  const line = parseRequestLine(`GET ${target}  HTTP/1.0`);
  assert.ok(line !== undefined);
  assert.equal(line.blanks, '  ');
  assert.equal(requestStringOf(line, target), `${target}  HTTP/1.0`);
  assert.equal(requestStringOf(line, target).length, 385);
});

test('a line that is not METHOD TARGET VERSION is refused', () => {
  for (const line of [
    '',
    ' ',
    'GET',
    'GET /',
    'GET / ',
    'GET  HTTP/1.1',
    'GET HTTP/1.1',
    ' GET / HTTP/1.1',
    'GET  / HTTP/1.1',
    'GET\t/ HTTP/1.1',
    'GET /\tHTTP/1.1',
    'GET / HTTP/1.1 ',
    'GET / http/1.1',
    'GET / HTTP/1.2',
    'GET / HTTP/2.0',
    'GET / HTTP/0.9',
    'GET / RTSP/1.0',
    'GET / HTTP/1.10',
    'G(T / HTTP/1.1',
    'G\xc9T / HTTP/1.1',
    'GET /a b HTTP/1.1',
    'GET /a\tb HTTP/1.1',
    'GET /\0 HTTP/1.1',
    'GET /\x7f HTTP/1.1',
    'GET /caf\xe9 HTTP/1.1',
    'GET /\r HTTP/1.1',
  ]) {
    assert.equal(parseRequestLine(line), undefined, JSON.stringify(line));
  }
});

test('every token is a method and every visible byte may stand in a target', () => {
  const visible = Array.from({ length: 0x7e - 0x21 + 1 }, (_, index) =>
    String.fromCharCode(0x21 + index),
  ).join('');
  assert.equal(parseRequestLine(`!#$%&'*+-.^_\`|~09azAZ / HTTP/1.0`)?.target, '/');
  assert.equal(parseRequestLine(`GET ${visible} HTTP/1.1`)?.target, visible);
});

const piece = fc.constantFrom(
  'GET',
  ' ',
  '  ',
  '/',
  'a',
  '%41',
  '\t',
  '\0',
  '\xff',
  'HTTP/1.1',
  'HTTP/1.0',
);
const text = fc.oneof(
  fc.array(piece, { maxLength: 9 }).map((parts) => parts.join('')),
  fc
    .tuple(
      fc.constantFrom('GET', 'P-T', 'a b'),
      fc.constantFrom(' ', '  '),
      fc.array(piece, { maxLength: 4 }),
      fc.constantFrom(' ', '   '),
    )
    .map(([method, blank, parts, blanks]) => `${method}${blank}${parts.join('')}${blanks}HTTP/1.1`),
);

test('agrees with a regular expression on any line, and loses no byte of it', () => {
  const grammar = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+) ([\x21-\x7e]+)( +)(HTTP\/1\.[01])$/;
  fc.assert(
    fc.property(text, (line) => {
      const parsed = parseRequestLine(line);
      const model = grammar.exec(line);
      assert.deepEqual(
        parsed && [parsed.method, parsed.target, parsed.blanks, parsed.version],
        model?.slice(1),
      );
      if (parsed === undefined) return;
      const { method, target } = parsed;
      assert.equal(`${method} ${requestStringOf(parsed, target)}`, line);
    }),
    { numRuns: 2000 },
  );
});

test('a long line is read in linear time', () => {
  const blanks = ' '.repeat(200_000);
  assert.equal(parseRequestLine(`GET${blanks}`), undefined);
  assert.equal(parseRequestLine(`GET /${blanks}x${blanks}HTTP/1.1`), undefined);
  assert.equal(parseRequestLine(`GET /${blanks}HTTP/1.1`)?.blanks.length, blanks.length);
});

test('an origin-form target stays as it is, whatever it looks like', () => {
  for (const target of ['/', '//evil.test/x', '/http://a.test/', '/a?b=http://c/', '/*']) {
    assert.deepEqual(reduceToOriginForm({ method: 'GET', target }), {
      target,
      authority: undefined,
    });
  }
});

test('an absolute-form target is reduced to path and query, its authority kept as sent', () => {
  for (const [written, target, authority] of [
    ['http://Site.test/a/b?c', '/a/b?c', 'Site.test'],
    ['HTTPS://site.test:8443/', '/', 'site.test:8443'],
    ['http://site.test', '/', 'site.test'],
    ['http://site.test?q=1', '/?q=1', 'site.test'],
    ['http://site.test#x', '/#x', 'site.test'],
    ['http://[2001:db8::1]:80/x', '/x', '[2001:db8::1]:80'],
    ['http://user@site.test/x', '/x', 'user@site.test'],
    ['http:///x', '/x', ''],
    ['http://', '/', ''],
  ] as const) {
    assert.deepEqual(
      reduceToOriginForm({ method: 'GET', target: written }),
      { target, authority },
      written,
    );
  }
});

test('the asterisk is for OPTIONS only, also where a proxy is asked about a whole server', () => {
  assert.deepEqual(reduceToOriginForm({ method: 'OPTIONS', target: '*' }), {
    target: '*',
    authority: undefined,
  });
  assert.deepEqual(reduceToOriginForm({ method: 'OPTIONS', target: 'http://site.test' }), {
    target: '*',
    authority: 'site.test',
  });
  assert.equal(reduceToOriginForm({ method: 'GET', target: '*' }), undefined);
});

test('no other form is accepted', () => {
  for (const target of [
    'site.test:443',
    'a',
    '?a',
    'ftp://a/',
    'http:/a',
    'http:a',
    '*/',
    'xhttp://a/',
  ]) {
    assert.equal(reduceToOriginForm({ method: 'OPTIONS', target }), undefined, target);
  }
});
