/** Which of several origins is asked: weights, backups, loads, full queues, checks, and reloads. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { startOrigin } from '../support/origin.ts';
import { askOnce, RawClient } from '../support/raw-client.ts';
import { reload, taken } from '../support/reload.ts';
import { okAnswer, type ScriptedOrigin, startScriptedOrigin } from '../support/scripted-origin.ts';
import { freePort, startWormgate, until, type Wormgate } from '../support/wormgate.ts';

const get = (target: string) => `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`;
const lanes = { 'the fast path': '1', 'the front': '0' } as const;

/** Origins that answer with their names. */
async function startOrigins<const Name extends string>(
  ...names: readonly Name[]
): Promise<Record<Name, ScriptedOrigin>> {
  const started = names.map(async (name) => {
    const origin = await startScriptedOrigin({ after });
    origin.on('/', ({ say }) => say(okAnswer(name)));
    return [name, origin] as const;
  });
  return Object.fromEntries(await Promise.all(started)) as Record<Name, ScriptedOrigin>;
}

function sections(fastPath: string, limits: readonly string[] = []) {
  const extra = ['ScanVirusPatterns=1', `FastPath=${fastPath}`];
  return { 'Extra Configuration': extra, Limits: limits };
}

/** Who answers so many requests in turn, e.g. `aaab`. */
async function answerers(wormgate: Wormgate, count: number): Promise<string> {
  let names = '';
  for (let times = 0; times < count; times += 1) {
    const answer = await askOnce(wormgate.port, get('/'));
    names += answer.status === 200 ? answer.body.toString() : `(${answer.status})`;
  }
  return names;
}

/** A client whose request an origin keeps waiting. */
async function hold(wormgate: Wormgate, origins: readonly ScriptedOrigin[]): Promise<RawClient> {
  const count = () => origins.reduce((sum, each) => sum + each.callsOf('/held').length, 0);
  const before = count();
  for (const origin of origins) origin.on('/held', () => {});
  const client = await RawClient.connect(wormgate.port);
  client.send(get('/held'));
  await until(() => count() > before);
  return client;
}

function stateOf(wormgate: Wormgate, url: string): string {
  const row = wormgate
    .virus('origins')
    .stdout.split('\n')
    .find((line) => line.includes(url));
  return /(?:up|down|failed|slow start)(?:, backup)?/.exec(row ?? '')?.[0] ?? '';
}

