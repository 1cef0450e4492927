import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Key, KeyDecoder } from '../../../src/cli/keys.ts';

const presses: readonly (readonly [bytes: string, key: Key])[] = [
  ['q', 'quit'],
  ['\r', 'quit'],
  ['\x03', 'quit'],
  ['\x04', 'quit'],
  ['0', 'quit'],
  [' ', 'page-down'],
  ['b', 'page-up'],
  ['j', 'down'],
  ['k', 'up'],
  ['\x1b[A', 'up'],
  ['\x1b[B', 'down'],
  ['\x1bOA', 'up'],
  ['\x1b[5~', 'page-up'],
  ['\x1b[6~', 'page-down'],
  ['\x1b[H', 'home'],
  ['\x1b[F', 'end'],
  ['\x1bOF', 'end'],
  ['\x1b[1~', 'home'],
  ['\x1b[15~', 'other'],
  ['\x1b[1;5A', 'other'],
  ['x', 'other'],
  ['\xc3', 'other'],
];

test('each key is told from its bytes', () => {
  for (const [bytes, key] of presses) assert.deepEqual(new KeyDecoder().push(bytes), [key], bytes);
});

test('keys that arrive together, or in pieces, are the same keys', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(...presses), { maxLength: 10 }),
      fc.nat(60),
      (pressed, cut) => {
        const text = pressed.map(([bytes]) => bytes).join('');
        const decoder = new KeyDecoder();
        const keys = [...decoder.push(text.slice(0, cut)), ...decoder.push(text.slice(cut))];
        assert.deepEqual(
          keys,
          pressed.map(([, key]) => key),
        );
        assert.equal(decoder.isWaiting, false);
      },
    ),
    { seed: 8 },
  );
});

test('Escape alone is known by what does not follow', () => {
  const decoder = new KeyDecoder();
  assert.deepEqual(decoder.push('\x1b'), []);
  assert.equal(decoder.isWaiting, true);
  assert.deepEqual(decoder.giveUp(), ['quit']);
  assert.deepEqual(decoder.push('\x1b['), []);
  assert.deepEqual(decoder.giveUp(), []);
  assert.equal(decoder.isWaiting, false);
  assert.deepEqual(decoder.push('\x1bx'), ['quit', 'other']);
});
