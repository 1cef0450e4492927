/**
 * Three machines and their redis-server under random commands and faults: whatever happens, each goes on,
 * and when all is well again they have the same, to the byte, and nothing that was answered is lost.
 * FLEET_RUNS=20 runs more schedules than the whole suite has time for.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { openConsole } from '../support/console-lines.ts';
import { done, virus } from '../support/operator.ts';
import { skipWithout } from '../support/parts.ts';
import { dumpOf, makeFleet, type Redis, startAll, startRedis } from '../support/redis.ts';
import { until, type Wormgate } from '../support/wormgate.ts';

const skip = skipWithout('redis-server');
const runs = Number(process.env.FLEET_RUNS ?? 3);

/** A command in the order in which it was given to its machine. */
interface Tried {
  readonly isAdd: boolean;
  readonly name: string;
  /** Undefined: the machine died before it answered. */
  isDone: boolean | undefined;
}

type Step =
  | {
      readonly kind: 'command';
      readonly node: number;
      readonly name: string;
      readonly isAdd: boolean;
    }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'kill-node'; readonly node: number }
  | {
      readonly kind:
        | 'stop-engine'
        | 'continue-engine'
        | 'empty-engine'
        | 'fill-engine'
        | 'free-engine';
    };

const node = fc.nat({ max: 2 });

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 14,
    arbitrary: fc.record({
      kind: fc.constant('command' as const),
      node,
      name: fc.constantFrom('aa', 'bb', 'cc', 'dd', 'ee'),
      isAdd: fc.integer({ min: 0, max: 2 }).map((one) => one > 0),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('wait' as const),
      ms: fc.integer({ min: 1, max: 300 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('kill-node' as const), node }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        'stop-engine' as const,
        'continue-engine' as const,
        'empty-engine' as const,
        'fill-engine' as const,
        'free-engine' as const,
      ),
    }),
  },
);

/** One machine, and what it was told. */
class Machine {
  readonly wormgate: Wormgate;
  readonly tried: Tried[] = [];
  #tail: Promise<void> = Promise.resolve();

  constructor(wormgate: Wormgate) {
    this.wormgate = wormgate;
  }

  /** Gives a command once those before it are over. */
  tell(name: string, isAdd: boolean): void {
    this.#tail = this.#tail.then(async () => {
      const tried: Tried = { name, isAdd, isDone: undefined };
      this.tried.push(tried);
      try {
        const client = await openConsole(this.wormgate);
        const word = isAdd ? 'add' : 'del';
        const answer = await client.send([`virus ${word} -p "${name}" -o 20`], 'console');
        client.close();
        const [reply] = answer.ok ? answer.replies : [];
        // What was there already, or not there, is no command.
        if (reply !== undefined) tried.isDone = reply.ok && /^(?:Added|Deleted)/.test(reply.text);
      } catch {
        // Killed meanwhile.
      }
    });
  }

  /** `kill -9`, and a start. */
  async restart(): Promise<void> {
    await this.wormgate.stop('SIGKILL');
    await this.#tail;
    await this.wormgate.start();
  }

  idle(): Promise<void> {
    return this.#tail;
  }
}

async function carryOut(
  each: Step,
  machines: readonly Machine[],
  redis: Redis,
  run: number,
): Promise<void> {
  switch (each.kind) {
    case 'command':
      machines[each.node]?.tell(`${run}${each.name}`, each.isAdd);
      return;
    case 'wait':
      return await sleep(each.ms);
    case 'kill-node':
      return await machines[each.node]?.restart();
    case 'stop-engine':
      return redis.signal('SIGSTOP');
    case 'continue-engine':
      return redis.signal('SIGCONT');
    case 'empty-engine':
      redis.signal('SIGCONT');
      await redis.kill();
      return await redis.start();
    case 'fill-engine':
    case 'free-engine':
      redis.signal('SIGCONT');
      await redis.call('CONFIG', 'SET', 'maxmemory', each.kind === 'fill-engine' ? '1' : '0');
  }
}

/** Mends everything and waits until all have the same. */
async function settle(machines: readonly Machine[], redis: Redis): Promise<string> {
  redis.signal('SIGCONT');
  await redis.call('CONFIG', 'SET', 'maxmemory', '0');
  for (const machine of machines) await machine.idle();
  let seen = '';
  await until(
    async () => {
      const answers = await Promise.all(machines.map(({ wormgate }) => virus(wormgate, 'fleet')));
      const states = answers.map(({ stdout, stderr }) => `${stdout}${stderr}`);
      seen = [...states, ...machines.map(({ wormgate }) => wormgate.stderr)].join('\n');
      const rest = states.every((state) => /is followed[\s\S]*Commands that wait: 0\./.test(state));
      if (!rest) return false;
      const dumps = await Promise.all(machines.map(({ wormgate }) => dumpOf(wormgate)));
      const [first, ...others] = dumps;
      return others.every((other) => other === first);
    },
    30_000,
    () => seen,
  );
  return machines[0] === undefined ? '' : await dumpOf(machines[0].wormgate);
}

