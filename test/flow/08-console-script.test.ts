/**
 * Scripts and programs of the console: virus dump and virus run, the program virus, and
 * wormgate console reading its commands from a pipe.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { inLanes } from '../support/lanes.ts';
import { done, isBlocked, refused, virus } from '../support/operator.ts';
import { startOrigin } from '../support/origin.ts';
import { projectPath } from '../support/paths.ts';
import { startWormgate, type Wormgate } from '../support/wormgate.ts';

const { url: origin } = await startOrigin({ after }, (_request, answer) => answer.end('served\n'));
const gate = await startWormgate({ after }, { origin });

test('virus dump writes every pattern and keyword as commands that can be run', async (t) => {
  const source = await startWormgate(t, { origin });
  await done(source, 'add', '-p', 'a "q" \\\\ \\x00\\xff', '-o', '12');
  await done(source, 'add', '-p', 'second', '-o', '4000');
  await done(source, 'add', '-k', 'root.exe');
  const path = join(source.dataFolder, 'VIRPAT.NCF');
  assert.equal(await done(source, 'dump'), `Wrote 2 patterns and 1 keyword to ${path}\n`);
  const commands = readFileSync(path, 'latin1')
    .split('\n')
    .filter((line) => !/^([#;]|$)/.test(line));
  assert.deepEqual(commands, [
    'virus add -p "a \\"q\\" \\\\ \\x00\\xff" -o 12',
    'virus add -p "second" -o 4000',
    'virus add -k "root.exe"',
  ]);
  const copy = await startWormgate(t, { origin });
  const ran = await done(copy, 'run', path);
  assert.equal(ran, '3 lines: 3 done, 0 unchanged, 0 failed\n');
  const entries = async (wormgate: Wormgate) =>
    (await done(wormgate, 'list'))
      .split('\n')
      .map((line) => line.split(/ +(?:console|ncf|FROM)/)[0]);
  assert.deepEqual(await entries(copy), await entries(source));
});

test('a script of 100,000 lines is run whole, and every pattern is in force', async (t) => {
  const big = await startWormgate(t, { origin });
  const count = 100_000;
  const name = (index: number) => `w${String(index).padStart(7, '0')}.ida?NNN`;
  const lines = Array.from(
    { length: count },
    (_, index) => `virus add -p "${name(index)}" -o ${100 + (index % 900)}`,
  );
  const script = join(big.folder, 'big.ncf');
  writeFileSync(script, `${lines.join('\r\n')}\r\n`);
  const summary = '100000 lines: 100000 done, 0 unchanged, 0 failed\n';
  assert.equal(await done(big, 'run', script), summary);
  assert.match(await done(big, 'show'), /^No Of Patterns: 100000$/m);
  const sample = Array.from({ length: 200 }, (_, index) => (index * 503) % count);
  const blocked = await inLanes(sample, 8, (index) => isBlocked(big, `/${name(index)}xyz`));
  assert.ok(blocked.every(Boolean));
  assert.equal(await isBlocked(big, `/${name(count)}`), false);
  const listed = (await done(big, 'list')).trimEnd().split('\n');
  assert.equal(listed.length, 1 + 1000 + 1);
  assert.equal(listed.at(-1), 'And 99000 more; "virus dump" writes all of them to VIRPAT.NCF.');
  await done(big, 'dump');
  const dumped = readFileSync(join(big.dataFolder, 'VIRPAT.NCF'), 'latin1');
  assert.deepEqual(
    dumped.match(/^virus add .*$/gm),
    lines,
    'the dump holds every line in its order',
  );
  assert.equal(
    await done(big, 'run', script),
    '100000 lines: 0 done, 100000 unchanged, 0 failed\n',
  );
});

test('a script with faulty lines reports each with its line, carries on, sums up, and ends with 1', async () => {
  const script = join(gate.folder, 'faulty.ncf');
  const lines = [
    '# a comment',
    'virus add -p "good one" -o 5',
    'virus add -p "no length"',
    '',
    'REM another comment',
    'format c:',
    'virus add -p "seventeen bytes.." -o 5',
    'virus add -p "good one" -o 5',
    'virus del -p "not there" -o 5',
    'virus run other.ncf',
    `virus add -p "${'x'.repeat(70_000)}" -o 5`,
    'virus add -p "good two" -o 6',
  ];
  writeFileSync(script, lines.join('\n'));
  const ran = await virus(gate, 'run', script);
  assert.equal(ran.code, 1);
  assert.equal(ran.stdout, '9 lines: 2 done, 1 unchanged, 6 failed\n');
  const reported = ran.stderr.trimEnd().split('\n');
  assert.deepEqual(
    reported.map((line) => line.slice(0, line.indexOf(': '))),
    [3, 6, 7, 9, 10, 11].map((line) => `${script}:${line}`),
  );
  const list = await done(gate, 'list');
  assert.match(list, /^"good one" +5 +ncf /m);
  assert.match(list, /^"good two" +6 +ncf /m);
  await done(gate, '-c');
});

test('a script that cannot be read is refused by its name', async () => {
  assert.match(
    await refused(gate, 'run', '/no/such.ncf'),
    /^wormgate: \/no\/such\.ncf: no such file\n$/,
  );
  assert.match(await refused(gate, 'run', gate.folder), /it is a folder/);
  assert.match(await refused(gate, 'run'), /Syntax: virus run FILE/);
});

test('the program virus does what wormgate virus does', async () => {
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [projectPath('dist/bin/virus.cjs'), ...args], {
      encoding: 'latin1',
      timeout: 30_000,
    });
  const added = run('--data', gate.dataFolder, 'add', '-p', 'by the bin', '-o', '7');
  assert.deepEqual([added.status, added.stdout], [0, 'Added "by the bin", original length 7.\n']);
  assert.equal(run(`--data=${gate.dataFolder}`, 'list').stdout, await done(gate, 'list'));
  assert.equal(run('--data', gate.dataFolder, 'add', '-p', 'x').status, 1);
  assert.equal(run('--data', '/no/such/folder', 'list').status, 3);
  await done(gate, '-c');
});

test('wormgate console carries out the commands that it reads, and 23 is the screen', async () => {
  const console = spawnSync(
    process.execPath,
    [projectPath('dist/bin/wormgate.cjs'), 'console', '--data', gate.dataFolder],
    {
      input: 'virus add -p "typed in" -o 8\nvirus list\n23\nvirus -q\nvirus -c\n0\nvirus list\n',
      encoding: 'latin1',
      timeout: 30_000,
    },
  );
  assert.equal(console.status, 0, console.stderr);
  assert.match(console.stdout, /^Added "typed in", original length 8\.$/m);
  assert.match(console.stdout, /^"typed in" +8 +console /m);
  assert.match(console.stdout, /^Virus Pattern Configuration /m);
  assert.match(console.stdout, /No Of Patterns +: 1/);
  assert.match(console.stderr, /not `-q`/);
  assert.doesNotMatch(console.stdout, /There are no patterns/, '0 ends the console');
});
