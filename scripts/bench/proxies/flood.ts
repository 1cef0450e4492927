/**
 * Humble requests while virus requests flood a proxy, each on a new connection. The flood is sized so
 * that it alone keeps the proxy's core 80 % busy.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { median } from './figures.ts';
import type { HumbleReport } from './humble-client.ts';
import type { RunningPeer } from './running-peer.ts';
import { portOf, type Scenario } from './scenarios.ts';
import { templatePath } from './template.ts';
import { loadCore } from './workplace.ts';
import { runWrk, type WrkReport } from './wrk.ts';

/** How busy the flood alone keeps the proxy's core. */
export const floodShare = 0.8;
const tolerance = 0.02;
const calibrationCount = 5;
/** Of one connection of the flood, as templates/flood.lua has it. */
const meanDelayMs = 10;
const connectionsMax = 4_000;

/** Humble requests without and with a flood. */
export interface FloodFigures {
  readonly quietP50Ms: number;
  readonly quietP99Ms: number;
  readonly floodP50Ms: number;
  readonly floodP99Ms: number;
  readonly floodPerSecond: number;
  /** Of the proxy's core, during the flood, humble requests included: 0-1. */
  readonly busyShare: number;
}

export function medianFlood(rounds: readonly FloodFigures[]): FloodFigures {
  const of = (key: keyof FloodFigures) => median(rounds.map((each) => each[key]));
  return {
    quietP50Ms: of('quietP50Ms'),
    quietP99Ms: of('quietP99Ms'),
    floodP50Ms: of('floodP50Ms'),
    floodP99Ms: of('floodP99Ms'),
    floodPerSecond: of('floodPerSecond'),
    busyShare: of('busyShare'),
  };
}

async function runHumbleClient(port: number, seconds: number): Promise<HumbleReport> {
  const program = join(import.meta.dirname, 'humble-client.js');
  const child = spawn(
    'taskset',
    ['-c', String(loadCore), process.execPath, program, String(port), String(seconds)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output += text;
  });
  const code = await new Promise((resolve) => child.on('close', resolve));
  if (code !== 0) throw new Error('the humble client failed');
  return JSON.parse(output) as HumbleReport;
}

/** How busy the proxy keeps its core in the next seconds: 0-1. */
async function busyShareOf(peer: RunningPeer, seconds: number): Promise<number> {
  const cpuBefore = peer.cpuMs();
  const begin = performance.now();
  await sleep(seconds * 1_000);
  return (peer.cpuMs() - cpuBefore) / (performance.now() - begin);
}

function startFlood(
  peer: RunningPeer,
  scenario: Scenario,
  connections: number,
  seconds: number,
): Promise<WrkReport> {
  return runWrk({
    port: portOf(scenario, peer.ports),
    path: scenario.path,
    connections,
    seconds,
    closing: true,
    paceScript: templatePath('flood.lua'),
  });
}

/** How busy a flood over so many connections keeps the proxy's core. */
async function tryFlood(
  peer: RunningPeer,
  scenario: Scenario,
  connections: number,
): Promise<number> {
  const flood = startFlood(peer, scenario, connections, 3);
  await sleep(1_000);
  const share = await busyShareOf(peer, 1.5);
  await flood;
  return share;
}

/**
 * Finds how many connections, each at its pace, keep the proxy's core as busy as is wanted. Where the
 * load's core cannot send so much, as many as it can serve.
 */
export async function calibrateFlood(peer: RunningPeer, scenario: Scenario): Promise<number> {
  const saturation = await runWrk({
    port: portOf(scenario, peer.ports),
    path: scenario.path,
    connections: 64,
    seconds: 2,
    closing: true,
  });
  const capacity = saturation.requestCount / saturation.seconds;
  let connections = Math.ceil((capacity * floodShare * meanDelayMs) / 1_000);
  let best = { connections, share: 0 };
  for (let turn = 0; turn < calibrationCount; turn += 1) {
    const share = await tryFlood(peer, scenario, connections);
    const isNearer = Math.abs(share - floodShare) < Math.abs(best.share - floodShare);
    const isMoreInVain = connections > best.connections && share < best.share + tolerance;
    if (isNearer && !isMoreInVain) best = { connections, share };
    if (Math.abs(share - floodShare) <= tolerance || isMoreInVain) break;
    connections = Math.ceil((connections * floodShare) / Math.max(share, floodShare / 3));
    connections = Math.min(connections, connectionsMax);
  }
  return best.connections;
}

/** Measures humble requests for so many seconds without a flood, and with one. */
export async function measureFlood(
  peer: RunningPeer,
  scenario: Scenario,
  connections: number,
  seconds: number,
): Promise<FloodFigures> {
  const quiet = await runHumbleClient(peer.ports.relay, seconds);
  // A second to begin with, and one for the humble client's own start.
  const flood = startFlood(peer, scenario, connections, seconds + 3);
  await sleep(1_000);
  const [humble, busyShare] = await Promise.all([
    runHumbleClient(peer.ports.relay, seconds),
    busyShareOf(peer, seconds),
  ]);
  const { requestCount, seconds: floodSeconds } = await flood;
  return {
    quietP50Ms: quiet.p50Ms,
    quietP99Ms: quiet.p99Ms,
    floodP50Ms: humble.p50Ms,
    floodP99Ms: humble.p99Ms,
    floodPerSecond: requestCount / floodSeconds,
    busyShare,
  };
}
