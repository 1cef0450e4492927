/**
 * The paper, "The Virus Pattern Configuration Screen": every item of the screen, where it starts and
 * what changes it. A title quotes the sentence it tests.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { HitRates } from '../../src/virus/hit-rates.ts';
import { MadeUpTerminal } from '../support/made-up-terminal.ts';
import { projectPath } from '../support/paths.ts';
import { isSlipped, statusOf } from '../support/raw.ts';
import { startWormgate } from '../support/wormgate.ts';
import { addExample, ask, carryOut, codeRed, enter, onScreen } from './paper.ts';

test('"All virus pattern-related configuration and statistical information is tracked and displayed": the labels in the order of the paper', async (t) => {
  const wormgate = await startWormgate(t);
  const labels = wormgate
    .virus('show')
    .stdout.trimEnd()
    .split('\n')
    .map((line) => line.split(':')[0]);
  assert.deepEqual(labels, [
    'No Of Patterns',
    'Pattern Size',
    'Pattern Start Offset',
    'Refresh Interval',
    'Hit Threshold',
    'Virus Auto Update',
    'Virus Requests',
    'Non Virus Requests',
    'Recommend Threshold',
    'Max Non Virus Hit Rate',
    'Ave Virus Hit Rate',
    'Ave Non Virus Hit Rate',
    'Virus Source IP Address',
    'Last Predicted Request',
  ]);
});

test('"This screen is reached by entering 23 on the Proxy Console screen"', async (t) => {
  const wormgate = await startWormgate(t);
  const program = projectPath('dist', 'bin', 'wormgate.cjs');
  const console = spawnSync(process.execPath, [program, 'console', '--data', wormgate.dataFolder], {
    input: '23\n',
    encoding: 'latin1',
    timeout: 30_000,
  });
  assert.equal(console.status, 0, console.stderr);
  assert.match(console.stdout, /^Virus Pattern Configuration /m);
  for (const label of ['No Of Patterns', 'Hit Threshold', 'Virus Requests']) {
    assert.ok(console.stdout.includes(label), label);
  }
});

test('"The information displayed is periodically refreshed for monitoring"', async () => {
  const terminal = new MadeUpTerminal();
  const shown = terminal.show();
  await terminal.settle();
  const first = terminal.lines;
  terminal.clock.pass(1_000);
  await terminal.settle();
  assert.notDeepEqual(terminal.lines, first);
  await terminal.press('q');
  assert.equal(await shown, undefined);
});

test('No Of Patterns "starts at 0 and is incremented each time a new pattern is successfully added"', async (t) => {
  const wormgate = await startWormgate(t);
  assert.equal(await onScreen(wormgate, 'No Of Patterns'), '0');
  await carryOut(wormgate, addExample);
  assert.equal(await onScreen(wormgate, 'No Of Patterns'), '1');
  await carryOut(wormgate, addExample);
  assert.equal(await onScreen(wormgate, 'No Of Patterns'), '1', 'the same one again');
  await enter(wormgate, 'virus add -p "longer than sixteen" -o 385');
  assert.equal(await onScreen(wormgate, 'No Of Patterns'), '1', 'one that was refused');
  await carryOut(wormgate, 'virus add -p "default.ida?XXXX" -o 385');
  assert.equal(await onScreen(wormgate, 'No Of Patterns'), '2');
});

test('Virus Requests "starts at 0 and is incremented each time a pattern match is detected"', async (t) => {
  const wormgate = await startWormgate(t);
  await carryOut(wormgate, addExample);
  assert.equal(await onScreen(wormgate, 'Virus Requests'), '0');
  for (const count of ['1', '2', '3']) {
    assert.ok(isSlipped(await ask(wormgate, codeRed)));
    assert.equal(await onScreen(wormgate, 'Virus Requests'), count);
  }
  assert.equal(await onScreen(wormgate, 'Non Virus Requests'), '0');
});

test('Non Virus Requests "starts at 0 and is incremented each time a pattern match fails"', async (t) => {
  const wormgate = await startWormgate(t);
  assert.equal(await onScreen(wormgate, 'Non Virus Requests'), '0');
  for (const count of ['1', '2', '3']) {
    assert.equal(statusOf(await ask(wormgate, '/hello.txt HTTP/1.1')), 200);
    assert.equal(await onScreen(wormgate, 'Non Virus Requests'), count);
  }
  assert.equal(await onScreen(wormgate, 'Virus Requests'), '0');
});

test('Max Non Virus Hit Rate "is the maximum or peak number of incoming humble (non-virus) requests received in one time interval"', () => {
  const rates = new HitRates(10, 0);
  for (const atMs of [1_000, 2_000, 11_000, 12_000, 13_000, 21_000]) rates.note(false, atMs);
  for (const atMs of [21_500, 22_000, 22_500, 23_000]) rates.note(true, atMs);
  assert.equal(rates.figures(30_000).maxNonVirusHitRate, 3);
});

test('Ave Virus Hit Rate "is the average number of incoming virus requests received over all the time intervals crossed so far"', () => {
  const rates = new HitRates(10, 0);
  rates.note(false, 500);
  for (const atMs of [1_000, 2_000, 3_000, 25_000]) rates.note(true, atMs);
  assert.equal(rates.figures(30_000).aveVirusHitRate, 4 / 3);
  assert.equal(rates.figures(40_000).aveVirusHitRate, 1, 'an idle interval counts');
});

test('Ave Non Virus Hit Rate "is the average number of incoming humble (non-virus) requests"', () => {
  const rates = new HitRates(10, 0);
  rates.note(true, 500);
  for (const atMs of [1_000, 2_000, 3_000, 11_000, 12_000]) rates.note(false, atMs);
  assert.equal(rates.figures(20_000).aveNonVirusHitRate, 2.5);
});

test('"This section displays the last ten IP addresses of sources that sent virus requests"', async (t) => {
  const wormgate = await startWormgate(t, { accelerator: ['TrustedProxies=127.0.0.1'] });
  assert.equal(await onScreen(wormgate, 'Virus Source IP Address'), '-');
  await carryOut(wormgate, addExample);
  const address = (host: number) => `198.51.100.${host}`;
  for (let host = 1; host <= 12; host += 1) {
    const headers = [`X-Forwarded-For: ${address(host)}`];
    await ask(wormgate, codeRed, { headers });
    await ask(wormgate, '/hello.txt HTTP/1.1', { headers: ['X-Forwarded-For: 203.0.113.9'] });
  }
  const newestFirst = [12, 11, 10, 9, 8, 7, 6, 5, 4, 3].map(address);
  assert.equal(await onScreen(wormgate, 'Virus Source IP Address'), newestFirst.join(', '));
});
