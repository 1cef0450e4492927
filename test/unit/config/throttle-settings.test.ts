import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadSettings } from '../../../src/config/load.ts';
import { accelerator, faultsOf } from '../../support/settings-text.ts';

test('the marks of the throttle fit into its queue, and below each other', () => {
  const faults = (...lines: string[]) =>
    faultsOf([accelerator, '[Virus Throttle]', ...lines].join('\n'));
  assert.deepEqual(faults('delay_queue_size=42', 'delay_queue_high_watermark=50'), [
    '4: [Virus Throttle] delay_queue_high_watermark: it is 50; allowed is 8-42',
  ]);
  assert.deepEqual(faults('delay_queue_high_watermark=50', 'delay_queue_low_watermark=47'), [
    '4: [Virus Throttle] delay_queue_low_watermark: it is 47; allowed is 4-46',
  ]);
  assert.deepEqual(faults('delay_queue_size=42'), [], 'defaults give way');
  assert.equal(faults('delay_queue_size=9', 'host_working_set_size=101').length, 2);
});

test('an hp-vt.conf is read as it is, in place of the five values', () => {
  const text = `${accelerator}\n[Virus Throttle] ConfigFile=hp-vt.conf`;
  const read = (conf: string) =>
    loadSettings('/etc/wormgate/PROXY.CFG', (file) => {
      if (file === '/etc/wormgate/hp-vt.conf') return Buffer.from(conf);
      return Buffer.from(text, 'latin1');
    });
  const loaded = read('host_working_set_size=4\ndelay_queue_size=5000\n');
  assert.ok(loaded.ok);
  const { parameters, faults, configFile } = loaded.settings.throttle;
  assert.equal(configFile, '/etc/wormgate/hp-vt.conf');
  assert.deepEqual([parameters.host_working_set_size, parameters.delay_queue_size], [4, 200]);
  assert.deepEqual(
    faults.map(({ line }) => line),
    [2],
  );
  const both = faultsOf(`${accelerator}\n[Virus Throttle]\nConfigFile=x\ndelay_queue_size=20`);
  assert.match(both.join(), /delay_queue_size: it stands beside ConfigFile/);
});

test('ports and credentials of the gateway are checked', () => {
  const faults = (line: string) => faultsOf(`${accelerator}\n[Egress]\n${line}`);
  assert.match(faults('AllowPorts=80, 70000').join(), /AllowPorts: .*`70000` is no port/);
  assert.match(faults('AllowPorts=9-1').join(), /AllowPorts: .*`9-1` is no port/);
  assert.match(faults('Credentials=word').join(), /Credentials: it has no colon/);
  assert.deepEqual(faults('AllowPorts=80, 8000-8999'), []);
});
