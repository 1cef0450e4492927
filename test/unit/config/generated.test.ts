import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { generatedFiles } from '../../../scripts/generate.ts';
import { loadSettings } from '../../../src/config/load.ts';
import { originSettings } from '../../support/made-origin.ts';
import { projectPath } from '../../support/paths.ts';
import { noTls } from '../../support/tls-model.ts';

for (const { path, text } of generatedFiles()) {
  test(`${path} is as the table has it (if not: npm run generate)`, () => {
    const written = readFileSync(projectPath(path), 'utf8');
    assert.ok(written === text, `${path} is stale; run: npm run generate`);
  });
}

const plainOrigins = originSettings();

test('the shipped PROXY.CFG is without a fault and needs nothing else installed', () => {
  const loaded = loadSettings(projectPath('config/PROXY.CFG'));
  assert.ok(loaded.ok);
  const { settings } = loaded;
  assert.equal(settings.scanVirusPatterns, true);
  assert.deepEqual(settings.accelerators, [
    {
      name: 'demo',
      listen: [{ host: '127.0.0.1', port: 8080 }],
      origins: [{ kind: 'demo' }],
      originSettings: plainOrigins,
      dynamicPort: 80,
      dynamicPrivate: false,
      hosts: [],
      trustedProxies: [],
      tls: noTls,
      proxyProtocol: false,
      cache: true,
    },
  ]);
  assert.deepEqual(settings.admin, {
    listen: { host: '127.0.0.1', port: 8081 },
    hosts: [],
    sessionMs: 43_200_000,
    token: '',
  });
  assert.deepEqual(settings.virus.patternFiles, [
    projectPath('patterns/classic-worms.ncf'),
    projectPath('patterns/modern-worms.ncf'),
    projectPath('patterns/scanners.ncf'),
    projectPath('patterns/keywords.ncf'),
  ]);
});
