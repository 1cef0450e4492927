/**
 * Where a benchmark runs: a temporary folder and the processes that were started, all of them gone at
 * the end, also after a failure or Ctrl-C. Knows nothing about proxies.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { familyCpuMs, familyPids } from './process-time.ts';

/** The proxies have a core for themselves; load, origin and this program share the other one. */
export const proxyCore = 0;
export const loadCore = 1;

const stopWaitMs = 5_000;

export interface StartOptions {
  readonly core: number;
  /** Gets stdout and stderr. */
  readonly outputFile: string;
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended by itself.
  }
}

/** A process that was started, with its descendants. */
export class Running {
  readonly pid: number;
  readonly outputFile: string;
  readonly #child: ChildProcess;

  constructor(child: ChildProcess, outputFile: string) {
    this.#child = child;
    this.pid = child.pid ?? 0;
    this.outputFile = outputFile;
  }

  get hasEnded(): boolean {
    const { exitCode, signalCode, pid } = this.#child;
    return pid === undefined || exitCode !== null || signalCode !== null;
  }

  /** CPU time used so far, descendants included. */
  cpuMs(): number {
    return familyCpuMs(this.pid);
  }

  /** What it wrote, to explain a failure. */
  output(): string {
    return readFileSync(this.outputFile, 'latin1').slice(-2_000);
  }

  async stop(): Promise<void> {
    if (this.hasEnded) return;
    const family = familyPids(this.pid);
    signal(this.pid, 'SIGTERM');
    const end = Date.now() + stopWaitMs;
    while (!this.hasEnded && Date.now() < end) await sleep(20);
    // A master that had to be killed leaves its workers behind.
    if (!this.hasEnded) for (const pid of family) signal(pid, 'SIGKILL');
  }

  /** The same at once, for the end of this process. */
  kill(): void {
    if (this.hasEnded) return;
    for (const pid of familyPids(this.pid)) signal(pid, 'SIGKILL');
  }
}

export class Workplace {
  readonly folder: string;
  readonly #running = new Set<Running>();

  constructor() {
    this.folder = mkdtempSync(join(tmpdir(), 'wormgate-bench-'));
    // The workers of some servers run as another user.
    chmodSync(this.folder, 0o755);
    process.on('exit', () => this.#clear());
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.once(name, () => process.exit(1));
    }
  }

  /** Starts a program pinned to a core. */
  start(command: string, args: readonly string[], options: StartOptions): Running {
    const output = openSync(options.outputFile, 'a');
    const child = spawn('taskset', ['-c', String(options.core), command, ...args], {
      cwd: this.folder,
      stdio: ['ignore', output, output],
    });
    closeSync(output);
    // A missing program is found out by whoever waits for it.
    child.on('error', () => undefined);
    const running = new Running(child, options.outputFile);
    this.#running.add(running);
    return running;
  }

  async stop(running: Running): Promise<void> {
    await running.stop();
    this.#running.delete(running);
  }

  #clear(): void {
    for (const running of this.#running) running.kill();
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 3 });
  }
}
