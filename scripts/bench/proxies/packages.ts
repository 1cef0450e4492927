/**
 * The programs that the benchmark runs, and the Debian packages they come from. Missing ones are
 * installed when that can be done without asking; otherwise the peers that need them are left out.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { type PeerName, peerRow } from './peers.ts';

/** Without these nothing can be measured. */
const tools: Readonly<Record<string, string>> = {
  '/usr/bin/wrk': 'wrk',
  '/usr/bin/taskset': 'util-linux',
  '/usr/sbin/nginx': 'nginx',
};

function missingOf(parts: Readonly<Record<string, string>>): string[] {
  return Object.entries(parts)
    .filter(([path]) => !existsSync(path))
    .map(([, name]) => name);
}

/** Packages of the peer that are not installed. */
export function missingPackages(name: PeerName): string[] {
  return missingOf(peerRow(name).parts);
}

function install(packages: readonly string[]): void {
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return;
  console.error(`wormgate: installing for the benchmark: ${packages.join(' ')}`);
  const run = (...args: string[]) =>
    spawnSync('apt-get', args, {
      stdio: ['ignore', 'ignore', 2],
      // A package must not start its server: it would run beside the benchmark.
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' },
      timeout: 300_000,
    });
  run('update', '-q');
  run('install', '-q', '-y', '--no-install-recommends', ...packages);
}

/** Installs what the peers need, if it can; throws when the benchmark's own tools are missing. */
export function installPackages(names: readonly PeerName[]): void {
  const missing = new Set([...missingOf(tools), ...names.flatMap(missingPackages)]);
  if (missing.size > 0) install([...missing]);
  const needed = missingOf(tools);
  if (needed.length > 0) throw new Error(`not installed: ${needed.join(' ')}`);
}
