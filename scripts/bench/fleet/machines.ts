/** The measurements between machines: each starts a redis-server and wormgates of its own. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cleanup } from '../../../test/support/cleanup.ts';
import { openConsole } from '../../../test/support/console-lines.ts';
import { RawClient } from '../../../test/support/raw-client.ts';
import { fleetOptions, makeFleet, startAll, startRedis } from '../../../test/support/redis.ts';
import { makeWormgate, until, type Wormgate } from '../../../test/support/wormgate.ts';
import { familyCpuMs } from '../proxies/process-time.ts';

const addCount = 100;
const pollMs = 2;
const batch = 500;

async function send(node: Wormgate, lines: readonly string[]): Promise<string[]> {
  const client = await openConsole(node);
  const replies: string[] = [];
  for (let at = 0; at < lines.length; at += batch) {
    const answer = await client.send(lines.slice(at, at + batch), 'console');
    if (!answer.ok) throw new Error(answer.message);
    replies.push(...answer.replies.map(({ text }) => text));
  }
  client.close();
  return replies;
}

async function ask(node: Wormgate, line: string): Promise<string> {
  const [reply = ''] = await send(node, [line]);
  return reply;
}

async function fleetOf(test: Cleanup, count: number, settings: readonly string[] = []) {
  const redis = await startRedis(test);
  const nodes = await makeFleet(test, `redis://127.0.0.1:${redis.port}`, count, settings);
  await startAll(nodes);
  for (const node of nodes) {
    await until(async () => (await ask(node, 'virus fleet')).includes('is followed'), 30_000);
  }
  const [first, ...others] = nodes;
  if (first === undefined) throw new Error('a fleet has machines');
  return { redis, first, others };
}

/** Asks again and again until the connection is closed without an answer; the time of that. */
async function blockedAt(
  node: Wormgate,
  target: string,
  isGivenUp: () => boolean,
): Promise<number> {
  const client = await RawClient.connect(node.port);
  while (!isGivenUp()) {
    client.send(`GET ${target} HTTP/1.1\r\nHost: site.test\r\n\r\n`);
    const isAnswered = await client.answer().then(
      () => true,
      () => false,
    );
    if (!isAnswered) return performance.now();
    await sleep(pollMs);
  }
  client.destroy();
  return Number.NaN;
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** How long a pattern takes from its answer on one machine to the block on each other one. */
export async function measureSpread(test: Cleanup, count: number) {
  const { first, others } = await fleetOf(test, count);
  const console = await openConsole(first);
  const delays: number[] = [];
  for (let number = 0; number < addCount; number += 1) {
    const pattern = `spread-${number}-`.padEnd(16, 'x');
    let isGivenUp = false;
    const blocks = others.map((node) => blockedAt(node, `/${pattern}`, () => isGivenUp));
    await sleep(20);
    await console.send([`virus add -p "${pattern}" -o 40`], 'console');
    const answeredAt = performance.now();
    const timer = setTimeout(() => {
      isGivenUp = true;
    }, 10_000);
    const times = await Promise.all(blocks);
    clearTimeout(timer);
    // A machine may block before the answer has come: that is no time at all.
    delays.push(...times.map((time) => Math.max(0, time - answeredAt)));
  }
  console.close();
  const sorted = delays.toSorted((a, b) => a - b);
  return {
    median: quantile(sorted, 0.5),
    p99: quantile(sorted, 0.99),
    longest: sorted.at(-1) ?? Number.NaN,
    samples: sorted.length,
  };
}

async function patternsOf(node: Wormgate): Promise<number> {
  return Number(/^No Of Patterns: (\d+)/m.exec(await ask(node, 'virus show'))?.[1]);
}

/** How many commands a second are answered on one of three machines, and are in force on all. */
export async function measureThroughput(test: Cleanup, count: number) {
  const limits = { 'Virus Pattern Configuration': [`MaxVirusPatterns=${count * 2}`] };
  const { redis, first, others } = await fleetOf(test, 3);
  const cpuBefore = [first, ...others].map(({ pid }) => familyCpuMs(pid));
  await ask(first, `virus -m ${count * 2}`);
  const lines = Array.from({ length: count }, (_, at) => `virus add -p "pattern-${at}" -o 60`);
  let waiting = 0;
  const begin = performance.now();
  const client = await openConsole(first);
  for (let at = 0; at < lines.length; at += batch) {
    const answer = await client.send(lines.slice(at, at + batch), 'console');
    if (!answer.ok) throw new Error(answer.message);
    if (at % (20 * batch) !== 0) continue;
    waiting = Math.max(waiting, Number(/wait: (\d+)/.exec(await ask(first, 'virus fleet'))?.[1]));
  }
  client.close();
  const answeredMs = performance.now() - begin;
  for (const node of others) {
    await until(async () => (await patternsOf(node)) === count, 60_000);
  }
  const followedMs = performance.now() - begin;
  const cpu = [first, ...others].map(({ pid }, at) => familyCpuMs(pid) - (cpuBefore[at] ?? 0));
  const [ownCpu = 0, ...otherCpu] = cpu.map((ms) => (ms * 1000) / count);
  return {
    answeredPerSecond: (count * 1000) / answeredMs,
    followedPerSecond: (count * 1000) / followedMs,
    waiting,
    ownCpu,
    otherCpu: otherCpu.reduce((sum, each) => sum + each, 0) / otherCpu.length,
    residentMiB: residentMiB(first),
    nodes: { redis, first, limits, count },
  };
}

function residentMiB({ pid }: Wormgate): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) / 1024;
}

/** How long a new machine takes until it has everything. */
export async function measureCatchUp(
  test: Cleanup,
  { redis, limits, count }: Awaited<ReturnType<typeof measureThroughput>>['nodes'],
) {
  const options = fleetOptions(`redis://127.0.0.1:${redis.port}`, 4);
  const node = await makeWormgate(test, { sections: { ...options.sections, ...limits } });
  const begin = performance.now();
  await node.start();
  const readyMs = performance.now() - begin;
  await until(async () => (await patternsOf(node)) === count, 60_000);
  const completeMs = performance.now() - begin - readyMs;
  const cpuMs = familyCpuMs(node.pid);
  const mark = await redis.call('GET', '{wormgate}:snapshot');
  const id = /"id":"(\w+)"/.exec(mark)?.[1];
  let snapshotBytes = 0;
  for (let part = 0; part < Number(/"parts":(\d+)/.exec(mark)?.[1]); part += 1) {
    const size = await redis.call('STRLEN', `{wormgate}:snapshot:${id}:${part}`);
    snapshotBytes += Number(size.slice(1));
  }
  return {
    readyMs,
    completeMs,
    snapshotBytes,
    cpuMs,
    residentMiB: residentMiB(node),
  };
}
