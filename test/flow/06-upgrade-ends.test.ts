/** Upgrades: how they fail and how tunnels end. Whoever goes away takes the other side along. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { connectionCount } from '../support/process.ts';
import { askOnce, RawClient } from '../support/raw-client.ts';
import { startScriptedOrigin } from '../support/scripted-origin.ts';
import { startSites } from '../support/sites.ts';
import { opcodes, startEchoOrigin, WebSocketClient } from '../support/websocket.ts';
import { freePort, startWormgate, until } from '../support/wormgate.ts';

const echo = await startEchoOrigin({ after });
const origin = await startScriptedOrigin({ after });
const nobody = `http://127.0.0.1:${await freePort()}`;
const {
  wormgate,
  ports: { site: port, dead: deadPort, half: halfPort },
} = await startSites(
  { after },
  {
    site: { origin: origin.url },
    dead: { origin: nobody },
    half: { origin: `${nobody}, ${origin.url}` },
  },
);
/** Whatever waits for one second is given up here. */
const {
  wormgate: hasty,
  ports: { site: hastyPort, sockets: hastySocketsPort },
} = await startSites(
  { after },
  { site: { origin: origin.url }, sockets: { origin: echo.url } },
  { Limits: ['UpgradeTimeout=1', 'OriginTimeout=1'] },
);

const switching =
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: chat\r\nConnection: Upgrade\r\n\r\n';

function offer(target: string): string {
  return `GET ${target} HTTP/1.1\r\nHost: site.test\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\n`;
}

/** A tunnel to the scripted origin's `path`; both ends are connected when it is returned. */
async function openTunnel(path: string, at = port): Promise<RawClient> {
  origin.on(path, (call) => {
    call.say(switching);
    call.onBody(() => {});
  });
  const client = await RawClient.connect(at);
  assert.equal((await client.ask(offer(path))).status, 101);
  return client;
}

function callOf(path: string) {
  const call = origin.callsOf(path)[0];
  assert.ok(call !== undefined, path);
  return call;
}

/** Ways in which a client leaves. */
const leave = {
  closes: (client: RawClient) => client.destroy(),
  resets: (client: RawClient) => client.reset(),
  'ends its side': (client: RawClient) => void client.socket.end(),
} as const;

