/** The file of verdicts against a plain list: whatever the order in which rows come, they stand in that of the lines. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { VerdictFile } from '../../src/tuning/verdict-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'wormgate-verdict-file-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const path = join(folder, 'verdicts.tsv');

test('every row is there once, in the order of the lines', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ isBlocked: fc.boolean(), weight: fc.nat(1_000), length: fc.nat(400) }), {
        maxLength: 400,
      }),
      (rows) => {
        const file = new VerdictFile(path, []);
        const numbered = rows.map((row, index) => ({ ...row, line: index + 1 }));
        const mixed = numbered.toSorted((one, other) => one.weight - other.weight);
        for (const { line, isBlocked, length } of mixed) {
          file.put(line, isBlocked, 'r'.repeat(length));
        }
        assert.equal(file.waitingCount, 0);
        file.finish();
        const expected = rows.map(({ isBlocked, length }, index) => {
          return `${index + 1}\t${isBlocked ? 'block' : 'pass'}\t${'r'.repeat(length)}\n`;
        });
        assert.equal(readFileSync(path, 'latin1'), `line\tverdict\treason\n${expected.join('')}`);
      },
    ),
    { numRuns: 50, seed: 11 },
  );
});

test('until it is finished the older file stands, and nothing is left of one that is given up', () => {
  const first = new VerdictFile(path, []);
  first.put(1, true, 'first');
  first.finish();
  const second = new VerdictFile(path, []);
  for (let line = 1; line < 10_000; line += 1) second.put(line, false, 'second');
  const content = 'line\tverdict\treason\n1\tblock\tfirst\n';
  assert.equal(readFileSync(path, 'latin1'), content);
  second.discard();
  assert.equal(readFileSync(path, 'latin1'), content);
  assert.deepEqual(readdirSync(folder), ['verdicts.tsv']);
});
