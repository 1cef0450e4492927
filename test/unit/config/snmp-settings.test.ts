import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatFault, loadSettings } from '../../../src/config/load.ts';
import type { SnmpSettings } from '../../../src/config/shape.ts';

function load(...lines: string[]) {
  const text = ['[Accelerator a] Listen=127.0.0.1:80 Origin=demo', '[SNMP]', ...lines].join('\n');
  return loadSettings('x', () => Buffer.from(text, 'latin1'));
}

function settingsOf(...lines: string[]): SnmpSettings {
  const loaded = load(...lines);
  assert.ok(loaded.ok, loaded.ok ? '' : loaded.faults.map(formatFault).join('\n'));
  return loaded.settings.snmp;
}

/** The faults of lines that begin at line 3, without the file's name. */
function faultsOf(...lines: string[]): string[] {
  const loaded = load(...lines);
  return loaded.ok ? [] : loaded.faults.map((fault) => formatFault(fault).slice('x:'.length));
}

test('a sink without a port has 162, and IPv6 stands in brackets', () => {
  assert.deepEqual(settingsOf('TrapSinks=10.0.0.9, [::1], Traps.example:1162').sinks, [
    { host: '10.0.0.9', port: 162 },
    { host: '::1', port: 162 },
    { host: 'traps.example', port: 1162 },
  ]);
  assert.deepEqual(settingsOf().sinks, []);
});

test('the defaults of v3 are authPriv, sha256 and aes', () => {
  const lines = ['Version=V3', 'User=u', 'AuthKey=12345678', 'PrivKey="8765 4321"'];
  assert.deepEqual(settingsOf(...lines).sender, {
    version: 'v3',
    user: 'u',
    auth: { protocol: 'sha256', key: '12345678' },
    priv: { protocol: 'aes', key: '8765 4321' },
    engineId: undefined,
  });
  assert.deepEqual(settingsOf('Version=v3', 'User=u', 'SecurityLevel=NOAUTHNOPRIV').sender, {
    ...{ version: 'v3', user: 'u', auth: undefined, priv: undefined, engineId: undefined },
  });
});

test('an engine id is hex of 5 to 32 octets, and not every one is allowed', () => {
  const v3 = ['Version=v3', 'User=u', 'SecurityLevel=noAuthNoPriv'];
  const idOf = (id: string) => {
    const { sender } = settingsOf(...v3, `EngineId=${id}`);
    return sender.version === 'v3' ? sender.engineId : undefined;
  };
  assert.equal(idOf('0x80007ED901'), '80007ed901');
  assert.equal(idOf('000000000000000000000002'), '000000000000000000000002');
  const bad = ['80007ed9', '80007ed9010', 'ff'.repeat(5), '00'.repeat(12), '01'.repeat(5), 'snmp'];
  for (const id of [...bad, '80'.repeat(33)]) {
    const faults = faultsOf(...v3, `EngineId=${id}`);
    assert.equal(faults.length, 1, id);
    assert.match(faults[0] ?? '', /^6: \[SNMP\] EngineId: /);
  }
});

test('every fault of a version and a level is told at once, with its line', () => {
  assert.deepEqual(faultsOf('Version=v3'), [
    '2: [SNMP] User: it is required with Version=v3',
    '2: [SNMP] AuthKey: it is required with SecurityLevel=authPriv',
    '2: [SNMP] PrivKey: it is required with SecurityLevel=authPriv',
  ]);
  const short = ['Version=v3', 'User=u', 'AuthKey=1234567', 'PrivKey=1', 'AuthProtocol=md5'];
  assert.deepEqual(faultsOf(...short, 'TrapSinks=a, a:162, b:0'), [
    '5: [SNMP] AuthKey: it has 7 characters; at least 8 are needed',
    '6: [SNMP] PrivKey: it has 1 character; at least 8 are needed',
    '7: [SNMP] AuthProtocol: `md5` is not known; allowed is sha or sha224 or sha256 or sha384 or sha512',
    '8: [SNMP] TrapSinks: the port in `b:0` is out of range; allowed is 1-65535',
  ]);
  assert.deepEqual(faultsOf('TrapSinks=a, a:162'), ['3: [SNMP] TrapSinks: a:162 stands twice']);
  const many = Array.from({ length: 9 }, (_, index) => `h${index}`).join(',');
  const [fault] = faultsOf(`TrapSinks=${many}`);
  assert.equal(fault, '3: [SNMP] TrapSinks: there are 9; at most 8 are allowed');
});

test('what would have no effect is a fault', () => {
  assert.deepEqual(faultsOf('Community=c', 'User=u', 'AuthKey=12345678', 'PrivKey='), [
    '4: [SNMP] User: it has no effect with Version=v2c',
    '5: [SNMP] AuthKey: it has no effect with Version=v2c',
  ]);
  const v3 = ['Version=v3', 'User=u', 'Community=c', 'AuthKey=12345678', 'PrivKey=12345678'];
  assert.deepEqual(faultsOf(...v3), ['5: [SNMP] Community: it has no effect with Version=v3']);
  assert.deepEqual(faultsOf('Version=v3', 'User=u', 'SecurityLevel=noAuthNoPriv', ...v3.slice(3)), [
    '6: [SNMP] AuthKey: it has no effect with SecurityLevel=noAuthNoPriv',
    '7: [SNMP] PrivKey: it has no effect with SecurityLevel=noAuthNoPriv',
  ]);
  assert.deepEqual(faultsOf('Community='), [
    '3: [SNMP] Community: it is required with Version=v2c',
  ]);
});

test('of a version or a level that cannot be read nothing more is concluded', () => {
  assert.equal(faultsOf('Version=v1', 'User=u', 'AuthKey=12345678').length, 1);
  assert.equal(faultsOf('Version=v3', 'User=u', 'SecurityLevel=high').length, 1);
});

test('a secret is in no fault', () => {
  for (const key of ['Community', 'AuthKey', 'PrivKey']) {
    for (const value of [
      '"hush" hush',
      '"hush',
      '"hush\\q"',
      'hush\x01',
      'hush\xfc',
      '"hush\\x00"',
    ]) {
      const faults = faultsOf('Version=v3', 'User=u', `${key}=${value}`);
      assert.ok(
        faults.some((fault) => fault.startsWith(`5: [SNMP] ${key}: `)),
        value,
      );
      assert.doesNotMatch(faults.join('\n'), /hush/);
    }
  }
});
