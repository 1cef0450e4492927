import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hitEnd, hitText } from '../../../src/http/delivered-head.ts';
import { headerLines, madeAnswer, startMs } from '../../support/cache-rig.ts';

const added = {
  nowMs: () => startMs + 3000,
  hstsLine: 'Strict-Transport-Security: max-age=300\r\n',
  cacheStatusLine: '',
  tellsCacheStatus: true,
  closesAfter: false,
};

test('RFC 6797 §7.1: a hit has one Strict-Transport-Security, the origin’s before ours', () => {
  const own = madeAnswer({ lines: headerLines('Strict-Transport-Security: max-age=1') });
  assert.doesNotMatch(hitEnd(own, added, startMs), /Strict/);
  assert.match(hitText(own, added, startMs), /max-age=1\r\n/);
  assert.match(hitEnd(madeAnswer(), added, startMs), /Strict-Transport-Security: max-age=300\r\n/);
});

test('the text of a hit is that of its second, for connections that add the same', () => {
  const answer = madeAnswer();
  const first = hitText(answer, added, startMs + 3100);
  assert.match(first, /\r\nAge: 3\r\nCache-Status: wormgate; hit; ttl=56\r\n/);
  assert.match(first, /\r\n\r\nbody$/);
  assert.equal(hitText(answer, added, startMs + 3200), first);
  assert.match(hitText(answer, added, startMs + 4200), /Age: 4\r\n/);
  assert.match(hitText(answer, { ...added, closesAfter: true }, startMs + 4200), /: close\r\n/);
  assert.doesNotMatch(hitText(answer, { ...added, hstsLine: '' }, startMs + 4200), /Strict/);
});
