/** Virus sources with two workers: what counts is counted over both, and what is blocked is blocked by both. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { startOrigin } from '../support/origin.ts';
import type { RawClient } from '../support/raw-client.ts';
import { reload } from '../support/reload.ts';
import {
  clientOfEach,
  startWithWorkers,
  untilReplaced,
  workersOptions,
} from '../support/workers.ts';
import { until, type Wormgate } from '../support/wormgate.ts';

const pages = new Set(['/page']);
const { url: origin } = await startOrigin({ after }, (request, answer) => {
  answer.statusCode = pages.has((request.url ?? '').split('?', 1)[0] ?? '') ? 200 : 404;
  answer.end('ok\n');
});

const sections = { 'Virus Sources': ['Crawlers='] };

/** Asks as a client of its own, behind a proxy that is trusted; gives the status. */
async function ask(client: RawClient, address: string, target: string): Promise<number> {
  const lines = `Host: site.test\r\nX-Forwarded-For: ${address}\r\n`;
  return (await client.ask(`GET ${target} HTTP/1.1\r\n${lines}\r\n`)).status;
}

/** A connection to each of two workers, and what all of them answer to an address. */
async function both(wormgate: Wormgate) {
  const clients = [...(await clientOfEach(wormgate)).values()];
  const [one, other] = clients;
  assert.ok(one !== undefined && other !== undefined);
  const statuses = (address: string, target = '/page') =>
    Promise.all(clients.map((client) => ask(client, address, target)));
  const untilAll = (address: string, status: number) =>
    until(async () => (await statuses(address)).every((each) => each === status));
  return { one, other, statuses, untilAll };
}

test('five misses spread over two workers block on both, and the log tells which they were', async (t) => {
  const wormgate = await startWithWorkers(t, { origin, sections });
  const { one, other, statuses, untilAll } = await both(wormgate);
  for (const [index, client] of [one, other, one, other].entries()) {
    assert.equal(await ask(client, '198.51.100.1', `/missing-${index}`), 404);
  }
  assert.equal(await wormgate.counter('misses'), 4);
  assert.deepEqual(await statuses('198.51.100.1'), [200, 200]);
  assert.equal(await ask(one, '198.51.100.1', '/missing-4'), 404);
  await untilAll('198.51.100.1', 400);
  assert.deepEqual(await statuses('198.51.100.2'), [200, 200]);
  assert.equal(await wormgate.counter('sources_blocked'), 1);
  await wormgate.logLine(/^198\.51\.100\.1 .* 400 \d+ reason=source misses=5 viruses=0 id=/);
  const shown = wormgate.virus('source', '198.51.100.1').stdout;
  for (let index = 0; index < 5; index += 1) {
    const line = await wormgate.logLine(new RegExp(`"GET /missing-${index} `));
    const id = / 404 \d+ miss id=(\S+)$/.exec(line)?.[1] ?? '?';
    assert.ok(shown.includes(` ${id} `), `${line}\n${shown}`);
  }
  assert.doesNotMatch(await wormgate.logLine(/"GET \/page HTTP\/1\.1" 200/), /miss/);
  const stopped = await wormgate.counter('source_requests');
  const [row = ''] = /^198\.51\.100\.1 .*$/m.exec(wormgate.virus('sources').stdout) ?? [];
  assert.match(row, new RegExp(` misses +5 +0 +1 +${stopped}$`));
});

test('what the operator says of a source holds on both workers when it is answered', async (t) => {
  const wormgate = await startWithWorkers(t, { origin, sections });
  const { statuses, untilAll } = await both(wormgate);
  for (let round = 0; round < 3; round += 1) {
    assert.equal(wormgate.virus('block', '198.51.100.1', '-s', '3600').code, 0);
    assert.deepEqual(await statuses('198.51.100.1'), [400, 400]);
    assert.equal(wormgate.virus('forgive', '198.51.100.1').code, 0);
    assert.deepEqual(await statuses('198.51.100.1'), [200, 200]);
  }
  assert.equal(wormgate.virus('block', '198.51.100.1', '-s', '1').code, 0);
  await untilAll('198.51.100.1', 200);
  await until(() => /^0 blocked/.test(wormgate.virus('sources').stdout));
});

test('a block is answered when every worker that lives has it', async (t) => {
  const fleet = ['WorkerTimeout=1'];
  const wormgate = await startWithWorkers(t, { origin, sections, fleet });
  const [hung = 0] = wormgate.workerPids;
  process.kill(hung, 'SIGSTOP');
  assert.equal(wormgate.virus('block', '198.51.100.1').code, 0);
  assert.ok(!wormgate.workerPids.includes(hung));
  await untilReplaced(wormgate, [hung], 2);
  const { statuses } = await both(wormgate);
  assert.deepEqual(await statuses('198.51.100.1'), [400, 400]);
});

