/** Forwarding: whoever goes away takes the other side along, and nothing is left behind. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { headerOf } from '../support/answer.ts';
import { socketCount } from '../support/process.ts';
import { askOnce, RawClient } from '../support/raw-client.ts';
import { startScriptedOrigin } from '../support/scripted-origin.ts';
import { startSites } from '../support/sites.ts';
import { until } from '../support/wormgate.ts';

const origin = await startScriptedOrigin({ after });
const {
  wormgate,
  ports: { site: port },
} = await startSites({ after }, { site: { origin: origin.url } });

const headOf = { length: 'Content-Length: 10', chunked: 'Transfer-Encoding: chunked' } as const;

/** Ways in which a client leaves. */
const leave = {
  closes: (client: RawClient) => client.destroy(),
  resets: (client: RawClient) => client.reset(),
  'ends its side': (client: RawClient) => void client.socket.end(),
} as const;

describe('aborts', () => {
  for (const [how, go] of Object.entries(leave)) {
    test(`a client that ${how} while the origin thinks stops the request`, async () => {
      const path = `/think-${how.replaceAll(' ', '-')}`;
      origin.on(path, () => {});
      const client = await RawClient.connect(port);
      client.send(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
      await until(() => origin.callsOf(path).length === 1);
      go(client);
      await origin.callsOf(path)[0]?.closed;
      assert.match(await wormgate.logLine(new RegExp(path)), / - 0 error=client_gone id=\S+$/);
      client.destroy();
    });

    test(`a client that ${how} while it uploads stops the request`, async () => {
      const path = `/upload-${how.replaceAll(' ', '-')}`;
      origin.on(path, () => {});
      const client = await RawClient.connect(port);
      client.send(`POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nbegin`);
      await until(() => origin.callsOf(path)[0]?.body() === 'begin');
      go(client);
      await origin.callsOf(path)[0]?.closed;
      assert.match(await wormgate.logLine(new RegExp(path)), / - 0 error=client_gone id=\S+$/);
      client.destroy();
    });

    test(`a client that ${how} in the middle of the answer stops the request`, async () => {
      const path = `/answer-${how.replaceAll(' ', '-')}`;
      origin.on(path, ({ say }) => say('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf'));
      const client = await RawClient.connect(port);
      client.send(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
      await client.until(() => client.text.endsWith('half'), 'half an answer');
      go(client);
      await origin.callsOf(path)[0]?.closed;
      assert.match(await wormgate.logLine(new RegExp(path)), / 200 4 error=client_gone id=\S+$/);
      client.destroy();
    });
  }

  test('a client that goes away is counted', async () => {
    const before = await wormgate.counter('client_aborts');
    origin.on('/count', () => {});
    const client = await RawClient.connect(port);
    client.send('GET /count HTTP/1.1\r\nHost: a\r\n\r\n');
    await until(() => origin.callsOf('/count').length === 1);
    client.destroy();
    await until(async () => (await wormgate.counter('client_aborts')) === before + 1);
  });

  for (const [framing, line] of Object.entries(headOf)) {
    for (const how of ['closes', 'resets'] as const) {
      test(`an origin that ${how} within a body framed by ${framing} closes the client`, async () => {
        const path = `/cut-${framing}-${how}`;
        const half = framing === 'chunked' ? '4\r\nhalf\r\n' : 'half';
        origin.on(path, ({ socket, say }) => {
          say(`HTTP/1.1 200 OK\r\n${line}\r\n\r\n${half}`);
          // A reset throws away what was not sent yet.
          setTimeout(() => (how === 'closes' ? socket.destroy() : socket.resetAndDestroy()), 50);
        });
        const client = await RawClient.connect(port);
        client.send(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
        await client.end();
        assert.match(client.text, /half/);
        assert.doesNotMatch(client.text, /0\r\n\r\n$/);
        assert.match(await wormgate.logLine(new RegExp(path)), / 200 4 error=origin_cut_short id=/);
      });
    }
  }

  test('an origin that dies while it is sent a body is answered 502', async () => {
    origin.on('/die', ({ socket }) => socket.destroy());
    const client = await RawClient.connect(port);
    client.send('POST /die HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nbegin');
    const answer = await client.answer();
    assert.equal(answer.status, 502);
    assert.equal(headerOf(answer, 'connection'), 'close');
    client.destroy();
  });

  test('a body that breaks its grammar on the way is answered 400, and the origin never gets the end', async () => {
    origin.on('/broken', () => {});
    const client = await RawClient.connect(port);
    client.send(
      'POST /broken HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n',
    );
    await until(() => origin.callsOf('/broken')[0]?.body() === '5\r\nfirst\r\n');
    client.send('5;x\r\nabcdefgh', 'more');
    assert.equal((await client.answer()).status, 400);
    await client.end();
    await origin.callsOf('/broken')[0]?.closed;
    assert.equal(origin.callsOf('/broken').length, 1);
    assert.doesNotMatch(origin.callsOf('/broken')[0]?.body() ?? '', /0\r\n\r\n/);
    assert.match(await wormgate.logLine(/broken/), / 400 \d+ error=ambiguous_body id=/);
  });

  test('a body that breaks its grammar after the answer began closes the connection', async () => {
    origin.on('/late', ({ say }) => say('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf'));
    const client = await RawClient.connect(port);
    client.send('POST /late HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
    await client.until(() => client.text.endsWith('half'), 'half an answer');
    client.send('nonsense\r\n');
    await client.end();
    await origin.callsOf('/late')[0]?.closed;
    assert.match(await wormgate.logLine(/late/), / 200 4 error=ambiguous_body id=/);
  });

  test('nothing is left behind: no socket on either side', async () => {
    origin.hangUp();
    await until(() => origin.openCount === 0);
    // Its two listeners and the console's; whatever epoll and pipes are is no socket.
    const idle = async () => {
      await fetch(`http://127.0.0.1:${wormgate.adminPort}/metrics`, {
        headers: { connection: 'close' },
      });
      const pids = [wormgate.pid, ...wormgate.workerPids];
      return pids.reduce((sum, pid) => sum + socketCount(pid), 0);
    };
    // What the tests before had open may still be closing.
    let before = -1;
    await until(async () => {
      const last = before;
      before = await idle();
      return before === last;
    });
    origin.on('/leave', () => {});
    const clients = await Promise.all(Array.from({ length: 50 }, () => RawClient.connect(port)));
    for (const [index, client] of clients.entries()) {
      client.send(`GET /leave${index} HTTP/1.1\r\nHost: a\r\n\r\n`);
    }
    await until(() => origin.callsOf('/leave').length === clients.length);
    assert.ok((await idle()) >= before + 2 * clients.length);
    for (const client of clients) client.reset();
    await until(() => origin.openCount === 0);
    await until(async () => (await idle()) <= before);
    assert.equal((await askOnce(port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n')).status, 200);
  });
});
