/** A peer that runs: started from its row, answering, with its CPU time and its ports. */
import { rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../../test/support/wormgate.ts';
import { makeFolder, type PeerName, type Ports, peerRow, type Setting } from './peers.ts';
import { fillTemplate, readTemplate } from './template.ts';
import { proxyCore, type Running, type Workplace } from './workplace.ts';

/** Reading a million patterns takes a while. */
const startWaitMs = 120_000;

/** The status of the answer to a GET; undefined when there is none. */
export function askStatus(port: number, path: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    const request = get(
      { host: '127.0.0.1', port, path, agent: false, timeout: 5_000 },
      (answer) => {
        answer.resume();
        answer.on('end', () => resolve(answer.statusCode));
        answer.on('error', () => resolve(undefined));
      },
    );
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(undefined));
  });
}

/** Waits until a GET is answered; throws when the process ends before, with its output. */
export async function untilAnswered(running: Running, port: number, path: string): Promise<void> {
  const end = Date.now() + startWaitMs;
  while ((await askStatus(port, path)) === undefined) {
    if (running.hasEnded || Date.now() > end) {
      throw new Error(`no answer on port ${port}: ${running.output()}`);
    }
    await sleep(50);
  }
}

function fillTemplates(name: PeerName, setting: Setting): void {
  const { folder, ports, logsOn } = setting;
  const values = {
    FOLDER: folder,
    RELAY_PORT: ports.relay,
    OPEN_PORT: ports.open,
    CLOSING_PORT: ports.closing,
    ADMIN_PORT: ports.admin,
    ORIGIN_PORT: ports.origin,
    ...peerRow(name).values?.(setting),
  };
  for (const template of peerRow(name).templates) {
    const text = fillTemplate(readTemplate(template), logsOn, values);
    writeFileSync(join(folder, template), text);
  }
}

export class RunningPeer {
  readonly name: PeerName;
  readonly ports: Ports;
  readonly #folder: string;
  readonly #workplace: Workplace;
  readonly #processes: Running[] = [];

  private constructor(name: PeerName, { ports, folder }: Setting, workplace: Workplace) {
    this.name = name;
    this.ports = ports;
    this.#folder = folder;
    this.#workplace = workplace;
  }

  /** Starts a peer on free ports and waits until it relays. */
  static async start(
    name: PeerName,
    workplace: Workplace,
    originPort: number,
    logsOn: boolean,
  ): Promise<RunningPeer> {
    const ports = {
      relay: await freePort(),
      open: await freePort(),
      closing: await freePort(),
      admin: await freePort(),
      origin: originPort,
    };
    const folder = makeFolder(workplace.folder, `${name}-${ports.relay}`);
    const setting = { folder, ports, logsOn };
    fillTemplates(name, setting);
    const peer = new RunningPeer(name, setting, workplace);
    const row = peerRow(name);
    try {
      const server = peer.#run(row.command(setting), folder);
      await untilAnswered(server, ports.relay, '/1k');
      const companion = row.companion?.(setting);
      if (companion !== undefined) peer.#run(companion, folder);
    } catch (error) {
      await peer.stop();
      throw error;
    }
    return peer;
  }

  #run([program, ...args]: readonly [string, ...string[]], folder: string): Running {
    const outputFile = join(folder, 'output.log');
    const running = this.#workplace.start(program, args, { core: proxyCore, outputFile });
    this.#processes.push(running);
    return running;
  }

  /** CPU time that all its processes have used so far. */
  cpuMs(): number {
    const ended = this.#processes.find((each) => each.hasEnded);
    if (ended !== undefined) throw new Error(`${this.name} has ended: ${ended.output()}`);
    return this.#processes.reduce((sum, each) => sum + each.cpuMs(), 0);
  }

  /** A counter of a wormgate. */
  async counter(name: string): Promise<number> {
    const answer = await fetch(`http://127.0.0.1:${this.ports.admin}/metrics`);
    const value = new RegExp(`^wormgate_${name}_total (\\d+)$`, 'm').exec(await answer.text())?.[1];
    if (value === undefined) throw new Error(`no counter ${name}`);
    return Number(value);
  }

  async stop(): Promise<void> {
    for (const running of this.#processes.reverse()) await this.#workplace.stop(running);
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 3 });
  }
}
