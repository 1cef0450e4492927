/** Escaping for log lines (nothing a client sends can forge or break a line). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { escapeClient, escapeText, escapeToken } from '../../../src/log/escape.ts';

test('printable ASCII other than quotes and backslashes stands as it came', () => {
  const text = "GET /a%20b?c=[1]&d='{e}'|~ HTTP/1.1";
  assert.equal(escapeText(text), text);
});

test('quotes, backslashes, control bytes and bytes above 0x7e become %HH', () => {
  assert.equal(escapeText('"\\\n\r\t\0\x1b\x7f\x80\xff'), '%22%5C%0A%0D%09%00%1B%7F%80%FF');
});

test('a per cent sign is not escaped, so the line reads as the paper prints it', () => {
  assert.equal(escapeText('%u9090%u6858'), '%u9090%u6858');
});

test('characters beyond latin1 become their UTF-8 bytes', () => {
  assert.equal(escapeText('€\u{1f41b}'), '%E2%82%AC%F0%9F%90%9B');
});

test('a token has no blanks', () => {
  assert.equal(escapeToken('auto(cmd exe")'), 'auto(cmd%20exe%22)');
});

test('IPv4 and IPv6 addresses stand as they are', () => {
  for (const address of ['203.70.140.130', '2001:db8::1', 'fe80::1%eth0', '::ffff:10.0.0.1'])
    assert.equal(escapeClient(address), address);
});

test('a client address cannot pass for the mark of a console line', () => {
  assert.equal(escapeClient('[console] virus'), '%5Bconsole%5D%20virus');
});

test('an empty client address is a dash and a long one is cut at 64 characters', () => {
  assert.equal(escapeClient(''), '-');
  assert.equal(escapeClient('1'.repeat(1000)), '1'.repeat(64));
});
