import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Screening } from '../../src/http/policy.ts';
import { type InspectorParts, inspectRequest } from '../../src/request-inspector.ts';

const folder = mkdtempSync(join(tmpdir(), 'wormgate-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** Nothing is screened. */
const parts = {
  screening: () => ({ screen: undefined }) as Partial<Screening> as Screening,
} as Partial<InspectorParts> as InspectorParts;

test('a request that came over HTTP/2 is inspected as the lanes saw it', async () => {
  const log = join(folder, 'PROXY.LOG');
  const start = '192.0.2.1 - - [26/Nov/2026:07:09:13 +0000]';
  const lines = [
    `${start} "GET /x HTTP/2.0" 502 9 error=origin_closed id=0123456789-1`,
    `${start} "(bad request line) GET /x HTTP/2.0" 400 9 id=0123456789-2`,
  ];
  writeFileSync(log, `${lines.join('\n')}\n`);
  const { outcome, steps } = await inspectRequest('0123456789-1', parts, log);
  assert.equal(outcome, 'pass');
  assert.deepEqual(steps[1], { step: 'request string', finding: '/x HTTP/1.1' });
  assert.equal((await inspectRequest('0123456789-2', parts, log)).outcome, 'refused');
});
