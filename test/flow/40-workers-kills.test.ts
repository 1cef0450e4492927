/** Primary and workers are killed at random moments while patterns are added: nothing that was answered is lost. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { connectConsole } from '../../src/admin/console-client.ts';
import { startOrigin } from '../support/origin.ts';
import { clientOfEach, startWithWorkers } from '../support/workers.ts';
import { until, type Wormgate } from '../support/wormgate.ts';

const { url: origin } = await startOrigin({ after }, (_request, answer) => answer.end('ok\n'));

/** More by KILLS in the environment. */
const kills = Number(process.env.KILLS ?? 4);

/** Seeded, so that a failure can be repeated (xorshift32). */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

const nameOf = (index: number) => `killed-${String(index).padStart(6, '0')}abc`;

/** Adds patterns one after the other until the server goes; gives those that were answered. */
async function addUntilGone(wormgate: Wormgate, from: number): Promise<string[]> {
  const answered: string[] = [];
  const connected = await connectConsole(wormgate.dataFolder);
  if (!connected.ok) return answered;
  const { client } = connected;
  for (let index = from; ; index += 1) {
    const name = nameOf(index);
    const sent = await client.send([`virus add -p "${name}" -o 30`], 'console');
    if (!sent.ok) break;
    if (sent.replies[0]?.ok === true) answered.push(name);
  }
  client.close();
  return answered;
}

test(`${kills} kills of primary and workers: every answered add is there, in every worker`, async (t) => {
  const random = randomNumbers(20_050_210);
  const wormgate = await startWithWorkers(t, { origin });
  const answered: string[] = [];
  let next = 0;
  for (let kill = 0; kill < kills; kill += 1) {
    const adding = addUntilGone(wormgate, next);
    const rounds = 1 + Math.floor(random() * 2);
    for (let round = 0; round < rounds; round += 1) {
      await new Promise((resolve) => setTimeout(resolve, random() * 300));
      const [victim] = wormgate.workerPids;
      if (victim !== undefined && random() < 0.7) process.kill(victim, 'SIGKILL');
    }
    await new Promise((resolve) => setTimeout(resolve, random() * 300));
    await wormgate.stop('SIGKILL');
    const added = await adding;
    answered.push(...added);
    next += added.length + 2;
    await wormgate.start();
  }
  assert.ok(answered.length > kills);
  await until(() => wormgate.workerPids.length === 2);
  const listed = wormgate.virus('list').stdout;
  const clients = [...(await clientOfEach(wormgate)).values()];
  for (const name of answered) {
    for (const client of clients) {
      const answer = await client.ask(`GET /${name} HTTP/1.1\r\nHost: site.test\r\n\r\n`);
      assert.equal(answer.status, 400, name);
    }
  }
  assert.match(listed, /killed-/);
});
