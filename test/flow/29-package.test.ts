/**
 * The package as it is handed out: packed, installed into an empty folder without a network, and run
 * from there. What a checkout has beside it (packages, sources, a configuration) is not there.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { projectPath } from '../support/paths.ts';
import { askRaw, isSlipped, sendRaw, statusOf } from '../support/raw.ts';
import { freePort, until } from '../support/wormgate.ts';

const folder = mkdtempSync(join(tmpdir(), 'wormgate-package-'));
const prefix = join(folder, 'installed');
const installed = join(prefix, 'lib', 'node_modules', 'wormgate');
/** Somebody's working folder, with nothing of ours in it. */
const elsewhere = join(folder, 'elsewhere');

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Of the shell's variables the path alone, this Node first in it: neither npm's settings nor NODE_PATH help. */
const path = `${dirname(process.execPath)}:${process.env.PATH}`;
const environment = { PATH: path, HOME: folder };

function run(command: string, args: readonly string[], cwd: string): Ended {
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd,
    env: environment,
    encoding: 'utf8',
    timeout: 120_000,
  });
  return { code: status, stdout, stderr };
}

function mustRun(command: string, args: readonly string[], cwd: string): string {
  const ended = run(command, args, cwd);
  assert.equal(ended.code, 0, `${command} ${args.join(' ')}: ${ended.stderr}`);
  return ended.stdout;
}

const wormgate = (...args: string[]) => run(join(prefix, 'bin', 'wormgate'), args, elsewhere);
const virus = (...args: string[]) => run(join(prefix, 'bin', 'virus'), args, elsewhere);

interface PackedFile {
  readonly path: string;
}

let packed: readonly string[] = [];

before(() => {
  mkdirSync(elsewhere);
  // Its scripts would build anew, below the feet of the tests that run beside this one.
  const report = mustRun(
    'npm',
    ['pack', '--ignore-scripts', '--json', '--pack-destination', folder],
    projectPath(),
  );
  const [made]: { filename: string; files: PackedFile[] }[] = JSON.parse(report);
  assert.ok(made !== undefined);
  packed = made.files.map(({ path }) => path);
  const quiet = ['--no-audit', '--no-fund', '--no-update-notifier'];
  mustRun(
    'npm',
    [
      ...['install', '--global', '--prefix', prefix, '--offline', '--ignore-scripts', ...quiet],
      ...['--cache', join(folder, 'empty-cache'), join(folder, made.filename)],
    ],
    elsewhere,
  );
});

after(() => rmSync(folder, { recursive: true, force: true }));