test('what one worker has served is no miss on the other, and its line says so', async (t) => {
  const wormgate = await startWithWorkers(t, { origin, sections });
  const { one, other } = await both(wormgate);
  const targets = Array.from({ length: 8 }, (_, index) => `/article-${index}`);
  for (const target of targets) {
    pages.add(target);
    assert.equal(await ask(one, '198.51.100.1', target), 200);
    pages.delete(target);
  }
  // What was served has to be known first: it is told ten times a second.
  assert.equal(await wormgate.counter('misses'), 0);
  for (const target of targets) {
    assert.equal(await ask(other, '198.51.100.2', target), 404);
  }
  assert.equal(await wormgate.counter('misses'), 0);
  assert.equal(await ask(other, '198.51.100.2', '/article-9'), 404);
  assert.match(await wormgate.logLine(/"GET \/article-9 .* 404/), / 404 \d+ miss id=/);
  assert.match(await wormgate.logLine(/"GET \/article-7 .* 404/), / 404 \d+$/);
  assert.equal(await wormgate.counter('misses'), 1);
});

test('dead pictures of a page that the other worker has served a moment ago block nobody', async (t) => {
  const wormgate = await startWithWorkers(t, { origin, sections });
  const { one, other, statuses } = await both(wormgate);
  for (let round = 0; round < 12; round += 1) {
    // Whichever of the two reports first.
    await setTimeout(Math.random() * 100);
    const address = `198.51.100.${round + 10}`;
    const page = `/fresh-${round}`;
    pages.add(page);
    assert.equal(await ask(one, address, page), 200);
    const referer = `Host: site.test\r\nReferer: http://site.test${page}\r\n`;
    for (let each = 0; each < 8; each += 1) {
      const lines = `${referer}X-Forwarded-For: ${address}\r\n`;
      const picture = `/dead-${round}-${each}.png`;
      await other.ask(`GET ${picture} HTTP/1.1\r\n${lines}\r\n`);
    }
  }
  assert.equal(await wormgate.counter('misses_referred'), 96);
  assert.equal(await wormgate.counter('misses'), 0);
  assert.deepEqual(await statuses('198.51.100.10'), [200, 200]);
});

test('two virus requests to two workers block, and each further one prolongs the block', async (t) => {
  const wormgate = await startWithWorkers(t, { origin, sections });
  const { one, other, untilAll } = await both(wormgate);
  for (const client of [one, other]) {
    assert.equal(await ask(client, '198.51.100.1', '/which.worker?is.it'), 400);
  }
  await untilAll('198.51.100.1', 400);
  await wormgate.logLine(/"GET \/page .* 400 \d+ reason=source misses=0 viruses=2 id=/);
  const requests = () => {
    const [row = ''] = /^198\.51\.100\.1 .*$/m.exec(wormgate.virus('sources').stdout) ?? [];
    return Number(/(\d+)$/.exec(row)?.[1]);
  };
  const before = requests();
  for (let each = 0; each < 10; each += 1) {
    await ask(each % 2 === 0 ? one : other, '198.51.100.1', '/which.worker?is.it');
  }
  assert.equal(requests(), before + 10);
});

test('a worker that takes the place of another knows the blocked, and so does the next start', async (t) => {
  const wormgate = await startWithWorkers(t, { origin, sections });
  const { one, untilAll } = await both(wormgate);
  for (let index = 0; index < 5; index += 1) await ask(one, '198.51.100.1', `/missing-${index}`);
  await untilAll('198.51.100.1', 400);
  assert.equal(wormgate.virus('block', '198.51.100.2').code, 0);
  const before = wormgate.workerPids;
  for (const pid of before) {
    process.kill(pid, 'SIGKILL');
    await untilReplaced(wormgate, [pid], 2);
    // The next one lives until this one's successor serves.
    await clientOfEach(wormgate);
  }
  for (const address of ['198.51.100.1', '198.51.100.2']) {
    assert.deepEqual(await (await both(wormgate)).statuses(address), [400, 400], address);
  }
  // The journal has what came by itself within a second, and what was answered already.
  await setTimeout(1000);
  await wormgate.stop('SIGKILL');
  await wormgate.start();
  for (const address of ['198.51.100.1', '198.51.100.2']) {
    assert.deepEqual(await (await both(wormgate)).statuses(address), [400, 400], address);
  }
});

test('a miss that holds a keyword is learned, whichever worker was asked', async (t) => {
  const patternLines = ['EnablePatternAutoUpdate=1'];
  const wormgate = await startWithWorkers(t, { origin, sections, patternLines });
  assert.equal(wormgate.virus('add', '-k', 'eval-stdin').code, 0);
  const { other, statuses } = await both(wormgate);
  await until(
    async () =>
      (await ask(other, '198.51.100.1', `/phpunit/eval-stdin.php?${Math.random()}`)) !== 404,
  );
  assert.match(wormgate.virus('list').stdout, /"phpunit\/eval-std"\s+\d+\s+miss\(eval-stdin\)/);
  const target = '/phpunit/eval-stderr.php';
  assert.deepEqual(await statuses('198.51.100.2', target), [400, 400]);
});

test('a reload changes the rules on both workers, and SourceBlocking=0 lets everybody go', async (t) => {
  const wormgate = await startWithWorkers(t, { origin, sections });
  const { one, other, statuses, untilAll } = await both(wormgate);
  const rules = (...lines: string[]) =>
    workersOptions({ origin, sections: { 'Virus Sources': ['Crawlers=', ...lines] } });
  await reload(wormgate, rules('MissLimit=2'));
  for (const client of [one, other]) await ask(client, '198.51.100.1', `/missing-${Math.random()}`);
  await untilAll('198.51.100.1', 400);
  await reload(wormgate, rules('MissStatus=410'));
  for (let each = 0; each < 9; each += 1) await ask(one, '198.51.100.2', `/missing-${each}`);
  assert.equal(await wormgate.counter('misses'), 2);
  await reload(wormgate, rules('SourceBlocking=0'));
  assert.deepEqual(await statuses('198.51.100.1'), [200, 200]);
});
