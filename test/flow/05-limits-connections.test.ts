/** Limits of connections and queues, and whose time it is that runs out. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { headerOf } from '../support/answer.ts';
import { askOnce, RawClient } from '../support/raw-client.ts';
import {
  type Call,
  okAnswer,
  type ScriptedOrigin,
  startScriptedOrigin,
} from '../support/scripted-origin.ts';
import { type Sites, startSites } from '../support/sites.ts';
import { until } from '../support/wormgate.ts';

const get = (target: string) => `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`;

interface Bounded {
  readonly origin: ScriptedOrigin;
  readonly sites: Sites<'one' | 'two'>;
}

/** A wormgate with two sites before one origin, which holds back what it is asked under /hold. */
async function startBounded(limits: readonly string[]): Promise<Bounded> {
  const origin = await startScriptedOrigin({ after });
  origin.on('/hold', () => {});
  const site = { origin: origin.url };
  const sites = await startSites({ after }, { one: site, two: site }, { Limits: limits });
  return { origin, sites };
}

async function hold(port: number, target = '/hold'): Promise<RawClient> {
  const client = await RawClient.connect(port);
  return client.send(get(target));
}

function answerAll(calls: readonly Call[]): void {
  for (const call of calls) call.say(okAnswer());
}

describe('connections', { concurrency: true }, () => {
  test('MaxConnections: no more than that on all listen addresses together', async () => {
    const { sites } = await startBounded(['MaxConnections=3']);
    const { wormgate, ports } = sites;
    const clients = await Promise.all(
      [ports.one, ports.one, ports.two].map((port) => RawClient.connect(port)),
    );
    for (const client of clients) assert.equal((await client.ask(get('/'))).status, 200);
    for (const port of [ports.one, ports.two]) {
      const refused = await RawClient.connect(port);
      await refused.end();
      assert.equal(refused.text, '');
    }
    assert.equal(await wormgate.counter('connections_refused'), 2);
    assert.equal(await wormgate.counter('connections'), 3);
    clients[0]?.destroy();
    await until(async () => (await wormgate.counter('connections_closed')) === 1);
    assert.equal((await askOnce(ports.two, get('/'))).status, 200);
    for (const client of clients) client.destroy();
  });

  test('MaxOriginConnections and MaxOriginQueue: so many run, so many wait, one more is 503', async () => {
    const { origin, sites } = await startBounded(['MaxOriginConnections=2', 'MaxOriginQueue=1']);
    const { wormgate, ports } = sites;
    const running = [await hold(ports.one), await hold(ports.two)];
    await until(() => origin.callsOf('/hold').length === 2);
    const waiting = await hold(ports.one, '/hold-waiting');
    // Requests are taken in the order in which they arrive: the next is the one too many.
    const busy = await askOnce(ports.one, get('/busy'));
    assert.equal(busy.status, 503);
    const id = headerOf(busy, 'x-request-id');
    assert.match(
      await wormgate.logLine(new RegExp(`id=${id}$`)),
      /" 503 \d+ error=origin_busy id=/,
    );
    assert.equal(await wormgate.counter('origin_queue_full'), 1);
    answerAll(origin.callsOf('/hold'));
    for (const client of running) assert.equal((await client.answer()).status, 200);
    await until(() => origin.callsOf('/hold-waiting').length === 1);
    answerAll(origin.callsOf('/hold-waiting'));
    assert.equal((await waiting.answer()).status, 200);
    assert.equal(origin.connectionCount, 2);
    for (const client of [...running, waiting]) client.destroy();
  });

  test('a client that leaves the queue gives its place to another', async () => {
    const { origin, sites } = await startBounded(['MaxOriginConnections=1', 'MaxOriginQueue=1']);
    const { wormgate, ports } = sites;
    const running = await hold(ports.one);
    await until(() => origin.callsOf('/hold').length === 1);
    for (let count = 0; count < 3; count += 1) {
      const leaver = await hold(ports.one, '/left');
      // It waits, or the next would not be refused.
      assert.equal((await askOnce(ports.one, get('/busy'))).status, 503);
      leaver.destroy();
      await until(async () => (await wormgate.counter('client_aborts')) === count + 1);
    }
    const waiting = await hold(ports.one, '/stayed');
    answerAll(origin.callsOf('/hold'));
    assert.equal((await running.answer()).status, 200);
    assert.equal((await waiting.answer()).status, 200);
    assert.deepEqual(origin.callsOf('/left'), []);
    for (const client of [running, waiting]) client.destroy();
  });

  test('MaxOriginQueue=0: nobody waits, whoever finds a free connection is served', async () => {
    const { origin, sites } = await startBounded(['MaxOriginConnections=1', 'MaxOriginQueue=0']);
    const { ports } = sites;
    assert.equal((await askOnce(ports.one, get('/'))).status, 200);
    const running = await hold(ports.one);
    await until(() => origin.callsOf('/hold').length === 1);
    assert.equal((await askOnce(ports.one, get('/busy'))).status, 503);
    answerAll(origin.callsOf('/hold'));
    assert.equal((await running.answer()).status, 200);
    assert.equal((await askOnce(ports.one, get('/'))).status, 200);
    running.destroy();
  });

  test('a place is given back when the client goes, the origin dies, or the request is refused', async () => {
    const { origin, sites } = await startBounded(['MaxOriginConnections=1', 'MaxOriginQueue=0']);
    const { wormgate, ports } = sites;
    const leaver = await hold(ports.one, '/hold-left');
    await until(() => origin.callsOf('/hold-left').length === 1);
    leaver.destroy();
    await until(async () => (await wormgate.counter('client_aborts')) === 1);
    assert.equal((await askOnce(ports.one, get('/'))).status, 200);
    origin.on('/die', ({ socket }) => socket.destroy());
    assert.equal((await askOnce(ports.one, get('/die'))).status, 502);
    origin.on('/cut', ({ say, socket }) => {
      say('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf');
      socket.end();
    });
    const cut = await hold(ports.one, '/cut');
    await cut.end();
    assert.equal((await askOnce(ports.one, get('/'))).status, 200);
  });
});

describe('whose time runs out', { concurrency: true }, () => {
  test('OriginTimeout does not run while the client uploads, and does afterwards', async () => {
    const { origin, sites } = await startBounded(['OriginTimeout=1', 'BodyTimeout=10']);
    const client = await RawClient.connect(sites.ports.one);
    client.send('POST /hold-upload HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\nhalf');
    await until(() => origin.callsOf('/hold-upload')[0]?.body() === 'half');
    await new Promise((resolve) => setTimeout(resolve, 1600));
    assert.equal(client.text, '');
    client.send('half');
    assert.equal((await client.answer()).status, 504);
    assert.equal(await sites.wormgate.counter('origin_timeouts'), 1);
    client.destroy();
  });

  test('OriginTimeout does not run while the client does not read', async () => {
    const { origin, sites } = await startBounded(['OriginTimeout=1', 'SendTimeout=10']);
    const size = 48 * 1024 * 1024;
    origin.on('/large', ({ say, socket }) => {
      say(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`);
      socket.write(Buffer.alloc(size));
    });
    const client = await RawClient.connect(sites.ports.one);
    let received = 0;
    client.socket.removeAllListeners('data');
    client.socket.on('data', (chunk) => {
      received += chunk.length;
    });
    client.socket.pause();
    client.send(get('/large'));
    await until(() => origin.callsOf('/large').length === 1);
    await new Promise((resolve) => setTimeout(resolve, 2200));
    client.socket.resume();
    await until(() => received > size);
    assert.equal(await sites.wormgate.counter('origin_timeouts'), 0);
    client.destroy();
  });
});
