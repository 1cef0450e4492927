import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accelerator, faultsOf, settingsOf } from '../../support/settings-text.ts';

const events = (...lines: string[]) => `${accelerator}\n[Events]\n${lines.join('\n')}`;

test('without the section there is neither file nor webhook', () => {
  const { events: defaults } = settingsOf(accelerator);
  assert.equal(defaults.logFile, '');
  assert.equal(defaults.perSecondMax, 100);
  assert.deepEqual(defaults.kinds, [
    ...['blocked', 'suspect', 'learned', 'proposed', 'throttle', 'origin', 'source', 'fleet'],
  ]);
  assert.deepEqual(defaults.webhook, {
    ...{ url: '', token: '', timeoutMs: 5000, retriesMax: 8, queueMax: 10_000, batchMax: 100 },
  });
});

test('every fault is told at once, and none quotes the URL or the token', () => {
  const text = events(
    'EventLog=./PROXY.LOG',
    'EventKinds=blocked, nothing',
    'EventsPerSecond=0',
    'Webhook=https://user:hush@a.example/',
    'WebhookToken=hush hush',
    'WebhookRetries=-1',
  );
  const faults = faultsOf(text);
  assert.deepEqual(
    faults.map((fault) => fault.replace(/^\d+: \[Events\] /, '')),
    [
      'EventLog: another log has that file',
      'EventKinds: `nothing` is not known; allowed is blocked or suspect or learned or proposed or throttle or origin or source or fleet',
      'EventsPerSecond: `0` is out of range; allowed is 1-100000',
      'Webhook: it has a user name or a password; WebhookToken is the place for a secret',
      'WebhookToken: only printable ASCII without blanks is allowed',
      'WebhookRetries: `-1` is out of range; allowed is 0-1000',
    ],
  );
});

test('what is no URL of http or https is a fault', () => {
  for (const url of ['ftp://a/', 'a.example/x', 'http://', 'http://a b/', 'http://a/#x', '"http']) {
    const faults = faultsOf(events(`Webhook=${url}`));
    assert.equal(faults.length, 1, `${url}: ${faults}`);
    assert.match(faults[0] ?? '', /Webhook: it (?:is not a URL|has a #)/);
  }
});

test('no kinds, and a token for nobody, are faults', () => {
  assert.match(faultsOf(events('EventKinds=')).join(), /at least one kind is needed/);
  assert.match(faultsOf(events('WebhookToken=x')).join(), /no effect without Webhook/);
});
