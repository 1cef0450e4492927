/** Upgrades: what passes into a tunnel, what is served as plain HTTP/1.1 instead, and what the log says. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { headerOf } from '../support/answer.ts';
import { askOnce, RawClient } from '../support/raw-client.ts';
import { startScriptedOrigin, valuesOf } from '../support/scripted-origin.ts';
import { startSites } from '../support/sites.ts';
import { type Frame, opcodes, startEchoOrigin, WebSocketClient } from '../support/websocket.ts';
import { until } from '../support/wormgate.ts';

const echo = await startEchoOrigin({ after });
const origin = await startScriptedOrigin({ after });
const {
  wormgate,
  ports: { site: port, sockets: socketsPort },
} = await startSites(
  { after },
  { site: { origin: origin.url }, sockets: { origin: echo.url } },
  {
    'Virus Pattern Configuration': ['NoOfVirusPatterns=1', 'Pattern1="scripts/root.exe",64'],
  },
);

/** The 101 of an origin that speaks `chat`. */
const switching =
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: chat\r\nConnection: Upgrade\r\n\r\n';

function offer(target: string, protocol = 'chat', more = ''): string {
  return `GET ${target} HTTP/1.1\r\nHost: site.test\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n${more}\r\n`;
}

/** The one call for a path. */
function callOf(path: string) {
  const [call, ...others] = origin.callsOf(path);
  assert.ok(call !== undefined && others.length === 0, `${path}: ${others.length + 1} calls`);
  return call;
}

/** Sizes at which a frame's head changes, and others between them. */
function messageOf(index: number): Frame {
  const edges = [0, 1, 125, 126, 127, 65_535, 65_536, 70 * 1024];
  const size = index % 20 < edges.length ? (edges[index % 20] ?? 0) : (index * 7919) % 3000;
  const isText = index % 2 === 0;
  const payload = isText
    ? Buffer.alloc(size, `message ${index}: Grüße; `)
    : Buffer.alloc(size, Buffer.from([index & 0xff, 0, 0xff, 0x0d, 0x0a]));
  return { opcode: isText ? opcodes.text : opcodes.binary, payload };
}

