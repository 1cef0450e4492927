/**
 * A wormgate of a test's own: a real process on free loopback ports, with a PROXY.CFG and a data
 * folder in a temporary place, gone when the test is over.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { get, type IncomingMessage } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Cleanup } from './cleanup.ts';
import { isOfOneProcess } from './one-process.ts';
import { projectPath } from './paths.ts';

/** Of the same build as the tests. */
const program = join(import.meta.dirname, '..', '..', 'bin', 'wormgate.cjs');

/** Below the ports that systems give to outgoing connections. */
const firstPort = 12_000;
const portCount = 20_000;
/** Each test process has a range of its own, so that two never take the same port at once. */
const portsEach = 100;
let given = 0;

/**
 * A port that was free a moment ago. None that an outgoing connection could have by chance: a server
 * that a test stops and starts again would find its port taken.
 */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < 100; tries += 1) {
    const port = firstPort + ((process.pid * portsEach + given++) % portCount);
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => resolve(true));
    });
    if (!isFree) continue;
    server.close();
    await once(server, 'close');
    return port;
  }
  throw new Error('no free port');
}

export interface CliResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `wormgate ARGS` to its end. */
export function runCli(args: readonly string[], cwd = projectPath()): CliResult {
  const result = spawnSync(process.execPath, [program, ...args], {
    cwd,
    encoding: 'latin1',
    timeout: 30_000,
    maxBuffer: 64 * 1024 * 1024,
  });
  return { code: result.status ?? -1, stdout: result.stdout, stderr: result.stderr };
}

export interface WormgateOptions {
  /** The origin's URL, or `demo`. */
  readonly origin?: string;
  /** Lines for sections of PROXY.CFG, e.g. `{ 'Limits': ['BodyTimeout=1'] }`. */
  readonly sections?: Readonly<Record<string, readonly string[]>>;
  /** Lines for the accelerator's own section. */
  readonly accelerator?: readonly string[];
}

/**
 * WORKERS=2 in the environment: every wormgate of the tests has so many workers, unless its test says how many
 * or is one of those in one-process.ts.
 */
function withWorkers(sections: Readonly<Record<string, readonly string[]>>) {
  const workers = process.env.WORKERS ?? '1';
  if (workers === '1' || isOfOneProcess(process.argv[1] ?? '')) return sections;
  const fleet = sections.Fleet ?? [];
  if (fleet.some((line) => line.startsWith('Workers='))) return sections;
  return { ...sections, Fleet: [`Workers=${workers}`, ...fleet] };
}

/** What passes through is tested without a cache, unless a test says otherwise. */
function withoutCache(section: string, lines: readonly string[]): readonly string[] {
  const isDecided =
    !section.startsWith('Accelerator ') || lines.some((line) => /^Cache=/.test(line));
  return isDecided ? lines : [...lines, 'Cache=0'];
}

export class Wormgate {
  readonly folder: string;
  readonly dataFolder: string;
  readonly configFile: string;
  readonly port: number;
  readonly adminPort: number;
  #process: ChildProcess | undefined;
  stdout = '';
  stderr = '';

  constructor(folder: string, port: number, adminPort: number) {
    this.folder = folder;
    this.dataFolder = join(folder, 'data');
    this.configFile = join(folder, 'PROXY.CFG');
    this.port = port;
    this.adminPort = adminPort;
  }

  /** Writes PROXY.CFG; sections given replace the defaults line by line. */
  configure(options: WormgateOptions): void {
    const sections: Record<string, readonly string[]> = {
      'Extra Configuration': ['ScanVirusPatterns=1'],
      'Accelerator test': [
        `Listen=127.0.0.1:${this.port}`,
        `Origin=${options.origin ?? 'demo'}`,
        ...(options.accelerator ?? []),
      ],
      Admin: [`Listen=127.0.0.1:${this.adminPort}`],
      // Tests ask for many things that are not there, all from one address.
      'Virus Sources': ['SourceBlocking=0'],
      ...options.sections,
    };
    const text = Object.entries(withWorkers(sections))
      .map(([name, lines]) => `[${name}]\n${withoutCache(name, lines).join('\n')}\n`)
      .join('\n');
    // A reload may be reading it.
    writeFileSync(`${this.configFile}.new`, text, 'latin1');
    renameSync(`${this.configFile}.new`, this.configFile);
  }

