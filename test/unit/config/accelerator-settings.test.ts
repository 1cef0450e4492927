import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accelerator, faultsOf, settingsOf } from '../../support/settings-text.ts';
import { noTls } from '../../support/tls-model.ts';

const plain = { weight: 1, isBackup: false, connectionsMax: undefined };

test('the lists of an accelerator are read part by part', () => {
  const settings = settingsOf(
    [
      '[Accelerator main]',
      'Listen=0.0.0.0:80, [::]:80',
      'Origin=http://a weight=3, https://B.example/ Backup, http://[::1]:8000 maxconn=9',
      'Hosts=Www.Example.com, *.example.com, 192.0.2.1, [2001:DB8::1]',
      'TrustedProxies=10.0.0.0/8, ::1',
    ].join('\n'),
  );
  assert.deepEqual(settings.accelerators[0], {
    name: 'main',
    listen: [
      { host: '0.0.0.0', port: 80 },
      { host: '::', port: 80 },
    ],
    origins: [
      { kind: 'url', protocol: 'http', host: 'a', port: 80, ...plain, weight: 3 },
      { kind: 'url', protocol: 'https', host: 'b.example', port: 443, ...plain, isBackup: true },
      { kind: 'url', protocol: 'http', host: '::1', port: 8000, ...plain, connectionsMax: 9 },
    ],
    originSettings: {
      ...{ balance: 'roundrobin', failuresMax: 3, downMs: 10_000, counts5xx: false },
      ...{ slowStartMs: 0, check: undefined, resolveMs: 30_000 },
      tls: {
        ...{ verify: true, serverName: '' },
        ...{ ca: undefined, certificate: undefined, key: undefined },
      },
    },
    dynamicPort: 80,
    dynamicPrivate: false,
    hosts: ['www.example.com', '*.example.com', '192.0.2.1', '[2001:db8::1]'],
    trustedProxies: ['10.0.0.0/8', '::1'],
    tls: noTls,
    proxyProtocol: false,
    cache: true,
  });
});

test('accelerators have names of their own', () => {
  assert.deepEqual(
    faultsOf(`${accelerator}\n[accelerator MAIN]\n[Accelerator] Listen=1.1.1.1:1 Origin=demo`),
    [
      '2: [accelerator MAIN]: the section already stands on line 1',
      '3: [Accelerator]: an accelerator needs a name, as in [Accelerator main]',
    ],
  );
  assert.match(
    faultsOf('[Accelerator "x"] Listen=1.1.1.1:1 Origin=demo')[0] ?? '',
    /must be 1 to 64 printable ASCII characters/,
  );
});

test('a dynamic origin stands alone, and only within Hosts', () => {
  const faults = (...lines: string[]) =>
    faultsOf(['[Accelerator main]', 'Listen=127.0.0.1:8080', ...lines].join('\n'));
  assert.deepEqual(faults('Origin=dynamic', 'Hosts=*.preview.example', 'OriginPort=8000'), []);
  assert.deepEqual(faults('Origin=dynamic, demo'), [
    '3: [Accelerator main] Origin: dynamic stands alone',
    '3: [Accelerator main] Origin: dynamic needs Hosts',
  ]);
  assert.match(faults('Origin=dynamic', 'Hosts=a', 'OriginPort=0').join(), /OriginPort: .*1-65535/);
});
