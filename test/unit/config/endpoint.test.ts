import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatHostPort } from '../../../src/config/endpoint.ts';
import { loadSettings } from '../../../src/config/load.ts';

/** The faults of an accelerator that is good but for `key`, as `Key: message`. */
function acceleratorFaults(key: string, value: string): string[] {
  const keys = { Listen: '127.0.0.1:8080', Origin: 'demo', [key]: value };
  const lines = Object.entries(keys).map(([name, text]) => `${name}=${text}`);
  const text = `[Accelerator main]\n${lines.join('\n')}`;
  const loaded = loadSettings('F', () => Buffer.from(text));
  return loaded.ok ? [] : loaded.faults.map((fault) => `${fault.key}: ${fault.message}`);
}

test('an address is printed as PROXY.CFG writes it', () => {
  assert.equal(formatHostPort({ host: '::1', port: 80 }), '[::1]:80');
  assert.equal(formatHostPort({ host: 'localhost', port: 80 }), 'localhost:80');
});

const badAddresses: readonly (readonly [string, string, RegExp])[] = [
  ['Listen', '', /^Listen: it is required, or ListenTls$/],
  ['Listen', '8080', /^Listen: `8080` does not begin with a host name or an IP address$/],
  ['Listen', 'localhost', /`localhost` has no port; write HOST:PORT$/],
  ['Listen', '127.0.0.1:', /has no port/],
  ['Listen', '127.0.0.1:0', /the port in `127.0.0.1:0` is out of range; allowed is 1-65535$/],
  ['Listen', '127.0.0.1:65536', /allowed is 1-65535$/],
  ['Listen', '127.0.0.1:http', /allowed is 1-65535$/],
  ['Listen', '*:80', /every address is 0\.0\.0\.0 or \[::\]$/],
  ['Listen', ':80', /every address is 0\.0\.0\.0 or \[::\]$/],
  ['Listen', '::1:80', /IPv6 stands in brackets/],
  ['Listen', '[::1]x:80', /is not HOST:PORT/],
  ['Listen', '[fe80::1%eth0]:80', /does not begin with a host name/],
  ['Listen', '[1.2.3.4]:80', /does not begin with a host name/],
  ['Listen', '256.1.1.1:80', /does not begin with a host name/],
  ['Listen', 'a..b:80', /does not begin with a host name/],
  ['Listen', `${'a'.repeat(64)}:80`, /does not begin with a host name/],
  ['Listen', '1.1.1.1:80, 1.1.1.1:80', /1\.1\.1\.1:80 stands twice$/],
  ['Origin', '', /^Origin: it is required$/],
  [
    'Origin',
    'example.com',
    /is neither http:\/\/HOST:PORT nor https:\/\/HOST:PORT nor demo nor dynamic$/,
  ],
  ['Origin', 'ftp://a', /is neither/],
  ['Origin', 'http://a/b', /has a path/],
  ['Origin', 'http://a?b', /has a path/],
  ['Origin', 'http://u:p@a', /has a user name/],
  ['Origin', 'http://', /does not begin with a host name/],
  ['Origin', 'http://a:99999', /allowed is 1-65535$/],
  ['Hosts', 'a:80', /is not a host name; a port is not part of it$/],
  ['Hosts', '*', /an empty Hosts means every host$/],
  ['Hosts', 'a*b', /is not a host name$/],
  ['Hosts', '[x]', /is not a host name$/],
  ['Hosts', 'a.example, A.EXAMPLE', /a\.example stands twice$/],
  ['TrustedProxies', 'proxy.example', /an IP address or ADDRESS\/PREFIX is needed/],
  ['TrustedProxies', '10.0.0.0/33', /the prefix after the \/ must be 0-32$/],
];

for (const [key, value, message] of badAddresses) {
  test(`${key}=${value} is refused`, () => {
    const faults = acceleratorFaults(key, value);
    assert.equal(faults.length, 1, faults.join('\n'));
    assert.match(faults[0] ?? '', message);
  });
}
