/**
 * Start, end and refusals of the whole program: what is printed, what the exit codes are,
 * what is left behind. Real processes, real sockets.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { startOrigin } from '../support/origin.ts';
import { askRaw, sendRaw, statusOf } from '../support/raw.ts';
import { listens } from '../support/reload.ts';
import { freePort, makeWormgate, runCli, startWormgate, until } from '../support/wormgate.ts';

test('wormgate ready is all that a start prints, and by then every listener is bound', async (t) => {
  const more = [await freePort(), await freePort()];
  const wormgate = await makeWormgate(t, {
    sections: {
      'Accelerator second': [
        `Listen=${more.map((port) => `127.0.0.1:${port}`).join(',')}`,
        'Origin=demo',
      ],
    },
  });
  await wormgate.start();
  for (const port of [wormgate.port, wormgate.adminPort, ...more]) assert.ok(await listens(port));
  assert.equal(wormgate.virus('list').code, 0);
  assert.equal(wormgate.stdout, 'wormgate ready\n');
  assert.equal(wormgate.stderr, '');
});

test('a command line that lacks something is told in one line', () => {
  for (const args of [['tune'], ['completion'], ['completion', 'fish'], ['nonsense'], []]) {
    const { code, stderr } = runCli(args);
    assert.equal(code, 1);
    assert.match(stderr, /^wormgate: [^\n]+; wormgate --help lists the commands\n$/);
    assert.doesNotMatch(stderr, /non-option/);
  }
});

test('the process has the name that `pgrep ^wormgate` looks for', {
  skip: process.platform !== 'linux',
}, async (t) => {
  const wormgate = await startWormgate(t);
  assert.match(readFileSync(`/proc/${wormgate.pid}/comm`, 'utf8'), /^wormgate/);
  const title = readFileSync(`/proc/${wormgate.pid}/cmdline`, 'latin1').replaceAll('\0', '');
  assert.equal(title, `wormgate ${wormgate.dataFolder}`);
});

test('a bad configuration ends the start with 2 and every fault with its line', async (t) => {
  const wormgate = await makeWormgate(t);
  const lines = [
    '[Extra Configuration]',
    'ScanVirusPatterns=7',
    '[Virus Pattern Configuration]',
    'PatternSize=3',
    'Colour=red',
    '[Accelerator site]',
    'Listen=127.0.0.1:99999',
    'Origin=ftp://origin.test',
    'Origin=demo',
    '[Nonsense]',
  ];
  writeFileSync(wormgate.configFile, lines.join('\r\n'));
  const started = runCli([
    ...['start', '--config', wormgate.configFile, '--data', wormgate.dataFolder],
  ]);
  assert.equal(started.code, 2);
  assert.equal(started.stdout, '');
  const faults = started.stderr.trimEnd().split('\n');
  const places = [
    ':2: [Extra Configuration] ScanVirusPatterns: ',
    ':4: [Virus Pattern Configuration] PatternSize: ',
    ':5: [Virus Pattern Configuration] Colour: ',
    ':7: [Accelerator site] Listen: ',
    ':8: [Accelerator site] Origin: ',
    ':9: [Accelerator site] Origin: ',
    ':10: [Nonsense]: ',
  ];
  assert.equal(faults.length, places.length, started.stderr);
  for (const [index, place] of places.entries()) {
    assert.ok(faults[index]?.startsWith(`${wormgate.configFile}${place}`), started.stderr);
  }
  assert.match(faults[1] ?? '', /allowed is 4-64/);

  const checked = runCli(['check', '--config', wormgate.configFile]);
  assert.deepEqual([checked.code, checked.stderr], [2, started.stderr]);
});

test('wormgate check says ok for a good file, the shipped one among them, and opens nothing', async (t) => {
  const wormgate = await makeWormgate(t);
  const checked = runCli(['check', '--config', wormgate.configFile]);
  assert.deepEqual([checked.code, checked.stderr], [0, '']);
  assert.match(checked.stdout, /ok/);
  assert.equal(runCli(['check']).code, 0);
  assert.throws(() => statSync(wormgate.dataFolder), /ENOENT/);
});

test('a PROXY.CFG that is not there or is a folder is named, with 2', async (t) => {
  const wormgate = await makeWormgate(t);
  const missing = join(wormgate.folder, 'NONE.CFG');
  const cases = [
    [missing, `${missing}: cannot be read: no such file\n`],
    [wormgate.folder, `${wormgate.folder}: cannot be read: it is a folder\n`],
  ] as const;
  for (const [file, sentence] of cases) {
    for (const command of ['start', 'check']) {
      const result = runCli([command, '--config', file]);
      assert.deepEqual([result.code, result.stderr], [2, sentence]);
    }
  }
});

test('a port that is taken, of an accelerator or of the admin server, ends the start with 1', async (t) => {
  const wormgate = await makeWormgate(t);
  const start = ['start', '--config', wormgate.configFile, '--data', wormgate.dataFolder];
  for (const port of [wormgate.port, wormgate.adminPort]) {
    const squatter = createServer().listen(port, '127.0.0.1');
    await once(squatter, 'listening');
    const started = runCli(start);
    squatter.close();
    const sentence = `cannot listen on 127.0.0.1:${port}: it is taken; something listens there already`;
    assert.equal(started.stderr, `wormgate: cannot start: ${sentence}\n`);
    assert.deepEqual([started.code, started.stdout], [1, '']);
  }
  await wormgate.start();
  assert.equal(statusOf(await askRaw(wormgate.port, 'GET / HTTP/1.1')), 200);
});

test('an address that the machine does not have ends the start with 1', async (t) => {
  const wormgate = await makeWormgate(t, { accelerator: [], sections: {} });
  wormgate.configure({
    sections: { 'Accelerator test': ['Listen=192.0.2.7:8080', 'Origin=demo'] },
  });
  const started = runCli([
    ...['start', '--config', wormgate.configFile, '--data', wormgate.dataFolder],
  ]);
  const sentence = 'cannot listen on 192.0.2.7:8080: this machine has no such address';
  assert.deepEqual([started.code, started.stderr], [1, `wormgate: cannot start: ${sentence}\n`]);
});

test('a second wormgate on the same data folder ends with 1 and does the first no harm', async (t) => {
  const wormgate = await startWormgate(t);
  const other = await makeWormgate(t);
  const started = runCli([
    ...['start', '--config', other.configFile, '--data', wormgate.dataFolder],
  ]);
  assert.equal(started.code, 1);
  assert.match(started.stderr, /another wormgate is running on this data folder/);
  assert.equal(wormgate.virus('add', '-p', 'still here', '-o', '9').code, 0);
  assert.equal(statusOf(await askRaw(wormgate.port, 'GET / HTTP/1.1')), 200);
});

test('a data folder that is a file, or lies below one, ends the start with 1 and says so', async (t) => {
  const wormgate = await makeWormgate(t);
  writeFileSync(wormgate.dataFolder, 'no folder');
  for (const folder of [wormgate.dataFolder, join(wormgate.dataFolder, 'data')]) {
    const started = runCli(['start', '--config', wormgate.configFile, '--data', folder]);
    assert.deepEqual([started.code, started.stdout], [1, '']);
    assert.match(started.stderr, /^wormgate: cannot start: cannot make the data folder \/.*data: /);
    assert.ok(started.stderr.includes(folder), started.stderr);
  }
});

const isRoot = process.getuid?.() === 0;
test('a data folder that may not be written ends the start with 1 and says so', {
  skip: isRoot && 'root may write everywhere',
}, async (t) => {
  const wormgate = await makeWormgate(t);
  mkdirSync(wormgate.dataFolder);
  chmodSync(wormgate.dataFolder, 0o500);
  const started = runCli([
    ...['start', '--config', wormgate.configFile, '--data', wormgate.dataFolder],
  ]);
  assert.equal(started.code, 1);
  assert.match(started.stderr, /permission denied/);
});

test('a log or a journal that cannot be opened ends the start with 1 and says which', async (t) => {
  const wormgate = await makeWormgate(t);
  const start = ['start', '--config', wormgate.configFile, '--data', wormgate.dataFolder];
  for (const name of ['PROXY.LOG', 'virus.journal']) {
    mkdirSync(join(wormgate.dataFolder, name), { recursive: true });
    const started = runCli(start);
    assert.equal(started.code, 1);
    assert.ok(started.stderr.includes(join(wormgate.dataFolder, name)), started.stderr);
    rmSync(join(wormgate.dataFolder, name), { recursive: true });
  }
  await wormgate.start();
});

test('the data folder is made with mode 0700 and the console socket with 0600', async (t) => {
  const wormgate = await startWormgate(t);
  const mode = (path: string) => (statSync(path).mode & 0o777).toString(8);
  assert.equal(mode(wormgate.dataFolder), '700');
  assert.equal(mode(join(wormgate.dataFolder, 'console.sock')), '600');
  assert.equal(mode(join(wormgate.dataFolder, 'virus.journal')), '600');
});

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`${signal} lets an answer under way finish, takes no new one, and ends with 0`, async (t) => {
    let release: (() => void) | undefined;
    const origin = await startOrigin(t, (_request, answer) => {
      answer.write('first half, ');
      release = () => answer.end('second half');
    });
    const wormgate = await startWormgate(t, { origin: origin.url });
    const idle = connect(wormgate.port, '127.0.0.1');
    await once(idle, 'connect');
    const idleClosed = once(idle.resume(), 'close');
    const slow = askRaw(wormgate.port, 'GET /slow HTTP/1.1');
    await until(() => release !== undefined);
    const ended = wormgate.stop(signal);
    await idleClosed;
    await until(async () => !(await listens(wormgate.port)));
    release?.();
    const answer = await slow;
    assert.equal(statusOf(answer), 200);
    assert.ok(answer.text.includes('first half'), answer.text);
    assert.ok(answer.text.includes('second half'), answer.text);
    assert.equal(await ended, 0);
    for (const port of [wormgate.port, wormgate.adminPort]) {
      assert.equal(await listens(port), false);
    }
    assert.match(wormgate.log(), /"GET \/slow HTTP\/1\.1" 200 23$/m);
    assert.throws(() => statSync(join(wormgate.dataFolder, 'console.sock')), /ENOENT/);
    assert.equal(wormgate.stderr, '');
  });
}

test('an answer that takes longer than DrainSeconds is cut off, and the end is still 0', async (t) => {
  let asked = false;
  const origin = await startOrigin(t, (_request, answer) => {
    answer.write('never whole');
    asked = true;
  });
  const wormgate = await startWormgate(t, {
    origin: origin.url,
    sections: { Limits: ['DrainSeconds=1'] },
  });
  const slow = sendRaw(wormgate.port, ['GET / HTTP/1.1\r\nHost: a\r\n\r\n'], { waitMs: 20_000 });
  await until(() => asked);
  assert.equal(await wormgate.stop('SIGTERM'), 0);
  assert.equal((await slow).closed, true);
});

test('after kill -9 the socket that was left behind is in nobody’s way', async (t) => {
  const wormgate = await startWormgate(t);
  await wormgate.stop('SIGKILL');
  assert.ok(statSync(join(wormgate.dataFolder, 'console.sock')).isSocket());
  assert.equal(wormgate.virus('list').code, 3);
  await wormgate.start();
  assert.equal(wormgate.virus('list').code, 0);
});

test('a console command without a server ends with 3 and names the data folder', async (t) => {
  const wormgate = await makeWormgate(t);
  for (const words of [['list'], ['add', '-p', 'x', '-o', '1'], ['run', wormgate.configFile]]) {
    const result = wormgate.virus(...words);
    assert.deepEqual([result.code, result.stdout], [3, '']);
    const sentence = `wormgate: no wormgate is running on data folder ${wormgate.dataFolder}\n`;
    assert.equal(result.stderr, sentence);
  }
  assert.equal(runCli(['console', '--data', wormgate.dataFolder]).code, 3);
});

test('with ScanVirusPatterns=0 every command for patterns is answered virus command not found, and nothing is scanned', async (t) => {
  const wormgate = await startWormgate(t, {
    sections: {
      'Extra Configuration': ['ScanVirusPatterns=0'],
      'Virus Pattern Configuration': ['NoOfVirusPatterns=1', 'Pattern1="hello.txt HTTP/1",19'],
    },
  });
  for (const words of [
    ['list'],
    ['show'],
    ['-h'],
    ['-c'],
    ['add', '-p', 'x', '-o', '1'],
    ['oops'],
  ]) {
    const result = wormgate.virus(...words);
    assert.deepEqual(
      [result.code, result.stdout, result.stderr],
      [1, '', 'virus command not found\n'],
    );
  }
  assert.match(wormgate.virus('origins').stdout, /SITE +ORIGIN +STATE/);
  assert.equal(statusOf(await askRaw(wormgate.port, 'GET /hello.txt HTTP/1.1')), 200);
  assert.equal(await wormgate.counter('virus_requests'), 0);
  assert.equal(await wormgate.counter('non_virus_requests'), 0);
});