test('the package holds what its programs and their owner need, and no sources', () => {
  const wanted = [
    ...['LICENSE', 'README.md', 'config/PROXY.CFG', 'patterns/keywords.ncf'],
    ...['dist/bin/wormgate.cjs', 'dist/bin/virus.cjs', 'dist/programs/keyword-worker.js'],
    ...[
      'dist/programs/LICENCES.txt',
      'dist/page/index.html',
      'dist/page/page.js',
      'dist/page/page.css',
    ],
    ...['man/wormgate.1', 'man/virus.1', 'man/PROXY.CFG.5'],
    ...['packaging/wormgate.service', 'packaging/logrotate.conf'],
    ...['packaging/completion/wormgate.bash', 'packaging/completion/_wormgate'],
  ];
  assert.deepEqual(
    wanted.filter((path) => !packed.includes(path)),
    [],
  );
  const unwanted = packed.filter((path) => /^(?:src|test|scripts|dist\/(?:src|test))\//.test(path));
  assert.deepEqual(unwanted, []);
});

test('it is installed without any other package, and passes on the licences of those within', () => {
  assert.equal(existsSync(join(installed, 'node_modules')), false);
  const licences = readFileSync(join(installed, 'dist', 'programs', 'LICENCES.txt'), 'utf8');
  assert.match(licences, /Permission is hereby granted/);
  for (const name of ['fastify', 'yargs', 'net-snmp', 'uplot']) {
    assert.match(licences, new RegExp(`^${name} \\d+\\.\\d+\\.\\d+, [A-Z]`, 'm'));
  }
});

test('wormgate and virus run from any folder', () => {
  const { version } = JSON.parse(readFileSync(projectPath('package.json'), 'utf8'));
  assert.deepEqual(wormgate('--version'), { code: 0, stdout: `${version}\n`, stderr: '' });
  const checked = wormgate('check');
  assert.deepEqual([checked.code, checked.stderr], [0, '']);
  assert.match(checked.stdout, /\/config\/PROXY\.CFG: ok\n$/);
  const shown = virus('show');
  assert.equal(shown.code, 3);
  assert.match(shown.stderr, /no wormgate/i);
});

test('man finds the pages, and wormgate completion prints the file for the shell', () => {
  for (const page of ['man1/wormgate.1', 'man1/virus.1', 'man5/PROXY.CFG.5']) {
    assert.ok(existsSync(join(prefix, 'share', 'man', page)), page);
  }
  for (const [shell, name] of [
    ['bash', 'wormgate.bash'],
    ['zsh', '_wormgate'],
  ] as const) {
    const printed = wormgate('completion', shell);
    const text = readFileSync(projectPath('packaging', 'completion', name), 'utf8');
    assert.deepEqual(printed, { code: 0, stdout: text, stderr: '' });
  }
  assert.equal(wormgate('completion', 'fish').code, 1);
});

/** The status of what is asked by the address's own name: the admin server answers to no other. */
async function ask(port: number, path: string): Promise<number> {
  const head = `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n\r\n`;
  return statusOf(await sendRaw(port, [head]));
}

test('the installed server serves, blocks a worm, shows the page, and stops', async (t) => {
  const [port, adminPort] = [await freePort(), await freePort()];
  // The shipped file with other ports: its pattern files are found from where it lies.
  const shipped = readFileSync(join(installed, 'config', 'PROXY.CFG'), 'latin1');
  const text = shipped
    .replaceAll('127.0.0.1:8080', `127.0.0.1:${port}`)
    .replaceAll('127.0.0.1:8081', `127.0.0.1:${adminPort}`)
    .replaceAll('../patterns/', join(installed, 'patterns/'));
  writeFileSync(join(elsewhere, 'OWN.CFG'), text, 'latin1');

  const program = join(prefix, 'bin', 'wormgate');
  const server: ChildProcess = spawn(program, ['start', '--config', 'OWN.CFG'], {
    cwd: elsewhere,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.after(() => server.kill('SIGKILL'));
  let output = '';
  server.stdout?.on('data', (chunk) => {
    output += chunk;
  });
  server.stderr?.on('data', (chunk) => {
    output += chunk;
  });
  await until(
    () => output.includes('wormgate ready\n'),
    10_000,
    () => output,
  );

  assert.equal(await ask(port, '/hello.txt'), 200);
  const worm = await askRaw(port, 'GET /scripts/root.exe?/c+dir HTTP/1.1');
  assert.ok(isSlipped(worm), worm.text);
  assert.equal(await ask(adminPort, '/'), 200);
  assert.equal(await ask(adminPort, '/page.js'), 200);

  const shown = virus('show');
  assert.deepEqual([shown.code, shown.stderr], [0, '']);
  assert.match(shown.stdout, /^Virus Requests: 1$/m);
  assert.equal(virus('add', '-p', 'hello.txt HTTP/1', '-o', '19').code, 0);
  assert.ok(isSlipped(await askRaw(port, 'GET /hello.txt HTTP/1.1')));

  server.kill('SIGTERM');
  const [code] = await once(server, 'exit');
  assert.equal(code, 0, output);
});

test('a code cache that was spoilt is not believed, and neither is one of another program', () => {
  const program = join(installed, 'dist', 'programs', 'virus.cjs');
  const [made, source] = [readFileSync(`${program}.cache`), readFileSync(program)];
  const spoiltAt = (at: number) => {
    const spoilt = Buffer.from(made);
    spoilt.fill(0, at);
    return spoilt;
  };
  try {
    const spoilt = [Buffer.alloc(0), made.subarray(0, 1_000), spoiltAt(8_192), spoiltAt(100)];
    for (const bytes of spoilt) {
      writeFileSync(`${program}.cache`, bytes);
      assert.equal(virus('show').code, 3);
    }
    writeFileSync(`${program}.cache`, made);
    // A change that V8 does not see: it compares lengths.
    const changed = source
      .toString()
      .replaceAll('no wormgate is running', 'no wormgate is walking');
    assert.equal(Buffer.byteLength(changed), source.length);
    writeFileSync(program, changed);
    assert.match(virus('show').stderr, /no wormgate is walking/);
  } finally {
    writeFileSync(program, source);
    writeFileSync(`${program}.cache`, made);
  }
});
