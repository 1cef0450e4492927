/** One load on one peer, and what it showed. */
import type { Figures } from './figures.ts';
import { askStatus, type RunningPeer } from './running-peer.ts';
import { expectedStatuses, portOf, type Scenario } from './scenarios.ts';
import { runWrk, type WrkReport } from './wrk.ts';

/** Throws unless the peer does what the scenario measures: a wrong configuration gives no figures. */
export async function checkAnswer(peer: RunningPeer, scenario: Scenario): Promise<void> {
  const status = await askStatus(portOf(scenario, peer.ports), scenario.path);
  if (expectedStatuses(scenario, peer.name).includes(status)) return;
  throw new Error(`${scenario.name}: ${peer.name} answers ${status ?? 'nothing'}`);
}

function countsItself(peer: RunningPeer): boolean {
  return peer.name.endsWith('-slip');
}

/** What is wrong with a load whose figures are to be trusted. */
function faultOf(report: WrkReport, scenario: Scenario): string | undefined {
  const faults = Object.entries(report.errors)
    .filter(([, count]) => count > 0)
    .map(([what, count]) => `${what} ${count}`);
  const isRelay = expectedStatuses(scenario, 'nginx').includes(200);
  if (isRelay && report.refusedCount > 0) faults.push(`refused ${report.refusedCount}`);
  if (report.requestCount === 0) faults.push('no answers');
  return faults.length === 0 ? undefined : faults.join(', ');
}

/** Loads a peer with requests of the scenario, as many as it takes. */
export async function measureLoad(
  peer: RunningPeer,
  scenario: Scenario,
  seconds: number,
): Promise<Figures> {
  const { path, connections, closing } = scenario;
  const port = portOf(scenario, peer.ports);
  const ownCount = countsItself(peer);
  const countBefore = ownCount ? await peer.counter('virus_requests') : 0;
  const cpuBefore = peer.cpuMs();
  const report = await runWrk({ port, path, connections, seconds, closing });
  const cpuMs = peer.cpuMs() - cpuBefore;
  const requestCount = ownCount
    ? (await peer.counter('virus_requests')) - countBefore
    : report.requestCount;
  return {
    requestsPerSecond: requestCount / report.seconds,
    cpuUs: (cpuMs * 1_000) / Math.max(requestCount, 1),
    p50Ms: report.p50Ms,
    p99Ms: report.p99Ms,
    fault: ownCount ? undefined : faultOf(report, scenario),
  };
}
