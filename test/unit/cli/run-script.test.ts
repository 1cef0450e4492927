import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { startConsoleServer } from '../../../src/admin/console-server.ts';
import type { Output } from '../../../src/cli/output.ts';
import { runVirus } from '../../../src/cli/virus-command.ts';
import { systemClock } from '../../../src/clock.ts';
import { Statistics } from '../../../src/statistics.ts';
import { FakeContext } from '../../support/console-context.ts';

class Captured implements Output {
  readonly printed: string[] = [];
  readonly complaints: string[] = [];

  print(text: string): void {
    this.printed.push(text);
  }

  complain(text: string): void {
    this.complaints.push(text);
  }
}

async function start(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'wormgate-run-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const context = new FakeContext();
  const started = await startConsoleServer({
    socketFile: join(folder, 'console.sock'),
    context,
    statistics: new Statistics(),
    clock: systemClock,
    limits: () => ({ consoleClientsMax: 16, consoleLineBytesMax: 4096 }),
  });
  assert.ok(started.ok);
  t.after(() => started.server.close());
  const output = new Captured();
  const virus = (...args: string[]) => runVirus(['--data', folder, ...args], output);
  const script = (text: string) => {
    const file = join(folder, 'script.ncf');
    writeFileSync(file, text, 'latin1');
    return file;
  };
  return { folder, context, output, virus, script };
}

test('a reply goes to stdout with exit code 0, a refusal to stderr with exit code 1', async (t) => {
  const { output, virus } = await start(t);
  assert.equal(await virus('add', '-p', 'default.ida?NNNN', '-o', '385'), 0);
  assert.equal(await virus('-e', '2'), 1);
  assert.deepEqual(output.printed, ['Added "default.ida?NNNN", original length 385.']);
  assert.match(output.complaints.join('\n'), /^Column 10: -e takes an integer from 0 to 1/);
});

test('without a server the exit code is 3, and help is printed all the same', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'wormgate-run-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const output = new Captured();
  assert.equal(await runVirus(['--data', folder, 'list'], output), 3);
  assert.deepEqual(output.complaints, [
    `wormgate: no wormgate is running on data folder ${folder}`,
  ]);
  assert.equal(await runVirus(['--data', folder, '-h'], output), 3);
  assert.match(output.printed.join('\n'), /^virus add -p /);
});

test('a script of a thousand lines is carried out, its failures told by line', async (t) => {
  const { context, output, virus, script } = await start(t);
  const lines = ['# patterns'];
  for (let index = 2; index <= 1001; index += 1) {
    if (index % 100 === 0) lines.push(`virus add -p "p${index}" -o 0`);
    else if (index % 100 === 1) lines.push(`virus add -p "p${index - 2}" -o 9`);
    else lines.push(`virus add -p "p${index}" -o 9`);
  }
  const file = script(`${lines.join('\r\n')}\r\n`);
  assert.equal(await virus('run', file), 1);
  assert.deepEqual(output.printed, ['1000 lines: 980 done, 10 unchanged, 10 failed']);
  assert.equal(output.complaints.length, 10);
  for (const [index, complaint] of output.complaints.entries()) {
    assert.ok(complaint.startsWith(`${file}:${(index + 1) * 100}: Column `), complaint);
  }
  assert.equal(context.entries.size, 980);
  for (const entry of context.entries.values()) assert.equal(entry.from, 'ncf');
  assert.ok(context.commits.length <= 3, `${context.commits.length} commits`);
});

test('a script without faults ends with exit code 0', async (t) => {
  const { output, virus, script } = await start(t);
  assert.equal(await virus('run', script('virus add -k a\n\nREM\nvirus list -k')), 0);
  assert.match(output.printed[0] ?? '', /^KEYWORD/);
  assert.equal(output.printed[1], '2 lines: 2 done, 0 unchanged, 0 failed');
});

test('an empty script is no fault', async (t) => {
  const { output, virus, script } = await start(t);
  assert.equal(await virus('run', script('')), 0);
  assert.deepEqual(output.printed, ['0 lines: 0 done, 0 unchanged, 0 failed']);
});

test('a line that is too long, or that runs a script, fails alone', async (t) => {
  const { context, output, virus, script } = await start(t);
  const file = script(
    `virus run other.ncf\nvirus add -k "${'x'.repeat(5000)}"\nvirus add -k "${'y'.repeat(3_000_000)}"\nvirus add -k z\n`,
  );
  assert.equal(await virus('run', file), 1);
  assert.deepEqual(output.complaints, [
    `${file}:1: A script cannot run another: "virus run" is typed at a shell or on the console.`,
    `${file}:2: The line is longer than 4096 bytes.`,
    `${file}:3: The line is longer than 65536 bytes.`,
  ]);
  assert.deepEqual([...context.keywordNames], ['z']);
});

test('lines that need many bytes in a message are sent in smaller batches', async (t) => {
  const { context, output, virus, script } = await start(t);
  const keyword = (index: number) => `"${'\xe9'.repeat(4000)}${index}"`;
  const lines = Array.from({ length: 400 }, (_, index) => `virus add -k ${keyword(index)}`);
  assert.equal(await virus('run', script(lines.join('\n'))), 0);
  assert.deepEqual(output.printed, ['400 lines: 400 done, 0 unchanged, 0 failed']);
  assert.equal(context.keywordNames.size, 400);
});

test('a script that cannot be read is told with exit code 1', async (t) => {
  const { folder, output, virus } = await start(t);
  assert.equal(await virus('run', join(folder, 'absent.ncf')), 1);
  assert.equal(await virus('run', folder), 1);
  assert.deepEqual(output.complaints, [
    `wormgate: ${join(folder, 'absent.ncf')}: no such file`,
    `wormgate: ${folder}: it is a folder`,
  ]);
});

test('run takes one file', async (t) => {
  const { output, virus } = await start(t);
  assert.equal(await virus('run'), 1);
  assert.equal(await virus('run', 'a', 'b'), 1);
  assert.deepEqual(
    new Set(output.complaints),
    new Set(['One file is run at a time. Syntax: virus run FILE']),
  );
  assert.equal(await virus('run', '-h'), 0);
});
