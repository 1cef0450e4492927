import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatFault, loadSettings } from '../../../src/config/load.ts';

/** The faults of the lines, printed as `LINE: [Section] Key: message`. */
function faultsOf(...lines: string[]): string[] {
  const loaded = loadSettings('F', () => Buffer.from(lines.join('\n')));
  return loaded.ok ? [] : loaded.faults.map((fault) => formatFault(fault).replace('F:', ''));
}

test('accelerators may share an address when their Hosts differ', () => {
  assert.deepEqual(
    faultsOf(
      '[Accelerator a] Listen=127.0.0.1:80 Origin=demo Hosts=a.example',
      '[Accelerator b] Listen=127.0.0.1:80 Origin=demo Hosts=*.example',
      '[Accelerator c] Listen=127.0.0.1:80 Origin=demo',
      '[Accelerator d] Listen=127.0.0.1:81 Origin=demo Hosts=a.example',
    ),
    [],
  );
});

test('a host belongs to one accelerator an address', () => {
  assert.deepEqual(
    faultsOf(
      '[Accelerator a] Listen=127.0.0.1:80 Origin=demo',
      'Hosts=a.example, b.example',
      '[Accelerator b] Listen=127.0.0.1:80, 127.0.0.1:81 Origin=demo',
      'Hosts=c.example, B.Example',
    ),
    [
      '4: [Accelerator b] Hosts: b.example on 127.0.0.1:80 already belongs to [Accelerator a], line 2',
    ],
  );
});

test('every host belongs to one accelerator an address', () => {
  assert.deepEqual(
    faultsOf(
      '[Accelerator a] Listen=[::1]:80 Origin=demo',
      '[Accelerator b] Listen=[0:0::1]:80 Origin=demo',
      '[Accelerator c] Listen=[::1]:80 Origin=demo',
      'Hosts=',
    ),
    [
      '2: [Accelerator b] Listen: every host on [::1]:80 already belongs to [Accelerator a], line 1; give one of them Hosts',
      '4: [Accelerator c] Hosts: every host on [::1]:80 already belongs to [Accelerator a], line 1; give one of them Hosts',
    ],
  );
});

test('an address that stands for all of its family clashes with every other on the port', () => {
  assert.deepEqual(
    faultsOf(
      '[Accelerator a] Listen=0.0.0.0:80, [::]:80, 127.0.0.1:81 Origin=demo Hosts=a',
      '[Accelerator b] Listen=127.0.0.1:80, [::1]:80 Origin=demo Hosts=b',
      '[Accelerator c] Listen=0.0.0.0:81 Origin=demo Hosts=c',
    ),
    [
      '2: [Accelerator b] Listen: 127.0.0.1:80 and 0.0.0.0:80 of [Accelerator a], line 1 take the same port',
      '2: [Accelerator b] Listen: [::1]:80 and [::]:80 of [Accelerator a], line 1 take the same port',
      '3: [Accelerator c] Listen: 0.0.0.0:81 and 127.0.0.1:81 of [Accelerator a], line 1 take the same port',
    ],
  );
});

const accelerator = '[Accelerator a] Listen=127.0.0.1:8080 Origin=demo';

test('the admin server shares its address with no accelerator', () => {
  const clash = /Listen: \S+ clashes with \S+ of \[Accelerator a\], line 1; the admin server needs/;
  for (const listen of ['127.0.0.1:8080', '0.0.0.0:8080']) {
    const [fault = '', ...others] = faultsOf(accelerator, `[Admin] Listen=${listen} Token=t`);
    assert.match(fault, clash);
    assert.deepEqual(others, []);
  }
});

test('the egress gateway shares its address with nobody', () => {
  for (const listen of ['127.0.0.1:8080', '0.0.0.0:8080']) {
    const [fault = '', ...others] = faultsOf(accelerator, `[Egress] Listen=${listen}`);
    assert.match(
      fault,
      /2: \[Egress\] Listen: \S+ clashes with \S+ of \[Accelerator a\], line 1; the egress gateway needs/,
    );
    assert.deepEqual(others, []);
  }
  const [fault = ''] = faultsOf(
    accelerator,
    '[Admin] Listen=127.0.0.1:9',
    '[Egress] Listen=0.0.0.0:9',
  );
  assert.match(fault, /3: \[Egress\] Listen: \S+ clashes with 127.0.0.1:9 of \[Admin\], line 2/);
  assert.deepEqual(faultsOf(accelerator, '[Egress] Listen=127.0.0.1:3128'), []);
});

test('the default admin address clashes too, though the file has no line for it', () => {
  assert.deepEqual(faultsOf('[Accelerator a] Listen=127.0.0.1:8081 Origin=demo').length, 1);
});

test('beyond loopback the admin server needs a Token', () => {
  for (const listen of ['127.9.9.9:1', '[::1]:1', 'localhost:1', '[::ffff:127.0.0.1]:1', '']) {
    assert.deepEqual(faultsOf(accelerator, `[Admin] Listen=${listen}`), [], listen);
  }
  for (const listen of ['0.0.0.0:1', '[::]:1', '192.0.2.1:1', 'admin.example:1']) {
    assert.deepEqual(faultsOf(accelerator, `[Admin] Listen=${listen}`), [
      `2: [Admin] Listen: ${listen} is not a loopback address; set a Token, or listen on 127.0.0.1`,
    ]);
    assert.deepEqual(faultsOf(accelerator, `[Admin] Listen=${listen} Token=t`), []);
  }
});

test('nothing is said of claims that could not be read', () => {
  assert.deepEqual(
    faultsOf(
      accelerator,
      '[Accelerator b] Listen=127.0.0.1:8080 Origin=demo Hosts=b:80',
      '[Admin] Listen=0.0.0.0:x',
    ).length,
    2,
  );
});
