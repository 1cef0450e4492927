/** Origin=dynamic: each host that a request names is a new host for the virus throttle. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { after, before, test } from 'node:test';
import { headerOf } from '../support/answer.ts';
import { oneProcess } from '../support/one-process.ts';
import { RawClient } from '../support/raw-client.ts';
import { runCli, startWormgate, until, type Wormgate } from '../support/wormgate.ts';

/** Serves every address of this machine: 127.0.0.2 is one host and 127.0.0.3 another. */
let site: Server;
let sitePort = 0;

before(async () => {
  site = createServer((req, res) => {
    res.end(`${req.headers.host} on ${req.socket.localAddress}`);
  });
  site.on('upgrade', (_req, socket) => {
    socket.end(
      'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\nhi',
    );
  });
  site.listen(0, '0.0.0.0');
  await once(site, 'listening');
  const address = site.address();
  sitePort = typeof address === 'object' && address !== null ? address.port : 0;
});
after(() => site.close());

function host(number: number): string {
  return `127.0.0.${number}`;
}

const hosts = [
  ...Array.from({ length: 60 }, (_, index) => host(index + 2)),
  '*.invalid',
  'localhost',
];

type Cleanup = Parameters<typeof startWormgate>[0];

async function startDynamic(t: Cleanup, more: Readonly<Record<string, readonly string[]>> = {}) {
  const wormgate = await startWormgate(t, {
    origin: 'dynamic',
    sections: {
      'Virus Throttle': [
        'delay_queue_size=10',
        'delay_queue_high_watermark=8',
        'delay_queue_low_watermark=4',
      ],
      ...more,
    },
    accelerator: [`Hosts=${hosts.join(', ')}`, `OriginPort=${sitePort}`, 'AllowPrivate=1'],
  });
  return wormgate;
}

async function ask(wormgate: Wormgate, name: string) {
  const client = await RawClient.connect(wormgate.port);
  const answer = await client.ask(`GET / HTTP/1.1\r\nHost: ${name}\r\n\r\n`);
  client.destroy();
  return answer;
}

function status(wormgate: Wormgate, ...args: string[]): string {
  return runCli(['status', '--data', wormgate.dataFolder, ...args]).stdout;
}

test('a new host a second, and known ones at once', async (t) => {
  const wormgate = await startDynamic(t);
  const startMs = performance.now();
  assert.match(String((await ask(wormgate, host(2))).body), /127\.0\.0\.2 on 127\.0\.0\.2$/);
  const firstMs = performance.now() - startMs;
  const [third, fourth] = await Promise.all([ask(wormgate, host(3)), ask(wormgate, host(4))]);
  const lastMs = performance.now() - startMs;
  assert.deepEqual([third.status, fourth.status], [200, 200]);
  assert.ok(lastMs >= 1_990, `the third host was reached after ${lastMs} ms`);
  assert.ok(firstMs < 900, `the first after ${firstMs} ms`);
  for (let round = 0; round < 10; round += 1) {
    for (const number of [2, 3, 4]) assert.equal((await ask(wormgate, host(number))).status, 200);
  }
  const report = status(wormgate, '--source', 'accelerator');
  assert.match(report, /^packets placed on queue: 3$/m);
  assert.match(report, /^maximum packets on queue: 2$/m);
  assert.equal(await wormgate.counter('dynamic_delayed'), 2);
});

test('a full queue is answered 503 with Retry-After, and who leaves makes room', async (t) => {
  const wormgate = await startDynamic(t);
  await ask(wormgate, host(2));
  const waiting = await Promise.all(
    Array.from({ length: 10 }, async (_, index) => {
      const client = await RawClient.connect(wormgate.port);
      client.send(`GET / HTTP/1.1\r\nHost: ${host(10 + index)}\r\n\r\n`);
      return client;
    }),
  );
  const isFull = () => /^currently queued packets: (9|10)$/m.test(status(wormgate));
  await until(isFull);
  const burst = await Promise.all(
    Array.from({ length: 10 }, (_, index) => ask(wormgate, host(40 + index))),
  );
  const refused = burst.filter((answer) => answer.status === 503);
  assert.ok(refused.length >= 5, `${refused.length} were refused`);
  for (const answer of refused) assert.equal(headerOf(answer, 'retry-after'), '1');
  const log = () => wormgate.throttleLog();
  await until(() => /^\[DROPPING_CONNECTIONS\] /m.test(log()));
  assert.match(log(), /^\[ALERT_VLA_DETECTED\] \[[^\]]+\] source accelerator: 8 connection/m);
  await wormgate.logLine(/" 503 \d+ error=throttled/);
  for (const client of waiting) client.destroy();
  await until(() => /^currently queued packets: 0$/m.test(status(wormgate)));
  await until(() => /^\[ALERT_VLA_STOPPED\] /m.test(log()));
  assert.ok((await wormgate.counter('dynamic_abandoned')) >= 5);
});

