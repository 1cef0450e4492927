/** A real browser loads the demonstration site over HTTP/2. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { programPath, skipWithout } from '../support/parts.ts';
import { startTlsWormgate } from '../support/tls-wormgate.ts';

test('Chromium shows the page', { skip: skipWithout('openssl', 'chromium') }, async (t) => {
  const { wormgate, tlsPort } = await startTlsWormgate(t);
  const args = [
    ...['--headless', '--no-sandbox', '--disable-gpu', '--ignore-certificate-errors'],
    `--user-data-dir=${join(wormgate.folder, 'browser')}`,
    ...['--dump-dom', `https://127.0.0.1:${tlsPort}/`],
  ];
  const result = spawnSync(programPath('chromium'), args, { encoding: 'utf8', timeout: 60_000 });
  assert.match(result.stdout, /It works: this page came through wormgate/, result.stderr);
  await wormgate.logLine(/"GET \/ HTTP\/2\.0" 200 \d+$/);
});
