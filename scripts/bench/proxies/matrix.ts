/** The whole course: scenario after scenario, peers in turn, round after round. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../../test/support/wormgate.ts';
import { fullEffort, measureScreening, quickEffort } from '../screening/cost.ts';
import { type Figures, medianFigures } from './figures.ts';
import { calibrateFlood, type FloodFigures, measureFlood, medianFlood } from './flood.ts';
import { checkAnswer, measureLoad } from './measurement.ts';
import type { Options } from './options.ts';
import { missingPackages } from './packages.ts';
import { makeFolder, type PeerName, peerRow } from './peers.ts';
import type { FloodResult, LoadResult, Results } from './results.ts';
import { RunningPeer, untilAnswered } from './running-peer.ts';
import { relayScenario, type Scenario } from './scenarios.ts';
import { fillTemplate, readTemplate } from './template.ts';
import { loadCore, proxyCore, Workplace } from './workplace.ts';

function say(sentence: string): void {
  process.stderr.write(`${sentence}\n`);
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Starts the origin and gives its port. */
async function startOrigin(workplace: Workplace): Promise<number> {
  const port = await freePort();
  const folder = makeFolder(workplace.folder, 'origin');
  const html = join(folder, 'html');
  mkdirSync(join(html, 'cached'), { recursive: true });
  const page = (bytes: number) => 'wormgate relays this. '.repeat(bytes).slice(0, bytes);
  writeFileSync(join(html, '1k'), page(1_024));
  writeFileSync(join(html, '64k'), page(65_536));
  writeFileSync(join(html, 'cached', '1k'), page(1_024));
  const configuration = join(folder, 'origin.conf');
  const values = { FOLDER: folder, HTML_FOLDER: html, ORIGIN_PORT: port };
  writeFileSync(configuration, fillTemplate(readTemplate('origin.conf'), false, values));
  const outputFile = join(folder, 'output.log');
  const options = { core: loadCore, outputFile };
  const args = ['-p', folder, '-c', configuration];
  await untilAnswered(workplace.start('/usr/sbin/nginx', args, options), port, '/1k');
  return port;
}

class Matrix {
  readonly #options: Options;
  readonly #workplace: Workplace;
  readonly #originPort: number;
  readonly loads: LoadResult[] = [];
  readonly floods: FloodResult[] = [];
  readonly leftOut = new Set<string>();

  constructor(options: Options, workplace: Workplace, originPort: number) {
    this.#options = options;
    this.#workplace = workplace;
    this.#originPort = originPort;
  }

  async run(scenario: Scenario, logsOn: boolean): Promise<void> {
    const peers: RunningPeer[] = [];
    say(`${scenario.name}, access logs ${logsOn ? 'on' : 'off'}`);
    for (const name of scenario.peers) {
      const peer = await this.#start(name, scenario, logsOn);
      if (peer !== undefined) peers.push(peer);
    }
    try {
      if (scenario.kind === 'flood') await this.#runFlood(scenario, peers);
      else await this.#runLoads(scenario, peers, logsOn);
    } catch (error) {
      // What the other scenarios found is not lost for one that failed.
      this.#leaveOut(`${scenario.name} failed: ${describe(error)}`);
    } finally {
      for (const peer of peers) await peer.stop();
    }
  }