describe('before the origin has answered', () => {
  for (const [how, go] of Object.entries(leave)) {
    test(`a client that ${how} stops the request, and the process lives`, async () => {
      const before = await wormgate.counter('client_aborts');
      const path = `/think-${how.replaceAll(' ', '-')}`;
      origin.on(path, () => {});
      const client = await RawClient.connect(port);
      client.send(offer(path));
      await until(() => origin.callsOf(path).length === 1);
      go(client);
      await callOf(path).closed;
      assert.match(await wormgate.logLine(new RegExp(path)), / - 0 error=client_gone id=\S+$/);
      assert.equal(await wormgate.counter('client_aborts'), before + 1);
      assert.equal((await askOnce(port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n')).status, 200);
      client.destroy();
    });
  }

  for (const [how, go] of Object.entries(leave)) {
    test(`a client that ${how} behind bytes that nobody has read yet stops the request`, async () => {
      const path = `/early-${how.replaceAll(' ', '-')}`;
      origin.on(path, () => {});
      const client = await RawClient.connect(port);
      client.send(`${offer(path)}early`);
      await until(() => origin.callsOf(path).length === 1);
      await client.flush('later');
      go(client);
      await wormgate.logLine(new RegExp(`${path} .* - 0 error=client_gone`));
      await callOf(path).closed;
      client.destroy();
    });
  }

  const faults = {
    'closes without an answer': ['closed', (call) => call.socket.destroy()],
    'resets the connection': ['closed', (call) => call.socket.resetAndDestroy()],
    'closes within the head': ['closed', (call) => call.socket.end('HTTP/1.1 101 Switch')],
    'answers with something else': ['garbage', (call) => call.say('SSH-2.0-OpenSSH\r\n\r\n')],
  } as const satisfies Record<
    string,
    readonly [string, (call: ReturnType<typeof callOf>) => unknown]
  >;
  for (const [what, [code, script]] of Object.entries(faults)) {
    test(`an origin that ${what} is answered 502`, async () => {
      const before = await wormgate.counter('origin_failures');
      const path = `/fault-${what.replaceAll(' ', '-')}`;
      origin.on(path, script);
      const client = await RawClient.connect(port);
      const answer = await client.ask(offer(path));
      assert.equal(answer.status, 502);
      assert.match(String(answer.body), /Request id: \S+\n$/);
      await client.end();
      client.destroy();
      const line = await wormgate.logLine(new RegExp(path));
      assert.match(line, new RegExp(` 502 ${answer.body.length} error=origin_${code} id=\\S+$`));
      assert.equal(await wormgate.counter('origin_failures'), before + 1);
    });
  }

  test('an origin that refuses the connection is answered 502', async () => {
    const before = await wormgate.counter('origin_connect_failures');
    const answer = await askOnce(deadPort, offer('/refused'));
    assert.equal(answer.status, 502);
    assert.match(await wormgate.logLine(/refused/), / 502 \d+ error=origin_unreachable id=/);
    assert.equal(await wormgate.counter('origin_connect_failures'), before + 1);
  });

  test('an origin that is silent is answered 504 after OriginTimeout', async () => {
    origin.on('/silent', () => {});
    const client = await RawClient.connect(hastyPort);
    assert.equal((await client.ask(offer('/silent'))).status, 504);
    await client.end();
    client.destroy();
    await callOf('/silent').closed;
    assert.match(await hasty.logLine(/silent/), / 504 \d+ error=origin_timeout id=/);
  });

  test('where one of two origins refuses connections, the other is tried', async () => {
    origin.on('/half', ({ say }) => say(switching));
    for (let index = 0; index < 4; index += 1) {
      const client = await RawClient.connect(halfPort);
      assert.equal((await client.ask(offer('/half'))).status, 101, `round ${index}`);
      client.destroy();
    }
  });
});

describe('a tunnel', () => {
  for (const [how, go] of Object.entries({
    closes: ({ socket }: ReturnType<typeof callOf>) => socket.destroy(),
    resets: ({ socket }: ReturnType<typeof callOf>) => socket.resetAndDestroy(),
  })) {
    test(`ends for the client when the origin ${how}`, async () => {
      const client = await openTunnel(`/origin-${how}`);
      client.send('hello');
      await until(() => callOf(`/origin-${how}`).body() === 'hello');
      go(callOf(`/origin-${how}`));
      await client.end();
      client.destroy();
      assert.match(await wormgate.logLine(new RegExp(`origin-${how}`)), / 101 0$/);
    });
  }

  for (const [how, go] of Object.entries(leave)) {
    test(`ends for the origin when the client ${how}`, async () => {
      const path = `/client-${how.replaceAll(' ', '-')}`;
      const client = await openTunnel(path);
      client.send('hello');
      await until(() => callOf(path).body() === 'hello');
      go(client);
      await wormgate.logLine(new RegExp(`${path} .* 101 0$`));
      await callOf(path).closed;
      client.destroy();
    });
  }

  test('delivers what the origin said last', async () => {
    const last = 'x'.repeat(1_000_000);
    origin.on('/last', ({ socket }) => socket.end(switching + last));
    const client = await RawClient.connect(port);
    assert.equal((await client.ask(offer('/last'))).status, 101);
    await client.end();
    assert.equal(client.text.length, last.length);
    client.destroy();
  });

  test('carries no more than the client takes', async () => {
    let sent = 0;
    let isFull = false;
    origin.on('/flood', ({ socket }) => {
      socket.write(switching);
      const chunk = Buffer.alloc(1024 * 1024);
      const pour = () => {
        isFull = false;
        while (sent < 200 && socket.write(chunk)) sent += 1;
        isFull = true;
      };
      socket.on('drain', pour);
      pour();
    });
    const client = await RawClient.connect(port);
    client.send(offer('/flood'));
    await client.answer();
    client.socket.pause();
    let seen = -1;
    await until(async () => {
      const isStill = isFull && seen === sent;
      seen = sent;
      await new Promise((resolve) => setTimeout(resolve, 200));
      return isStill;
    });
    assert.ok(sent < 100, `${sent} MiB left the origin`);
    client.reset();
    await callOf('/flood').closed;
  });

  test('that is idle for UpgradeTimeout is closed at both ends, counted and logged', async () => {
    const before = await hasty.counter('upgrade_timeouts');
    const client = await openTunnel('/idle', hastyPort);
    await client.end();
    client.destroy();
    await callOf('/idle').closed;
    assert.match(await hasty.logLine(/idle/), / 101 0 error=idle id=\S+$/);
    assert.equal(await hasty.counter('upgrade_timeouts'), before + 1);
  });

  test('that is busy outlives UpgradeTimeout, though only one side speaks at a time', async () => {
    const asks = async () => {
      const client = await WebSocketClient.open(hastySocketsPort);
      for (let index = 0; index < 6; index += 1) {
        await new Promise((resolve) => setTimeout(resolve, 250));
        const payload = Buffer.from(`message ${index}`);
        client.send({ opcode: opcodes.text, payload });
        assert.deepEqual((await client.next()).payload, payload);
      }
      client.socket.destroy();
    };
    const listens = async () => {
      origin.on('/monologue', (call) => {
        call.say(switching);
        const timer = setInterval(() => call.say('tick '), 250);
        call.closed.then(() => clearInterval(timer));
      });
      const client = await RawClient.connect(hastyPort);
      await client.ask(offer('/monologue'));
      await client.until(() => client.text.length >= 6 * 'tick '.length, 'six ticks');
      client.destroy();
    };
    await Promise.all([asks(), listens()]);
  });

  test('leaves no socket behind, however it ends', async () => {
    origin.hangUp();
    await until(() => connectionCount(port, origin.port) === 0);
    const ways = Object.values(leave);
    const clients = await Promise.all(
      Array.from({ length: 45 }, (_, index) => openTunnel(`/many-${index}`)),
    );
    await until(() => connectionCount(port, origin.port) === 2 * clients.length);
    for (const [index, client] of clients.entries()) {
      if (index % 4 === 3) callOf(`/many-${index}`).socket.resetAndDestroy();
      else ways[index % 4]?.(client);
    }
    await until(() => origin.openCount === 0);
    for (const client of clients) client.destroy();
    await until(() => connectionCount(port, origin.port) === 0);
  });

  test('does not hold up a stop', async (t) => {
    const stopping = await startWormgate(t, { origin: origin.url });
    const client = await openTunnel('/stop', stopping.port);
    assert.equal(await stopping.stop(), 0);
    await client.end();
    client.destroy();
    await callOf('/stop').closed;
    assert.match(stopping.log(), /stop HTTP\/1\.1" 101 0/);
  });
});
