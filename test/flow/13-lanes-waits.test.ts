/** Both lanes alike: whoever is waited for too long, client or origin, and what becomes of it. */
import { after, test } from 'node:test';
import { date, separateSites } from '../support/lane-answers.ts';
import { echo, type LaneScript } from '../support/lane-origin.ts';
import { startLanePair } from '../support/lane-pair.ts';
import { noteOriginsEnd, pause, type Scenario, type Side } from '../support/lane-scenario.ts';

const siteCount = 40;
const waits = ['Header', 'Body', 'KeepAlive', 'Send', 'Origin'].map((name) => `${name}Timeout=1`);
const pair = await startLanePair(
  { after },
  { sites: separateSites(siteCount), sections: { Limits: waits } },
);

const get = 'GET /x HTTP/1.1\r\nHost: a\r\n\r\n';
const ok = `HTTP/1.1 200 OK\r\n${date}`;
const silent: LaneScript = () => {};

async function closing({ client, note }: Side): Promise<void> {
  note((await client.sees(() => client.closed, 6000)) ? 'closed by wormgate' : 'still open');
  // Wormgate first, then the origin: the other way round is another fault.
  await pause(30);
}

/** Sends each part when the one before it has been waited on, and then nothing. */
function trickling(parts: readonly string[], betweenMs: number, script = echo): Scenario {
  return {
    sent: `${parts.join('|')}| and then nothing`,
    play: async (side) => {
      for (const part of parts) {
        if (side.client.closed) break;
        await side.client.flush(part);
        await pause(betweenMs);
      }
      await closing(side);
    },
    script,
  };
}

/** Asks, and leaves it to the origin. */
function asking(request: string, script: LaneScript): Scenario {
  return {
    sent: request,
    play: async (side) => {
      await side.client.flush(request);
      await closing(side);
    },
    script,
  };
}

const slowHeads: readonly Scenario[] = [
  // The first: nothing at all.
  trickling([], 0),
  trickling(['\r\n'], 10),
  trickling(['G'], 10),
  trickling(['GET /x HTTP/1.1\r\n'], 10),
  trickling(['GET /x HTTP/1.1\r\nHost: a\r\n'], 10),
  trickling(['GET /x HTTP/1.1\r\n', ...'Host: a\r\nX: y'], 200),
  trickling([get, 'GET /y HTTP/1.1\r\nHo'], 100),
  trickling([`${get}GET /y HTTP/1.1\r\nHo`], 100),
  trickling([get, '\r\n'], 100),
  trickling([get.replace('Host', 'Connection: keep-alive\r\nHost').replace('1.1', '1.0')], 10),
];

const idle: readonly Scenario[] = [
  trickling([get], 10),
  trickling([get, get], 400),
  trickling([get, get, get], 700),
  trickling(['HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n'], 10),
  trickling(['POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc'], 10),
];

const slowBodies: readonly Scenario[] = [
  trickling(['POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n'], 10),
  trickling(['POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc'], 10),
  trickling(['POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc', 'def', 'ghi'], 600),
  trickling(['POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n'], 10),
  trickling([`${get}POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc`], 10),
  trickling(['POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc'], 10, (call) =>
    call.say(`${ok}Content-Length: 9\r\n\r\nhalf!`),
  ),
];

const late: LaneScript = async (call) => {
  await pause(600);
  await echo(call);
};

const slowOrigins: readonly Scenario[] = [
  asking(get, silent),
  asking('HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n', silent),
  asking('GET /x HTTP/1.0\r\nHost: a\r\n\r\n', silent),
  asking('POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc', silent),
  asking(`${get}${get}`, silent),
  asking(get, (call) => call.say('HTTP/1.1 200 O')),
  asking(get, (call) => call.say('HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=x\r\n\r\n')),
  asking(get, (call) => call.say(`${ok}Content-Length: 9\r\n\r\nhalf!`)),
  asking(get, (call) => call.say(`${ok}Transfer-Encoding: chunked\r\n\r\n5\r\nhalf!\r\n`)),
  asking(get, (call) => call.say(`${ok}\r\nhalf!`)),
  asking(get, (call) => call.say(`${ok}Content-Length: 9\r\n\r\n`)),
  asking(get, late),
  asking(get, async (call) => {
    for (const part of [`${ok}Content-Length: 3\r\n\r\n`, 'a', 'b', 'c']) {
      call.say(part);
      await pause(600);
    }
  }),
];

const large = Buffer.alloc(24 * 1024 * 1024, 'much ');

const neverRead: readonly Scenario[] = [
  `${ok}Content-Length: ${large.length}\r\n\r\n`,
  `${ok}Connection: close\r\n\r\n`,
].map((head) => ({
  sent: `${get}, answered by 24 MiB that nobody reads`,
  play: async (side) => {
    side.client.socket.pause();
    await side.client.flush(get);
    await side.received(1);
    await noteOriginsEnd(side);
  },
  script: (call) => call.say(head, large),
  isHeard: false,
}));

test('slow heads, idle connections, paused bodies, silent origins, answers that nobody reads', async () => {
  const scenarios = [slowHeads, idle, slowBodies, slowOrigins, neverRead].flat();
  await pair.compare(scenarios, siteCount);
});