describe('tunnels', () => {
  test('a WebSocket echo holds 1,000 messages of 0 B to 70 KiB, text and binary', async () => {
    const client = await WebSocketClient.open(socketsPort, '/echo');
    const messages = Array.from({ length: 1000 }, (_, index) => messageOf(index));
    for (const message of messages.slice(0, 500)) {
      client.send(message);
      const { opcode, payload } = await client.next();
      assert.ok(opcode === message.opcode && payload.equals(message.payload));
    }
    for (const message of messages.slice(500)) client.send(message);
    for (const message of messages.slice(500)) {
      const { opcode, payload } = await client.next();
      assert.ok(opcode === message.opcode && payload.equals(message.payload));
    }
    client.send({ opcode: opcodes.close, payload: Buffer.from([0x03, 0xe8]) });
    assert.equal((await client.next()).opcode, opcodes.close);
    await client.end();
  });

  test('the origin is sent the offer as it came, with Host kept and the client named', async () => {
    origin.on('/offer', ({ say }) => say(switching));
    const client = await RawClient.connect(port);
    const answer = await client.ask(
      offer('/offer?a=%2f', 'Chat/2.0', 'SEC-Thing: Value\r\nX-Twice: 1\r\nX-Twice: 2\r\n'),
    );
    assert.equal(answer.status, 101);
    const { head } = callOf('/offer');
    assert.match(head, /^GET \/offer\?a=%2f HTTP\/1\.1\r\n/);
    assert.match(head, /\r\nSEC-Thing: Value\r\nX-Twice: 1\r\nX-Twice: 2\r\n/);
    assert.deepEqual(valuesOf(head, 'Upgrade'), ['Chat/2.0']);
    assert.deepEqual(valuesOf(head, 'Connection'), ['Upgrade']);
    assert.deepEqual(valuesOf(head, 'Host'), ['site.test']);
    assert.deepEqual(valuesOf(head, 'Via'), ['1.1 wormgate']);
    assert.deepEqual(valuesOf(head, 'X-Forwarded-For'), ['127.0.0.1']);
    client.destroy();
  });

  test('another protocol passes, in both directions', async () => {
    origin.on('/chat', (call) => {
      call.say(switching);
      call.onBody(() => call.say(`<${call.body()}>`));
    });
    const client = await RawClient.connect(port);
    assert.equal((await client.ask(offer('/chat'))).status, 101);
    client.send('hello');
    await client.until(() => client.text === '<hello>', 'the echo');
    client.destroy();
  });

  test('bytes sent together with the request reach the origin, and with the 101 the client', async () => {
    origin.on('/together', (call) => {
      call.say(`${switching}welcome`);
      call.onBody(() => {});
    });
    const client = await RawClient.connect(port);
    assert.equal((await client.ask(`${offer('/together')}early `)).status, 101);
    await client.until(() => client.text === 'welcome', 'the greeting');
    client.send('later');
    await until(() => callOf('/together').body() === 'early later');
    client.destroy();
  });

  test('bytes sent while the origin thinks wait for the tunnel', async () => {
    origin.on('/think', () => {});
    const client = await RawClient.connect(port);
    client.send(offer('/think'));
    await until(() => origin.callsOf('/think').length === 1);
    for (const part of ['one ', 'two ', 'three']) await client.flush(part);
    callOf('/think').say(switching);
    assert.equal((await client.answer()).status, 101);
    await until(() => callOf('/think').body() === 'one two three');
    client.destroy();
  });

  test('the 101 keeps the case, order and bytes of its header lines', async () => {
    const lines = [
      'UPGRADE: chat',
      'x-lower: 1',
      'X-CamelCase: Value',
      'connection: upgrade',
      'Set-Cookie: a=1',
      'Set-Cookie: b=2',
      'X-Latin: caf\xe9',
    ];
    origin.on('/case', ({ say }) =>
      say(`HTTP/1.1 101 Switching Protocols\r\n${lines.join('\r\n')}\r\n\r\n`),
    );
    const client = await RawClient.connect(port);
    const answer = await client.ask(offer('/case'));
    assert.deepEqual(
      answer.lines.map(([name, value]) => `${name}: ${value}`),
      lines,
    );
    client.destroy();
  });

  test('an upgrade pipelined behind a request is answered after it', async () => {
    origin.on('/first', ({ say }) => {
      setTimeout(() => say('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirst'), 50);
    });
    origin.on('/second', ({ say }) => say(`${switching}second`));
    const client = await RawClient.connect(port);
    client.send(`GET /first HTTP/1.1\r\nHost: a\r\n\r\n${offer('/second')}`);
    assert.equal(String((await client.answer()).body), 'first');
    assert.equal((await client.answer()).status, 101);
    await client.until(() => client.text === 'second', 'the second');
    client.destroy();
  });

  test('a tunnel is counted, and logged at its end as 101 with the bytes that went to the client', async () => {
    const before = await wormgate.counter('upgrades');
    origin.on('/logged', ({ say }) => say(`${switching}${'x'.repeat(1234)}`));
    const client = await RawClient.connect(port);
    await client.ask(offer('/logged'));
    await client.until(() => client.text.length === 1234, 'all bytes');
    assert.doesNotMatch(wormgate.log(), /logged/);
    client.destroy();
    assert.match(
      await wormgate.logLine(/logged/),
      /^127\.0\.0\.1 - - \[[^\]]+\] "GET \/logged HTTP\/1\.1" 101 1234$/,
    );
    assert.equal(await wormgate.counter('upgrades'), before + 1);
  });
});

