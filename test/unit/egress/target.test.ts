import assert from 'node:assert/strict';
import { test } from 'node:test';
import { firstAllowed, isPrivateAddress } from '../../../src/egress/address-policy.ts';
import { parseAbsolute, parseAuthority } from '../../../src/egress/target.ts';

test('the authority of a CONNECT is a host and a port', () => {
  assert.deepEqual(parseAuthority('Registry.Example.com:443'), {
    host: 'registry.example.com',
    port: 443,
  });
  assert.deepEqual(parseAuthority('[2001:DB8::7]:443'), { host: '2001:db8::7', port: 443 });
  assert.deepEqual(parseAuthority('[::ffff:192.0.2.1]:80'), { host: '192.0.2.1', port: 80 });
  for (const bad of [
    '',
    'host',
    'host:',
    ':443',
    'host:0',
    'host:65536',
    'a b:1',
    'u@h:1',
    '[x]:1',
  ]) {
    assert.equal(parseAuthority(bad), undefined, bad);
  }
});

test('an absolute target gives host, port and what to ask for', () => {
  assert.deepEqual(parseAbsolute('http://deb.example.org/debian/x?y=1'), {
    ...{ host: 'deb.example.org', port: 80, path: '/debian/x?y=1', authority: 'deb.example.org' },
  });
  assert.equal(parseAbsolute('HTTP://a.test:8080')?.path, '/');
  assert.equal(parseAbsolute('http://a.test?x')?.path, '/?x');
  assert.equal(parseAbsolute('http://[::1]:81/')?.host, '::1');
  for (const bad of ['https://a/', '/a', 'http://u@a/', 'http:///a', 'http://a/ b', 'ftp://a/']) {
    assert.equal(parseAbsolute(bad), undefined, bad);
  }
});

test('private, loopback, link-local and metadata addresses are told from public ones', () => {
  for (const address of [
    ...['127.0.0.1', '10.1.2.3', '172.16.0.1', '172.31.255.255', '192.168.1.1', '169.254.169.254'],
    ...['0.0.0.0', '100.64.0.1', '224.0.0.1', '255.255.255.255', '::1', '::', 'fe80::1', 'fd00::1'],
    ...['::ffff:127.0.0.1', '::ffff:10.0.0.1', '::127.0.0.1', '64:ff9b::7f00:1', '2002:7f00:1::'],
    ...['168.63.129.16', '192.0.2.1', '198.51.100.9', '203.0.113.7', '192.88.99.1', '100::1'],
    ...['2001:db8::7', '2001:10::1', '2001:2::1', '3fff::1', '5f00::1', '::ffff:0:7f00:1'],
    'not an address',
  ]) {
    assert.equal(isPrivateAddress(address), true, address);
  }
  for (const address of [
    '8.8.8.8',
    '172.32.0.1',
    '168.63.129.17',
    '192.0.1.1',
    '2606:4700::1',
    '2001:4860::1',
  ]) {
    assert.equal(isPrivateAddress(address), false, address);
  }
});

test('of several addresses the first public one is taken', () => {
  assert.equal(firstAllowed(['10.0.0.1', '8.8.8.8'], false), '8.8.8.8');
  assert.equal(firstAllowed(['10.0.0.1', '8.8.8.8'], true), '10.0.0.1');
  assert.equal(firstAllowed(['10.0.0.1'], false), undefined);
});
