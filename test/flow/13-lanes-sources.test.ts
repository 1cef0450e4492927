/** Both lanes alike about sources: what is a miss, who is blocked at which request, and how it is told. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startLanePair } from '../support/lane-pair.ts';
import { bytes, type Scenario } from '../support/lane-scenario.ts';
import { askRaw, isSlipped } from '../support/raw.ts';

const pattern = ['NoOfVirusPatterns=1', 'Pattern1="virus.exe HTTP/1",19'];
const sites = {
  missing: ['Origin=demo'],
  trusted: ['Origin=demo', 'TrustedProxies=127.0.0.0/8, 10.0.0.0/8'],
  cached: ['Origin=demo', 'Cache=1'],
};
const sections = {
  'Virus Pattern Configuration': [...pattern, 'NeverBlock=path:/open/'],
  'Virus Sources': ['MissLimit=3', 'BlockSeconds=1000', 'Crawlers='],
  Cache: ['PurgeAllow=127.0.0.0/8'],
  // Its lines have no client.
  Log: ['ConsoleLog=hp-vt.log'],
};
const pair = await startLanePair({ after }, { sites, sections });
const detecting = await startLanePair(
  { after },
  {
    sites,
    sections: {
      ...sections,
      'Virus Pattern Configuration': [...pattern, 'Mode=detect'],
    },
  },
);
const dropping = await startLanePair(
  { after },
  {
    sites,
    sections: {
      ...sections,
      'Virus Pattern Configuration': [...pattern, 'VirusAction=drop'],
    },
  },
);

function request(target: string, lines: readonly string[] = [], version = 'HTTP/1.1'): string {
  return [`GET ${target} ${version}`, 'Host: a', ...lines, '', ''].join('\r\n');
}

const misses = ['/x1', '/x2', '/x3'].map((target) => request(target));
const viruses = [request('/virus.exe'), request('/virus.exe')];

/** What is sent by one client, each request in a packet of its own. */
function course(requests: readonly string[], site: string): Scenario {
  return { ...bytes(requests, requests.length), site };
}

/** The same in one packet. */
function burst(requests: readonly string[], site: string): Scenario {
  return { ...bytes([requests.join('')], requests.length), site };
}

const referred = (referer: string) =>
  ['/y1', '/y2', '/y3', '/y4'].map((target) => request(target, [`Referer: ${referer}`]));

const courses: readonly (readonly string[])[] = [
  [...misses, request('/')],
  [...misses, request('/', [], 'HTTP/1.0')],
  [...misses, request('http://a/hello.txt')],
  [...misses, request('/open/hello.txt'), request('/hello.txt')],
  [...misses, ...viruses],
  [...misses.slice(1), misses[2] ?? '', request('/')],
  [request('/x1?a'), request('/%781'), request('/y/../x1'), request('/x1'), request('/')],
  [
    request('/robots.txt'),
    request('/favicon.ico'),
    request('/ads.txt'),
    request('/'),
    request('/x1'),
  ],
  [request('/'), ...referred('http://a/'), request('/')],
  [request('/'), ...referred('http://b/'), request('/')],
  [request('/'), ...referred('http://a/never'), request('/')],
  [...misses, 'GET / HTTP/1.1\r\nHost: a\r\nX y: z\r\n\r\n'],
  [...misses, `GET /hello.txt HTTP/1.1\r\nHost: a\r\nX: ${'y'.repeat(70_000)}\r\n\r\n`],
  [...misses, 'POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc'],
  [...misses, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'],
  [...misses, 'GET  / HTTP/1.1\r\nHost: a\r\n\r\n', 'nonsense\r\n\r\n'],
  [
    'PURGE /p1 HTTP/1.1\r\nHost: a\r\n\r\n',
    'PURGE /p2 HTTP/1.1\r\nHost: a\r\n\r\n',
    'PURGE /p3 HTTP/1.1\r\nHost: a\r\n\r\n',
    request('/'),
  ],
];

test('who misses is blocked at the same request in both lanes', async () => {
  for (const port of pair.ports) {
    for (const target of ['/x1', '/x2', '/x3']) await askRaw(port, `GET ${target} HTTP/1.1`);
    assert.ok(isSlipped(await askRaw(port, 'GET / HTTP/1.1')));
  }
  await pair.compare(courses.flatMap((each) => [course(each, 'missing'), burst(each, 'missing')]));
});

test('what is stored is missed alike', async () => {
  const some = courses.slice(0, 8).map((each) => course(each, 'cached'));
  // One after the other: who fetches what others wait for would be a race.
  await pair.compare(some, 1);
});

test('a dropped one is answered alike', async () => {
  await dropping.compare(courses.map((each) => course(each, 'missing')));
});

test('with Mode=detect nobody is blocked, and the lines say who would be', async () => {
  await detecting.compare(courses.map((each) => course(each, 'missing')));
});

test('behind a trusted proxy the clients that it names are the sources, and never itself', async () => {
  const named = (client: string, each: readonly string[]) =>
    each.map((text) => text.replace('Host: a\r\n', `Host: a\r\nX-Forwarded-For: ${client}\r\n`));
  const scenarios = courses.flatMap((each, index) => [
    course(named(`203.0.113.${index + 1}`, each), 'trusted'),
    course(named(`2001:db8:${index + 1}::7`, each), 'trusted'),
    course(named('10.1.1.1', each), 'trusted'),
    course(each, 'trusted'),
  ]);
  await pair.compare(scenarios, 4);
  const shared = named('203.0.113.200', [...misses, request('/')]);
  const other = named('203.0.113.201', [request('/')]);
  await pair.compare([course([...shared, ...other], 'trusted')], 1);
});
