/** A redis-server of a test's own on a free port, and a fleet of wormgates around it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Cleanup } from './cleanup.ts';
import { done } from './operator.ts';
import { programPath } from './parts.ts';
import { freePort, makeWormgate, until, type Wormgate } from './wormgate.ts';

export class Redis {
  readonly port: number;
  readonly folder: string;
  readonly #options: readonly string[];
  #process: ChildProcess | undefined;
  output = '';

  constructor(port: number, folder: string, options: readonly string[]) {
    this.port = port;
    this.folder = folder;
    this.#options = options;
  }

  /** Starts it, with what its folder holds. */
  async start(): Promise<void> {
    const listen = this.#options.includes('--tls-port') ? [] : ['--port', String(this.port)];
    const child = spawn(
      programPath('redis-server'),
      [...listen, '--bind', '127.0.0.1', '--dir', this.folder, '--save', '', ...this.#options],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    this.#process = child;
    this.output = '';
    child.stdout?.on('data', (chunk) => {
      this.output += chunk;
    });
    const isReady = () => this.output.includes('Ready to accept connections');
    await until(
      () => isReady() || child.exitCode !== null,
      10_000,
      () => this.output,
    );
    if (!isReady()) throw new Error(this.output);
  }

  signal(name: NodeJS.Signals): void {
    this.#process?.kill(name);
  }

  /** Ends it at once; what it keeps in memory is gone. */
  async kill(): Promise<void> {
    const child = this.#process;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  /** One command, given in words; the reply as it comes over the wire. */
  async call(...words: string[]): Promise<string> {
    const socket = connect(this.port, '127.0.0.1');
    try {
      await once(socket, 'connect');
      socket.write(
        `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`,
      );
      const [reply] = await once(socket, 'data');
      return String(reply);
    } finally {
      socket.destroy();
    }
  }
}

/** A running redis-server that the test's end stops; `options` as on its command line. */
export async function startRedis(test: Cleanup, ...options: string[]): Promise<Redis> {
  const folder = mkdtempSync(join(tmpdir(), 'wormgate-redis-'));
  const redis = new Redis(await freePort(), folder, options);
  test.after(async () => {
    redis.signal('SIGCONT');
    await redis.kill();
    rmSync(folder, { recursive: true, force: true });
  });
  if (!options.includes('--tls-port')) await redis.start();
  return redis;
}

/** Wormgates that share by an engine, named node-1 and so on, configured and not started. */
export async function makeFleet(
  test: Cleanup,
  url: string,
  count: number,
  settings: readonly string[] = [],
): Promise<Wormgate[]> {
  const nodes: Wormgate[] = [];
  for (let number = 1; number <= count; number += 1) {
    const node = await makeWormgate(test, fleetOptions(url, number, settings));
    nodes.push(node);
  }
  return nodes;
}

/** The configuration of such a wormgate. */
export function fleetOptions(url: string, number: number, settings: readonly string[] = []) {
  const fleet = [`Url=${url}`, `NodeName=node-${number}`, 'EngineTimeout=1', ...settings];
  return { sections: { Fleet: fleet } };
}

/** Starts them all. */
export async function startAll(nodes: readonly Wormgate[]): Promise<void> {
  await Promise.all(nodes.map((node) => node.start()));
}

/** What `virus dump` writes. */
export async function dumpOf(node: Wormgate): Promise<string> {
  await done(node, 'dump');
  return readFileSync(join(node.dataFolder, 'VIRPAT.NCF'), 'latin1');
}
