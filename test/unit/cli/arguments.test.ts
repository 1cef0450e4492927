import assert from 'node:assert/strict';
import { test } from 'node:test';
import { consoleLine, takeDataFolder } from '../../../src/cli/arguments.ts';
import { packageVersion } from '../../../src/config/package-folder.ts';

/** Arguments as the shell hands them over, and the console line that they stand for. */
const lines: readonly (readonly [args: readonly string[], line: string])[] = [
  [['add', '-p', 'default.ida?NNNN', '-o', '385'], 'virus add -p "default.ida?NNNN" -o 385'],
  [['add', '-p', '"kept"', '-o', '3'], 'virus add -p "kept" -o 3'],
  [['add', '-p', 'a"b', '-o', '3'], 'virus add -p "a\\"b" -o 3'],
  [['add', '-p', '\\x00\\"\\\\', '-o', '3'], 'virus add -p "\\x00\\"\\\\" -o 3'],
  [['add', '-p', 'a b\tc', '-o', '3'], 'virus add -p "a b\\x09c" -o 3'],
  [['add', '-p', '385', '-o', '385'], 'virus add -p "385" -o 385'],
  [['add', '-p', '-o', '-o', '3'], 'virus add -p "-o" -o 3'],
  [['add', '-k', '/scripts/'], 'virus add -k "/scripts/"'],
  [['ADD', '-k', 'é'], 'virus ADD -k "\xc3\xa9"'],
  [['add', '-k', ''], 'virus add -k ""'],
  [['list', '-k'], 'virus list -k'],
  [['-h'], 'virus -h'],
  [[], 'virus'],
  [['-t', '300', '-r', '20'], 'virus -t 300 -r 20'],
  [['/t', '300'], 'virus /t 300'],
  [['-e', '0'], 'virus -e 0'],
  [['-t', '300 -c'], 'virus -t "300 -c"'],
  [['add -k x'], 'virus add -k x'],
];

for (const [args, line] of lines) {
  test(`${JSON.stringify(args)} become the console line ${JSON.stringify(line)}`, () => {
    assert.deepEqual(consoleLine(args), { ok: true, line });
  });
}

test('an argument that was not UTF-8 is refused rather than changed', () => {
  assert.equal(consoleLine(['add', '-k', 'a\ufffd']).ok, false);
});

test('--data is taken off the front and nowhere else', () => {
  assert.deepEqual(takeDataFolder(['--data', 'd', '-t', '3']), {
    ok: true,
    dataFolder: 'd',
    rest: ['-t', '3'],
  });
  assert.deepEqual(takeDataFolder(['--data=d']), { ok: true, dataFolder: 'd', rest: [] });
  const later = ['add', '-k', '--data', 'x'];
  assert.deepEqual(takeDataFolder(later), { ok: true, dataFolder: 'data', rest: later });
  assert.equal(takeDataFolder(['--data']).ok, false);
  assert.equal(takeDataFolder(['--data=']).ok, false);
});

test('the version is the one in package.json', () => {
  assert.match(packageVersion(), /^\d+\.\d+\.\d+/);
});
