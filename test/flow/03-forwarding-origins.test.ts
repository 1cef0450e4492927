/** Forwarding: origins that fail in every way, their connections, and which of several is taken. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { headerOf } from '../support/answer.ts';
import { startFullBacklog } from '../support/full-backlog.ts';
import { startRawOrigin } from '../support/origin.ts';
import { askOnce, RawClient } from '../support/raw-client.ts';
import { okAnswer, type ScriptedOrigin, startScriptedOrigin } from '../support/scripted-origin.ts';
import { startSites } from '../support/sites.ts';
import { freePort, until } from '../support/wormgate.ts';

const get = (target: string, lines = '') => `GET ${target} HTTP/1.1\r\nHost: a\r\n${lines}\r\n`;
const post = (target: string) =>
  `POST ${target} HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody`;

const origin = await startScriptedOrigin({ after });
const second = await startScriptedOrigin({ after });
const deafPort = await startFullBacklog({ after });
const plain = await startRawOrigin({ after }, (socket) =>
  socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'),
);
const deadPort = await freePort();
const dead = `http://127.0.0.1:${deadPort}`;
const { wormgate, ports } = await startSites(
  { after },
  {
    one: { origin: origin.url },
    dead: { origin: dead },
    deaf: { origin: `http://127.0.0.1:${deafPort}` },
    deadThenOne: { origin: `${dead},${origin.url}`, lines: ['MaxFails=0'] },
    two: { origin: `${origin.url},${second.url}`, lines: ['MaxFails=0'] },
    tls: { origin: plain.url.replace('http:', 'https:') },
  },
  { Limits: ['ConnectTimeout=1', 'OriginTimeout=1'] },
);

/** Asks, expects this fault, and that answer, log and counter agree about it. */
async function expectFault(
  port: number,
  request: string,
  expected: { readonly status: number; readonly error: string; readonly counter: string },
): Promise<void> {
  const before = await wormgate.counter(expected.counter);
  const answer = await askOnce(port, request);
  assert.equal(answer.status, expected.status);
  const id = headerOf(answer, 'x-request-id');
  assert.ok(answer.body.toString().includes(`Request id: ${id}`));
  assert.equal(headerOf(answer, 'cache-control'), 'no-store');
  const line = await wormgate.logLine(new RegExp(`id=${id}$`));
  assert.match(
    line,
    new RegExp(`" ${expected.status} ${answer.body.length} error=${expected.error} id`),
  );
  assert.ok((await wormgate.counter(expected.counter)) > before);
}

describe('faults of origins', { concurrency: true }, () => {
  test('an origin that refuses connections is a 502', async () => {
    await expectFault(ports.dead, get('/'), {
      status: 502,
      error: 'origin_unreachable',
      counter: 'origin_connect_failures',
    });
  });

  test('an origin that does not accept a connection in time is a 504', async () => {
    await expectFault(ports.deaf, get('/'), {
      status: 504,
      error: 'origin_connect_timeout',
      counter: 'origin_connect_timeouts',
    });
  });

  test('an origin that says nothing is a 504, and its connection is closed', async () => {
    origin.on('/silent', () => {});
    const expected = { status: 504, error: 'origin_timeout', counter: 'origin_timeouts' };
    await expectFault(ports.one, get('/silent'), expected);
    await origin.callsOf('/silent')[0]?.closed;
  });

  test('an origin that takes a whole body and says nothing is a 504', async () => {
    origin.on('/mute', () => {});
    const expected = { status: 504, error: 'origin_timeout', counter: 'origin_timeouts' };
    await expectFault(ports.one, post('/mute'), expected);
  });

  test('an origin that stops reading a body is a 504, not the client’s fault', async () => {
    origin.on('/stuck', ({ socket }) => socket.pause());
    const client = await RawClient.connect(ports.one);
    client.send('POST /stuck HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n');
    const write = (error?: Error | null): void => {
      if (error == null) client.socket.write(Buffer.alloc(1 << 20), write);
    };
    write();
    assert.equal((await client.answer()).status, 504);
    client.destroy();
  });

  test('an origin that falls silent within its answer closes the client', async () => {
    const before = await wormgate.counter('origin_timeouts');
    origin.on('/faint', ({ say }) => say('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf'));
    const client = await RawClient.connect(ports.one);
    client.send(get('/faint'));
    await client.end();
    assert.match(client.text, /half$/);
    assert.match(await wormgate.logLine(/faint/), / 200 4 error=origin_timeout id=/);
    assert.ok((await wormgate.counter('origin_timeouts')) > before);
  });

  for (const [title, garbage] of Object.entries({
    'something that is not HTTP': 'SSH-2.0-OpenSSH_9.6\r\n',
    'a status below 100': 'HTTP/1.1 099 Low\r\nContent-Length: 0\r\n\r\n',
    'a switch of protocols nobody asked for': 'HTTP/1.1 101 Switching\r\n\r\n',
    'an upgrade nobody asked for':
      'HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    'control bytes in the reason': 'HTTP/1.1 200 O\x01K\r\nContent-Length: 0\r\n\r\n',
    'two lengths': 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nok',
    'a length and chunks':
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'a head without end': `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(100_000)}`,
  })) {
    test(`an origin that answers with ${title} is a 502, and we live`, async () => {
      const path = `/${encodeURIComponent(title)}`;
      origin.on(path, ({ say }) => say(garbage));
      const answer = await askOnce(ports.one, get(path));
      assert.equal(answer.status, 502);
      const id = headerOf(answer, 'x-request-id');
      assert.match(
        await wormgate.logLine(new RegExp(`id=${id}$`)),
        /error=origin_(garbage|closed) /,
      );
      await until(() => origin.callsOf(path).every((call) => call.isClosed()));
    });
  }

  test('an origin that should speak TLS and does not is a 502', async () => {
    await expectFault(ports.tls, get('/'), {
      status: 502,
      error: 'origin_tls',
      counter: 'origin_failures',
    });
  });

  test('a client that asks for JSON gets the fault as JSON', async () => {
    const answer = await askOnce(ports.dead, get('/', 'Accept: application/json\r\n'));
    assert.equal(headerOf(answer, 'content-type'), 'application/json');
    const { status, error, requestId } = JSON.parse(answer.body.toString());
    assert.deepEqual([status, error], [502, 'Bad Gateway']);
    assert.equal(requestId, headerOf(answer, 'x-request-id'));
  });

  test('a fault is told to HEAD without a body', async () => {
    const client = await RawClient.connect(ports.dead);
    const answer = await client.ask('HEAD / HTTP/1.1\r\nHost: a\r\n\r\n');
    assert.equal(answer.status, 502);
    await client.end();
    assert.equal(client.text, '');
  });
});

