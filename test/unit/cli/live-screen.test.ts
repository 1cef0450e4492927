/** The screen on a made-up terminal, on a clock that is turned by hand. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MadeUpTerminal } from '../../support/made-up-terminal.ts';

test('the screen is drawn anew every second until q is pressed, and the terminal is as it was then', async () => {
  const terminal = new MadeUpTerminal();
  const shown = terminal.show();
  await terminal.settle();
  assert.equal(terminal.input.isRaw, true);
  assert.ok(terminal.lines.some((line) => line.includes('Virus Requests         : 1001')));
  terminal.clock.pass(1_000);
  await terminal.settle();
  assert.ok(terminal.lines.some((line) => line.includes('Virus Requests         : 1002')));
  await terminal.press('x');
  await terminal.press('q');
  assert.equal(await shown, undefined);
  assert.equal(terminal.input.isRaw, false);
  assert.ok(terminal.output.written.startsWith('\x1b[?1049h\x1b[?25l'));
  assert.ok(terminal.output.written.endsWith('\x1b[?25h\x1b[?1049l'));
  assert.equal(terminal.output.listenerCount('resize'), 0);
  assert.equal(process.listenerCount('SIGHUP'), 0);
});

test('on 40 columns and 12 rows keys lead through all of it', async () => {
  const terminal = new MadeUpTerminal();
  terminal.output.columns = 40;
  terminal.output.rows = 12;
  const shown = terminal.show();
  await terminal.settle();
  assert.equal(terminal.lines[0], 'Virus Pattern Configuration');
  assert.match(terminal.lines.at(-1) ?? '', /lines 1-11 of \d+$/);
  await terminal.press('\x1b[6~');
  assert.match(terminal.lines.at(-1) ?? '', /lines 1[0-9]-\d+ of \d+$/);
  await terminal.press('\x1b[');
  await terminal.press('H');
  assert.equal(terminal.lines[0], 'Virus Pattern Configuration');
  await terminal.press('\x1b');
  assert.equal(terminal.input.isRaw, true, 'it may be the beginning of a key');
  terminal.clock.pass(50);
  assert.equal(await shown, undefined);
});

test('a terminal whose size changes is drawn at once', async () => {
  const terminal = new MadeUpTerminal();
  const shown = terminal.show();
  await terminal.settle();
  terminal.output.columns = 30;
  terminal.output.emit('resize');
  assert.ok(terminal.lines.every((line) => line.length <= 30));
  terminal.input.end();
  assert.equal(await shown, undefined);
});

test('a server that goes away ends it, and the terminal is as it was', async () => {
  const terminal = new MadeUpTerminal();
  const failure = { ok: false, exitCode: 3, message: 'gone' } as const;
  terminal.answer = () => failure;
  assert.deepEqual(await terminal.show(), failure);
  assert.equal(terminal.input.isRaw, false);
  assert.ok(terminal.output.written.endsWith('\x1b[?1049l'));
});
