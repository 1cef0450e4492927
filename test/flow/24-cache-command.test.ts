/** `wormgate cache …` at a shell, and what reloads do to what is stored. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { headerOf } from '../support/answer.ts';
import { startOrigin } from '../support/origin.ts';
import { askOnce } from '../support/raw-client.ts';
import { taken } from '../support/reload.ts';
import { runCli, startWormgate } from '../support/wormgate.ts';

const url = 'http://site.test/page';
const request = 'GET /page HTTP/1.1\r\nHost: site.test\r\n\r\n';

test('show and purge, with --data before the word and behind it; help without a server', async (t) => {
  const origin = await startOrigin(t, (_request, answer) => {
    answer.setHeader('Cache-Control', 'max-age=600');
    answer.end('page\n');
  });
  const wormgate = await startWormgate(t, { origin: origin.url, accelerator: ['Cache=1'] });
  const data = ['--data', wormgate.dataFolder];
  await askOnce(wormgate.port, request);
  const shown = runCli(['cache', ...data, 'show']);
  assert.match(
    shown.stdout,
    /^1 stored answer, \d+ bytes\.\nUSED .* SITE +URL\n.* 200 +test +http/,
  );
  assert.equal(runCli([...data, 'cache', 'show']).stdout, shown.stdout);
  const purged = runCli(['cache', ...data, 'purge', url]);
  assert.deepEqual([purged.code, purged.stdout], [0, 'Took 1 stored answer out.\n']);
  const refused = runCli(['cache', ...data, 'purge', '/page']);
  assert.deepEqual([refused.code, refused.stdout], [1, '']);
  assert.match(refused.stderr, /a URL is needed, .* Syntax: cache show; /);
  const folder = mkdtempSync(join(tmpdir(), 'wormgate-test-'));
  t.after(() => rmSync(folder, { recursive: true }));
  for (const words of [['-h'], ['--help'], []]) {
    const help = runCli(['cache', '--data', folder, ...words]);
    assert.deepEqual([help.code, help.stderr], [0, '']);
    assert.match(help.stdout, /^cache show +list/);
  }
  assert.equal(runCli(['cache', '--data', folder, 'show']).code, 3);
});

test('what is stored outlives a reload, but not one that takes the cache away', async (t) => {
  const origin = await startOrigin(t, (_request, answer) => {
    answer.setHeader('Cache-Control', 'max-age=600');
    answer.end('page\n');
  });
  const of = (cache: number) => ({ origin: origin.url, accelerator: [`Cache=${cache}`] });
  const wormgate = await startWormgate(t, of(1));
  const status = async () => headerOf(await askOnce(wormgate.port, request), 'cache-status') ?? '';
  assert.match(await status(), /fwd=uri-miss/);
  await taken(wormgate, of(1));
  assert.match(await status(), /; hit/);
  await taken(wormgate, of(0));
  assert.equal(await status(), '');
  await taken(wormgate, of(1));
  assert.match(await status(), /fwd=uri-miss/);
});