describe('several origins', () => {
  test('when the first refuses, the next is taken', async () => {
    const before = await wormgate.counter('requests_retried');
    for (let count = 0; count < 4; count += 1) {
      assert.equal((await askOnce(ports.deadThenOne, get('/'))).status, 200);
    }
    assert.equal(await wormgate.counter('requests_retried'), before + 2);
  });

  test('a request with a body is carried to the next one, too', async () => {
    const body = 'x'.repeat(300_000);
    origin.on('/big', (call) => {
      call.onBody(() => {
        if (call.body() === body) call.say(okAnswer('all of it'));
      });
    });
    for (let count = 0; count < 2; count += 1) {
      const request = `POST /big HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
      assert.equal((await askOnce(ports.deadThenOne, request)).body.toString(), 'all of it');
    }
  });

  test('origins take turns', async () => {
    for (let count = 0; count < 4; count += 1) await askOnce(ports.two, get('/turn'));
    assert.equal(origin.callsOf('/turn').length, 2);
    assert.equal(second.callsOf('/turn').length, 2);
  });
});

describe('connections to the origin', () => {
  async function startOne(): Promise<{ readonly origin: ScriptedOrigin; readonly port: number }> {
    const fresh = await startScriptedOrigin({ after });
    const sites = await startSites({ after }, { site: { origin: fresh.url } });
    return { origin: fresh, port: sites.ports.site };
  }

  test('one a lane is enough for requests that come one after the other', async () => {
    const { origin: own, port } = await startOne();
    own.on('/chunked', (call) =>
      call.onBody(() => call.body().endsWith('0\r\n\r\n') && call.say(okAnswer())),
    );
    own.on('/length', (call) => call.onBody(() => call.body() === 'body' && call.say(okAnswer())));
    const chunked =
      'POST /chunked HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n';
    for (const request of [get('/'), chunked, post('/length'), get('/'), chunked]) {
      assert.equal((await askOnce(port, request)).status, 200);
    }
    // Chunked bodies are the front's, which has its connections from Node's agent.
    assert.equal(own.connectionCount, 2);
  });

  /** Leaves one kept-alive connection that the origin closes when it is used again. */
  async function makeStale(own: ScriptedOrigin, port: number): Promise<void> {
    await askOnce(port, get('/warm'));
    let isFirst = true;
    own.on('/stale', (call) => {
      if (isFirst) call.socket.destroy();
      else call.say(okAnswer('fresh'));
      isFirst = false;
    });
  }

  test('GET on a connection that had gone stale is sent once more, on a new one', async () => {
    const { origin: own, port } = await startOne();
    await makeStale(own, port);
    assert.equal((await askOnce(port, get('/stale'))).body.toString(), 'fresh');
    assert.equal(own.connectionCount, 2);
  });

  for (const request of [
    post('/stale'),
    'POST /stale HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n',
  ]) {
    test(`POST with a body of ${request.endsWith('body') ? 4 : 0} bytes is not, for it may have been done: 502`, async () => {
      const { origin: own, port } = await startOne();
      await makeStale(own, port);
      assert.equal((await askOnce(port, request)).status, 502);
      assert.equal(own.callsOf('/stale').length, 1);
    });
  }

  test('GET on a new connection that the origin closes is not sent again', async () => {
    const { origin: own, port } = await startOne();
    own.on('/close', (call) => call.socket.destroy());
    assert.equal((await askOnce(port, get('/close'))).status, 502);
    assert.equal(own.callsOf('/close').length, 1);
  });

  test('what an origin says without being asked answers nobody', async () => {
    const { origin: own, port } = await startOne();
    own.on('/twice', (call) => call.say(`${okAnswer('mine')}${okAnswer('yours')}`));
    assert.equal((await askOnce(port, get('/twice'))).body.toString(), 'mine');
    assert.equal((await askOnce(port, get('/'))).body.toString(), 'ok');
  });
});
