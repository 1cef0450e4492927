import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ParameterValues, readParameters } from '../../../src/config/throttle-parameters.ts';

const defaults: ParameterValues = {
  host_working_set_size: 5,
  delay_queue_delay_seconds: 1,
  delay_queue_size: 200,
  delay_queue_high_watermark: 160,
  delay_queue_low_watermark: 100,
};

test('an empty file, and one of comments, gives the defaults of the paper', () => {
  assert.deepEqual(readParameters(''), { values: defaults, faults: [] });
  assert.deepEqual(readParameters('# hp-vt.conf\r\n\r\n   # end'), {
    values: defaults,
    faults: [],
  });
});

test("the paper's initial parameters are read", () => {
  const text =
    'host_working_set_size=4\ndelay_queue_delay_seconds=3\ndelay_queue_size=1000\n' +
    'delay_queue_high_watermark=160 # reduced\ndelay_queue_low_watermark = 80\n';
  assert.deepEqual(readParameters(text), {
    values: {
      host_working_set_size: 4,
      delay_queue_delay_seconds: 3,
      delay_queue_size: 1000,
      delay_queue_high_watermark: 160,
      delay_queue_low_watermark: 80,
    },
    faults: [],
  });
});

test('each range has its ends, and beyond them the default is used and told', () => {
  for (const [name, min, max] of [
    ['host_working_set_size', 1, 100],
    ['delay_queue_delay_seconds', 1, 10],
    ['delay_queue_size', 160, 1000],
    ['delay_queue_high_watermark', 104, 200],
    ['delay_queue_low_watermark', 4, 156],
  ] as const) {
    for (const value of [min, max]) {
      const { values, faults } = readParameters(`${name}=${value}`);
      assert.equal(values[name], value, name);
      assert.deepEqual(faults, [], `${name}=${value}`);
    }
    const { values, faults } = readParameters(`\n${name}=${max + 1}`);
    assert.equal(values[name], defaults[name]);
    assert.match(faults[0]?.message ?? '', new RegExp(`^${name} is ${max + 1}, out of its range`));
    assert.equal(faults[0]?.line, 2);
  }
});

test('a small queue makes the ranges of the marks smaller, and their defaults fit in', () => {
  const { values, faults } = readParameters('delay_queue_size=42\ndelay_queue_high_watermark=50');
  assert.equal(values.delay_queue_high_watermark, 42);
  assert.equal(values.delay_queue_low_watermark, 38);
  assert.match(faults[0]?.message ?? '', /is 50, out of its range 8 to 42; 42 is used/);
});

test('what is no parameter and no number is told with its line', () => {
  const { values, faults } = readParameters('x=1\nhost_working_set_size=many\nnonsense\n=5');
  assert.deepEqual(values, defaults);
  assert.deepEqual(
    faults.map(({ line }) => line),
    [1, 2, 3, 4],
  );
});