describe('an origin that declines', () => {
  const declines = {
    length: ['Content-Length: 6\r\n', 'denied'],
    chunked: ['Transfer-Encoding: chunked\r\n', '3\r\nden\r\n3;x=y\r\nied\r\n0\r\n\r\n'],
    'its end': ['Connection: close\r\n', 'denied'],
  } as const;
  for (const [framing, [line, body]] of Object.entries(declines)) {
    test(`passes through with its body framed by ${framing}, and the connection closes`, async () => {
      const path = `/decline-${framing.replace(' ', '-')}`;
      origin.on(path, ({ say, socket }) => {
        say(`HTTP/1.1 403 Not For You\r\nX-Reason: No\r\nKeep-Alive: timeout=5\r\n${line}\r\n`);
        setTimeout(() => {
          say(body);
          if (framing === 'its end') socket.end();
        }, 20);
      });
      const client = await RawClient.connect(port);
      const answer = await client.ask(offer(path, 'websocket'));
      assert.equal(answer.status, 403);
      assert.equal(answer.reason, 'Not For You');
      assert.equal(String(answer.body), 'denied');
      assert.ok(answer.lines.some(([name, value]) => name === 'X-Reason' && value === 'No'));
      assert.equal(headerOf(answer, 'connection'), 'close');
      assert.equal(headerOf(answer, 'keep-alive'), undefined);
      await client.end();
      client.socket.end();
      assert.match(await wormgate.logLine(new RegExp(path)), /" 403 6$/);
    });
  }

  test('with a status that has no body, is passed on as well', async () => {
    origin.on('/nothing', ({ say }) => say('HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n\r\n'));
    const client = await RawClient.connect(port);
    const answer = await client.ask(offer('/nothing', 'websocket'));
    assert.equal(answer.status, 304);
    assert.equal(headerOf(answer, 'etag'), '"a"');
    await client.end();
    assert.equal(client.text, '');
    client.destroy();
  });
});

describe('served as plain HTTP/1.1, the offer unseen by the origin', () => {
  const http2 = 'HTTP2-Settings: AAMAAABkAAQAAP__\r\n';
  const plain = {
    h2c: `GET /plain-1 HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n${http2}\r\n`,
    'H2C among others': `GET /plain-2 HTTP/1.1\r\nHost: a\r\nConnection: upgrade, http2-settings\r\nUpgrade: websocket, H2C\r\n${http2}\r\n`,
    'h2c in a second line': `GET /plain-3 HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nUpgrade: h2c\r\n\r\n`,
    'another HTTP': `GET /plain-4 HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: HTTP/2.0\r\n\r\n`,
    'TLS within': `GET /plain-5 HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: TLS/1.2\r\n\r\n`,
    HEAD: 'HEAD /plain-6-head HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    'an offer without Connection': 'GET /plain-7 HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n',
    'HTTP/1.0':
      'GET /plain-8 HTTP/1.0\r\nHost: a\r\nConnection: Upgrade, keep-alive\r\nUpgrade: websocket\r\n\r\n',
  };
  origin.on('/plain-6-head', ({ say }) => say('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n'));
  for (const [index, [name, request]] of Object.entries(plain).entries()) {
    test(`${name}; the connection goes on`, async () => {
      const client = await RawClient.connect(port);
      assert.equal((await client.ask(request)).status, 200);
      const { head } = callOf(`/plain-${index + 1}`);
      assert.deepEqual(valuesOf(head, 'Upgrade'), []);
      assert.deepEqual(valuesOf(head, 'HTTP2-Settings'), []);
      assert.doesNotMatch(valuesOf(head, 'Connection').join(), /upgrade|settings/i);
      assert.equal(
        (await client.ask(`GET /next-${index} HTTP/1.1\r\nHost: a\r\n\r\n`)).status,
        200,
      );
      client.destroy();
    });
  }

  const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n';
  const size = smuggled.length;
  const bodies = {
    length: [`Content-Length: ${size}`, smuggled],
    chunked: ['Transfer-Encoding: chunked', `${size.toString(16)}\r\n${smuggled}\r\n0\r\n\r\n`],
  } as const;
  for (const method of ['POST', 'GET']) {
    for (const [framing, [line, body]] of Object.entries(bodies)) {
      test(`${method} with a body framed by ${framing}, which stays whole and is no request`, async () => {
        const path = `/body-${method}-${framing}`;
        origin.on(path, (call) =>
          call.onBody(() => {
            if (call.body().length === body.length) call.say('HTTP/1.1 204 No Content\r\n\r\n');
          }),
        );
        // The origin takes a request out of any body, so its script counts what it is.
        origin.on('/smuggled', () => {});
        const head = `${method} ${path} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${line}\r\n\r\n`;
        const client = await RawClient.connect(port);
        const before = await wormgate.counter('requests');
        await client.flush(head + body.slice(0, 3));
        await until(() => origin.callsOf(path).length === 1);
        client.send(body.slice(3));
        await until(() => /smuggled/.test(callOf(path).body()));
        assert.deepEqual(valuesOf(callOf(path).head, 'Upgrade'), []);
        assert.equal(callOf(path).body(), body);
        assert.equal(await wormgate.counter('requests'), before + 1);
        client.destroy();
      });
    }
  }

  test('fifty times on one connection, with nothing left behind each time', async () => {
    const client = await RawClient.connect(port);
    for (let index = 0; index < 50; index += 1) {
      const answer = await client.ask(
        `POST /fifty HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 2\r\n\r\nhi`,
      );
      assert.equal(answer.status, 200);
    }
    client.destroy();
    assert.equal(origin.callsOf('/fifty').length, 50);
    assert.equal(wormgate.stderr, '');
  });
});

describe('refused', () => {
  for (const [name, head] of Object.entries({
    'a WebSocket': 'GET /scripts/root.exe HTTP/1.1\r\nUpgrade: websocket',
    h2c: 'GET /scripts/root.exe HTTP/1.1\r\nUpgrade: h2c',
    'a POST': 'POST /scripts/root.exe?x HTTP/1.1\r\nContent-Length: 2\r\nUpgrade: chat',
    'a disguised WebSocket': 'GET /scripts/%72oot.exe HTTP/1.1\r\nUpgrade: websocket',
  })) {
    test(`a virus request is slipped also as ${name}`, async () => {
      const before = await wormgate.counter('requests_slipped');
      const client = await RawClient.connect(port);
      client.send(`${head}\r\nHost: a\r\nConnection: Upgrade\r\n\r\n`);
      await client.end();
      assert.equal(client.text, '');
      assert.deepEqual(origin.callsOf('/scripts'), []);
      assert.equal(await wormgate.counter('requests_slipped'), before + 1);
      client.destroy();
    });
  }

  test('CONNECT: 405 with the methods that are served, and the connection closes', async () => {
    const before = await wormgate.counter('requests_unsupported');
    for (const target of ['site.test:443', '127.0.0.1:22']) {
      const client = await RawClient.connect(port);
      const answer = await client.ask(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`);
      assert.equal(answer.status, 405);
      assert.match(headerOf(answer, 'allow') ?? '', /\bGET\b/);
      await client.end();
      client.destroy();
      assert.match(
        await wormgate.logLine(new RegExp(`CONNECT ${target}`)),
        / 405 \d+ error=connect_refused id=/,
      );
    }
    assert.equal(await wormgate.counter('requests_unsupported'), before + 2);
  });

  test('an ambiguous head: 400, and the origin sees nothing', async () => {
    for (const more of ['Host: b\r\n', 'X: a\r\n folded\r\n', 'Content-Length: x\r\n']) {
      const answer = await askOnce(port, offer('/ambiguous', 'websocket', more));
      assert.equal(answer.status, 400, more);
    }
    assert.deepEqual(origin.callsOf('/ambiguous'), []);
  });
});
