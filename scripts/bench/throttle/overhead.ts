/**
 * What the throttle adds to a proxied request: two wormgates side by side, one with Enable=1 and one with
 * Enable=0, before an origin that keeps connections and before one that closes each, so that every request
 * makes a new connection and is admitted. CPU time of the process, as the kernel counts it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectPath } from '../../../test/support/paths.ts';
import { freePort } from '../../../test/support/wormgate.ts';
import { median } from '../proxies/figures.ts';
import { familyCpuMs } from '../proxies/process-time.ts';
import { askStatus } from '../proxies/running-peer.ts';
import { loadCore, proxyCore } from '../proxies/workplace.ts';
import { runWrk } from '../proxies/wrk.ts';

const roundCount = 7;
const secondsEach = 3;
const connectionCount = 32;

/** One kind of origin: CPU microseconds a request, medians of all rounds. */
export interface Overhead {
  readonly origin: string;
  readonly offUs: number;
  readonly onUs: number;
  /** The median of the rounds' ratios, less 1. */
  readonly share: number;
}

const originText = (port: number, keeps: boolean) => `
  require('node:http').createServer((request, response) => {
    response.shouldKeepAlive = ${keeps};
    response.end('x'.repeat(1024));
  }).listen(${port}, '127.0.0.1');`;

interface Running {
  readonly child: ChildProcess;
  readonly port: number;
}

async function untilServed(port: number): Promise<void> {
  for (let tries = 0; tries < 500; tries += 1) {
    if ((await askStatus(port, '/')) === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`nothing answers on port ${port}`);
}

async function startWormgate(folder: string, originPort: number, enable: number): Promise<Running> {
  const port = await freePort();
  const name = `${originPort}-${enable}`;
  const config = join(folder, `${name}.cfg`);
  const lines = [
    '[Extra Configuration] ScanVirusPatterns=1',
    `[Accelerator bench] Listen=127.0.0.1:${port} Origin=http://127.0.0.1:${originPort}`,
    `[Virus Throttle] Enable=${enable}`,
    '[Admin] Listen=',
    '[Log] LogRequests=blocked',
  ];
  writeFileSync(config, `${lines.join('\n')}\n`);
  const program = projectPath('dist', 'bin', 'wormgate.cjs');
  const args = [program, 'start', '--config', config, '--data', join(folder, name)];
  const child = spawn('taskset', ['-c', String(proxyCore), process.execPath, ...args], {
    stdio: 'ignore',
  });
  await untilServed(port);
  return { child, port };
}

async function load({ child, port }: Running): Promise<number> {
  const pid = child.pid ?? 0;
  const beforeMs = familyCpuMs(pid);
  const report = await runWrk({
    ...{ port, path: '/', connections: connectionCount, seconds: secondsEach, closing: false },
  });
  return ((familyCpuMs(pid) - beforeMs) * 1_000) / report.requestCount;
}

async function measureOne(folder: string, keeps: boolean): Promise<Overhead> {
  const originPort = await freePort();
  const origin = spawn(
    'taskset',
    ['-c', String(loadCore), process.execPath, '-e', originText(originPort, keeps)],
    { stdio: 'ignore' },
  );
  await untilServed(originPort);
  const off = await startWormgate(folder, originPort, 0);
  const on = await startWormgate(folder, originPort, 1);
  const offUs: number[] = [];
  const onUs: number[] = [];
  try {
    for (const each of [off, on]) await load(each);
    for (let round = 0; round < roundCount; round += 1) {
      // Whoever comes second finds a warmer machine: take turns.
      const order = round % 2 === 0 ? [off, on] : [on, off];
      for (const each of order) (each === off ? offUs : onUs).push(await load(each));
    }
  } finally {
    for (const child of [off.child, on.child, origin]) child.kill('SIGKILL');
  }
  const ratios = onUs.map((us, round) => us / (offUs[round] ?? us));
  return {
    origin: keeps ? 'keeps connections' : 'closes each connection',
    offUs: median(offUs),
    onUs: median(onUs),
    share: median(ratios) - 1,
  };
}

/** Both kinds of origin; takes about a minute and a half. */
export async function measureOverhead(): Promise<Overhead[]> {
  const folder = mkdtempSync(join(tmpdir(), 'wormgate-overhead-'));
  try {
    return [await measureOne(folder, true), await measureOne(folder, false)];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
