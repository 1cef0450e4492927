/** TrustedProxies: whose word about the client counts, and what a trusted peer's virus requests get. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { headerOf } from '../support/answer.ts';
import { obey } from '../support/console-lines.ts';
import { inLanes } from '../support/lanes.ts';
import { RawClient } from '../support/raw-client.ts';
import { startScriptedOrigin, valuesOf } from '../support/scripted-origin.ts';
import { startSites } from '../support/sites.ts';

/** Local addresses of the peers: a balancer, another proxy behind which it stands, a stranger. */
const balancer = '127.0.0.10';
const inner = '127.0.0.11';
const stranger = '127.0.0.99';

const origin = await startScriptedOrigin({ after });
const trusted = `TrustedProxies=${balancer}, ${inner}, 2001:db8:ffff::/48`;
const virusSection = (...lines: string[]) => ({
  'Virus Pattern Configuration': [
    'NoOfVirusPatterns=1',
    'Pattern1="scripts/root.exe",64',
    'NeverBlock=203.0.113.0/24',
    ...lines,
  ],
});
const sites = { site: { origin: origin.url, lines: [trusted] } };
const {
  wormgate,
  ports: { site: port },
} = await startSites({ after }, sites, virusSection());
const {
  wormgate: dropping,
  ports: { site: droppingPort },
} = await startSites({ after }, sites, virusSection('VirusAction=drop'));

const virus = '/scripts/root.exe';

function get(target: string, ...lines: string[]): string {
  return `GET ${target} HTTP/1.1\r\nHost: a\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`;
}

describe('a virus request of a trusted peer', () => {
  for (const [action, at, counter, gate] of [
    ['slip', port, 'requests_dropped', wormgate],
    ['drop', droppingPort, 'requests_dropped', dropping],
  ] as const) {
    test(`is a 400 on the open connection where VirusAction=${action}, and the next request is answered`, async () => {
      const before = await gate.counter(counter);
      const client = await RawClient.connect(at, balancer);
      for (let round = 0; round < 3; round += 1) {
        const refused = await client.ask(get(virus, 'X-Forwarded-For: 198.51.100.7'));
        assert.equal(refused.status, 400);
        assert.notEqual(headerOf(refused, 'connection'), 'close');
        assert.match(headerOf(refused, 'x-request-id') ?? '', /\S{6}/);
        assert.equal((await client.ask(get(`/${action}-next`))).status, 200);
      }
      client.destroy();
      assert.equal(origin.callsOf('/scripts').length, 0);
      assert.match(
        await gate.logLine(/root\.exe/),
        /^198\.51\.100\.7 .* 400 \d+ pattern="scripts\/root\.exe" from=shipped id=\S+$/,
      );
      assert.equal(await gate.counter(counter), before + 3);
      assert.equal(await gate.counter('requests_slipped'), 0);
    });
  }

  test('with a body is a 400 behind which the next request is read', async () => {
    const client = await RawClient.connect(port, balancer);
    const refused = await client.ask(
      `POST ${virus} HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello`,
    );
    assert.equal(refused.status, 400);
    assert.equal((await client.ask(get('/body-next'))).status, 200);
    client.destroy();
  });

  test('that offers an upgrade is a 400 on the open connection as well', async () => {
    const client = await RawClient.connect(port, balancer);
    for (const protocol of ['websocket', 'h2c', 'websocket']) {
      const refused = await client.ask(get(virus, 'Connection: Upgrade', `Upgrade: ${protocol}`));
      assert.equal(refused.status, 400);
      assert.notEqual(headerOf(refused, 'connection'), 'close');
      assert.equal((await client.ask(get(`/after-${protocol}`))).status, 200);
    }
    client.destroy();
  });

  test('pipelined among others is a 400 at its place', async () => {
    const client = await RawClient.connect(port, balancer);
    client.send(get('/one') + get(virus) + get('/two') + get(virus) + get('/three'));
    const statuses: number[] = [];
    for (let index = 0; index < 5; index += 1) statuses.push((await client.answer()).status);
    assert.deepEqual(statuses, [200, 400, 200, 400, 200]);
    client.destroy();
  });
});

test('a malformed request line of a trusted peer is a 400 on the open connection', async () => {
  const client = await RawClient.connect(port, balancer);
  assert.equal((await client.ask('GET  /two-blanks HTTP/1.1\r\nHost: a\r\n\r\n')).status, 400);
  assert.equal((await client.ask(get('/malformed-next'))).status, 200);
  client.destroy();
});

test('a virus request of any other peer is slipped, whatever it claims', async () => {
  const client = await RawClient.connect(port, stranger);
  client.send(get(virus, `X-Forwarded-For: ${balancer}`, `Forwarded: for=${balancer}`));
  await client.end();
  assert.equal(client.text, '');
  client.destroy();
});

