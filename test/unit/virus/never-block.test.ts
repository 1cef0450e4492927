import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NeverBlock } from '../../../src/virus/never-block.ts';

test('a client address in a listed network is covered, whatever it asks for', () => {
  const list = new NeverBlock(['10.0.0.0/8', '2001:db8::/32'], []);
  assert.equal(list.covers('10.1.2.3', '/x'), true);
  assert.equal(list.covers('2001:db8::7', '/x'), true);
  assert.equal(list.covers('11.1.2.3', '/x'), false);
});

test('a path that begins with a listed prefix is covered', () => {
  const list = new NeverBlock([], ['/safe/', '/other']);
  for (const target of ['/safe/', '/safe/a?b=/../c', '/safe/a/../b', '/other', '/otherwise']) {
    assert.equal(list.covers('192.0.2.1', target), true, target);
  }
  for (const target of ['/', '/safe', '/Safe/', '/unsafe/safe/', '*']) {
    assert.equal(list.covers('192.0.2.1', target), false, target);
  }
});

test('a path is covered only when it begins with the prefix as sent and as decoded', () => {
  const list = new NeverBlock([], ['/safe/']);
  for (const target of [
    '/safe/../evil',
    '/safe/..%2fevil',
    '/safe/%2e%2e/evil',
    '/safe\\..\\evil',
    '/evil/..%2fsafe/',
    '/evil/..%5csafe/',
    '//safe/',
  ]) {
    assert.equal(list.covers('192.0.2.1', target), false, target);
  }
});
