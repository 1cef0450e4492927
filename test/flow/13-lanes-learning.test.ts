/** Both lanes alike with Auto Update on: what is counted, suspected, remembered and blocked by keywords. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { startLanePair } from '../support/lane-pair.ts';
import { bytes, type Scenario } from '../support/lane-scenario.ts';
import { askRaw, isSlipped } from '../support/raw.ts';
import { readSiteB } from '../support/requests-data.ts';
import { until } from '../support/wormgate.ts';

const folder = mkdtempSync(join(tmpdir(), 'wormgate-keywords-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const keywords = join(folder, 'keywords.ncf');
writeFileSync(keywords, 'virus add -k worm.exe\nvirus add -k other.dll\n');

const pair = await startLanePair(
  { after },
  {
    sites: { missing: ['Origin=demo'], plain: [], trusted: ['TrustedProxies=127.0.0.0/8'] },
    sections: {
      'Virus Pattern Configuration': [
        `PatternFiles=${keywords}`,
        ...['EnablePatternAutoUpdate=1', 'HitThreshold=3', 'RefreshInterval=3600'],
      ],
    },
  },
);

function request(target: string, site: string, tail = 'HTTP/1.1'): Scenario {
  return { ...bytes([`GET ${target} ${tail}\r\nHost: a\r\nConnection: close\r\n\r\n`], 1), site };
}

test('humble requests become suspect at the same request, on kept connections and on new ones', async () => {
  const some = readSiteB().slice(0, 400);
  await pair.compare(
    some.map(({ target, version }) => request(target, 'plain', version)),
    8,
  );
  await pair.compare(
    [1, 2, 3, 4, 5].flatMap(() => [
      request('/often/and/alike?x=%41', 'plain'),
      request('/often/and/alike?x=%41', 'plain', ' HTTP/1.0'),
      request('http://a/often/and/alike', 'plain'),
      request('/%6fften//and/../alike', 'trusted'),
    ]),
    1,
  );
});

test('a confirmed keyword blocks alike, wherever it stands and however it is written', async () => {
  // The origins of the other sites answer all with 200; the demonstration site has 404.
  for (const port of pair.ports) {
    await until(async () => isSlipped(await askRaw(port, 'GET /missing/worm.exe?run HTTP/1.1')));
  }
  const targets = [
    '/a?b=worm.exe',
    '/WORM.EXE',
    '/%77orm%2eexe',
    '/w%256frm.exe',
    '/x/../worm.exe',
  ];
  const passing = ['/worm.ex', '/other.dll', '/worm%2', '/%00'];
  await pair.compare(
    [...targets, ...passing].flatMap((target) => [
      request(target, 'plain'),
      request(target, 'plain', ' HTTP/1.0'),
      request(target, 'trusted'),
      request(`http://a${target}`, 'plain'),
    ]),
    1,
  );
});
