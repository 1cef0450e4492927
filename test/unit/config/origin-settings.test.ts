/** What an accelerator says about its origins: the list, its options, checks and files. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { originSettings } from '../../support/made-origin.ts';
import { faultsOf, settingsOf } from '../../support/settings-text.ts';

const head = '[Accelerator main] Listen=127.0.0.1:80';

function faults(...lines: string[]): string {
  const text = lines.some((line) => line.startsWith('Origin=')) ? lines : ['Origin=demo', ...lines];
  return faultsOf([head, ...text].join('\n')).join('\n');
}

test('options stand behind a URL in any order and case, on a line with other keys, too', () => {
  const text = `${head} Origin=http://a backup WEIGHT=7, http://b MaxConn=2  weight=256 Hosts=x`;
  const [site] = settingsOf(text).accelerators;
  assert.deepEqual(site?.hosts, ['x']);
  const options = site?.origins.map((each) =>
    each.kind === 'url' ? [each.host, each.weight, each.isBackup, each.connectionsMax] : each,
  );
  assert.deepEqual(options, [
    ['a', 7, true, undefined],
    ['b', 256, false, 2],
  ]);
});

test('what is wrong behind a URL is a fault that says what is allowed', () => {
  for (const option of [
    'weight=0',
    'weight=257',
    'weight',
    'maxconn=0',
    'backup=1',
    'down',
    'x=y',
  ]) {
    // A word with `=` that is no option of an origin is a key of its own to the file.
    const origin = /^(backup|x)=/.test(option) ? `"http://a ${option}"` : `http://a ${option}`;
    assert.match(
      faults(`Origin=${origin}`),
      /Origin: .* allowed are weight=1 to weight=256/,
      option,
    );
  }
  assert.match(faults('Origin=http://a weight=1 weight=2'), /weight stands twice/);
  assert.match(faults('Origin=demo weight=2'), /cannot stand behind demo/);
  assert.match(faults('Origin=dynamic backup', 'Hosts=a'), /cannot stand behind dynamic/);
});

test('without HealthPath there are no checks, whatever else is said of them', () => {
  assert.equal(originSettings('HealthInterval=9').check, undefined);
  assert.deepEqual(originSettings('HealthPath=/up?x', 'HealthStatus=200, 301-302').check, {
    ...{ path: '/up?x', host: '', intervalMs: 5000, timeoutMs: 2000, rise: 2, fall: 3 },
    statuses: [
      [200, 200],
      [301, 302],
    ],
  });
});

test('paths, hosts, statuses and names are checked', () => {
  assert.match(faults('HealthPath=up'), /HealthPath: .* begins with \//);
  assert.match(faults('HealthPath=/a b'), /HealthPath: .* without blanks/);
  assert.match(faults('HealthHost=a b'), /HealthHost: `a b` does not begin with a host/);
  assert.match(
    faults('HealthHost=http://x/'),
    /HealthHost: the port in `http:\/\/x\/` is out of range/,
  );
  assert.equal(faults('HealthHost=[::1]:80'), '');
  assert.match(faults('HealthStatus=99'), /HealthStatus: .* no status from 200 to 599/);
  assert.match(faults('HealthStatus=300-200'), /HealthStatus: /);
  assert.match(faults('HealthStatus='), /HealthStatus: no check could pass/);
  assert.match(faults('OriginServerName=192.0.2.1'), /OriginServerName: .* is not a host name/);
});

test('a key alone, and a file that holds no certificate, are faults', () => {
  const files = faults('OriginCA=a.pem', 'OriginCertificate=b.pem');
  // The reader of these tests gives PROXY.CFG itself for every file.
  assert.match(files, /OriginCA: it cannot be used: /);
  assert.match(files, /OriginCertificate: it cannot be used: /);
  assert.match(faults('OriginKey=a.pem'), /OriginKey: it needs an OriginCertificate/);
});
