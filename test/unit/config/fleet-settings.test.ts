import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { test } from 'node:test';
import { accelerator, faultsOf, settingsOf } from '../../support/settings-text.ts';

const fleet = (...lines: string[]) => `${accelerator}\n[Fleet]\n${lines.join('\n')}`;

test('without the section there is no fleet, and the node has the name of its machine', () => {
  const { fleet: defaults } = settingsOf(accelerator);
  assert.equal(defaults.engine, undefined);
  assert.equal(defaults.nodeName, hostname().replace(/[^A-Za-z0-9._-]/g, '-'));
  assert.deepEqual(
    [defaults.keyPrefix, defaults.outboxMax, defaults.talliesMax, defaults.snapshotEvery],
    ['wormgate', 100_000, 500, 20_000],
  );
  assert.equal(defaults.timeoutMs, 5000);
});

test('a URL names scheme, host, port and database', () => {
  const engineOf = (url: string) => settingsOf(fleet(`Url=${url}`)).fleet.engine;
  const plain = { isTls: false, host: '127.0.0.1', port: 6379, database: 0 };
  assert.deepEqual(engineOf('redis://127.0.0.1'), plain);
  assert.deepEqual(engineOf('rediss://valkey.example.com:7000/3'), {
    ...{ isTls: true, host: 'valkey.example.com', port: 7000, database: 3 },
  });
  assert.deepEqual(engineOf('redis://[::1]:6380/'), { ...plain, host: '::1', port: 6380 });
});

test('every fault is told at once, and none quotes the URL or the password', () => {
  const faults = faultsOf(
    fleet(
      'Url=redis://user:hush@valkey.example.com',
      'Password="hush\\x01"',
      'KeyPrefix={a}',
      'NodeName=a b',
      'MaxOutbox=0',
      'MaxTallies=10001',
      'SnapshotEvery=99',
      'EngineTimeout=0',
    ),
  );
  assert.deepEqual(
    faults.map((fault) => fault.replace(/^\d+: \[Fleet\] /, '')),
    [
      'Url: it has a user name or a password; User and Password are the places for them',
      'Password: only printable ASCII is allowed',
      'KeyPrefix: it is not 1-64 letters, digits and any of . _ : -',
      'NodeName: it is not 1-63 letters, digits and any of . _ -',
      'MaxOutbox: `0` is out of range; allowed is 1-1000000',
      'MaxTallies: `10001` is out of range; allowed is 0-10000',
      'SnapshotEvery: `99` is out of range; allowed is 100-1000000',
      'EngineTimeout: `0` is out of range; allowed is 1-300 seconds',
    ],
  );
});

test('what does nothing without a URL, or with another one, is a fault', () => {
  const messages = (...lines: string[]) =>
    faultsOf(fleet(...lines)).map((fault) => fault.replace(/^\d+: \[Fleet\] /, ''));
  assert.deepEqual(messages('User=a', 'Password=b'), [
    'User: it has no effect without Url',
    'Password: it has no effect without Url',
  ]);
  assert.match(
    messages('Url=rediss://a', 'CA=ca.pem')[0] ?? '',
    /^CA: the file holds no certificate/,
  );
  for (const url of ['http://a', 'redis://', 'redis://a/x', 'redis://a/1?b=c', 'redis://a/1#b']) {
    assert.match(messages(`Url=${url}`)[0] ?? '', /^Url: /, url);
  }
});
