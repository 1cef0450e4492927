import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { findLineEndingIn } from '../../../src/log/find-line.ts';

test('the last line that ends so is found, wherever the pieces are cut', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'wormgate-test-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'log');
  const lines = Array.from(
    { length: 30_000 },
    (_, index) => `line ${index} of a log id=x-${index}`,
  );
  writeFileSync(file, `${lines.join('\n')}\nx-7\n`);
  for (const index of [0, 1, 6_543, 12_001, 29_999]) {
    assert.equal(await findLineEndingIn(file, ` id=x-${index}`), lines[index]);
  }
  assert.equal(await findLineEndingIn(file, ' id=x-30000'), undefined);
  assert.equal(await findLineEndingIn(file, ' id=x-0', 10_000), undefined, 'too far back');
  assert.equal(await findLineEndingIn(join(folder, 'none'), 'x'), undefined);
});
