/** What PROXY.LOG says of a request, read again by `wormgate tune`; and any bytes at all. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatAccess } from '../../src/log/access.ts';
import { LogLineReader } from '../../src/tuning/log-line.ts';

/** Characters that PROXY.LOG writes as they are. */
const plain = fc.constantFrom(..."/abcXYZ09.?=&%-_~!$'()*+,;:@[]{}|^`<>#".split(''));
const target = fc.array(plain, { maxLength: 60 }).map((parts) => `/${parts.join('')}`);

test('a request that PROXY.LOG tells of is read as it was', () => {
  fc.assert(
    fc.property(
      target,
      fc.constantFrom('GET', 'POST', 'M-SEARCH', 'BASELINE-CONTROL'),
      fc.integer({ min: 0, max: 2 ** 40 }),
      fc.integer({ min: 100, max: 599 }),
      fc.constantFrom('203.0.113.9', '2001:db8::7'),
      (path, method, seconds, status, client) => {
        const atMs = Math.floor(seconds / 100) * 1_000;
        const requestLine = `${method} ${path} HTTP/1.1`;
        const outcome = { kind: 'answered', status, bytes: 7 } as const;
        const bytes = Buffer.from(formatAccess({ client, atMs, requestLine, outcome }), 'latin1');
        const reader = new LogLineReader(65_536);
        assert.equal(reader.read(bytes, 0, bytes.length), 'request');
        assert.deepEqual(
          [reader.client(), reader.atMs, reader.requestLine(), reader.text(), reader.status],
          [client, atMs, requestLine, `${path} HTTP/1.1`, status],
        );
      },
    ),
    { numRuns: 1_000, seed: 4 },
  );
});

test('no bytes make the reader throw, or read outside of the line', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      '"',
      '\\',
      '\\x',
      '[',
      ']',
      ' ',
      '-',
      'GET /',
      '06/Aug/2001:09:58:58 -0600',
      ' 200',
    ),
    fc.string({ unit: 'binary', maxLength: 4 }),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
      const bytes = Buffer.from(pieces.join(''), 'latin1');
      const reader = new LogLineReader(65_536);
      if (reader.read(bytes, 0, bytes.length) !== 'request') return;
      assert.ok(reader.text().length <= bytes.length);
      assert.ok(reader.requestEnd >= reader.requestStart);
    }),
    { numRuns: 2_500, seed: 5 },
  );
});
