/** Where and with what a benchmark ran: machine, kernel, versions. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { projectPath } from '../../../test/support/paths.ts';

export interface Machine {
  readonly processor: string;
  readonly coreCount: number;
  readonly kernel: string;
  /** Name and version of each program, in the order of the tables. */
  readonly versions: readonly (readonly [name: string, version: string])[];
}

/** The first version number in what a program prints about itself. */
function programVersion(command: string, ...args: string[]): string | undefined {
  const { stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  return /\d+\.\d+(?:\.\d+)*/.exec(`${stdout ?? ''}${stderr ?? ''}`)?.[0];
}

function debianVersion(name: string): string | undefined {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is dpkg-query's own form.
  return programVersion('dpkg-query', '-W', '-f=${Version}', name);
}

function moduleVersion(...path: string[]): string | undefined {
  const file = projectPath(...path, 'package.json');
  const read = JSON.parse(readFileSync(file, 'utf8')) as { version?: string };
  return read.version;
}

/** Asks the machine and every program. */
export function describeMachine(): Machine {
  const versions: [string, string | undefined][] = [
    ['wormgate', moduleVersion()],
    ['Node.js', process.versions.node],
    ['nginx', programVersion('/usr/sbin/nginx', '-v')],
    ['HAProxy', programVersion('/usr/sbin/haproxy', '-v')],
    ['Varnish', programVersion('/usr/sbin/varnishd', '-V')],
    ['Apache', programVersion('/usr/sbin/apache2', '-v')],
    ['ModSecurity', debianVersion('libmodsecurity3')],
    ['OWASP Core Rule Set', debianVersion('modsecurity-crs')],
    ['http-proxy (httpxy)', moduleVersion('node_modules', 'http-proxy')],
    ['Fastify', moduleVersion('node_modules', 'fastify')],
    ['@fastify/http-proxy', moduleVersion('node_modules', '@fastify', 'http-proxy')],
    ['wrk', programVersion('/usr/bin/wrk', '-v')],
  ];
  const processors = cpus();
  return {
    processor: processors[0]?.model.trim() ?? 'unknown',
    coreCount: processors.length,
    kernel: `Linux ${/^[\d.]+/.exec(release())?.[0] ?? release()}`,
    versions: versions.filter((each): each is [string, string] => each[1] !== undefined),
  };
}

/** How busy the machine is with other things, all cores together: 0-1. Takes a second. */
export async function busyShareOfMachine(): Promise<number> {
  const times = () => {
    const all = cpus().map((each) => each.times);
    const idle = all.reduce((sum, each) => sum + each.idle, 0);
    return { idle, all: all.flatMap((each) => Object.values(each)).reduce((sum, ms) => sum + ms) };
  };
  const before = times();
  await sleep(1_000);
  const after = times();
  return 1 - (after.idle - before.idle) / Math.max(after.all - before.all, 1);
}
