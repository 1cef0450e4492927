/**
 * Auto Update on the running proxy: worms come in the middle of a real site's traffic to an empty
 * pattern set, and are learned while every visitor is served.
 */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { inLanes } from '../support/lanes.ts';
import { startOrigin } from '../support/origin.ts';
import { askRaw, isSlipped, statusOf } from '../support/raw.ts';
import { RawClient } from '../support/raw-client.ts';
import { readSiteB, readWormRequests, wormRequestString } from '../support/requests-data.ts';
import { startWormgate, until, type Wormgate } from '../support/wormgate.ts';

const keywords = ['cmd.exe', 'root.exe', 'default.ida'];
const worms = readWormRequests()
  .filter(({ name }) => /^(nimda-\d|code-red)/.test(name))
  .map((request) => wormRequestString(request, 'HTTP/1.0'));
const threshold = 250;
const burst = threshold + 50;
const visits = readSiteB();

function windowOf(requestString: string): string {
  return requestString.slice(1, 17);
}

/** The site as its log tells it: what it served then it serves now, and nothing else. */
const served = new Set(visits.filter(({ status }) => status < 400).map(({ target }) => target));

/** Sends the site's own requests over a few connections; gives the targets answered otherwise. */
async function visitAll(wormgate: Wormgate): Promise<string[]> {
  const laneCount = 4;
  const lanes = Array.from({ length: laneCount }, (_, lane) =>
    visits.filter((_visit, index) => index % laneCount === lane),
  );
  const wrong = await inLanes(lanes, laneCount, async (lane) => {
    const odd: string[] = [];
    let client = await RawClient.connect(wormgate.port);
    for (const { method, target } of lane) {
      const asked = method === 'HEAD' ? 'HEAD' : 'GET';
      const answer = await client.ask(`${asked} ${target} HTTP/1.1\r\nHost: site.test\r\n\r\n`);
      if (answer.status !== (served.has(target) ? 200 : 404)) odd.push(target);
      if (client.closed) client = await RawClient.connect(wormgate.port);
    }
    client.destroy();
    return odd;
  });
  return wrong.flat();
}

/** Sends each worm's request more often than the threshold allows; gives how many were slipped. */
async function infect(wormgate: Wormgate): Promise<number> {
  const requests = Array.from({ length: burst }, () => worms).flat();
  const answers = await inLanes(requests, 8, (request) => askRaw(wormgate.port, `GET ${request}`));
  return answers.filter(isSlipped).length;
}

/** The lines of PROXY.LOG that tell of requests. */
function requestLines(wormgate: Wormgate): string[] {
  return wormgate
    .log()
    .split('\n')
    .filter((line) => /^[0-9.]+ - - /.test(line));
}

function isVirusLine(line: string): boolean {
  return / (?:pattern|keyword)="[^"]*" from=/.test(line);
}

