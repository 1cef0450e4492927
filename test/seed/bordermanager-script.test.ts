/**
 * The paper, "Updating the Database via a Script (NCF File)": scripts of commands, the dump, and the
 * dump at the next start. A title quotes the sentence it tests.
 */
import assert from 'node:assert/strict';
import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { isSlipped, statusOf } from '../support/raw.ts';
import { startWormgate } from '../support/wormgate.ts';
import { addExample, ask, carryOut, codeRed, codeRedTwo, onScreen } from './paper.ts';

test('"placing a list of "virus add . . ." commands in an NCF file and running the file on the console", "without having to bring the Proxy Server down"', async (t) => {
  const wormgate = await startWormgate(t);
  const script = join(wormgate.folder, 'WORMS.NCF');
  writeFileSync(
    script,
    'virus add -p "default.ida?NNNN" -o 385\r\nvirus add -p "default.ida?XXXX" -o 385\r\n',
  );
  const { code, stdout } = wormgate.virus('run', script);
  assert.deepEqual([code, stdout], [0, '2 lines: 2 done, 0 unchanged, 0 failed\n']);
  assert.ok(isSlipped(await ask(wormgate, codeRed)));
  assert.ok(isSlipped(await ask(wormgate, codeRedTwo)));
  assert.equal(wormgate.stdout, 'wormgate ready\n', 'started once');
});

test('"The commands must conform to the syntax prescribed in this AppNote"', async (t) => {
  const wormgate = await startWormgate(t);
  const script = join(wormgate.folder, 'WORMS.NCF');
  writeFileSync(
    script,
    'virus add -p "default.ida?NNNN"\nadd worm\nvirus add -p "default.ida?XXXX" -o 385\n',
  );
  const { code, stdout, stderr } = wormgate.virus('run', script);
  assert.deepEqual([code, stdout], [1, '3 lines: 1 done, 0 unchanged, 2 failed\n']);
  const places = stderr.trimEnd().split('\n');
  assert.equal(places.length, 2);
  assert.ok(places[0]?.startsWith(`${script}:1: `), stderr);
  assert.ok(places[1]?.startsWith(`${script}:2: `), stderr);
  assert.equal(await onScreen(wormgate, 'No Of Patterns'), '1', 'the good line was carried out');
});

test('"virus dump" writes "all existing entries in the database into an NCF file"; "the name of the dump file is … VIRPAT.NCF"', async (t) => {
  const wormgate = await startWormgate(t);
  await carryOut(wormgate, addExample);
  await carryOut(wormgate, 'virus add -p "default.ida?XXXX" -o 385');
  await carryOut(wormgate, 'virus add -k cmd.exe');
  const file = join(wormgate.dataFolder, 'VIRPAT.NCF');
  const { code, stdout } = wormgate.virus('dump');
  assert.deepEqual([code, stdout], [0, `Wrote 2 patterns and 1 keyword to ${file}\n`]);
  const commands = readFileSync(file, 'latin1')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  assert.deepEqual(commands, [
    'virus add -p "default.ida?NNNN" -o 385',
    'virus add -p "default.ida?XXXX" -o 385',
    'virus add -k "cmd.exe"',
  ]);
});

test('"This NCF file can be run as part of the Proxy Server restart process"', async (t) => {
  const wormgate = await startWormgate(t);
  await carryOut(wormgate, addExample);
  await carryOut(wormgate, 'virus dump');
  await wormgate.stop();
  // Without the journal the dump is all that is left.
  rmSync(join(wormgate.dataFolder, 'virus.journal'));
  await wormgate.start();
  assert.equal(await onScreen(wormgate, 'No Of Patterns'), '1');
  assert.ok(isSlipped(await ask(wormgate, codeRed)));
  assert.match(wormgate.virus('list').stdout, /"default\.ida\?NNNN" +385 +ncf /);
});

test('"or you can run it manually after the Proxy Server has been loaded"', async (t) => {
  const wormgate = await startWormgate(t);
  await carryOut(wormgate, addExample);
  await carryOut(wormgate, 'virus dump');
  const kept = join(wormgate.folder, 'KEPT.NCF');
  copyFileSync(join(wormgate.dataFolder, 'VIRPAT.NCF'), kept);
  await carryOut(wormgate, 'virus -c');
  assert.equal(statusOf(await ask(wormgate, codeRed)), 404);
  const { code, stdout } = wormgate.virus('run', kept);
  assert.deepEqual([code, stdout], [0, '1 lines: 1 done, 0 unchanged, 0 failed\n']);
  assert.ok(isSlipped(await ask(wormgate, codeRed)));
});
