/** The file of what was served: written when there is something new. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ServedFile } from '../../src/served-file.ts';
import { ServedMemory } from '../../src/virus/served-memory.ts';
import { decodeSnapshot } from '../../src/virus/served-snapshot.ts';
import { HandClock } from '../support/hand-clock.ts';

const options = { patternStartOffset: 1, patternSize: 16, bytesMax: 1 << 20 };
const page = '/page HTTP/1.1';

test('it is written when something was served since, also by a clock that was set back', async (t) => {
  const dataFolder = mkdtempSync(join(tmpdir(), 'wormgate-served-'));
  t.after(() => rmSync(dataFolder, { recursive: true, force: true }));
  const path = join(dataFolder, 'served.memory');
  const clock = new HandClock();
  const laterMs = clock.nowMs() + 86_400_000;
  const served = new ServedMemory({ ...options, lastsMs: laterMs, seed: 1, nowMs: 0 });
  const warnings: string[] = [];
  const warn = (sentence: string) => warnings.push(sentence);
  await new ServedFile(dataFolder, served, { clock, warn }).close();
  assert.equal(existsSync(path), false);
  served.notePath('/first HTTP/1.1', 0, 15, false, laterMs);
  const file = new ServedFile(dataFolder, served, { clock, warn });
  served.notePath(page, 0, page.length, false, clock.nowMs());
  await file.close();
  const read = decodeSnapshot(readFileSync(path), options);
  assert.ok(read.ok);
  const { snapshot } = read;
  const again = new ServedMemory({
    ...{ ...options, lastsMs: laterMs, nowMs: clock.nowMs() },
    ...{ seed: snapshot.seed, snapshot },
  });
  assert.equal(again.recallPath(page, clock.nowMs()), true);
  assert.deepEqual(warnings, []);
});