for (const [lane, fastPath] of Object.entries(lanes)) {
  describe(`on ${lane}`, { concurrency: 2 }, () => {
    test('requests follow the weights, and a backup is asked when nobody else is there', async () => {
      const { a, b, c } = await startOrigins('a', 'b', 'c');
      const wormgate = await startWormgate(
        { after },
        {
          origin: `${a.url} weight=3, ${b.url}, ${c.url} backup`,
          accelerator: ['MaxFails=1', 'FailTimeout=60'],
          sections: sections(fastPath),
        },
      );
      assert.equal(await answerers(wormgate, 8), 'aabaaaba');
      await Promise.all([a.close(), b.close()]);
      assert.equal(await answerers(wormgate, 3), 'ccc');
      assert.equal(stateOf(wormgate, a.url), 'down');
      assert.equal(stateOf(wormgate, c.url), 'up, backup');
    });

    test('when all are down, all are tried', async () => {
      const { a } = await startOrigins('a');
      const other = `http://127.0.0.1:${await freePort()}`;
      const wormgate = await startWormgate(
        { after },
        {
          origin: `${a.url}, ${other}`,
          accelerator: ['MaxFails=1', 'FailTimeout=3600'],
          sections: sections(fastPath),
        },
      );
      const { port } = a;
      await a.close();
      assert.equal(await answerers(wormgate, 1), '(502)');
      assert.deepEqual([stateOf(wormgate, a.url), stateOf(wormgate, other)], ['down', 'down']);
      await a.listen(port);
      assert.equal(await answerers(wormgate, 3), 'aaa');
      assert.equal(stateOf(wormgate, a.url), 'up');
    });

    test('leastconn asks who has least to do', async () => {
      const { a, b } = await startOrigins('a', 'b');
      const wormgate = await startWormgate(
        { after },
        {
          origin: `${a.url}, ${b.url}`,
          accelerator: ['Balance=leastconn'],
          sections: sections(fastPath),
        },
      );
      const held = await hold(wormgate, [a, b]);
      const [busy, free] = a.callsOf('/held').length > 0 ? ['a', 'b'] : ['b', 'a'];
      assert.equal(await answerers(wormgate, 4), free.repeat(4));
      held.destroy();
      await until(async () => (await answerers(wormgate, 1)) === busy);
    });

    test('who has maxconn requests and a full queue is passed over, for a POST, too', async () => {
      const { a, b } = await startOrigins('a', 'b');
      const wormgate = await startWormgate(
        { after },
        {
          origin: `${a.url} weight=256 maxconn=1, ${b.url}`,
          sections: sections(fastPath, ['MaxOriginQueue=0']),
        },
      );
      const held = await hold(wormgate, [a]);
      const post = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody';
      for (const request of [get('/'), post, get('/')]) {
        assert.equal((await askOnce(wormgate.port, request)).body.toString(), 'b');
      }
      assert.equal(await wormgate.counter('requests_moved'), 3);
      assert.equal(await wormgate.counter('origin_queue_full'), 0);
      assert.equal(stateOf(wormgate, a.url), 'up');
      held.destroy();
    });

    test('no more than MaxOriginTries origins are tried', async () => {
      const { a } = await startOrigins('a');
      const dead = await Promise.all([freePort(), freePort()]);
      const list = dead.map((port) => `http://127.0.0.1:${port} weight=256`).join(', ');
      const wormgate = await startWormgate(
        { after },
        {
          origin: `${list}, ${a.url}`,
          accelerator: ['MaxFails=0'],
          sections: sections(fastPath, ['MaxOriginTries=2']),
        },
      );
      assert.equal(await answerers(wormgate, 2), '(502)(502)');
      await taken(wormgate, {
        origin: `${list}, ${a.url}`,
        accelerator: ['MaxFails=0'],
        sections: sections(fastPath, ['MaxOriginTries=3']),
      });
      assert.equal(await answerers(wormgate, 2), 'aa');
    });

    test('a request older than OriginRetryTimeout goes to no other origin', async () => {
      const { a, b } = await startOrigins('a', 'b');
      a.on('/', () => {});
      const wormgate = await startWormgate(
        { after },
        {
          origin: `${a.url} weight=256, ${b.url}`,
          sections: sections(fastPath, ['OriginTimeout=2', 'OriginRetryTimeout=1']),
        },
      );
      assert.equal(await answerers(wormgate, 1), '(504)');
      assert.equal(b.calls.length, 0);
    });

    test('OriginReadTimeout is for silence within an answer, OriginTimeout for that before it', async () => {
      const { a } = await startOrigins('a');
      const later = (call: Parameters<Parameters<typeof a.on>[1]>[0], text: string) =>
        setTimeout(() => call.say(text), 1800);
      a.on('/late', (call) => later(call, okAnswer('late')));
      a.on('/faint', (call) => {
        call.say('HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf');
        later(call, 'half');
      });
      const wormgate = await startWormgate(
        { after },
        { origin: a.url, sections: sections(fastPath, ['OriginReadTimeout=1']) },
      );
      assert.equal((await askOnce(wormgate.port, get('/late'))).body.toString(), 'late');
      const client = await RawClient.connect(wormgate.port);
      client.send(get('/faint'));
      await client.end();
      assert.match(client.text, /\r\n\r\nhalf$/);
      assert.match(await wormgate.logLine(/faint/), / 200 4 error=origin_timeout id=/);
    });

    test('with OriginKeepAlive=0 every request has a connection of its own', async () => {
      const { a } = await startOrigins('a');
      const wormgate = await startWormgate(
        { after },
        { origin: a.url, sections: sections(fastPath, ['OriginKeepAlive=0']) },
      );
      assert.equal(await answerers(wormgate, 3), 'aaa');
      assert.equal(a.connectionCount, 3);
    });
  });
}

