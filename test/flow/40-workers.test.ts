/** Several workers are one proxy: commands hold for all, counts are sums, connections are shared out evenly. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startOrigin } from '../support/origin.ts';
import { RawClient } from '../support/raw-client.ts';
import { clientOfEach, startWithWorkers, workerOf } from '../support/workers.ts';
import { runCli, until } from '../support/wormgate.ts';

const { url: origin } = await startOrigin({ after }, (request, answer) => {
  if (request.url?.startsWith('/kept') === true) {
    answer.setHeader('Cache-Control', 'max-age=600');
    answer.end(`${request.url}\n`);
    return;
  }
  answer.statusCode = request.url?.includes('cmd.exe') === true ? 404 : 200;
  answer.end('ok\n');
});

const get = (target: string) => `GET ${target} HTTP/1.1\r\nHost: site.test\r\n\r\n`;

test('a command has reached every worker when it is answered', async (t) => {
  const wormgate = await startWithWorkers(t, { origin, workers: 3 });
  assert.equal(wormgate.workerPids.length, 3);
  const clients = [...(await clientOfEach(wormgate, 3)).values()];
  const statuses = async () => {
    const answers = await Promise.all(clients.map((each) => each.ask(get('/fresh-worm?aaaa'))));
    return answers.map(({ status }) => status);
  };
  for (let round = 0; round < 3; round += 1) {
    assert.deepEqual(await statuses(), [200, 200, 200]);
    assert.equal(wormgate.virus('add', '-p', 'fresh-worm?aaaa ', '-o', '30').code, 0);
    assert.deepEqual(await statuses(), [400, 400, 400]);
    assert.equal(wormgate.virus('del', '-p', 'fresh-worm?aaaa ', '-o', '30').code, 0);
  }
  assert.equal(wormgate.virus('add', '-p', 'fresh-worm?aaaa ', '-o', '30').code, 0);
  assert.equal(wormgate.virus('-c').code, 0);
  assert.deepEqual(await statuses(), [200, 200, 200]);
});

test('130 requests to one worker and 130 to another cross a threshold of 250', async (t) => {
  const patternLines = ['EnablePatternAutoUpdate=1', 'HitThreshold=250', 'RefreshInterval=600'];
  const wormgate = await startWithWorkers(t, { origin, patternLines });
  assert.equal(wormgate.virus('add', '-k', 'cmd.exe').code, 0);
  const clients = [...(await clientOfEach(wormgate)).values()];
  const spread = async (target: string, count: number) => {
    for (let each = 0; each < count; each += 1) {
      for (const client of clients) assert.equal((await client.ask(get(target))).status, 404);
    }
  };
  // 250 are not more than 250.
  await spread('/exactly/250/cmd.exe', 125);
  assert.match(wormgate.virus('show').stdout, /Non Virus Requests: 250\n/);
  await spread('/one/more/of/cmd.exe', 130);
  await until(async () => (await wormgate.counter('patterns_learned')) === 1);
  assert.equal(await wormgate.counter('suspects'), 1);
  const shown = wormgate.virus('show').stdout;
  assert.match(shown, /Last Predicted Request: GET \/one\/more\/of\/cmd\.exe HTTP\/1\.1/);
  for (const client of clients) {
    assert.equal((await client.ask(get('/one/more/of/cmd.exe'))).status, 400);
  }
});

test('what one worker has served keeps the other from learning it', async (t) => {
  const patternLines = ['EnablePatternAutoUpdate=1', 'HitThreshold=20', 'RefreshInterval=600'];
  const wormgate = await startWithWorkers(t, { origin, patternLines });
  assert.equal(wormgate.virus('add', '-k', 'tool').code, 0);
  const [one, other] = [...(await clientOfEach(wormgate)).values()];
  assert.ok(one !== undefined && other !== undefined);
  assert.equal((await one.ask(get('/a/useful/tool'))).status, 200);
  wormgate.virus('show');
  for (let each = 0; each < 21; each += 1) await other.ask(get('/a/useful/tool'));
  await until(async () => (await wormgate.counter('patterns_proposed')) === 1);
  assert.equal(await wormgate.counter('patterns_learned'), 0);
});

test('the screen, the counters and the list of sources are sums over the workers', async (t) => {
  const wormgate = await startWithWorkers(t, { origin });
  const clients = [...(await clientOfEach(wormgate)).values()];
  const probes = await wormgate.counter('virus_requests');
  for (const [index, client] of clients.entries()) {
    for (let each = 0; each <= index; each += 1) {
      assert.equal((await client.ask(get('/humble'))).status, 200);
      assert.equal((await client.ask(get('/which.worker?is.'))).status, 400);
    }
  }
  const shown = wormgate.virus('show').stdout;
  assert.match(shown, new RegExp(`^Virus Requests: ${probes + 3}$`, 'm'));
  assert.match(shown, /^Non Virus Requests: 3$/m);
  assert.match(shown, /^Virus Source IP Address: 127\.0\.0\.1$/m);
  assert.equal(await wormgate.counter('requests'), probes + 6);
  const [row = ''] = /^.*which\.worker.*$/m.exec(wormgate.virus('list').stdout) ?? [];
  assert.match(row, new RegExp(` ${probes + 3} `));
});

test('connections are shared out evenly: 64 of them, each worker within a tenth of its part', async (t) => {
  const wormgate = await startWithWorkers(t, { origin });
  const counts = new Map<string, number>();
  const clients: RawClient[] = [];
  // Of a burst, the worker that is quicker takes more.
  while (clients.length < 64) {
    const client = await RawClient.connect(wormgate.port);
    const worker = await workerOf(client);
    counts.set(worker, (counts.get(worker) ?? 0) + 1);
    clients.push(client);
  }
  for (const client of clients) client.destroy();
  assert.equal(counts.size, 2);
  for (const count of counts.values()) assert.ok(Math.abs(count - 32) <= 3, `${[...counts]}`);
});

test('stored answers are listed and purged over all workers, and forgotten by all', async (t) => {
  const wormgate = await startWithWorkers(t, { origin, accelerator: ['Cache=1'] });
  const clients = [...(await clientOfEach(wormgate)).values()];
  const cache = (...words: string[]) =>
    runCli(['cache', '--data', wormgate.dataFolder, ...words]).stdout;
  for (const client of clients) await client.ask(get('/kept'));
  assert.match(cache('show'), /^2 stored answers, /);
  assert.match(cache('purge', 'http://site.test/kept'), /^Took 2 stored answers out/);
  assert.match(cache('show'), /^0 stored answers/);
  for (const client of clients) await client.ask(get('/kept'));
  const [one] = clients;
  const post = 'POST /kept HTTP/1.1\r\nHost: site.test\r\nContent-Length: 0\r\n\r\n';
  assert.equal((await one?.ask(post))?.status, 200);
  await until(() => /^0 stored answers/.test(cache('show')));
});
