import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadSettings } from '../../../src/config/load.ts';
import { accelerator } from '../../support/settings-text.ts';

test('what the file says is told key by key, and of secrets that they are set', () => {
  const text = `${accelerator}
[Admin] Token=hush SessionHours=3
[Events] Webhook=https://a.example/hush WebhookToken=""
`;
  const loaded = loadSettings('PROXY.CFG', () => Buffer.from(text));
  assert.ok(loaded.ok);
  assert.doesNotMatch(JSON.stringify(loaded.written), /hush/);
  const told = (section: string, key: string) => {
    const found = loaded.written.find((each) => each.section === section && each.key === key);
    return [found?.value, found?.isDefault];
  };
  assert.deepEqual(told('Admin', 'Token'), [undefined, false]);
  assert.deepEqual(told('Admin', 'SessionHours'), ['3', false]);
  assert.deepEqual(told('Events', 'Webhook'), [undefined, false], 'its path may be a secret');
  assert.deepEqual(told('Events', 'WebhookToken'), ['""', false], 'none is set');
  assert.deepEqual(told('Events', 'WebhookRetries'), ['8', true]);
});