  /** Starts the process and waits for `wormgate ready`. */
  async start(): Promise<void> {
    const child = spawn(
      process.execPath,
      [program, 'start', '--config', this.configFile, '--data', this.dataFolder],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    this.#process = child;
    this.stdout = '';
    child.stdout?.on('data', (chunk) => {
      this.stdout += chunk;
    });
    child.stderr?.on('data', (chunk) => {
      this.stderr += chunk;
    });
    await until(() => this.stdout.includes('wormgate ready\n') || child.exitCode !== null);
    if (child.exitCode !== null) {
      await until(() => child.stderr?.closed !== false);
      throw new Error(`wormgate exited with ${child.exitCode}: ${this.stderr}`);
    }
  }

  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  /** The processes of its workers. */
  get workerPids(): number[] {
    const children = readFileSync(`/proc/${this.pid}/task/${this.pid}/children`, 'utf8');
    return children.trim().split(' ').filter(Boolean).map(Number);
  }

  /** Sends a signal without waiting. */
  signal(name: NodeJS.Signals): void {
    this.#process?.kill(name);
  }

  /** Sends a signal and waits for the end; resolves to the exit code. */
  async stop(name: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    const child = this.#process;
    if (child === undefined) return null;
    if (child.exitCode === null && child.signalCode === null) {
      child.kill(name);
      await once(child, 'exit');
    }
    return child.exitCode;
  }

  /** One console command. */
  virus(...args: string[]): CliResult {
    return runCli(['virus', '--data', this.dataFolder, ...args]);
  }

  /** PROXY.LOG as it is now. */
  log(): string {
    const file = join(this.dataFolder, 'PROXY.LOG');
    return existsSync(file) ? readFileSync(file, 'latin1') : '';
  }

  /** hp-vt.log as it is now. */
  throttleLog(): string {
    const file = join(this.dataFolder, 'hp-vt.log');
    return existsSync(file) ? readFileSync(file, 'latin1') : '';
  }

  /** Waits until PROXY.LOG has a line that matches; the batch is written within a moment. */
  async logLine(pattern: RegExp): Promise<string> {
    const found = () =>
      this.log()
        .split('\n')
        .find((line) => pattern.test(line));
    await until(
      () => found() !== undefined,
      5000,
      () => `no ${pattern} in:\n${this.log()}`,
    );
    return found() ?? '';
  }

  /** A counter's value, from the admin server. */
  async counter(name: string): Promise<number> {
    const metrics = await this.#metrics();
    const value = new RegExp(`^wormgate_${name}_total (\\d+)$`, 'm').exec(metrics)?.[1];
    if (value === undefined) throw new Error(`no counter ${name}`);
    return Number(value);
  }

  /** By node:http, because the first `fetch` of a process costs five times as much. */
  async #metrics(): Promise<string> {
    const request = get({ host: '127.0.0.1', port: this.adminPort, path: '/metrics' });
    const [answer]: IncomingMessage[] = await once(request, 'response');
    return answer === undefined ? '' : await text(answer);
  }
}

/** Waits for a condition, looking every 10 ms. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  waitMs = 10_000,
  explain: () => string = () => 'the condition never came true',
): Promise<void> {
  const end = Date.now() + waitMs;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(explain());
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** A running wormgate that the test's end stops and clears away. */
export async function startWormgate(
  test: Cleanup,
  options: WormgateOptions = {},
): Promise<Wormgate> {
  const wormgate = await makeWormgate(test, options);
  await wormgate.start();
  return wormgate;
}

/** A wormgate that is configured but not started; the test's end clears it away. */
export async function makeWormgate(
  test: Cleanup,
  options: WormgateOptions = {},
): Promise<Wormgate> {
  const folder = mkdtempSync(join(tmpdir(), 'wormgate-test-'));
  const wormgate = new Wormgate(folder, await freePort(), await freePort());
  wormgate.configure(options);
  test.after(async () => {
    await wormgate.stop('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });
  return wormgate;
}
