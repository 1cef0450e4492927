/** What is known of sources, and of what was served, outlasts the process. */
import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { missing, startSourceRig } from '../support/source-rig.ts';
import { until } from '../support/wormgate.ts';

test('what the operator blocks and forgives outlasts kill -9 once it is answered', async (t) => {
  const { wormgate, ask } = await startSourceRig(t);
  wormgate.virus('block', '127.1.0.1');
  wormgate.virus('block', '127.1.0.2');
  wormgate.virus('forgive', '127.1.0.2');
  await wormgate.stop('SIGKILL');
  await wormgate.start();
  assert.deepEqual(await ask('127.1.0.1', ['/page']), [0]);
  assert.deepEqual(await ask('127.1.0.2', ['/page']), [200]);
});

for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
  test(`a source that was blocked by itself stays so after ${signal}, with what it did`, async (t) => {
    const { wormgate, ask } = await startSourceRig(t);
    const journal = join(wormgate.dataFolder, 'sources.journal');
    await ask('127.1.0.1', missing(5));
    await until(() => readFileSync(journal, 'latin1').includes('127.1.0.1'));
    assert.equal(statSync(journal).mode & 0o777, 0o600);
    await wormgate.stop(signal);
    await wormgate.start();
    assert.deepEqual(await ask('127.1.0.1', ['/page']), [0]);
    const shown = wormgate.virus('source', '127.1.0.1').stdout;
    assert.match(shown, /because of misses; 1 requests were stopped/);
    assert.match(shown, /"\/missing-4"/);
  });
}

test('a torn last record is dropped, and a damaged one left out and kept aside', async (t) => {
  const { wormgate, ask } = await startSourceRig(t);
  wormgate.virus('block', '127.1.0.1');
  wormgate.virus('block', '127.1.0.2');
  await wormgate.stop('SIGKILL');
  const journal = join(wormgate.dataFolder, 'sources.journal');
  const [first = '', second = ''] = readFileSync(journal, 'latin1').split('\n');
  writeFileSync(
    journal,
    `${first.replace('console', 'cansole')}\n${second}\n${first.slice(0, 40)}`,
  );
  await wormgate.start();
  assert.deepEqual(await ask('127.1.0.1', ['/page']), [200]);
  assert.deepEqual(await ask('127.1.0.2', ['/page']), [0]);
  assert.match(wormgate.stderr, /torn by a crash/);
  assert.match(
    wormgate.stderr,
    /1 records are damaged; a copy was kept as \S+sources\.journal\.damaged/,
  );
});

test('what was served before a restart is no miss after it', async (t) => {
  const { wormgate, ask, pages } = await startSourceRig(t);
  const all = missing(10, '/article');
  for (const page of all) pages.add(page);
  await ask('127.1.0.1', all);
  await wormgate.stop();
  assert.equal(statSync(join(wormgate.dataFolder, 'served.memory')).mode & 0o777, 0o600);
  pages.clear();
  await wormgate.start();
  assert.deepEqual(new Set(await ask('127.1.0.1', [...all, '/article-0'])), new Set([404]));
  assert.equal(await wormgate.counter('misses'), 0);
});

test('a memory that is damaged or of other settings is begun anew, with a warning', async (t) => {
  const { wormgate, ask } = await startSourceRig(t);
  await ask('127.1.0.1', ['/page']);
  await wormgate.stop();
  const file = join(wormgate.dataFolder, 'served.memory');
  const text = readFileSync(file, 'latin1');
  writeFileSync(file, `${text.slice(0, -100)}BBBB${text.slice(-96)}`);
  await wormgate.start();
  assert.match(wormgate.stderr, /served\.memory: it is damaged/);
  await wormgate.stop();
  writeFileSync(file, text);
  const lines = readFileSync(wormgate.configFile, 'latin1');
  writeFileSync(wormgate.configFile, `${lines}\n[Virus Pattern Configuration]\nPatternSize=8\n`);
  await wormgate.start();
  assert.match(wormgate.stderr, /served\.memory: it was made with another PatternSize/);
});