describe('the client address', () => {
  /** What the log calls the client of a request that was sent with these header lines. */
  let requestCount = 0;
  async function loggedClient(peer: string, ...lines: string[]): Promise<string> {
    requestCount += 1;
    const path = `/client-${requestCount}-`;
    const client = await RawClient.connect(port, peer);
    assert.equal((await client.ask(get(path, ...lines))).status, 200);
    client.destroy();
    return (await wormgate.logLine(new RegExp(path))).split(' ')[0] ?? '';
  }

  /** Requests of the balancer, each with its lines and the client that the log should name. */
  async function assertClients(cases: readonly (readonly [string[], string])[]): Promise<void> {
    const logged = await inLanes(cases, cases.length, ([lines]) =>
      loggedClient(balancer, ...lines),
    );
    assert.deepEqual(
      logged,
      cases.map(([, client]) => client),
    );
  }

  test('is the peer where no header names another', async () => {
    assert.equal(await loggedClient(stranger), stranger);
    assert.equal(await loggedClient(balancer), balancer);
  });

  test('is the right-most untrusted one in X-Forwarded-For', async () => {
    await assertClients([
      [['X-Forwarded-For: 198.51.100.1'], '198.51.100.1'],
      [['X-Forwarded-For: 10.9.9.9, 198.51.100.2'], '198.51.100.2'],
      [[`X-Forwarded-For: 10.9.9.9, 198.51.100.3, ${inner}`], '198.51.100.3'],
      [['X-Forwarded-For: 10.9.9.9', 'x-forwarded-for: 198.51.100.4'], '198.51.100.4'],
      [['X-Forwarded-For: 198.51.100.5:4711'], '198.51.100.5'],
      [['X-Forwarded-For: 2001:DB8:0::5'], '2001:db8::5'],
      [['X-Forwarded-For: ::ffff:198.51.100.6, 2001:db8:ffff::1'], '198.51.100.6'],
      [[`X-Forwarded-For: ${inner}`], inner],
      [['X-Forwarded-For: 10.9.9.9, unknown'], balancer],
    ]);
  });

  test('is the right-most untrusted one in Forwarded', async () => {
    await assertClients([
      [['Forwarded: for=198.51.100.11'], '198.51.100.11'],
      [['Forwarded: for=10.9.9.9, For="198.51.100.12:80";proto=http;by=x'], '198.51.100.12'],
      [['Forwarded: proto=https;for="[2001:db8::12]:443"'], '2001:db8::12'],
      [[`Forwarded: for=198.51.100.13`, `Forwarded: for=${inner}`], '198.51.100.13'],
      [['Forwarded: for=10.9.9.9, for=_hidden'], balancer],
    ]);
  });

  test('is nothing that an untrusted peer could choose', async () => {
    for (const line of [
      'X-Forwarded-For: 198.51.100.20',
      `X-Forwarded-For: 198.51.100.20, ${balancer}`,
      'Forwarded: for=198.51.100.20',
    ]) {
      assert.equal(await loggedClient(stranger, line), stranger, line);
    }
  });

  test('cannot break a log line', async () => {
    const line = 'X-Forwarded-For: 198.51.100.21" 200 0 "evil';
    assert.equal(await loggedClient(balancer, line), balancer);
  });

  test('stands in the virus sources of the console', async () => {
    const client = await RawClient.connect(port, balancer);
    await client.ask(get(virus, 'X-Forwarded-For: 10.9.9.9, 198.51.100.31'));
    await client.ask(get(virus, 'Forwarded: for="[2001:db8::31]"'));
    client.destroy();
    const spoofing = await RawClient.connect(port, stranger);
    spoofing.send(get(virus, 'X-Forwarded-For: 198.51.100.66'));
    await spoofing.end();
    spoofing.destroy();
    const [screen = ''] = await obey(wormgate, 'virus show');
    const sources = /^Virus Source IP Address: (.*)$/m.exec(screen)?.[1] ?? '';
    assert.match(sources, /^127\.0\.0\.99, 2001:db8::31, 198\.51\.100\.31\b/);
    assert.doesNotMatch(sources, /198\.51\.100\.66|10\.9\.9\.9/);
  });

  test('decides about NeverBlock, unless an untrusted peer claims it', async () => {
    const client = await RawClient.connect(port, balancer);
    const passed = await client.ask(get(`${virus}?passed`, 'X-Forwarded-For: 203.0.113.5'));
    assert.equal(passed.status, 200);
    client.destroy();
    assert.match(await wormgate.logLine(/passed/), /^203\.0\.113\.5 .* 200 2 never-block pattern=/);
    const spoofing = await RawClient.connect(port, stranger);
    spoofing.send(get(`${virus}?spoofed`, 'X-Forwarded-For: 203.0.113.5'));
    await spoofing.end();
    assert.equal(spoofing.text, '');
    spoofing.destroy();
    assert.match(await wormgate.logLine(/spoofed/), /^127\.0\.0\.99 .* - - pattern=/);
    assert.equal(origin.callsOf(`${virus}?spoofed`).length, 0);
  });

  test('is told to the origin: a trusted chain is carried on, an untrusted one replaced', async () => {
    const ask = async (peer: string, path: string) => {
      const client = await RawClient.connect(port, peer);
      await client.ask(
        get(path, 'X-Forwarded-For: 198.51.100.40', 'X-Forwarded-Proto: https', 'Forwarded: for=x'),
      );
      client.destroy();
      return origin.callsOf(path)[0]?.head ?? '';
    };
    const carried = await ask(balancer, '/carried');
    assert.deepEqual(valuesOf(carried, 'X-Forwarded-For'), [`198.51.100.40, ${balancer}`]);
    assert.deepEqual(valuesOf(carried, 'X-Forwarded-Proto'), ['https']);
    const replaced = await ask(stranger, '/replaced');
    assert.deepEqual(valuesOf(replaced, 'X-Forwarded-For'), [stranger]);
    assert.deepEqual(valuesOf(replaced, 'X-Forwarded-Proto'), ['http']);
    assert.deepEqual(valuesOf(replaced, 'Forwarded'), []);
  });
});
