/** Workers that die, hang, drain and reload; a primary that dies. */
import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { after, test } from 'node:test';
import { startOrigin } from '../support/origin.ts';
import { askRaw, statusOf } from '../support/raw.ts';
import { RawClient } from '../support/raw-client.ts';
import { refused, reload } from '../support/reload.ts';
import {
  clientOfEach,
  isAlive,
  startWithWorkers,
  untilReplaced,
  workerOf,
  workersOptions,
} from '../support/workers.ts';
import { freePort, until, type Wormgate } from '../support/wormgate.ts';

let release: () => void = () => {};
const { url: origin } = await startOrigin({ after }, (request, answer) => {
  if (request.url !== '/slow') return void answer.end('ok\n');
  answer.write('first ');
  release = () => answer.end('last\n');
});

const get = (target: string) => `GET ${target} HTTP/1.1\r\nHost: site.test\r\n\r\n`;

/** Asks on new connections, one after the other, until it is stopped; gives what was not answered 200. */
function askOn({ port }: Wormgate) {
  let isOver = false;
  let count = 0;
  const odd: string[] = [];
  const run = async () => {
    while (!isOver) {
      const answer = await askRaw(port, 'GET /load HTTP/1.1');
      count += 1;
      if (statusOf(answer) !== 200) odd.push(answer.text);
    }
  };
  const runs = Promise.all([run(), run(), run()]);
  return {
    asked: () => count,
    end: async () => {
      isOver = true;
      await runs;
      return odd;
    },
  };
}

test('a worker that is killed is replaced by one that knows everything, and no other notices', async (t) => {
  const wormgate = await startWithWorkers(t, { origin });
  assert.equal(wormgate.virus('add', '-p', 'added-later?aaa ', '-o', '30').code, 0);
  const clients = await clientOfEach(wormgate);
  for (let round = 0; round < 3; round += 1) {
    const before = wormgate.workerPids;
    const [victim = 0] = before;
    process.kill(victim, 'SIGKILL');
    await untilReplaced(wormgate, [victim], 2);
    const others = [...clients].filter(([, { closed }]) => !closed);
    assert.equal(others.length, 1);
    for (const [worker, client] of others) assert.equal(await workerOf(client), worker);
    for (const [worker, client] of clients) if (client.closed) clients.delete(worker);
    for (const [worker, client] of await clientOfEach(wormgate)) {
      assert.equal((await client.ask(get('/added-later?aaa'))).status, 400);
      if (clients.has(worker)) client.destroy();
      else clients.set(worker, client);
    }
  }
  assert.equal(await wormgate.counter('workers_ended'), 3);
});

test('under load, the death of a worker costs its own requests alone', async (t) => {
  const wormgate = await startWithWorkers(t, { origin });
  const load = askOn(wormgate);
  await until(() => load.asked() > 30);
  const [victim = 0] = wormgate.workerPids;
  process.kill(victim, 'SIGKILL');
  await untilReplaced(wormgate, [victim], 2);
  const then = load.asked();
  await until(() => load.asked() > then + 100);
  const odd = await load.end();
  // Each of the three had one request under way, and perhaps one that the primary was handing over.
  assert.ok(odd.length <= 6, `${odd.length} of ${load.asked()}`);
  // The connections of the dead one are over, too.
  await until(async () => {
    const [all, over] = await Promise.all(
      ['connections', 'connections_closed'].map((name) => wormgate.counter(name)),
    );
    return all === over;
  });
});

test('a worker that hangs is killed after WorkerTimeout, and a command waits no longer for it', async (t) => {
  const wormgate = await startWithWorkers(t, { origin, fleet: ['WorkerTimeout=1'] });
  const [victim = 0] = wormgate.workerPids;
  process.kill(victim, 'SIGSTOP');
  assert.equal(wormgate.virus('add', '-p', 'while-it-hung?a ', '-o', '30').code, 0);
  await untilReplaced(wormgate, [victim], 2);
  for (const client of (await clientOfEach(wormgate)).values()) {
    assert.equal((await client.ask(get('/while-it-hung?a'))).status, 400);
  }
  assert.equal(await wormgate.counter('workers_killed'), 1);
});

test('a connection on its way to a worker that hangs is served by another', async (t) => {
  const wormgate = await startWithWorkers(t, { origin, fleet: ['WorkerTimeout=1'] });
  const [victim = 0] = wormgate.workerPids;
  process.kill(victim, 'SIGSTOP');
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => askRaw(wormgate.port, 'GET /handed HTTP/1.1')),
  );
  for (const answer of answers) assert.equal(statusOf(answer), 200, answer.text);
  await untilReplaced(wormgate, [victim], 2);
});

test('when the primary is killed its workers end, and what was answered is there after the next start', async (t) => {
  const wormgate = await startWithWorkers(t, { origin });
  for (let round = 0; round < 2; round += 1) {
    const pids = wormgate.workerPids;
    const added = wormgate.virus('add', '-p', `answered-${round}?aaaab`, '-o', '30');
    assert.equal(added.code, 0);
    await wormgate.stop('SIGKILL');
    await until(() => !pids.some(isAlive));
    await wormgate.start();
  }
  for (const client of (await clientOfEach(wormgate)).values()) {
    for (const target of ['/answered-0?aaaa', '/answered-1?aaaa']) {
      assert.equal((await client.ask(get(`${target}b`))).status, 400, target);
    }
  }
});

