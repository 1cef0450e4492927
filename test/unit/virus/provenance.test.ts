import assert from 'node:assert/strict';
import { test } from 'node:test';
import { broughtBy, isProvenance, learnedKeyword } from '../../../src/virus/provenance.ts';

test('the keyword is found whatever stands in it, with or without a node', () => {
  for (const keyword of ['cmd.exe', 'a)@b', ')', '@', '', 'x\n)@y)']) {
    assert.equal(learnedKeyword(`auto(${keyword})`), keyword);
    assert.equal(learnedKeyword(`auto(${keyword})@proxy-1`), keyword);
  }
  assert.equal(learnedKeyword('console@auto'), undefined);
});

test('a node is named once, and never behind what is shipped', () => {
  assert.equal(broughtBy('console', 'a'), 'console@a');
  assert.equal(broughtBy('console@a', 'b'), 'console@a');
  assert.equal(broughtBy('auto(x)', 'a'), 'auto(x)@a');
  assert.equal(broughtBy('auto(x)@a', 'b'), 'auto(x)@a');
  assert.equal(broughtBy('shipped', 'a'), 'shipped');
});

test('what is none is none', () => {
  for (const text of ['', 'con', 'auto(', 'console@', 'console@a b', 'auto(x)@a)b(', 7, null]) {
    assert.equal(isProvenance(text), false, String(text));
  }
});