/** Whether a pattern can be there, by what each machine was answered last, or was not answered since. */
function possibleEnds(machines: readonly Machine[], name: string): Set<boolean> {
  const ends = new Set<boolean>();
  let isDecided = false;
  for (const { tried } of machines) {
    for (const { isAdd, isDone } of tried.filter((each) => each.name === name).toReversed()) {
      if (isDone === false) continue;
      ends.add(isAdd);
      if (isDone !== true) continue;
      isDecided = true;
      break;
    }
  }
  if (!isDecided) ends.add(false);
  return ends;
}

test(`${runs} schedules of commands and faults end the same on three machines, with all that was answered`, {
  skip,
}, async (t) => {
  const redis = await startRedis(t);
  const nodes = await makeFleet(t, `redis://127.0.0.1:${redis.port}`, 3, ['SnapshotEvery=100']);
  await startAll(nodes);
  const machines = nodes.map((wormgate) => new Machine(wormgate));
  await settle(machines, redis);
  const schedule = fc.array(step, { minLength: 20, maxLength: 40 });
  for (const [run, steps] of fc.sample(schedule, { numRuns: runs, seed: 2005 }).entries()) {
    for (const each of steps) await carryOut(each, machines, redis, run);
    const dump = await settle(machines, redis);
    for (const name of ['aa', 'bb', 'cc', 'dd', 'ee'].map((each) => `${run}${each}`)) {
      const isThere = dump.includes(`"${name}"`);
      assert.ok(possibleEnds(machines, name).has(isThere), `${name}: ${isThere}`);
    }
  }
});

test('while the engine is away a machine blocks, accepts commands up to MaxOutbox, and says what is wrong', {
  skip,
}, async (t) => {
  const redis = await startRedis(t);
  const nodes = await makeFleet(t, `redis://127.0.0.1:${redis.port}`, 2, ['MaxOutbox=4']);
  await startAll(nodes);
  const [a, b] = nodes as [Wormgate, Wormgate];
  await until(async () => (await done(a, 'fleet')).includes('node-2'));
  redis.signal('SIGSTOP');
  await until(async () => (await done(a, 'fleet')).includes('cannot be reached'), 20_000);
  assert.match(await done(a, 'fleet'), /no answer within 1 seconds/);
  for (const name of ['one', 'two', 'three', 'four']) await done(a, 'add', '-p', name, '-o', '20');
  const fifth = await virus(a, 'add', '-p', 'five', '-o', '20');
  assert.equal(fifth.code, 1);
  assert.match(fifth.stderr, /4 commands wait for the fleet's engine already/);
  assert.equal(await a.counter('fleet_commands_refused'), 1);
  assert.match(await done(a, 'list'), /"four" +20 +console@node-1/);
  // Neither a start nor an orderly stop waits for it.
  await a.stop('SIGKILL');
  await a.start();
  assert.equal(await b.stop(), 0);
  await b.start();
  redis.signal('SIGCONT');
  await until(async () => (await done(b, 'list')).includes('four'), 30_000);
  await until(async () => (await dumpOf(a)) === (await dumpOf(b)));
  assert.doesNotMatch(await dumpOf(b), /five/);
});

test('an engine whose memory is full is read on, and what waits is sent when there is room', {
  skip,
}, async (t) => {
  const redis = await startRedis(t);
  const nodes = await makeFleet(t, `redis://127.0.0.1:${redis.port}`, 2);
  await startAll(nodes);
  const [a, b] = nodes as [Wormgate, Wormgate];
  await until(async () => (await done(a, 'fleet')).includes('node-2'));
  await redis.call('CONFIG', 'SET', 'maxmemory', '1');
  await done(a, 'add', '-p', 'waits', '-o', '20');
  await until(async () => /takes no commands: OOM/.test(await done(a, 'fleet')));
  await redis.call('CONFIG', 'SET', 'maxmemory', '0');
  await until(async () => (await done(b, 'list')).includes('waits'));
  await until(async () => (await done(a, 'fleet')).includes('is followed'));
});