test('SIGTERM lets answers under way finish, ends all workers, and its lines are in the log', async (t) => {
  const wormgate = await startWithWorkers(t, { origin });
  const pids = wormgate.workerPids;
  const client = await RawClient.connect(wormgate.port);
  client.send(get('/slow'));
  await client.until(() => client.text.includes('first '), 'the first part');
  const ended = wormgate.stop();
  await until(
    async () =>
      !(await RawClient.connect(wormgate.port).then(
        (other) => {
          other.destroy();
          return true;
        },
        () => false,
      )),
  );
  release();
  assert.match((await client.answer()).body.toString(), /^first last\n$/);
  assert.equal(await ended, 0);
  assert.deepEqual(pids.filter(isAlive), []);
  assert.match(wormgate.log(), /"GET \/slow HTTP\/1\.1" 200 11/);
  assert.equal(wormgate.stderr, '');
});

test('a reload under load holds for all workers, and no connection is refused', async (t) => {
  const options = { origin, patternLines: [] };
  const wormgate = await startWithWorkers(t, options);
  const load = askOn(wormgate);
  for (let round = 0; round < 4; round += 1) {
    // What is misdirected loses its connection.
    const clients = [...(await clientOfEach(wormgate)).values()];
    const isNew = round % 2 === 0;
    const site = isNew ? ['Hosts=other.test, site.test'] : ['Hosts=site.test'];
    const told = await reload(wormgate, workersOptions({ ...options, accelerator: site }));
    assert.match(told, /in force\n$/);
    for (const client of clients) {
      const answer = await client.ask('GET / HTTP/1.1\r\nHost: other.test\r\n\r\n');
      assert.equal(answer.status, isNew ? 200 : 421);
    }
  }
  assert.deepEqual(await load.end(), []);
});

test('an origin that fails one worker is left out by all, and back with all', async (t) => {
  const port = await freePort();
  const site = {
    origin: `${origin}, http://127.0.0.1:${port}`,
    accelerator: ['MaxFails=2', 'FailTimeout=1'],
  };
  const wormgate = await startWithWorkers(t, site);
  const [one] = [...(await clientOfEach(wormgate)).values()];
  for (let each = 0; each < 6; each += 1) {
    assert.equal((await one?.ask(get('/')))?.status, 200);
  }
  const rows = () => wormgate.virus('origins').stdout;
  assert.match(rows(), new RegExp(`:${port} +down `));
  await until(() => wormgate.stderr.includes(`${port} is down`));
  assert.equal(wormgate.stderr.split(' is down').length, 2);
  const back = createServer((socket) => socket.end('HTTP/1.1 204 OK\r\n\r\n'));
  await new Promise<void>((resolve) => back.listen(port, '127.0.0.1', resolve));
  t.after(() => back.close());
  await until(async () => {
    await one?.ask(get('/'));
    return !/ down /.test(rows());
  });
});

test('an origin that was down when a reload removed it is up for all when another brings it back', async (t) => {
  const gone = `http://127.0.0.1:${await freePort()}`;
  const accelerator = ['MaxFails=1', 'FailTimeout=300'];
  const both = workersOptions({ origin: `${origin}, ${gone}`, accelerator });
  const wormgate = await startWithWorkers(t, { origin: `${origin}, ${gone}`, accelerator });
  const downs = () => wormgate.stderr.split(`${gone} is down`).length - 1;
  for (let each = 0; each < 4; each += 1) await askRaw(wormgate.port, 'GET / HTTP/1.1');
  await until(() => downs() === 1);
  await reload(wormgate, workersOptions({ origin, accelerator }));
  await reload(wormgate, both);
  const [victim = 0] = wormgate.workerPids;
  process.kill(victim, 'SIGKILL');
  await untilReplaced(wormgate, [victim], 2);
  for (const client of (await clientOfEach(wormgate)).values()) client.destroy();
  assert.doesNotMatch(wormgate.virus('origins').stdout, / down /);
});

test('a reload that one part cannot follow is followed by no worker', async (t) => {
  const wormgate = await startWithWorkers(t, { origin });
  const taken = createServer();
  const port = await freePort();
  await new Promise<void>((resolve) => taken.listen(port, '127.0.0.1', resolve));
  t.after(() => taken.close());
  const accelerator = ['Hosts=other.test'];
  const listening = workersOptions({ origin, accelerator });
  const more = { 'Accelerator more': [`Listen=127.0.0.1:${port}`, `Origin=${origin}`] };
  const next = { ...listening, sections: { ...listening.sections, ...more } };
  const [why = ''] = await refused(wormgate, next);
  assert.match(why, /cannot listen on 127\.0\.0\.1:\d+: it is taken/);
  for (const client of (await clientOfEach(wormgate)).values()) {
    assert.equal((await client.ask(get('/still'))).status, 200);
  }
  const workers = workersOptions({ origin, workers: 3 });
  assert.deepEqual(await refused(wormgate, workers), [
    'wormgate: Workers stays 2; the new value 3 needs a restart.',
  ]);
});
