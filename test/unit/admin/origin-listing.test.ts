import assert from 'node:assert/strict';
import { test } from 'node:test';
import { executeLine } from '../../../src/admin/console.ts';
import { renderOriginMetrics } from '../../../src/admin/metrics.ts';
import { renderOrigins } from '../../../src/admin/origin-listing.ts';
import type { OriginRow } from '../../../src/upstream/origins.ts';
import { FakeContext } from '../../support/console-context.ts';

const up: OriginRow = {
  ...{ site: 'main', origin: 'http://10.0.0.1:80', weight: 3, isBackup: false },
  ...{ state: 'up', why: '', running: 12, waiting: 0, failures: 0 },
};
const down: OriginRow = {
  ...{ site: 'a "b"', origin: 'https://o.test:443', weight: 1, isBackup: true },
  ...{ state: 'down', why: 'origin_timeout', running: 0, waiting: 2, failures: 7 },
};

test('each origin has a row with what an operator asks for', () => {
  assert.deepEqual(renderOrigins([up, down]).split('\n'), [
    'SITE   ORIGIN              STATE         WEIGHT  IN USE  WAITING  FAILURES  LAST FAILURE',
    'main   http://10.0.0.1:80  up                 3      12        0         0  -',
    'a "b"  https://o.test:443  down, backup       1       0        2         7  origin_timeout',
  ]);
  assert.equal(renderOrigins([]), 'No site has origins of its own.');
});

test('virus origins prints them', async () => {
  const context = new FakeContext();
  context.originRows.push(up);
  const reply = await executeLine('virus origins', context, 'console');
  assert.deepEqual(reply, { ok: true, text: renderOrigins([up]) });
});

test('the metrics page has a sample for each, with its labels escaped', () => {
  const text = renderOriginMetrics([up, { ...down, state: 'slow start' }, down]);
  assert.match(text, /^wormgate_origin_up\{site="main",origin="http:\/\/10\.0\.0\.1:80"\} 1$/m);
  assert.deepEqual(text.match(/^wormgate_origin_up\{site="a \\"b\\"",.*$/gm), [
    'wormgate_origin_up{site="a \\"b\\"",origin="https://o.test:443"} 1',
    'wormgate_origin_up{site="a \\"b\\"",origin="https://o.test:443"} 0',
  ]);
  assert.match(text, /^wormgate_origin_requests\{site="main",.*\} 12$/m);
  assert.match(text, /^wormgate_origin_waiting\{site="a .*\} 2$/m);
  assert.equal(text.match(/^# TYPE wormgate_origin_\w+ gauge$/gm)?.length, 3);
});