test('private addresses, unknown names and other hosts are refused', async (t) => {
  const wormgate = await startDynamic(t);
  assert.equal((await ask(wormgate, 'nowhere.invalid')).status, 502);
  assert.equal((await ask(wormgate, 'elsewhere.test')).status, 421);
  assert.equal((await ask(wormgate, `localhost:${wormgate.port}`)).status, 200);
  const strict = await startWormgate(t, {
    origin: 'dynamic',
    accelerator: [`Hosts=${hosts.join(', ')}`, `OriginPort=${sitePort}`],
  });
  for (const name of [host(2), 'localhost']) {
    const answer = await ask(strict, name);
    assert.equal(answer.status, 403);
    assert.match(String(answer.body), /private address/);
  }
  assert.equal(await strict.counter('dynamic_refused'), 2);
  assert.match(status(strict), /^connection establishing packets: 0$/m);
});

test('an upgrade waits for its host as well', async (t) => {
  const wormgate = await startDynamic(t);
  const upgrade = async (name: string) => {
    const client = await RawClient.connect(wormgate.port);
    client.send(`GET / HTTP/1.1\r\nHost: ${name}\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n`);
    await client.until(() => client.text.endsWith('hi') || client.closed, 'the end');
    assert.match(client.text, /^HTTP\/1\.1 101 [\s\S]*hi$/);
    client.destroy();
  };
  await upgrade(host(2));
  await upgrade(host(3));
  assert.equal(await wormgate.counter('dynamic_delayed'), 1);
  const gone = await RawClient.connect(wormgate.port);
  gone.send(`GET / HTTP/1.1\r\nHost: ${host(4)}\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n`);
  await until(async () => (await wormgate.counter('dynamic_delayed')) === 2);
  gone.destroy();
  await until(async () => (await wormgate.counter('dynamic_abandoned')) === 1);
});

test('Enable=0 delays nobody', async (t) => {
  const wormgate = await startDynamic(t, { 'Virus Throttle': ['Enable=0'] });
  const answers = await Promise.all(
    Array.from({ length: 30 }, (_, index) => ask(wormgate, host(2 + index))),
  );
  assert.ok(answers.every((answer) => answer.status === 200));
  assert.match(status(wormgate), /^connection establishing packets: 0$/m);
});

for (const fastPath of ['0', '1']) {
  test(`connections to a configured origin are counted and pass, FastPath=${fastPath}`, async (t) => {
    const wormgate = await startWormgate(t, {
      origin: `http://127.0.0.1:${sitePort}`,
      sections: { 'Extra Configuration': [`FastPath=${fastPath}`] },
    });
    const client = await RawClient.connect(wormgate.port);
    for (let round = 0; round < 5; round += 1) {
      assert.equal((await client.ask('GET / HTTP/1.1\r\nHost: a\r\n\r\n')).status, 200);
    }
    client.destroy();
    const report = status(wormgate, '--source', 'accelerator');
    assert.match(report, /^connection establishing packets: 1$/m);
    assert.match(report, /^packets passed without delay: 1$/m);
    assert.match(report, /^packets placed on queue: 0$/m);
  });
}

test('a kept-alive connection is used unasked, but not for an upgrade', async (t) => {
  const wormgate = await startDynamic(t, oneProcess('each worker has connections of its own'));
  const connecting = () =>
    /^connection establishing packets: (\d+)$/m.exec(
      status(wormgate, '--source', 'accelerator'),
    )?.[1];
  await ask(wormgate, host(2));
  assert.equal(connecting(), '1');
  const plain = await RawClient.connect(wormgate.port);
  // Without Connection: upgrade it is an ordinary request.
  await plain.ask(`GET / HTTP/1.1\r\nHost: ${host(2)}\r\nUpgrade: echo\r\n\r\n`);
  plain.destroy();
  assert.equal(connecting(), '1');
  const client = await RawClient.connect(wormgate.port);
  client.send(
    `GET /up HTTP/1.1\r\nHost: ${host(2)}\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n`,
  );
  await client.until(() => client.text.includes('101 Switching'), 'the switch');
  client.destroy();
  assert.equal(connecting(), '2');
});

/** Whether this machine has IPv6; some have not even a loopback address. */
const hasIPv6 = await new Promise<boolean>((resolve) => {
  const probe = createServer();
  probe.once('error', () => resolve(false));
  probe.listen(0, '::1', () => probe.close(() => resolve(true)));
});

test('an origin on an IPv6 address is reached on both lanes, named or not', {
  skip: !hasIPv6 && 'this machine has no IPv6',
}, async (t) => {
  const six = createServer((req, res) => res.end(`six ${req.headers.host}`));
  six.listen(0, '::1');
  await once(six, 'listening');
  t.after(() => {
    six.closeAllConnections();
    six.close();
  });
  const place = six.address();
  assert.ok(typeof place === 'object' && place !== null);
  for (const fastPath of ['0', '1']) {
    const named = await startWormgate(t, {
      origin: `http://[::1]:${place.port}`,
      sections: { 'Extra Configuration': [`FastPath=${fastPath}`] },
    });
    assert.equal(String((await ask(named, 'a')).body), 'six a');
  }
  const dynamic = await startWormgate(t, {
    origin: 'dynamic',
    accelerator: ['Hosts=[::1]', `OriginPort=${place.port}`, 'AllowPrivate=1'],
  });
  assert.equal(String((await ask(dynamic, '[::1]')).body), 'six [::1]');
});
