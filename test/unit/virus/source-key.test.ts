/** What counts as one source. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sourceKey } from '../../../src/virus/source-key.ts';

test('an IPv4 address is its own source, and so is what is no address', () => {
  assert.equal(sourceKey('192.0.2.7'), '192.0.2.7');
  assert.equal(sourceKey('unknown'), 'unknown');
  assert.equal(sourceKey('a:b'), 'a:b');
});

test('IPv6 addresses of one /64 are one source', () => {
  const network = '2001:db8:1:2::/64';
  for (const client of ['2001:db8:1:2::7', '2001:db8:1:2:3:4:5:6', '2001:db8:1:2:ffff::']) {
    assert.equal(sourceKey(client), network);
  }
  assert.equal(sourceKey('2001:db8:1:3::7'), '2001:db8:1:3::/64');
  assert.equal(sourceKey('2001:db8::7'), '2001:db8::/64');
  assert.equal(sourceKey('2001:db8:0:1::7'), '2001:db8:0:1::/64');
  assert.equal(sourceKey('::5'), '::/64');
});

test('the loopback address and clients behind NAT64 are sources of their own', () => {
  assert.equal(sourceKey('::1'), '::1');
  assert.equal(sourceKey('64:ff9b::c000:207'), '64:ff9b::c000:207');
});
