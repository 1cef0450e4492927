/** Both lanes alike: what worms sent and what visitors of real sites asked for, in every mode. */
import { after, describe, test } from 'node:test';
import { type LanePair, startLanePair } from '../support/lane-pair.ts';
import { bytes, type Scenario } from '../support/lane-scenario.ts';
import { projectPath } from '../support/paths.ts';
import { readSiteA, readSiteB, readWormRequests } from '../support/requests-data.ts';

const patternFiles = ['classic-worms.ncf', 'modern-worms.ncf'].map((name) =>
  projectPath('patterns', name),
);
const modes = {
  slip: ['VirusAction=slip'],
  drop: ['VirusAction=drop'],
  detect: ['Mode=detect'],
} as const;
const neverBlock = 'NeverBlock=203.0.113.0/24,path:/remote/';
const trusted = 'TrustedProxies=127.0.0.0/8';

const pairs = new Map<string, LanePair>();
await Promise.all(
  Object.entries(modes).map(async ([mode, lines]) => {
    const virus = [`PatternFiles=${patternFiles.join(',')}`, neverBlock, ...lines];
    const pair = await startLanePair(
      { after },
      {
        sites: { plain: [], trusted: [trusted], named: ['Hosts=a, *.site.test'] },
        sections: { 'Virus Pattern Configuration': virus },
      },
    );
    pairs.set(mode, pair);
  }),
);

const worms = readWormRequests();
const tails = ['HTTP/1.1', 'HTTP/1.0', ' HTTP/1.0', ' HTTP/1.1'];

/** Each worm with two of the tails, with others in another turn. */
function wormScenarios(turn: number, site: string, headers: string): Scenario[] {
  return worms.flatMap(({ method, target }, index) =>
    [0, 1].map((step) => {
      const tail = tails[(index + turn + 2 * step) % tails.length];
      return {
        ...bytes([`${method} ${target} ${tail}\r\n${headers}Content-Length: 0\r\n\r\n`], 1),
        site,
      };
    }),
  );
}

const keepAlive = 'Host: a\r\nUser-Agent: flow-test\r\nAccept: */*\r\nConnection: keep-alive\r\n';

/** The log's requests as its visitors may have sent them: some to a connection, all at once. */
function pipelined(requests: ReturnType<typeof readSiteB>, each: number): Scenario[] {
  const scenarios: Scenario[] = [];
  for (let index = 0; index < requests.length; index += each) {
    const some = requests.slice(index, index + each);
    const texts = some.map(
      ({ method, target, version }) =>
        `${method} ${target} ${version}\r\n${keepAlive}${method === 'POST' ? 'Content-Length: 3\r\n\r\na=b' : '\r\n'}`,
    );
    scenarios.push(bytes([texts.join('')], some.length));
  }
  return scenarios;
}

for (const [turn, [mode, pair]] of [...pairs].entries()) {
  describe(mode, () => {
    test('the requests of worms, in HTTP/1.1 and 1.0, with one blank and two', async () => {
      await pair.compare(wormScenarios(turn, 'plain', 'Host: a\r\nUser-Agent: worm\r\n'));
    });

    test('the same without Host and with Accept: application/json', async () => {
      await pair.compare(wormScenarios(turn, 'plain', 'Accept: text/html, application/JSON\r\n'));
    });

    test('the same behind a trusted proxy, blocked and never blocked', async () => {
      await pair.compare([
        ...wormScenarios(turn, 'trusted', 'Host: a\r\nX-Forwarded-For: 198.51.100.7\r\n'),
        ...wormScenarios(turn, 'trusted', 'Host: a\r\nX-Forwarded-For: 203.0.113.7, 127.0.0.9\r\n'),
      ]);
    });

    test('requests of site-a, each on a connection of its own', async () => {
      // Each mode takes others of them.
      await pair.compare(
        readSiteA()
          .filter((_, index) => index % 6 === turn)
          .map(({ method, target, version }) => ({
            ...bytes([`${method} ${target} ${version}\r\nHost: a\r\n\r\n`], 1),
            site: 'plain',
          })),
      );
    });
  });
}

const slip = pairs.get('slip') as LanePair;

test('every eighth request of site-b, twenty at a time on a connection', async () => {
  const some = readSiteB().filter((_, index) => index % 8 === 0);
  const scenarios = pipelined(some, 20).map((each) => ({ ...each, site: 'plain' }));
  await slip.compare(scenarios, 12);
});

test('a site with Hosts: known, unknown and missing ones, in any spelling', async () => {
  const hosts = ['a', 'A', 'a:80', 'a.', 'b', 'x.site.test', 'site.test', '', 'a:', '[::1]', 'a b'];
  await slip.compare(
    hosts.flatMap((host) =>
      ['HTTP/1.1', 'HTTP/1.0'].flatMap((version) => [
        { ...bytes([`GET /x ${version}\r\nHost: ${host}\r\n\r\n`]), site: 'named' },
        { ...bytes([`GET /x ${version}\r\nX: y\r\n\r\n`]), site: 'named' },
        { ...bytes([`GET http://${host}/x ${version}\r\nHost: b\r\n\r\n`]), site: 'named' },
        {
          ...bytes([`POST /x ${version}\r\nHost: ${host}\r\nContent-Length: 3\r\n\r\nabc`]),
          site: 'named',
        },
      ]),
    ),
  );
});
