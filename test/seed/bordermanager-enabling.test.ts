/**
 * The paper, "Enabling the Virus Pattern Recognition Feature" and "Disabling …": what the lines of
 * PROXY.CFG do at start, and what is the case without them. A title quotes the sentence it tests.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isSlipped, statusOf } from '../support/raw.ts';
import { startWormgate } from '../support/wormgate.ts';
import {
  addExample,
  ask,
  carryOut,
  codeRed,
  codeRedTwo,
  delExample,
  enter,
  onScreen,
  printedLines,
  scanLine,
  startFromText,
  writeText,
} from './paper.ts';

test('"You also need the following lines in the … PROXY.CFG file": they are read as printed, on one line', async (t) => {
  const wormgate = await startFromText(t, printedLines);
  assert.equal(await onScreen(wormgate, 'No Of Patterns'), '0');
  assert.equal(await onScreen(wormgate, 'Pattern Size'), '16');
  assert.equal(await onScreen(wormgate, 'Pattern Start Offset'), '1');
  assert.equal(await onScreen(wormgate, 'Virus Auto Update'), '1');
  await carryOut(wormgate, addExample);
  assert.ok(isSlipped(await ask(wormgate, codeRed)));
});

test('"which is used to initialize the NBM Proxy Server at startup": another file at the next start is in force', async (t) => {
  const wormgate = await startFromText(t, printedLines);
  await wormgate.stop();
  const patterns = 'NoOfVirusPatterns=1 Pattern1="default.ida?NNNN",385';
  writeText(wormgate, printedLines.replace('NoOfVirusPatterns=0', patterns));
  await wormgate.start();
  assert.equal(await onScreen(wormgate, 'No Of Patterns'), '1');
  assert.ok(isSlipped(await ask(wormgate, codeRed)));
});

test('"If you don\'t have these lines …, you will receive a \\"virus command not found\\" message … when you try to enter any of the console commands"', async (t) => {
  const wormgate = await startFromText(t, '');
  const commands = [
    addExample,
    delExample,
    'virus dump',
    'virus -e 1',
    'virus add -k cmd.exe',
    'virus -t 300',
    'virus -r 10',
    'virus -m 255',
    'virus -c',
    'virus -?',
    'virus -h',
  ];
  for (const command of commands) {
    const reply = await enter(wormgate, command);
    assert.deepEqual(reply, { ok: false, text: 'virus command not found' }, command);
  }
  const { code, stdout, stderr } = wormgate.virus('dump');
  assert.deepEqual([code, stdout, stderr], [1, '', 'virus command not found\n']);
  assert.notEqual(statusOf(await ask(wormgate, codeRed)), 0, 'nothing is scanned');
});

test('"change the value of the ScanVirusPatterns parameter in PROXY.CFG to 0 and restart the Proxy Server"', async (t) => {
  const sections = {
    'Virus Pattern Configuration': ['NoOfVirusPatterns=1', 'Pattern1="default.ida?NNNN",385'],
  };
  const wormgate = await startWormgate(t, { sections });
  assert.ok(isSlipped(await ask(wormgate, codeRed)));
  await wormgate.stop();
  wormgate.configure({
    sections: { 'Extra Configuration': ['ScanVirusPatterns=0'], ...sections },
  });
  await wormgate.start();
  assert.equal(statusOf(await ask(wormgate, codeRed)), 404, "the origin's own answer");
  assert.equal((await enter(wormgate, addExample)).text, 'virus command not found');
});

test('"The pattern size and start offset are set to 16 and 1, respectively, by default"', async (t) => {
  const wormgate = await startFromText(t, scanLine);
  assert.equal(await onScreen(wormgate, 'Pattern Size'), '16');
  assert.equal(await onScreen(wormgate, 'Pattern Start Offset'), '1');
});

test('"You can change these values in the PROXY.CFG file …. They are global parameters that apply to all entries in the pattern database"', async (t) => {
  const wormgate = await startWormgate(t, {
    sections: {
      'Virus Pattern Configuration': [
        'NoOfVirusPatterns=1 PatternSize=8 PatternStartOffset=9',
        'Pattern1="ida?NNNN",385',
      ],
    },
  });
  assert.equal(await onScreen(wormgate, 'Pattern Size'), '8');
  assert.equal(await onScreen(wormgate, 'Pattern Start Offset'), '9');
  await carryOut(wormgate, 'virus add -p "ida?XXXX" -o 385');
  assert.ok(!(await enter(wormgate, addExample)).ok, '16 bytes are too many now');
  for (const virus of [codeRed, codeRedTwo, '/whateverida?NNNN HTTP/1.0']) {
    assert.ok(isSlipped(await ask(wormgate, virus)), virus);
  }
  assert.equal(statusOf(await ask(wormgate, '/ida?NNNN HTTP/1.0')), 404);
});

test('"EnablePatternAutoUpdate=1 … will ensure that this feature is enabled every time the Proxy Server is started"', async (t) => {
  const text =
    '[Extra Configuration]ScanVirusPatterns=1\n[Virus Pattern Configuration]EnablePatternAutoUpdate=1';
  const wormgate = await startFromText(t, text);
  assert.equal(await onScreen(wormgate, 'Virus Auto Update'), '1');
  await wormgate.stop();
  await wormgate.start();
  assert.equal(await onScreen(wormgate, 'Virus Auto Update'), '1');
});
