// Brings a checkout into a runnable state with Node's own modules alone, because on a fresh clone
// nothing else exists yet: installs what the lockfile names when it is missing or stale, and compiles
// when a source is newer than the last build.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
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

/** What esbuild has put into the programs, and into the page. */
const programInputs = join(root, 'dist', 'programs.json');
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

/** What Node starts: the two programs, and the thread of the keyword check. */
const entryPoints = ['cli/wormgate.js', 'cli/virus.js', 'keyword-worker.js'];

/** Packages that are CommonJS ask for Node's modules by `require`, which a module does not have. */
const requireForPackages =
  "import { createRequire as requireFrom } from 'node:module'; var require = requireFrom(import.meta.url);";

/** Puts each program, packages included, into few files: Node takes longest with finding hundreds. */
function bundle() {
  mustRun(join(root, 'node_modules', 'esbuild', 'bin', 'esbuild'), [
    ...entryPoints.map((file) => join(root, 'dist', 'src', file)),
    '--bundle',
    '--splitting',
    '--platform=node',
    '--format=esm',
    // Of packages that come both ways, what nobody uses can be left out of a module.
    '--main-fields=module,main',
    '--entry-names=[name]',
    `--outdir=${join(root, 'dist', 'bin')}`,
    `--banner:js=${requireForPackages}`,
    `--metafile=${programInputs}`,
    '--log-level=warning',
  ]);
}

/** The web console's page: what the browser loads, in three files. */
function bundlePage() {
  const from = join(root, 'src', 'admin', 'page');
  const to = join(root, 'dist', 'page');
  mustRun(join(root, 'node_modules', 'esbuild', 'bin', 'esbuild'), [
    `page=${join(from, 'main.ts')}`,
    join(from, 'page.css'),
    '--bundle',
    '--minify',
    '--format=esm',
    '--target=es2022,chrome109,firefox115,safari16',
    `--outdir=${to}`,
    `--metafile=${pageInputs}`,
    '--log-level=warning',
  ]);
  copyFileSync(join(from, 'index.html'), join(to, 'index.html'));
}

/** Compiles src, scripts and test into dist, and makes the programs in dist/bin of that. */
export function build() {
  rmSync(join(root, 'dist'), { recursive: true, force: true });
  mustRun(process.execPath, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', root]);
  const page = join(root, 'src', 'admin', 'page', 'tsconfig.json');
  mustRun(process.execPath, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', page]);
  bundle();
  bundlePage();
  writeLicences(root, [programInputs, pageInputs], join(root, 'dist', 'bin', 'LICENCES.txt'));
  // npx runs the checkout's own bins as programs.
  const { bin } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  for (const file of Object.values(bin)) chmodSync(join(root, file), 0o755);
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
