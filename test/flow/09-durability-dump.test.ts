/**
 * VIRPAT.NCF and the shipped files: what `virus dump` wrote is run at the next start, a
 * crash leaves the old file or the new one, and what the console deleted stays deleted.
 */
import assert from 'node:assert/strict';
import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { obey, openConsole } from '../support/console-lines.ts';
import { startOrigin } from '../support/origin.ts';
import { askRaw, isSlipped, statusOf } from '../support/raw.ts';
import { makeWormgate, startWormgate, type Wormgate } from '../support/wormgate.ts';

const { url: origin } = await startOrigin({ after }, (_request, answer) => answer.end('served\n'));

async function restart(wormgate: Wormgate): Promise<void> {
  await wormgate.stop('SIGKILL');
  await wormgate.start();
}

/** Which of `/NAME.ida` are blocked; the others are served. */
async function blockedOf(wormgate: Wormgate, ...names: string[]): Promise<string[]> {
  const blocked: string[] = [];
  for (const name of names) {
    const answer = await askRaw(wormgate.port, `GET /${name}.ida HTTP/1.1`);
    if (isSlipped(answer)) blocked.push(name);
    else assert.equal(statusOf(answer), 200, answer.text);
  }
  return blocked;
}

/** Adds the pattern that blocks `/NAME.ida`. */
function addLine(name: string): string {
  return `virus add -p "${`${name}.ida HTTP/1.1`.slice(0, 16)}" -o 5`;
}

test('what virus dump wrote is run at the next start, even without a journal', async (t) => {
  const wormgate = await startWormgate(t, { origin });
  await obey(wormgate, addLine('one'), addLine('two'), 'virus add -k root.exe', 'virus dump');
  for (const end of ['SIGKILL', 'SIGTERM'] as const) {
    await wormgate.stop(end);
    if (end === 'SIGTERM') rmSync(join(wormgate.dataFolder, 'virus.journal'));
    await wormgate.start();
    assert.deepEqual(await blockedOf(wormgate, 'one', 'two', 'three'), ['one', 'two']);
  }
  const [list = '', keywords = ''] = await obey(wormgate, 'virus list', 'virus list -k');
  assert.match(list, /^"one\.ida HTTP\/1\.1" +5 +ncf /m);
  assert.match(keywords, /^"root\.exe" +ncf /m);
  assert.equal(wormgate.stderr, '');
});

test('faulty lines of VIRPAT.NCF are reported with their number, and the other lines are taken', async (t) => {
  const wormgate = await startWormgate(t, { origin });
  await wormgate.stop();
  const file = join(wormgate.dataFolder, 'VIRPAT.NCF');
  const lines = [
    '# by hand',
    addLine('one'),
    'virus add -p "no length"',
    'format c:',
    'virus -t 5',
    '',
    addLine('two'),
  ];
  writeFileSync(file, lines.join('\r\n'));
  await wormgate.start();
  const told = wormgate.stderr.trimEnd().split('\n');
  assert.equal(told.length, 3, wormgate.stderr);
  assert.match(told[0] ?? '', /VIRPAT\.NCF:3: Column \d+: -o is missing/);
  assert.match(told[1] ?? '', /VIRPAT\.NCF:4: .*begins with the word virus/);
  assert.match(told[2] ?? '', /VIRPAT\.NCF:5: Only these may stand in this file: /);
  for (const line of told) assert.ok(line.startsWith(`wormgate: ${file}:`), line);
  assert.deepEqual(await blockedOf(wormgate, 'one', 'two'), ['one', 'two']);
  assert.match((await obey(wormgate, 'virus show')).join(), /^Hit Threshold: 250$/m);
});

test('a shipped pattern that was deleted stays deleted, and one that is new in the file comes', async (t) => {
  const wormgate = await makeWormgate(t);
  const file = join(wormgate.folder, 'shipped.ncf');
  writeFileSync(file, `${addLine('keep')}\n${addLine('drop')}\n`);
  wormgate.configure({
    origin,
    sections: { 'Virus Pattern Configuration': [`PatternFiles=${file}`] },
  });
  await wormgate.start();
  assert.deepEqual(await blockedOf(wormgate, 'keep', 'drop'), ['keep', 'drop']);
  await obey(wormgate, addLine('drop').replace('add', 'del'));
  await restart(wormgate);
  assert.deepEqual(await blockedOf(wormgate, 'keep', 'drop'), ['keep']);
  await obey(wormgate, 'virus dump');
  appendFileSync(file, `${addLine('next')}\n`);
  for (const end of ['SIGKILL', 'SIGTERM'] as const) {
    await wormgate.stop(end);
    await wormgate.start();
    assert.deepEqual(await blockedOf(wormgate, 'keep', 'drop', 'next'), ['keep', 'next']);
  }
  await obey(wormgate, addLine('drop'));
  await restart(wormgate);
  assert.deepEqual(await blockedOf(wormgate, 'keep', 'drop', 'next'), ['keep', 'drop', 'next']);
});

/** How many patterns VIRPAT.NCF holds; fails unless it is whole. */
function dumpedCount(file: string): number {
  const text = readFileSync(file, 'latin1');
  const told = /^# (\d+) patterns, 0 keywords\.$/m.exec(text)?.[1];
  const count = text.match(/^virus add -p ".*" -o \d+$/gm)?.length ?? 0;
  assert.equal(count, Number(told), 'as many lines as the head of the file says');
  assert.ok(text.endsWith('\n'));
  return count;
}

test('kill -9 during a dump of 50,000 patterns leaves the old file or the new one, whole', async (t) => {
  const wormgate = await startWormgate(t, { origin });
  const file = join(wormgate.dataFolder, 'VIRPAT.NCF');
  await obey(wormgate, addLine('old'), 'virus dump');
  const lines = Array.from({ length: 50_000 }, (_, index) => addLine(`p${index}`));
  for (let at = 0; at < lines.length; at += 500) {
    await obey(wormgate, ...lines.slice(at, at + 500));
  }
  let midway = 0;
  let count = 50_001;
  for (let round = 0; midway < 3 && round < 10; round += 1) {
    const before = dumpedCount(file);
    const client = await openConsole(wormgate);
    const dumped = client.send(['virus dump'], 'console');
    let isAnswered = false;
    void dumped.then(() => {
      isAnswered = true;
    });
    while (!isAnswered && !existsSync(`${file}.new`)) await nextTurn();
    for (let turn = 0; turn < midway * 20; turn += 1) await nextTurn();
    await wormgate.stop('SIGKILL');
    const { ok } = await dumped;
    client.close();
    assert.ok([before, count].includes(dumpedCount(file)), `round ${round}`);
    if (ok) assert.equal(dumpedCount(file), count);
    if (existsSync(`${file}.new`)) midway += 1;
    await wormgate.start();
    assert.match(
      (await obey(wormgate, 'virus show')).join(),
      RegExp(`^No Of Patterns: ${count}$`, 'm'),
    );
    await obey(wormgate, addLine(`q${round}`));
    count += 1;
  }
  assert.ok(midway > 0, 'the server was killed with a file half written');
  assert.equal(wormgate.stderr, '');
  await obey(wormgate, 'virus dump');
  assert.equal(dumpedCount(file), count);
  assert.equal(existsSync(`${file}.new`), false);
});
