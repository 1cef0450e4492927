// Brings a checkout into a runnable state with Node's own modules alone, because on a fresh clone
// nothing else exists yet: installs what the lockfile names when it is missing or stale, and compiles
// when a source is newer than the last build.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeLicences } from './licences.mjs';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

const installedLock = join(root, 'node_modules', '.wormgate-lock.json');
const buildMark = join(root, 'dist', '.built');

/** What esbuild has put into the programs, the thread and the page. */
const programInputs = join(root, 'dist', 'programs.json');
const threadInputs = join(root, 'dist', 'thread.json');
const pageInputs = join(root, 'dist', 'page.json');

/** Runs a command in the project's folder, its output on stderr; ends this process when it fails. */
function mustRun(command, args) {
  const result = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2] });
  if (result.status === 0) return;
  console.error(
    `wormgate: ${command} ${args.join(' ')} failed: ${result.error?.message ?? `exit ${result.status}`}`,
  );
  process.exit(1);
}

function checkNodeVersion() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  console.error(`wormgate: needs Node.js 20.19 or newer; this is ${process.versions.node}`);
  process.exit(1);
}

function installIfNeeded() {
  const wanted = readFileSync(join(root, 'package-lock.json'), 'utf8');
  if (existsSync(installedLock) && readFileSync(installedLock, 'utf8') === wanted) return;
  console.error('wormgate: installing packages');
  mustRun('npm', ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error']);
  writeFileSync(installedLock, wanted);
}

function newestChange(path) {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return readdirSync(path).reduce(
    (newest, name) => Math.max(newest, newestChange(join(path, name))),
    stat.mtimeMs,
  );
}

/** The programs, which Node starts by way of program.cjs. */
const programs = ['wormgate', 'virus'];

/** Runs esbuild, which leaves in `metafile` what it has read. */
function bundle(metafile, args) {
  mustRun(join(root, 'node_modules', 'esbuild', 'bin', 'esbuild'), [
    ...args,
    '--bundle',
    `--metafile=${metafile}`,
    '--log-level=warning',
  ]);
}

/** Leaves V8's code cache beside a program; without one it starts more slowly, and does the same. */
function compileAhead(program) {
  const { status, stderr } = spawnSync(
    process.execPath,
    [join(root, 'scripts', 'code-cache.cjs'), program],
    { encoding: 'utf8', timeout: 60_000 },
  );
  if (status !== 0) console.error(`wormgate: no code cache for ${program}: ${stderr}`);
}

/**
 * Puts each program, packages included, into one file, which is a function of `require` and its folder, and
 * the thread of the keyword check into another. Node takes longest with finding hundreds of them.
 */
function bundlePrograms() {
  const from = join(root, 'dist', 'src');
  const to = join(root, 'dist', 'programs');
  const forNode = ['--platform=node', `--outdir=${to}`];
  bundle(programInputs, [
    ...programs.map((name) => join(from, 'cli', `${name}.js`)),
    ...forNode,
    // Of packages that come both ways, what nobody uses can be left out of a module.
    '--main-fields=module,main',
    '--format=cjs',
    '--out-extension:.js=.cjs',
    '--define:import.meta.dirname=__dirname',
    '--define:import.meta.url=fileUrl',
    `--banner:js=(function (require, __dirname) {\nconst module = { exports: {} };\nconst fileUrl = require('node:url').pathToFileURL(__dirname + '/');`,
    '--footer:js=})',
  ]);
  bundle(threadInputs, [join(from, 'keyword-worker.js'), ...forNode, '--format=esm']);
  mkdirSync(join(root, 'dist', 'bin'));
  for (const name of programs) {
    const program = join(root, 'dist', 'bin', `${name}.cjs`);
    copyFileSync(join(root, 'scripts', 'program.cjs'), program);
    // npx runs the checkout's own bins as programs.
    chmodSync(program, 0o755);
    compileAhead(program);
  }
}

/** The web console's page: what the browser loads, in three files. */
function bundlePage() {
  const from = join(root, 'src', 'admin', 'page');
  const to = join(root, 'dist', 'page');
  bundle(pageInputs, [
    `page=${join(from, 'main.ts')}`,
    join(from, 'page.css'),
    '--minify',
    '--format=esm',
    '--target=es2022,chrome109,firefox115,safari16',
    `--outdir=${to}`,
  ]);
  copyFileSync(join(from, 'index.html'), join(to, 'index.html'));
}

/** Compiles src, scripts and test into dist, and makes the programs of that. */
export function build() {
  rmSync(join(root, 'dist'), { recursive: true, force: true });
  mustRun(process.execPath, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', root]);
  const page = join(root, 'src', 'admin', 'page', 'tsconfig.json');
  mustRun(process.execPath, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', page]);
  bundlePrograms();
  bundlePage();
  const metafiles = [programInputs, threadInputs, pageInputs];
  writeLicences(root, metafiles, join(root, 'dist', 'programs', 'LICENCES.txt'));
  writeFileSync(buildMark, '');
}

function buildIfStale() {
  const sources = ['src', 'scripts', 'test', 'tsconfig.json', 'package-lock.json'];
  const newest = Math.max(...sources.map((name) => newestChange(join(root, name))));
  if (existsSync(buildMark) && statSync(buildMark).mtimeMs >= newest) return;
  console.error('wormgate: building');
  build();
}

/** Installs and builds what is missing or stale. */
export function prepare() {
  checkNodeVersion();
  installIfNeeded();
  buildIfStale();
}
