/**
 * The egress gateway over real sockets. The addresses of 127.0.0.0/8 are the hosts of the world; a name
 * is looked up in a table.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import { connect } from 'node:net';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import type { EgressSettings } from '../../src/egress/parts.ts';
import { firstStatus, startGateway, tunnelTo } from '../support/gateway.ts';
import { programPath, skipWithout } from '../support/parts.ts';
import { sendRaw, statusOf } from '../support/raw.ts';
import { RawClient } from '../support/raw-client.ts';
import { until } from '../support/wormgate.ts';

const site = createServer((request, response) => {
  response.setHeader('X-Asked', `${request.headers.host} ${request.url}`);
  response.setHeader('Connection', 'X-Secret');
  response.setHeader('X-Secret', 'hop');
  if (request.method === 'POST') request.pipe(response);
  else response.end(`hello ${request.socket.localAddress}`);
});
site.listen(0, '0.0.0.0');
await new Promise((resolve) => site.once('listening', resolve));
const port = portOf(site);
after(() => {
  site.closeAllConnections();
  site.close();
});

function portOf(server: Server): number {
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return address.port;
}

test('a tunnel carries bytes both ways, what came early too, and is logged', async (t) => {
  const gateway = await startGateway(t, { idleTimeoutMs: 300 });
  const client = await RawClient.connect(gateway.port);
  client.send(`CONNECT site.test:${port} HTTP/1.1\r\n\r\nGET /early HTTP/1.0\r\nHost: x\r\n\r\n`);
  await client.until(() => client.closed, 'the end');
  assert.match(client.text, /^HTTP\/1\.1 200 Connection Established\r\n\r\nHTTP\/1\.1 200 OK/);
  assert.match(client.text, /hello 127\.0\.0\.2$/);
  await until(() => gateway.log.length === 1);
  const [entry] = gateway.log;
  assert.equal(entry?.requestLine, `CONNECT site.test:${port} HTTP/1.1`);
  assert.deepEqual([entry?.status, entry?.error], [200, undefined]);
  assert.ok((entry?.bytes ?? 0) > 50);
});

test('a plain request is sent on in origin-form, without what is hop-by-hop', async (t) => {
  const gateway = await startGateway(t);
  const answer = await sendRaw(gateway.port, [
    `GET http://site.test:${port}/a?b HTTP/1.1\r\nHost: other\r\nProxy-Authorization: Basic eA==\r\nConnection: close\r\n\r\n`,
  ]);
  assert.equal(statusOf(answer), 200);
  assert.match(answer.text, new RegExp(`X-Asked: site\\.test:${port} /a\\?b`));
  assert.doesNotMatch(answer.text, /X-Secret/);
  const posted = await sendRaw(gateway.port, [
    `POST http://site.test:${port}/ HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nConnection: close\r\n\r\nabcde`,
  ]);
  assert.match(posted.text, /abcde/);
});

for (const [what, request, changed, status, error] of [
  [
    'a client that is not allowed',
    'CONNECT site.test:443',
    { allow: ['10.0.0.0/8'] },
    403,
    'client_not_allowed',
  ],
  ['missing credentials', 'CONNECT site.test:443', { credentials: 'u:p' }, 407, 'no_credentials'],
  [
    'a port that is not allowed',
    'CONNECT site.test:25',
    {
      allowPorts: [
        [80, 80],
        [443, 443],
      ],
    },
    403,
    'port_not_allowed',
  ],
  [
    'a private address behind a name',
    'CONNECT private.test:443',
    { allowPrivate: false },
    403,
    'private_address',
  ],
  ['this machine', 'GET http://127.0.0.1:80/', { allowPrivate: false }, 403, 'private_address'],
  [
    'this machine, written as IPv6',
    'CONNECT [::ffff:7f00:1]:80',
    { allowPrivate: false },
    403,
    'private_address',
  ],
  [
    'a metadata service',
    'GET http://169.254.169.254/latest/',
    { allowPrivate: false },
    403,
    'private_address',
  ],
  ['an unknown name', 'CONNECT nowhere.test:443', {}, 502, 'name_unknown'],
  ['a name server that is silent', 'GET http://silent.test/', {}, 504, 'name_timeout'],
  ['a port where nobody listens', 'CONNECT 127.0.0.9:1', {}, 502, 'host_unreachable'],
  ['an origin-form target', 'GET /x', {}, 400, 'bad_target'],
] as const) {
  test(`${what} is refused, and says why`, async (t) => {
    const gateway = await startGateway(t, changed as Partial<EgressSettings>);
    const answer = await sendRaw(gateway.port, [
      `${request} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
    ]);
    assert.equal(statusOf(answer), status);
    assert.equal(answer.closed, true);
    await until(() => gateway.log.length === 1);
    assert.equal(gateway.log[0]?.error, error);
    if (status === 407) assert.match(answer.text, /Proxy-Authenticate: Basic realm="wormgate"/);
  });
}

for (const scheme of ['Basic', 'basic', 'BASIC ']) {
  test(`with credentials the gateway serves: ${scheme}`, async (t) => {
    const gateway = await startGateway(t, { credentials: 'user:pass word' });
    const basic = Buffer.from('user:pass word').toString('base64');
    const answer = await sendRaw(gateway.port, [
      `GET http://site.test:${port}/ HTTP/1.1\r\nHost: x\r\nProxy-Authorization: ${scheme} ${basic}\r\nConnection: close\r\n\r\n`,
    ]);
    assert.equal(statusOf(answer), 200);
  });
}

test('credentials without their scheme, or of another, are none', async (t) => {
  const gateway = await startGateway(t, { credentials: 'user:pass word' });
  const basic = Buffer.from('user:pass word').toString('base64');
  for (const given of [basic, ` ${basic}`, `Bearer ${basic}`, `Basic${basic}`]) {
    const answer = await sendRaw(gateway.port, [
      `GET http://site.test:${port}/ HTTP/1.1\r\nHost: x\r\nProxy-Authorization: ${given}\r\nConnection: close\r\n\r\n`,
    ]);
    assert.equal(statusOf(answer), 407, given);
  }
});

test('an infected server reaches one new host an interval, and its neighbour is not delayed', async (t) => {
  const delayMs = 300;
  const gateway = await startGateway(t, {}, { delayMs });
  const begin = performance.now();
  const infected = await Promise.all(
    Array.from({ length: 60 }, (_, index) => {
      return RawClient.connect(gateway.port, '127.0.0.50').then((client) => {
        const host = `127.0.1.${index + 1}`;
        return client.send(`CONNECT ${host}:${port} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
      });
    }),
  );
  t.after(() => {
    for (const client of infected) client.destroy();
  });
  await until(() => gateway.statistics.get('egress_dropped') === 39);
  for (let visit = 0; visit < 12; visit += 1) {
    const host = `127.0.2.${(visit % 3) + 1}`;
    // Its three are new to it, too: one in an interval.
    if (visit < 3) await new Promise((resolve) => setTimeout(resolve, delayMs + 20));
    const before = performance.now();
    const client = await tunnelTo(gateway.port, `${host}:${port}`, '127.0.0.60');
    assert.equal(firstStatus(client), 200);
    assert.ok(performance.now() - before < delayMs, 'not delayed');
    client.destroy();
  }
  assert.deepEqual(gateway.events, ['127.0.0.50 detected', '127.0.0.50 dropping']);
  const dropped = infected.filter((client) => firstStatus(client) === 503);
  assert.equal(dropped.length, 39);
  assert.match(dropped[0]?.text ?? '', /Retry-After: 1\r\n[\s\S]*virus throttle/);
  const reached = infected.filter((client) => firstStatus(client) === 200).length;
  const intervals = Math.floor((performance.now() - begin) / delayMs) + 1;
  assert.ok(reached <= intervals, `${reached} hosts in ${intervals} intervals`);
  assert.equal(gateway.sources.report('127.0.0.50')?.activity, 'now');
  assert.equal(gateway.sources.report('127.0.0.60')?.activity, 'never');
});

test('clients that vanish while they wait leave the queue', async (t) => {
  const gateway = await startGateway(t, {}, { delayMs: 60_000 });
  const first = await tunnelTo(gateway.port, `127.0.1.1:${port}`);
  assert.equal(firstStatus(first), 200);
  const waiting = await Promise.all(
    Array.from({ length: 10 }, async (_, index) => {
      const client = await RawClient.connect(gateway.port);
      const host = `127.0.3.${index + 1}`;
      return client.send(`CONNECT ${host}:${port} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    }),
  );
  await until(() => gateway.sources.report('127.0.0.1')?.counts.waiting === 10);
  for (const [index, client] of waiting.entries()) {
    if (index % 2 === 0) client.reset();
    else client.destroy();
  }
  await until(() => gateway.sources.report('127.0.0.1')?.counts.waiting === 0);
  assert.equal(gateway.statistics.get('egress_abandoned'), 10);
  const gone = gateway.log.filter(({ error }) => error === 'client_gone');
  assert.deepEqual(
    gone.map(({ status }) => status),
    Array(10).fill(undefined),
  );
  first.destroy();
});

test('a host that accepts and says nothing is given up after the idle time', async (t) => {
  const gateway = await startGateway(t, { idleTimeoutMs: 300 });
  const client = await tunnelTo(gateway.port, `127.0.0.2:${port}`);
  assert.equal(firstStatus(client), 200);
  await client.end();
});

test('curl works through it, plain and through a tunnel', {
  skip: skipWithout('curl'),
}, async (t) => {
  const gateway = await startGateway(t);
  const proxy = `http://127.0.0.1:${gateway.port}`;
  const url = `http://127.0.0.2:${port}/curl`;
  for (const options of [[], ['--proxytunnel']]) {
    // Not synchronously: the gateway is in this process.
    const run = promisify(execFile);
    const args = ['-sS', '--max-time', '10', '-x', proxy, ...options, url];
    const { stdout } = await run(programPath('curl'), args);
    assert.equal(stdout, 'hello 127.0.0.2');
  }
});

test('a client that hangs up before its head is whole leaves nothing behind', async (t) => {
  const gateway = await startGateway(t);
  for (let count = 0; count < 20; count += 1) {
    const socket = connect(gateway.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write('CONNECT 127.0.0.2:');
    await new Promise((resolve) => socket.once('connect', resolve));
    socket.resetAndDestroy();
  }
  const answer = await sendRaw(gateway.port, [
    `GET http://site.test:${port}/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
  ]);
  assert.equal(statusOf(answer), 200);
});

test('a stop ends tunnels, refuses what waits and lets requests under way finish', async (t) => {
  let isFinishing = false;
  const slow = createServer((_request, response) => {
    response.write('begun ');
    const timer = setInterval(() => {
      if (!isFinishing) return;
      clearInterval(timer);
      response.end('finished');
    }, 20);
  });
  slow.listen(0, '127.0.0.5');
  await new Promise((resolve) => slow.once('listening', resolve));
  t.after(() => slow.close());
  const gateway = await startGateway(t, {}, { delayMs: 300 });
  const ask = await RawClient.connect(gateway.port);
  ask.send(`GET http://127.0.0.5:${portOf(slow)}/ HTTP/1.1\r\nHost: x\r\n\r\n`);
  await ask.until(() => ask.text.includes('begun'), 'the beginning');
  const tunnel = await tunnelTo(gateway.port, `127.0.0.2:${port}`);
  assert.equal(firstStatus(tunnel), 200);
  const waiting = await RawClient.connect(gateway.port);
  waiting.send(`CONNECT 127.0.0.6:${port} HTTP/1.1\r\nHost: x\r\n\r\n`);
  await until(() => gateway.sources.total().counts.waiting === 1);
  gateway.sources.close();
  const closed = gateway.stop(10_000);
  await waiting.until(() => firstStatus(waiting) === 503, 'the refusal');
  assert.match(waiting.text, /The gateway is stopping/);
  await tunnel.until(() => tunnel.closed, 'the end of the tunnel');
  isFinishing = true;
  await ask.until(() => ask.text.includes('finished'), 'the end');
  ask.destroy();
  await closed;
});

for (const [what, text, status] of [
  [
    'two lengths',
    'POST http://site.test/ HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
    400,
  ],
  [
    'a length beside chunks',
    'POST http://site.test/ HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    400,
  ],
  ['nonsense', 'what is this\r\n\r\n', 400],
  ['a head without an end', `GET http://site.test/ HTTP/1.1\r\nA: ${'x'.repeat(20_000)}`, 431],
] as const) {
  test(`${what} is refused, counted and logged`, async (t) => {
    const gateway = await startGateway(t);
    const answer = await sendRaw(gateway.port, [text]);
    assert.equal(statusOf(answer), status);
    assert.ok(answer.closed);
    assert.equal(gateway.statistics.get('egress_malformed'), 1);
    assert.deepEqual([gateway.log.length, gateway.log[0]?.status], [1, status]);
  });
}

test('a chunked body is sent on in chunks, whatever the method', async (t) => {
  const bodies: string[] = [];
  const host = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      bodies.push(`${request.method} ${body}`);
      response.end();
    });
  });
  host.listen(0, '127.0.0.7');
  await new Promise((resolve) => host.once('listening', resolve));
  t.after(() => host.close());
  const gateway = await startGateway(t);
  for (const method of ['POST', 'GET', 'DELETE', 'PURGE']) {
    await sendRaw(gateway.port, [
      `${method} http://127.0.0.7:${portOf(host)}/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n`,
      '5\r\nGET /\r\n0\r\n\r\n',
    ]);
  }
  assert.deepEqual(bodies, ['POST GET /', 'GET GET /', 'DELETE GET /', 'PURGE GET /']);
});

test('a connection that carries many requests one by one gathers no listeners', async (t) => {
  const warnings: Error[] = [];
  const onWarning = (warning: Error) => void warnings.push(warning);
  process.on('warning', onWarning);
  t.after(() => process.removeListener('warning', onWarning));
  const gateway = await startGateway(t);
  const client = await RawClient.connect(gateway.port);
  for (let asked = 1; asked <= 20; asked += 1) {
    client.send(`GET http://127.0.4.1:${port}/ HTTP/1.1\r\nHost: x\r\n\r\n`);
    const isAnswered = () => client.text.split('hello 127.0.4.1').length > asked;
    await client.until(isAnswered, 'an answer');
  }
  client.destroy();
  assert.deepEqual(warnings, []);
});

test('many requests may wait on one connection, and are answered in their order', async (t) => {
  const warnings: Error[] = [];
  const onWarning = (warning: Error) => void warnings.push(warning);
  process.on('warning', onWarning);
  t.after(() => process.removeListener('warning', onWarning));
  const gateway = await startGateway(t, {}, { delayMs: 20 });
  const client = await RawClient.connect(gateway.port);
  const hosts = Array.from({ length: 20 }, (_, index) => `127.0.4.${index + 1}`);
  const ask = (host: string) => `GET http://${host}:${port}/ HTTP/1.1\r\nHost: x\r\n\r\n`;
  client.send(hosts.map(ask).join(''));
  await client.until(() => client.text.includes('hello 127.0.4.20'), 'the last answer');
  const answered = Array.from(client.text.matchAll(/hello (127\.0\.4\.\d+)/g), ([, host]) => host);
  assert.deepEqual(answered, hosts);
  client.destroy();
  assert.deepEqual(warnings, []);
});