describe('worms in the middle of real traffic', async () => {
  const origin = await startOrigin({ after }, (request, response) => {
    response.statusCode = served.has(request.url ?? '') ? 200 : 404;
    response.end('x');
  });
  const wormgate = await startWormgate(
    { after },
    {
      origin: origin.url,
      sections: {
        'Virus Pattern Configuration': ['EnablePatternAutoUpdate=1', 'RefreshInterval=3600'],
      },
    },
  );
  for (const keyword of keywords) assert.equal(wormgate.virus('add', '-k', keyword).code, 0);

  test('every visitor is served, and every worm is learned', async () => {
    assert.equal(worms.length, 18, 'Code Red, Code Red II and the sixteen of Nimda');
    const [odd, slippedCount] = await Promise.all([visitAll(wormgate), infect(wormgate)]);
    assert.deepEqual(odd, []);
    assert.ok(slippedCount > 0);
    await until(
      async () => (await wormgate.counter('patterns_learned')) >= new Set(worms.map(windowOf)).size,
    );
    const list = wormgate.virus('list').stdout;
    for (const worm of worms) {
      const shown = windowOf(worm).replace(/\\/g, '\\\\');
      assert.ok(list.includes(`"${shown}"`), `${shown} is not in:\n${list}`);
      assert.ok(isSlipped(await askRaw(wormgate.port, `GET ${worm}`)), worm);
    }
    assert.match(list, /^"default\.ida\?NNNN" +385 +auto\(default\.ida\) /m);
    assert.deepEqual(await visitAll(wormgate), []);
  });

  test("the screen's figures are those that PROXY.LOG gives", async () => {
    // A change of the interval ends the running one, so that its rates can be read.
    assert.equal(wormgate.virus('-r', '60').code, 0);
    const asked =
      (await wormgate.counter('virus_requests')) + (await wormgate.counter('non_virus_requests'));
    await until(() => requestLines(wormgate).length === asked);
    const lines = requestLines(wormgate);
    const virusCount = lines.filter(isVirusLine).length;
    const humbleCount = lines.length - virusCount;
    const show = wormgate.virus('show').stdout;
    const figure = (label: string) => Number(new RegExp(`^${label}: (\\d+)`, 'm').exec(show)?.[1]);
    assert.equal(figure('Virus Requests'), virusCount);
    assert.equal(figure('Non Virus Requests'), humbleCount);
    assert.equal(figure('Max Non Virus Hit Rate'), humbleCount);
    assert.equal(figure('Ave Non Virus Hit Rate'), humbleCount);
    assert.equal(figure('Ave Virus Hit Rate'), virusCount);
    assert.equal(figure('Recommend Threshold'), humbleCount);
    assert.match(show, /^Virus Source IP Address: 127\.0\.0\.1$/m);
    assert.match(show, /^Last Predicted Request: GET \//m);
    assert.match(show, new RegExp(`^No Of Patterns: ${new Set(worms.map(windowOf)).size}$`, 'm'));
  });

  test('who sent it and why is in the log', () => {
    const line = /^\[auto update\] \[.+\] Added "default\.ida\?NNNN", original length 385\..*$/m;
    const [told = ''] = line.exec(wormgate.log()) ?? [];
    assert.match(told, /More than 250 requests in 3600 s/);
    assert.match(
      told,
      /keyword "default\.ida"; the last from 127\.0\.0\.1: "GET \/default\.ida\?N/,
    );
  });

  test('a confirmed keyword blocks whatever the window, case and encoding', async () => {
    for (const target of [
      '/brand/new?x=cmd.exe',
      '/new/ROOT.EXE',
      '/%64efault%2eida',
      '/c%256dd.exe',
    ]) {
      assert.ok(isSlipped(await askRaw(wormgate.port, `GET ${target} HTTP/1.1`)), target);
    }
    await wormgate.logLine(
      /"GET \/new\/ROOT\.EXE HTTP\/1\.1" - - keyword="root\.exe" from=auto\(root\.exe\) id=/,
    );
    assert.equal(statusOf(await askRaw(wormgate.port, 'GET /cmd.ex HTTP/1.1')), 404);
  });

  test('what was learned survives kill -9, the samples and the confirmed keywords too', async () => {
    const before = wormgate.virus('list').stdout.split('\n\n')[0];
    await wormgate.stop('SIGKILL');
    await wormgate.start();
    const [patterns = '', learned = ''] = wormgate.virus('list').stdout.split('\n\n');
    const names = (table = '') => table.split('\n').map((row) => row.slice(0, 60));
    assert.deepEqual(names(patterns).slice(1).sort(), names(before).slice(1).sort());
    assert.match(
      learned,
      /"default\.ida\?NNNN" +385 +"default\.ida" .* 127\.0\.0\.1 +"GET \/default\.ida\?NNN/,
    );
    assert.ok(isSlipped(await askRaw(wormgate.port, `GET ${worms[0]}`)));
    assert.ok(isSlipped(await askRaw(wormgate.port, 'GET /brand/new?x=cmd.exe HTTP/1.1')));
  });
});
