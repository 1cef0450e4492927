import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answerFrom } from '../../../src/cache/answer.ts';
import { readerOf } from '../../../src/cache/fields.ts';
import { hitEnd, hitText, storedHead } from '../../../src/http/delivered-head.ts';
import { dateAt, headerLines, madeAnswer, startMs } from '../../support/cache-rig.ts';

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

test('a head is what was stored, and behind it Age and Cache-Status', () => {
  const answer = madeAnswer({
    lines: headerLines('X-a: 1', 'x-A: 2', 'Connection: close'),
    body: '0123456789',
  });
  const nowMs = startMs + 7_900;
  const plain = { ...added, nowMs: () => nowMs, hstsLine: '' };
  const status = 'Cache-Status: wormgate; hit; ttl=52\r\n';
  const head = answer.headText + hitEnd(answer, plain, nowMs);
  assert.equal(
    head,
    `HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nX-a: 1\r\nx-A: 2\r\nDate: ${dateAt(0)}\r\n` +
      'Content-Length: 10\r\nAge: 7\r\nCache-Status: wormgate; hit; ttl=52\r\n\r\n',
  );
  const client = answerFrom(answer, { method: 'HEAD', header: readerOf([]) }, nowMs);
  assert.deepEqual([client.bodyStart, client.bodyEnd], [0, 0]);
  assert.equal(storedHead(answer, client, undefined, plain, status), head);
  const fetched = {
    originStatus: 304,
    isStored: true,
    detail: undefined,
    lines: [['B', '3'] as const],
  };
  const closing = { ...plain, closesAfter: true };
  assert.match(
    storedHead(answer, client, fetched, closing, ''),
    /Content-Length: 10\r\nB: 3\r\nAge: 7\r\nConnection: close\r\n\r\n$/,
  );
  assert.match(
    storedHead(answer, client, undefined, plain, 'Cache-Status: x\r\n'),
    /\r\nAge: 7\r\nCache-Status: x\r\n\r\n$/,
  );
});
