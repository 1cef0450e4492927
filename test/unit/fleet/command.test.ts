import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { commandFields, commandOf, entryOf } from '../../../src/fleet/command.ts';

const session = '00112233445566ff';

function entry(fields: Record<string, string>) {
  return entryOf('5-0', new Map(Object.entries(fields)));
}

test('what another program writes into the stream is no entry, and never throws', () => {
  assert.equal(entry({}), undefined);
  assert.equal(entry({ session: 'x', seq: '1', commands: '[]' }), undefined);
  assert.equal(entry({ session, seq: '-1', commands: '[]' }), undefined);
  assert.equal(entry({ session, seq: '1', commands: '{}' }), undefined);
  assert.equal(entry({ session, seq: '1', commands: '[' }), undefined);
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.string()), fc.json(), (fields, commands) => {
      entry({ ...fields, session, seq: '1', commands });
    }),
  );
});

test('commands that nodes do not share are left out, each by itself', () => {
  const list = [
    { add: 'abcd', size: 4, origLength: 10, from: 'console@a', atMs: 1 },
    { add: 'abcd', size: 4, origLength: 10, from: 'shipped', atMs: 1 },
    { set: 'MaxVirusPatterns', value: 1 },
    { lapse: 'abcd', size: 4 },
    { clear: true, was: 'yesterday' },
    { clear: true, was: 7 },
    null,
  ];
  const read = entry({ session, seq: '1', commands: JSON.stringify(list) });
  assert.ok(read?.kind === 'commands');
  assert.deepEqual(
    read.commands.map((command) => command?.change.kind),
    ['add', undefined, undefined, undefined, undefined, 'clear', undefined],
  );
  assert.equal(read.commands[5]?.was, 7);
});

test('a command is the same after its way through the stream, whatever bytes it has', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 4, maxLength: 4 }), fc.nat(), (pattern, was) => {
      const change = {
        kind: 'add',
        pattern,
        origLength: 9,
        from: 'auto(\xff"@)@n-1',
        atMs: 3,
      } as const;
      const text = JSON.stringify(commandFields({ change, was }));
      assert.deepEqual(commandOf(JSON.parse(text)), { change, was });
    }),
  );
});
