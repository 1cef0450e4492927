/**
 * The paper, "Miscellaneous Tasks", "Adding New Virus Keywords" and the commands of "Enabling and
 * Configuring Auto Update", as far as they do not need the learning itself. A title quotes the
 * sentence it tests.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { PatternSet } from '../../src/virus/pattern-set.ts';
import { isSlipped, statusOf } from '../support/raw.ts';
import { startWormgate } from '../support/wormgate.ts';
import {
  addExample,
  ask,
  carryOut,
  codeRed,
  codeRedTwo,
  enter,
  onScreen,
  scanLine,
  startFromText,
} from './paper.ts';

/** One server for all tests, none of which minds what the others have set. */
const shared = startFromText({ after }, scanLine);

test('Threshold: "The default value is 250; this can be changed via the "virus -t <threshold>" console command"', async () => {
  const wormgate = await shared;
  assert.equal(await onScreen(wormgate, 'Hit Threshold'), '250');
  await carryOut(wormgate, 'virus -t 300');
  assert.match(await onScreen(wormgate, 'Hit Threshold'), /^300 \(PROXY\.CFG: 250\)$/);
});

test('Refresh time interval: "The default value is 10 seconds; this can be changed via the "virus -r <time interval>" console command"', async () => {
  const wormgate = await shared;
  assert.equal(await onScreen(wormgate, 'Refresh Interval'), '10');
  await carryOut(wormgate, 'virus -r 20');
  assert.match(await onScreen(wormgate, 'Refresh Interval'), /^20 \(PROXY\.CFG: 10\)$/);
});

test('"The default value is 0 (disabled). The Auto Update feature can be enabled using the "virus -e 1" command"; "0 (zero) in this command will disable Auto Update"', async () => {
  const wormgate = await shared;
  assert.equal(await onScreen(wormgate, 'Virus Auto Update'), '0');
  await carryOut(wormgate, 'virus -e 1');
  assert.match(await onScreen(wormgate, 'Virus Auto Update'), /^1 /);
  await carryOut(wormgate, 'virus -e 0');
  assert.match(await onScreen(wormgate, 'Virus Auto Update'), /^0/);
});

test('"To add a new keyword to the list of existing keywords": virus add -k <keyword>', async () => {
  const wormgate = await shared;
  assert.equal((await enter(wormgate, 'virus list -k')).text, 'There are no keywords.');
  await carryOut(wormgate, 'virus add -k cmd.exe');
  await carryOut(wormgate, 'virus add -k "root.exe"');
  assert.match((await enter(wormgate, 'virus list -k')).text, /^"cmd\.exe" .*\n"root\.exe" /m);
});

test('"virus -c": "To clear all existing patterns from the database"', async () => {
  const wormgate = await shared;
  await carryOut(wormgate, addExample);
  await carryOut(wormgate, 'virus add -p "default.ida?XXXX" -o 385');
  assert.ok(isSlipped(await ask(wormgate, codeRed)));
  await carryOut(wormgate, 'virus -c');
  assert.equal(await onScreen(wormgate, 'No Of Patterns'), '0');
  assert.equal(statusOf(await ask(wormgate, codeRed)), 404);
  assert.equal(statusOf(await ask(wormgate, codeRedTwo)), 404);
});

test('"virus -m <Max virus patterns>": "the maximum number of patterns allowed in the database"', async (t) => {
  const wormgate = await startWormgate(t);
  await carryOut(wormgate, 'virus -m 255');
  await carryOut(wormgate, 'virus -m 2');
  await carryOut(wormgate, 'virus add -p "one" -o 385');
  await carryOut(wormgate, 'virus add -p "two" -o 385');
  const third = await enter(wormgate, 'virus add -p "three" -o 385');
  assert.ok(!third.ok);
  assert.match(third.text, /MaxVirusPatterns|2 patterns/);
  assert.equal(await onScreen(wormgate, 'No Of Patterns'), '2');
});

test('"Each pattern added to the database takes up 64 bytes of RAM", and never more', () => {
  setFlagsFromString('--expose-gc');
  const collectGarbage: () => void = runInNewContext('gc');
  const used = () => {
    collectGarbage();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };
  const count = 1_000_000;
  const before = used();
  const set = new PatternSet({ patternSize: 16, maxPatterns: count, seed: 7 });
  const pattern = Buffer.alloc(16, 'x');
  for (let number = 0; number < count; number += 1) {
    pattern.writeUInt32LE(number);
    set.add(pattern, 385, 'console', 0);
  }
  const bytes = (used() - before) / count;
  assert.equal(set.size, count);
  assert.ok(bytes <= 64, `${bytes} bytes a pattern`);
});

test('"virus -? or virus -h": "To display online help and usage information"', async () => {
  const wormgate = await shared;
  const help = wormgate.virus('-h');
  assert.equal(help.code, 0);
  assert.equal(wormgate.virus('-?').stdout, help.stdout);
  const forms = [
    'virus add -p "PATTERN" -o ORIGLENGTH',
    'virus del -p "PATTERN" -o ORIGLENGTH',
    'virus add -k KEYWORD',
    'virus dump',
    'virus -t THRESHOLD',
    'virus -r INTERVAL',
    'virus -e 0|1',
    'virus -m MAX',
    'virus -c',
    'virus -h',
    'virus -?',
  ];
  for (const form of forms) assert.ok(help.stdout.includes(`${form} `), form);
});