  async #start(
    name: PeerName,
    scenario: Scenario,
    logsOn: boolean,
  ): Promise<RunningPeer | undefined> {
    const missing = missingPackages(name);
    if (missing.length > 0) {
      this.#leaveOut(`${peerRow(name).title} was left out: not installed: ${missing.join(' ')}`);
      return undefined;
    }
    let peer: RunningPeer | undefined;
    try {
      peer = await RunningPeer.start(name, this.#workplace, this.#originPort, logsOn);
      await checkAnswer(peer, scenario);
      await this.#warm(peer, scenario);
      return peer;
    } catch (error) {
      await peer?.stop();
      this.#leaveOut(`${scenario.name}: ${peerRow(name).title} failed: ${describe(error)}`);
      return undefined;
    }
  }

  /** Compilers, caches and pools of connections have their first seconds here. */
  async #warm(peer: RunningPeer, scenario: Scenario): Promise<void> {
    const seconds = this.#options.quick ? 1 : 2;
    await measureLoad(peer, scenario, seconds);
    // The humble requests of a flood go the way of the relay.
    if (scenario.kind === 'flood') await measureLoad(peer, relayScenario, seconds);
  }

  #leaveOut(sentence: string): void {
    this.leftOut.add(sentence);
    say(sentence);
  }

  /** Peers in turn, so that a busy moment of the machine does not fall on one of them alone. */
  async #runLoads(
    scenario: Scenario,
    peers: readonly RunningPeer[],
    logsOn: boolean,
  ): Promise<void> {
    const rounds = new Map<RunningPeer, Figures[]>(peers.map((peer) => [peer, []]));
    for (let round = 1; round <= this.#options.rounds; round += 1) {
      for (const [peer, figures] of rounds) {
        const found = await measureLoad(peer, scenario, this.#options.seconds);
        figures.push(found);
        const { requestsPerSecond, cpuUs, fault } = found;
        const shown = `${requestsPerSecond.toFixed(0)} req/s, ${cpuUs.toFixed(1)} µs`;
        say(`  round ${round}, ${peer.name}: ${shown}${fault === undefined ? '' : ` (${fault})`}`);
      }
    }
    for (const [peer, figures] of rounds) {
      const { name } = scenario;
      this.loads.push({ scenario: name, peer: peer.name, logsOn, figures: medianFigures(figures) });
    }
  }

  async #runFlood(scenario: Scenario, peers: readonly RunningPeer[]): Promise<void> {
    const rounds = new Map<RunningPeer, FloodFigures[]>(peers.map((peer) => [peer, []]));
    const connections = new Map<RunningPeer, number>();
    for (const peer of peers) connections.set(peer, await calibrateFlood(peer, scenario));
    for (let round = 1; round <= this.#options.rounds; round += 1) {
      for (const [peer, figures] of rounds) {
        const count = connections.get(peer) ?? 1;
        const found = await measureFlood(peer, scenario, count, this.#options.seconds);
        figures.push(found);
        const p99 = `p99 ${found.quietP99Ms.toFixed(2)} → ${found.floodP99Ms.toFixed(2)} ms`;
        const flood = `${found.floodPerSecond.toFixed(0)} virus requests a second`;
        const busy = `core ${(found.busyShare * 100).toFixed(0)} % busy`;
        say(`  round ${round}, ${peer.name}: ${p99}, ${flood}, ${busy}`);
      }
    }
    for (const [peer, figures] of rounds) {
      this.floods.push({ peer: peer.name, figures: medianFlood(figures) });
    }
  }
}

/** Runs the scenarios in each of the log modes, then what only the whole of them needs. */
export async function runMatrix(
  options: Options,
  scenarios: readonly Scenario[],
  withScreening: boolean,
): Promise<Results> {
  const workplace = new Workplace();
  // This program waits most of the time, but it is not to wait on the proxies' core.
  spawnSync('taskset', ['-a', '-cp', String(loadCore), String(process.pid)]);
  const matrix = new Matrix(options, workplace, await startOrigin(workplace));
  for (const logsOn of options.logModes) {
    for (const scenario of scenarios) {
      if (!(logsOn && scenario.logsOffOnly === true)) await matrix.run(scenario, logsOn);
    }
  }
  if (withScreening) say('screening, in process');
  const launcher = ['taskset', '-c', String(proxyCore)];
  const effort = options.quick ? quickEffort : fullEffort;
  return {
    loads: matrix.loads,
    floods: matrix.floods,
    screening: withScreening ? measureScreening(effort, launcher) : [],
    leftOut: [...matrix.leftOut],
  };
}
