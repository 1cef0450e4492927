import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseIni } from '../../../src/config/ini.ts';
import { layOut } from '../../../src/config/layout.ts';
import { writtenSettings } from '../../../src/config/written.ts';
import { accelerator, faultsOf, settingsOf } from '../../support/settings-text.ts';

const tracing = (...lines: string[]) => `${accelerator}\n[Tracing]\n${lines.join('\n')}`;
const endpoint = 'Endpoint=http://127.0.0.1:4318/v1/traces';

test('without the section there is no tracing', () => {
  assert.deepEqual(settingsOf(accelerator).tracing, {
    ...{ url: '', headers: [], serviceName: 'wormgate', sampleRatio: 0.01, perSecondMax: 1000 },
    ...{ timeoutMs: 10_000, retriesMax: 4, queueMax: 10_000, batchMax: 512 },
  });
});

test('ratios are decimal numbers from 0 to 1', () => {
  const ratioOf = (text: string) =>
    settingsOf(tracing(endpoint, `SampleRatio=${text}`)).tracing.sampleRatio;
  assert.deepEqual(['0', '1', '0.5', '.25', '1.0', '0.000001'].map(ratioOf), [
    ...[0, 1, 0.5, 0.25, 1, 0.000001],
  ]);
  assert.match(faultsOf(tracing('SampleRatio=')).join(), /it is empty; allowed is number, 0-1/);
  for (const text of ['2', '1.1', '-0', '5%', '0,5', '1e-3', '0.', '.', '01', 'NaN']) {
    assert.match(faultsOf(tracing(`SampleRatio=${text}`)).join(), /SampleRatio: .*0 to 1/, text);
  }
});

test('headers are read as OTEL_EXPORTER_OTLP_HEADERS has them', () => {
  const headersOf = (text: string) =>
    settingsOf(tracing(endpoint, `Headers=${text}`)).tracing.headers;
  assert.deepEqual(headersOf(''), []);
  assert.deepEqual(headersOf('a=b'), [['a', 'b']]);
  assert.deepEqual(headersOf('"api-key = x=y , Authorization=Basic%20eDp5%3D"'), [
    ['api-key', 'x=y'],
    ['Authorization', 'Basic eDp5='],
  ]);
});

test('every fault is told at once, and none quotes the URL or a header', () => {
  const faults = (...lines: string[]) =>
    faultsOf(tracing(...lines)).map((fault) => fault.replace(/^\d+: \[Tracing\] /, ''));
  assert.deepEqual(
    faults('Endpoint=http://hush@a/', 'Headers=hush', 'ServiceName=', 'MaxSpanQueue=0'),
    [
      'Endpoint: it has a user name or a password; Headers is the place for a secret',
      'Headers: part 1 is not name=value',
      'ServiceName: it is empty; allowed is text of 1-128 characters',
      'MaxSpanQueue: `0` is out of range; allowed is 1-100000',
    ],
  );
  const wrong = {
    'a=b,': 'part 2 is not name=value',
    'a=b,,c=d': 'part 2 is not name=value',
    '"a b=c"': 'part 1 is not name=value',
    'a=b, A=hush': 'part 2 names a header a second time',
    'Content-Type=hush': 'part 1 names a header that wormgate sets itself',
    'host=hush': 'part 1 names a header that wormgate sets itself',
    '"hush': 'its quotation marks or what stands within them are wrong',
    'a=hush%0d%0ax: y': 'part 1 has a value that is not printable ASCII, or a % without two digits',
    'a=%hush': 'part 1 has a value that is not printable ASCII, or a % without two digits',
    'a=': 'part 1 has a value that is not printable ASCII, or a % without two digits',
  };
  for (const [text, message] of Object.entries(wrong)) {
    assert.deepEqual(faults(endpoint, `Headers=${text}`), [`Headers: ${message}`], text);
  }
  assert.deepEqual(faults('Headers=a=hush'), ['Headers: it has no effect without Endpoint']);
});

test('headers are left out where settings in force are shown', () => {
  const text = tracing(endpoint, 'Headers=api-key=hush');
  const layout = layOut(parseIni(text), () => {});
  const shown = writtenSettings(layout).filter(({ section }) => section === 'Tracing');
  const headers = shown.find(({ key }) => key === 'Headers');
  assert.deepEqual([headers?.value, headers?.isDefault], [undefined, false]);
  assert.ok(!JSON.stringify(shown).includes('hush'));
});
