/**
 * A real snmptrapd of a test's own, on a free loopback port, with its files in a temporary folder, gone
 * when the test is over.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Cleanup } from './cleanup.ts';
import { programPath } from './parts.ts';
import { freePort, until } from './wormgate.ts';

/** A trap as it arrived: OIDs, without the leading dot, to values. */
export type ReceivedTrap = ReadonlyMap<string, string>;

export class TrapReceiver {
  readonly port: number;
  output = '';

  constructor(port: number) {
    this.port = port;
  }

  /** The traps so far, in the order of their arrival. */
  get traps(): readonly ReceivedTrap[] {
    const lines = this.output.split('\n').filter((line) => line.startsWith('TRAP '));
    return lines.map((line) => {
      const pairs = line.slice('TRAP '.length).split('\t');
      return new Map(pairs.map((pair) => readPair(pair)));
    });
  }

  async untilCount(count: number): Promise<readonly ReceivedTrap[]> {
    await until(
      () => this.traps.length >= count,
      10_000,
      () => `${this.traps.length} traps instead of ${count} in:\n${this.output}`,
    );
    return this.traps;
  }
}

function readPair(pair: string): [oid: string, value: string] {
  const [, oid = '', value = ''] = /^\.([\d.]+) = (.*)$/.exec(pair) ?? [];
  return [oid, value.replace(/^"(.*)"$/, '$1').replace(/^\.(?=\d+\.\d)/, '')];
}

/** Starts one that reads `lines` as its snmptrapd.conf, and waits until it listens. */
export async function startTrapReceiver(
  cleanup: Cleanup,
  lines: readonly string[],
): Promise<TrapReceiver> {
  const folder = mkdtempSync(join(tmpdir(), 'wormgate-snmptrapd-'));
  const file = join(folder, 'snmptrapd.conf');
  writeFileSync(file, `${lines.join('\n')}\n`);
  const receiver = new TrapReceiver(await freePort());
  // In the foreground, to stdout, without names of hosts or of MIBs; ticks as numbers.
  const options = ['-f', '-Lo', '-n', '-m', '', '-OnQt', '-F', 'TRAP %v\n', '-C', '-c', file];
  const child = spawn(programPath('snmptrapd'), [...options, `udp:127.0.0.1:${receiver.port}`], {
    env: { ...process.env, SNMP_PERSISTENT_DIR: join(folder, 'state'), MIBDIRS: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      receiver.output += chunk;
    });
  }
  cleanup.after(async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    rmSync(folder, { recursive: true, force: true });
  });
  await until(
    () => isBound(receiver.port),
    10_000,
    () => `snmptrapd does not listen: ${receiver.output}`,
  );
  return receiver;
}

/** Whether a socket of UDP has the port (Linux). */
function isBound(port: number): boolean {
  const own = port.toString(16).toUpperCase().padStart(4, '0');
  return readFileSync('/proc/net/udp', 'utf8').includes(`:${own} `);
}
