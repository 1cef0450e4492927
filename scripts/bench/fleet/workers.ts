/**
 * Workers: CPU time a request with one process and with two workers, the primary's included; the share of the
 * connections, and of the requests, that each worker gets; how long a command takes until all have applied it.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startOrigin } from '../../../test/support/origin.ts';
import { startWormgate, type Wormgate } from '../../../test/support/wormgate.ts';
import { median } from '../proxies/figures.ts';
import { familyCpuMs } from '../proxies/process-time.ts';
import { runWrk } from '../proxies/wrk.ts';

const connections = 64;
const roundCount = 3;
const commandCount = 20;
const warmUpSeconds = 1;

interface Scenario {
  readonly name: string;
  readonly path: string;
  readonly closing: boolean;
}

const scenarios: readonly Scenario[] = [
  { name: 'relayed, 1 KiB', path: '/relayed', closing: false },
  { name: 'stored answer', path: '/stored', closing: false },
  { name: 'virus request, connection kept', path: '/worm.exe?', closing: false },
  { name: 'virus request, new connection', path: '/worm.exe?', closing: true },
];

const body = 'x'.repeat(1024);

interface Peer {
  readonly workers: number;
  readonly wormgate: Wormgate;
}

async function startPeer(workers: number, origin: string, ends: (() => unknown)[]): Promise<Peer> {
  const wormgate = await startWormgate(
    { after: (end) => void ends.push(end) },
    {
      origin,
      accelerator: ['Cache=1', 'TrustedProxies=127.0.0.0/8'],
      sections: {
        Fleet: [`Workers=${workers}`],
        'Virus Pattern Configuration': ['NoOfVirusPatterns=1', 'Pattern1="worm.exe? HTTP/1",15'],
      },
    },
  );
  return { workers, wormgate };
}

/** CPU time of all processes by the requests answered, in microseconds, and requests a second. */
async function measure({ wormgate }: Peer, { path, closing }: Scenario, seconds: number) {
  const { port, pid } = wormgate;
  const load = { port, path, connections, closing };
  await runWrk({ ...load, seconds: warmUpSeconds });
  const before = familyCpuMs(pid);
  const report = await runWrk({ ...load, seconds });
  const cpuMs = familyCpuMs(pid) - before;
  return {
    cpuUs: (cpuMs * 1_000) / report.requestCount,
    requestsPerSecond: report.requestCount / report.seconds,
  };
}

/** How many logged requests with an id each worker has: ids begin differently in each. */
function requestsByWorker({ dataFolder }: Wormgate): Map<string, number> {
  const counts = new Map<string, number>();
  const log = readFileSync(join(dataFolder, 'PROXY.LOG'), 'latin1');
  for (const [, worker = ''] of log.matchAll(/ id=([0-9a-f]+)-/g)) {
    counts.set(worker, (counts.get(worker) ?? 0) + 1);
  }
  return counts;
}

async function tellShares({ wormgate }: Peer): Promise<void> {
  // Lines are written in batches.
  await sleep(500);
  const before = requestsByWorker(wormgate);
  await runWrk({
    ...{ port: wormgate.port, path: '/worm.exe?', connections, closing: false, seconds: 1 },
  });
  await sleep(500);
  const shares = [...requestsByWorker(wormgate)].map(
    ([worker, count]) => count - (before.get(worker) ?? 0),
  );
  const even = shares.reduce((sum, count) => sum + count, 0) / shares.length;
  const off = Math.max(...shares.map((count) => Math.abs(count / even - 1)));
  console.log(
    `\nrequests of each worker, ${connections} connections: ${shares.join(', ')}; ` +
      `at most ${(off * 100).toFixed(1)} % from even (aim: 10 %)`,
  );
}

/** Median time of an add until it is answered, in milliseconds, the start of its program included. */
function commandMs({ wormgate }: Peer): number {
  const times = Array.from({ length: commandCount }, (_, index) => {
    const begin = performance.now();
    wormgate.virus('add', '-p', `bench-${index}`, '-o', '20');
    return performance.now() - begin;
  });
  return median(times);
}

/** Measures, prints, and leaves nothing behind. */
export async function measureWorkers(seconds: number): Promise<void> {
  const ends: (() => unknown)[] = [];
  const cleanup = { after: (end: () => unknown) => void ends.push(end) };
  try {
    const { url } = await startOrigin(cleanup, (request, answer) => {
      const isStored = request.url === '/stored';
      answer.setHeader('Cache-Control', isStored ? 'max-age=600' : 'no-store');
      answer.end(body);
    });
    const one = await startPeer(1, url, ends);
    const two = await startPeer(2, url, ends);
    console.log(`Node.js ${process.version}, ${connections} connections, ${roundCount} rounds\n`);
    console.log(
      `${'CPU us a request'.padEnd(34)}${'1 process'.padStart(10)}${'2 workers'.padStart(11)}` +
        `${'ratio'.padStart(8)}   requests a second`,
    );
    for (const scenario of scenarios) {
      const found = { one: [] as Figures[], two: [] as Figures[] };
      for (let round = 0; round < roundCount; round += 1) {
        found.one.push(await measure(one, scenario, seconds));
        found.two.push(await measure(two, scenario, seconds));
      }
      tell(scenario, found.one, found.two);
    }
    await tellShares(two);
    console.log(
      `a command until it is answered, its program's start included: ` +
        `${commandMs(one).toFixed(0)} ms with 1 process, ${commandMs(two).toFixed(0)} ms with 2 workers`,
    );
  } finally {
    for (const end of ends.reverse()) await end();
  }
}

type Figures = Awaited<ReturnType<typeof measure>>;

function tell({ name }: Scenario, one: readonly Figures[], two: readonly Figures[]): void {
  const of = (rounds: readonly Figures[], key: keyof Figures) =>
    median(rounds.map((each) => each[key]));
  const [single, double] = [of(one, 'cpuUs'), of(two, 'cpuUs')];
  const rate = (rounds: readonly Figures[]) => of(rounds, 'requestsPerSecond').toFixed(0);
  console.log(
    `${name.padEnd(34)}${single.toFixed(1).padStart(10)}${double.toFixed(1).padStart(11)}` +
      `${(double / single).toFixed(2).padStart(8)}   ${rate(one)}, ${rate(two)}`,
  );
}
