/** The programs that servers fetch things with work through the egress gateway: git, npm, apt. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join, normalize } from 'node:path';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { startGateway } from '../support/gateway.ts';
import { programPath, skipWithout } from '../support/parts.ts';

const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), 'wormgate-clients-'));
const site = join(folder, 'site');
mkdirSync(site);

/** A host of files, on 127.0.0.2; what it was asked for by whom. */
const asked: string[] = [];
const host = createServer((request, response) => {
  const path = decodeURIComponent((request.url ?? '/').replace(/\?.*/, ''));
  asked.push(`${request.headers.host} ${path}`);
  const file = join(site, normalize(path));
  if (!existsSync(file) || !statSync(file).isFile()) {
    response.statusCode = 404;
    response.end();
  } else response.end(readFileSync(file));
});
host.listen(0, '127.0.0.2');
await once(host, 'listening');
const address = host.address();
assert.ok(typeof address === 'object' && address !== null);
const base = `http://127.0.0.2:${address.port}`;
after(() => {
  host.close();
  rmSync(folder, { recursive: true, force: true });
});

/** What a program is told about the gateway, and nothing of what the machine's own user has set. */
function environment(gateway: number): NodeJS.ProcessEnv {
  const proxy = `http://127.0.0.1:${gateway}`;
  const home = join(folder, 'home');
  mkdirSync(home, { recursive: true });
  return {
    PATH: process.env.PATH,
    HOME: home,
    http_proxy: proxy,
    https_proxy: proxy,
    no_proxy: '',
  };
}

test('git clones through it', { skip: skipWithout('git') }, async (t) => {
  const gateway = await startGateway(t);
  const env = environment(gateway.port);
  const git = (...args: string[]) => run(programPath('git'), args, { env, timeout: 20_000 });
  const work = join(folder, 'work');
  await git('init', '-q', work);
  writeFileSync(join(work, 'file'), 'contents');
  await git('-C', work, 'add', 'file');
  const who = ['-c', 'user.name=test', '-c', 'user.email=test@localhost'];
  await git('-C', work, ...who, 'commit', '-q', '-m', 'first');
  await git('clone', '-q', '--bare', work, join(site, 'work.git'));
  await git('-C', join(site, 'work.git'), 'update-server-info');
  await git('clone', '-q', `${base}/work.git`, join(folder, 'copy'));
  assert.equal(readFileSync(join(folder, 'copy', 'file'), 'utf8'), 'contents');
  assert.ok(gateway.log.some(({ requestLine }) => requestLine.startsWith(`GET ${base}/work.git`)));
});

test('npm reads a registry through it', async (t) => {
  const gateway = await startGateway(t);
  const about = { name: 'made-up', version: '1.2.3', dist: { tarball: `${base}/made-up.tgz` } };
  const packument = {
    name: 'made-up',
    'dist-tags': { latest: '1.2.3' },
    versions: { '1.2.3': about },
  };
  writeFileSync(join(site, 'made-up'), JSON.stringify(packument));
  // The npm that runs the tests, if one does.
  const ownPath = process.env.npm_execpath;
  const [npm, ...own] = ownPath === undefined ? ['npm'] : [process.execPath, ownPath];
  const options = [`--registry=${base}/`, '--no-audit', '--no-update-notifier'];
  const { stdout } = await run(npm ?? '', [...own, 'view', 'made-up', 'version', ...options], {
    env: environment(gateway.port),
    timeout: 30_000,
  });
  assert.equal(stdout.trim(), '1.2.3');
  // Some versions ask for a tunnel for plain http as well.
  const seen = gateway.log.map(({ requestLine }) => requestLine).join('\n');
  assert.match(seen, new RegExp(`^(GET ${base}/made-up|CONNECT 127\\.0\\.0\\.2:)`, 'm'));
});

test('apt updates through it', { skip: skipWithout('apt-get') }, async (t) => {
  const gateway = await startGateway(t);
  const list =
    'Package: made-up\nVersion: 1.0\nArchitecture: all\nFilename: made-up.deb\nSize: 1\n';
  mkdirSync(join(site, 'debian'));
  writeFileSync(join(site, 'debian', 'Packages.gz'), gzipSync(list));
  const apt = join(folder, 'apt');
  for (const each of ['lists/partial', 'cache/archives/partial', 'etc']) {
    mkdirSync(join(apt, each), { recursive: true });
  }
  const sources = join(apt, 'etc', 'sources.list');
  writeFileSync(sources, `deb [trusted=yes] ${base}/debian/ ./\n`);
  const options = {
    'Dir::Etc::SourceList': sources,
    'Dir::Etc::SourceParts': '-',
    'Dir::State::Lists': join(apt, 'lists'),
    'Dir::Cache': join(apt, 'cache'),
    'Acquire::http::Proxy': `http://127.0.0.1:${gateway.port}`,
    'Acquire::Languages': 'none',
    'APT::Sandbox::User': '',
  };
  const args = Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  await run(programPath('apt-get'), [...args, 'update'], {
    env: { PATH: process.env.PATH },
    timeout: 30_000,
  });
  assert.ok(
    asked.some((line) => line.endsWith('/debian/./Packages.gz')),
    asked.join('\n'),
  );
  assert.ok(gateway.log.some(({ requestLine }) => requestLine.includes('/debian/')));
});
