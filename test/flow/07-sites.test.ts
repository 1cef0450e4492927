/** Several accelerators: which site a request belongs to, told apart by Hosts on a shared Listen. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { headerOf } from '../support/answer.ts';
import { startOrigin } from '../support/origin.ts';
import { askOnce, RawClient } from '../support/raw-client.ts';
import { freePort, startWormgate } from '../support/wormgate.ts';

/** The Host headers that reached an origin. */
const hosts: string[] = [];

/** An origin that answers with its name. */
async function originOf(name: string): Promise<string> {
  const { url } = await startOrigin({ after }, (request, answer) => {
    hosts.push(request.headers.host ?? '');
    answer.end(name);
  });
  return url;
}

/** Shared by five accelerators, one of them a catch-all. */
const shared = await freePort();
/** Shared by accelerators that serve named hosts only. */
const strict = await freePort();
const second = await freePort();
const wormgate = await startWormgate(
  { after },
  {
    sections: {
      'Accelerator exact': [
        `Listen=127.0.0.1:${shared}`,
        `Origin=${await originOf('exact')}`,
        'Hosts=www.example.test, Example.TEST, 192.0.2.1, [2001:DB8::1]',
      ],
      'Accelerator wide': [
        `Listen=127.0.0.1:${shared}`,
        `Origin=${await originOf('wide')}`,
        'Hosts=*.example.test',
      ],
      'Accelerator deep': [
        `Listen=127.0.0.1:${shared}`,
        `Origin=${await originOf('deep')}`,
        'Hosts=*.shop.example.test',
      ],
      'Accelerator rest': [`Listen=127.0.0.1:${shared}`, `Origin=${await originOf('rest')}`],
      'Accelerator named': [
        `Listen=127.0.0.1:${strict}, 127.0.0.1:${second}`,
        `Origin=${await originOf('named')}`,
        'Hosts=named.test',
      ],
      'Accelerator other': [
        `Listen=127.0.0.1:${strict}`,
        `Origin=${await originOf('other')}`,
        'Hosts=*.other.test',
      ],
      'Virus Pattern Configuration': ['NoOfVirusPatterns=1', 'Pattern1="scripts/root.exe",64'],
    },
  },
);

/** The site that answers a request with this Host. */
async function siteOf(host: string, port = shared): Promise<string> {
  const answer = await askOnce(port, `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  return answer.status === 200 ? String(answer.body) : String(answer.status);
}

describe('Hosts', () => {
  test('an exact name counts before a wildcard', async () => {
    assert.equal(await siteOf('www.example.test'), 'exact');
    assert.equal(await siteOf('example.test'), 'exact');
    assert.equal(await siteOf('192.0.2.1'), 'exact');
  });

  test('a wildcard stands for one or more labels, and the longest counts', async () => {
    assert.equal(await siteOf('a.example.test'), 'wide');
    assert.equal(await siteOf('a.b.example.test'), 'wide');
    assert.equal(await siteOf('a.www.example.test'), 'wide');
    assert.equal(await siteOf('shop.example.test'), 'wide');
    assert.equal(await siteOf('a.shop.example.test'), 'deep');
    assert.equal(await siteOf('a.b.shop.example.test'), 'deep');
  });

  test('whatever no name covers goes to the accelerator without Hosts', async () => {
    for (const host of ['elsewhere.test', 'testexample.test', 'example.test.evil', '192.0.2.2']) {
      assert.equal(await siteOf(host), 'rest', host);
    }
    assert.equal(await siteOf(''), 'rest');
    const old = await askOnce(shared, 'GET / HTTP/1.0\r\n\r\n');
    assert.equal(String(old.body), 'rest');
  });

  test('port, case and the final dot of Host do not matter, and the origin gets it as sent', async () => {
    for (const host of [
      'www.example.test:8080',
      'www.example.test:',
      'WWW.Example.Test',
      'www.example.test.',
      'WWW.EXAMPLE.TEST.:80',
      '[2001:db8::1]',
      '[2001:db8::1]:8080',
    ]) {
      assert.equal(await siteOf(host), 'exact', host);
      assert.equal(hosts.at(-1), host);
    }
    assert.equal(await siteOf('A.Shop.Example.Test.:443'), 'deep');
  });

  test('the authority of an absolute-form target counts instead of Host, for the origin too', async () => {
    const ask = async (target: string) =>
      String(
        (await askOnce(shared, `GET ${target} HTTP/1.1\r\nHost: elsewhere.test\r\n\r\n`)).body,
      );
    assert.equal(await ask('http://www.example.test/'), 'exact');
    assert.equal(hosts.at(-1), 'www.example.test');
    assert.equal(await ask('HTTP://A.SHOP.example.test:81/x'), 'deep');
    assert.equal(hosts.at(-1), 'A.SHOP.example.test:81');
    assert.equal(await ask('http://unknown.test'), 'rest');
  });

  test('requests of one connection go each to their own site', async () => {
    const client = await RawClient.connect(shared);
    for (const [host, site] of [
      ['www.example.test', 'exact'],
      ['a.example.test', 'wide'],
      ['a.shop.example.test', 'deep'],
      ['elsewhere.test', 'rest'],
      ['www.example.test', 'exact'],
    ]) {
      const answer = await client.ask(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
      assert.equal(String(answer.body), site);
    }
    client.destroy();
  });

  test('an upgrade goes to the site of its host, or is 421 as well', async () => {
    const offer = (host: string) =>
      `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`;
    assert.equal(String((await askOnce(strict, offer('a.other.test'))).body), 'other');
    assert.equal((await askOnce(strict, offer('unknown.test'))).status, 421);
  });
});

describe('a host that nobody serves', () => {
  test('is answered 421, counted and logged, and the connection closes', async () => {
    const before = await wormgate.counter('requests_misdirected');
    for (const host of ['unknown.test', 'other.test', 'named.test.other', '']) {
      const client = await RawClient.connect(strict);
      const answer = await client.ask(`GET /who-${host} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
      assert.equal(answer.status, 421, host);
      assert.equal(headerOf(answer, 'connection'), 'close');
      await client.end();
      client.destroy();
      await wormgate.logLine(
        new RegExp(`"GET /who-${host} HTTP/1\\.1" 421 \\d+ error=misdirected id=\\S+$`),
      );
    }
    assert.equal(await wormgate.counter('requests_misdirected'), before + 4);
  });

  test('is 421 also by the authority of the target, and for HTTP/1.0 without Host', async () => {
    const request = 'GET http://unknown.test/ HTTP/1.1\r\nHost: named.test\r\n\r\n';
    assert.equal((await askOnce(strict, request)).status, 421);
    assert.equal((await askOnce(strict, 'GET / HTTP/1.0\r\n\r\n')).status, 421);
  });

  test('is screened before: a virus request is slipped there, too', async () => {
    const client = await RawClient.connect(strict);
    client.send('GET /scripts/root.exe HTTP/1.1\r\nHost: unknown.test\r\n\r\n');
    await client.end();
    assert.equal(client.text, '');
    client.destroy();
  });
});

test('a section with two listen addresses serves on both, and only its neighbours there are known', async () => {
  assert.equal(await siteOf('named.test', strict), 'named');
  assert.equal(await siteOf('named.test', second), 'named');
  assert.equal(await siteOf('a.other.test', strict), 'other');
  assert.equal(await siteOf('a.other.test', second), '421');
  assert.equal(await siteOf('named.test', shared), 'rest');
});