describe('health', { concurrency: 2 }, () => {
  test('checks take an origin out though it answers requests, and bring it back', async () => {
    const { a, b } = await startOrigins('a', 'b');
    let status = '204 No Content';
    a.on('/healthz', ({ say }) => say(`HTTP/1.1 ${status}\r\nContent-Length: 0\r\n\r\n`));
    const wormgate = await startWormgate(
      { after },
      {
        origin: `${a.url}, ${b.url}`,
        accelerator: [
          'HealthPath=/healthz?x=1',
          'HealthInterval=1',
          'HealthHost=www.example.com',
          'HealthFall=2',
          'HealthRise=1',
        ],
      },
    );
    await until(() => a.callsOf('/healthz').length > 0);
    assert.match(a.callsOf('/healthz')[0]?.head ?? '', /^GET \/healthz\?x=1 HTTP\/1\.1\r\n/);
    assert.match(a.callsOf('/healthz')[0]?.head ?? '', /\r\nHost: www\.example\.com(\r\n|$)/);
    assert.equal([...(await answerers(wormgate, 4))].sort().join(''), 'aabb');
    status = '503 Not Now';
    await until(() => wormgate.stderr.includes(`origin ${a.url} is down: check: status 503\n`));
    assert.equal(stateOf(wormgate, a.url), 'failed');
    assert.equal(await answerers(wormgate, 4), 'bbbb');
    status = '200 OK';
    await until(() => wormgate.stderr.includes(`origin ${a.url} is back\n`));
    assert.equal([...(await answerers(wormgate, 4))].sort().join(''), 'aabb');
    assert.ok((await wormgate.counter('origin_checks_failed')) >= 1);
    assert.ok((await wormgate.counter('origin_checks')) >= 3);
  });

  test('a check that is not answered in time fails', async () => {
    const { a, b } = await startOrigins('a', 'b');
    a.on('/', () => {});
    const wormgate = await startWormgate(
      { after },
      {
        origin: `${a.url}, ${b.url}`,
        accelerator: ['HealthPath=/', 'HealthInterval=1', 'HealthTimeout=2', 'HealthFall=2'],
      },
    );
    await until(() => wormgate.stderr.includes(`${a.url} is down: check: no answer within 2 s\n`));
    assert.equal(await answerers(wormgate, 3), 'bbb');
  });

  test('what is known of an origin survives a reload; without checks it counts no more', async () => {
    const { a, b } = await startOrigins('a', 'b');
    await a.close();
    const options = (...accelerator: string[]) => ({ origin: `${a.url}, ${b.url}`, accelerator });
    const checked = ['HealthPath=/', 'HealthInterval=1', 'HealthFall=2'];
    const wormgate = await startWormgate({ after }, options(...checked));
    await until(() => wormgate.stderr.includes(`${a.url} is down`));
    await taken(wormgate, options(...checked, 'MaxFails=9'));
    assert.equal(stateOf(wormgate, a.url), 'failed');
    assert.match(await reload(wormgate, options()), /is back\n/);
    assert.equal(stateOf(wormgate, a.url), 'up');
  });

  test('with FailOn5xx an origin that answers 500 is left out; its answers are handed on', async () => {
    const { b } = await startOrigins('b');
    const ill = await startOrigin({ after }, (_req, res) => {
      res.statusCode = 500;
      res.end();
    });
    const wormgate = await startWormgate(
      { after },
      {
        origin: `${ill.url} weight=256, ${b.url}`,
        accelerator: ['FailOn5xx=1', 'MaxFails=2'],
      },
    );
    assert.equal(await answerers(wormgate, 4), '(500)(500)bb');
    assert.equal(await wormgate.counter('requests_moved'), 0);
  });

  test('an upgrade finds the origin that works, and counts as its load', async () => {
    const { a, b } = await startOrigins('a', 'b');
    for (const origin of [a, b]) {
      origin.on('/ws', ({ say }) =>
        say('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n'),
      );
    }
    const dead = `http://127.0.0.1:${await freePort()}`;
    const wormgate = await startWormgate(
      { after },
      {
        origin: `${dead} weight=256, ${a.url}, ${b.url}`,
        accelerator: ['Balance=leastconn', 'MaxFails=1', 'FailTimeout=60'],
      },
    );
    const client = await RawClient.connect(wormgate.port);
    client.send('GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n');
    await client.until(() => client.text.includes(' 101 '), 'the switch');
    assert.equal(stateOf(wormgate, dead), 'down');
    const free = a.callsOf('/ws').length > 0 ? 'b' : 'a';
    assert.equal(await answerers(wormgate, 3), free.repeat(3));
    client.destroy();
  });
});
