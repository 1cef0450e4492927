/** A wormgate with several workers, looked at from outside: which processes there are, and which one answers. */
import assert from 'node:assert/strict';
import { headerOf } from './answer.ts';
import type { Cleanup } from './cleanup.ts';
import { RawClient } from './raw-client.ts';
import { startWormgate, until, type Wormgate, type WormgateOptions } from './wormgate.ts';

const patienceMs = 20_000;

/** A request that each worker answers itself, on a connection that stays open, with an id of its own. */
const probe = 'GET /which.worker?is.it HTTP/1.1\r\nHost: site.test\r\n\r\n';

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Starts one with workers, patterns of `lines` beside the probe's. */
export async function startWithWorkers(
  test: Cleanup,
  options: WormgateOptions & {
    readonly workers?: number;
    readonly patternLines?: readonly string[];
    readonly fleet?: readonly string[];
  } = {},
): Promise<Wormgate> {
  return await startWormgate(test, workersOptions(options));
}

/** What `startWithWorkers` configures. */
export function workersOptions({
  workers = 2,
  patternLines = [],
  fleet = [],
  ...options
}: Parameters<typeof startWithWorkers>[1] & object): WormgateOptions {
  return {
    ...options,
    accelerator: ['TrustedProxies=127.0.0.0/8', ...(options.accelerator ?? [])],
    sections: {
      'Virus Pattern Configuration': [
        'NoOfVirusPatterns=1',
        'Pattern1="which.worker?is.",22',
        ...patternLines,
      ],
      Fleet: [`Workers=${workers}`, ...fleet],
      ...options.sections,
    },
  };
}

/** The worker that serves a connection, by the beginning of its request ids. */
export async function workerOf(client: RawClient): Promise<string> {
  const answer = await client.ask(probe);
  assert.equal(answer.status, 400);
  const [id = ''] = (headerOf(answer, 'X-Request-Id') ?? '').split('-');
  assert.match(id, /^[0-9a-f]+$/);
  return id;
}

/** Connections to `count` different workers, by worker. */
export async function clientOfEach({ port }: Wormgate, count = 2): Promise<Map<string, RawClient>> {
  const clients = new Map<string, RawClient>();
  const endMs = performance.now() + patienceMs;
  while (clients.size < count) {
    // One that has taken another's place may not listen yet.
    assert.ok(performance.now() < endMs, 'a worker gets no connection');
    const client = await RawClient.connect(port);
    const worker = await workerOf(client);
    if (clients.has(worker)) client.destroy();
    else clients.set(worker, client);
  }
  return clients;
}

/** Waits until there are `count` workers, none of them of `before`. */
export async function untilReplaced(
  wormgate: Wormgate,
  before: readonly number[],
  count: number,
): Promise<void> {
  await until(
    () => {
      const now = wormgate.workerPids;
      return now.length === count && before.every((pid) => !now.includes(pid));
    },
    20_000,
    () => `workers ${wormgate.workerPids}, stderr ${wormgate.stderr}`,
  );
}
