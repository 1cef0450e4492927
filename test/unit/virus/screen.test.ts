import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cutWindow } from '../../../src/virus/pattern.ts';
import { PatternSet } from '../../../src/virus/pattern-set.ts';
import { Screen } from '../../../src/virus/screen.ts';

function screenFor(patterns: string[], normalizeRequests = true): Screen {
  const set = new PatternSet({ patternSize: 16, maxPatterns: 100, seed: 1 });
  for (const pattern of patterns) set.add(cutWindow(pattern, 0, 16), 100, 'console', 0);
  return new Screen(set, { patternStartOffset: 1, normalizeRequests });
}

/** Both ways of screening, which must agree; the bytes lie in the middle of others. */
function screen(by: Screen, requestString: string): number {
  const bytes = Buffer.from(`GET ${requestString}\r\nHost: x\r\n\r\n`, 'latin1');
  const copy = Buffer.from(bytes);
  const index = by.screenBytes(bytes, 4, 4 + requestString.length);
  assert.deepEqual(bytes, copy);
  assert.equal(by.screen(requestString), index);
  return index;
}

const codeRed = `/default.ida?${'N'.repeat(224)}%u9090%u00=a  HTTP/1.0`;

test('a request whose window is a pattern is a virus request, another is humble', () => {
  const by = screenFor(['cmd.exe?/c+dir H', 'default.ida?NNNN']);
  assert.equal(screen(by, codeRed), 1);
  assert.equal(screen(by, '/cmd.exe?/c+dir HTTP/1.0'), 0);
  assert.equal(screen(by, '/default.ida HTTP/1.0'), -1);
  assert.equal(screen(by, '/docs/default.ida?NNNN HTTP/1.0'), -1);
});

test('a pattern shorter than PatternSize matches a request string that ends there', () => {
  const by = screenFor(['.env HTTP/1.1']);
  assert.equal(screen(by, '/.env HTTP/1.1'), 0);
  assert.equal(screen(by, '/.env HTTP/1.1x'), -1);
  assert.equal(screen(by, '/.env  HTTP/1.1'), 0);
});

test('disguised targets match too', () => {
  const by = screenFor(['default.ida?NNNN']);
  assert.equal(screen(by, '/%64efault.ida?NNNNN HTTP/1.0'), 0);
  assert.equal(screen(by, '/x/../default.ida?NNNNN HTTP/1.0'), 0);
  assert.equal(screen(by, '//default.ida?NNNNN HTTP/1.0'), 0);
  assert.equal(screen(by, '\\default.ida?NNNNN HTTP/1.0'), 0);
  assert.equal(screen(by, `/${'a/'.repeat(40)}${'../'.repeat(40)}default.ida?NNNN HTTP/1.0`), 0);
});

test('with NormalizeRequests=0 only the request as it came is looked at', () => {
  const by = screenFor(['default.ida?NNNN'], false);
  assert.equal(screen(by, '/%64efault.ida?NNNNN HTTP/1.0'), -1);
  assert.equal(screen(by, codeRed), 0);
  by.normalizeRequests = true;
  assert.equal(screen(by, '/%64efault.ida?NNNNN HTTP/1.0'), 0);
});

test('the window as it came is looked at first', () => {
  const by = screenFor(['b', '%61', 'a']);
  assert.equal(screen(by, '/%61'), 1);
  assert.equal(screen(by, '/%62'), 0);
});

test('a request string longer than the scratch buffer is normalised as well', () => {
  const by = screenFor(['default.ida?NNNN']);
  const long = `/${'a'.repeat(20_000)}/../default.ida?NNNN HTTP/1.1`;
  assert.equal(screen(by, long), 0);
});

test('empty and very short request strings are humble', () => {
  const by = screenFor(['default.ida?NNNN']);
  for (const requestString of ['', ' ', '/', '%', '//', '/.']) {
    assert.equal(screen(by, requestString), -1);
  }
});
