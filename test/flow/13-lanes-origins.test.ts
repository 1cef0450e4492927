/** Both lanes alike: origins that go stale, answer too early, send much, or cannot be reached. */
import { after, describe, test } from 'node:test';
import { startFullBacklog } from '../support/full-backlog.ts';
import { date, separateSites, siteCount } from '../support/lane-answers.ts';
import { echo, type LaneCall, type LaneScript } from '../support/lane-origin.ts';
import { startLanePair } from '../support/lane-pair.ts';
import {
  bytes,
  ended,
  pause,
  type Scenario,
  type Side,
  untilOriginIsClosed,
} from '../support/lane-scenario.ts';
import { hear } from '../support/lane-transcript.ts';
import { freePort } from '../support/wormgate.ts';

const [deadPort, deafPort] = await Promise.all([freePort(), startFullBacklog({ after })]);
const pair = await startLanePair(
  { after },
  {
    sites: {
      ...separateSites(siteCount),
      dead: [`Origin=http://127.0.0.1:${deadPort}`],
      'dead first': [`Origin=http://127.0.0.1:${deadPort},<origin>`],
      'dead twice': [`Origin=http://127.0.0.1:${deadPort},http://localhost:${deadPort}`],
      deaf: [`Origin=http://127.0.0.1:${deafPort}`],
      'deaf first': [`Origin=http://127.0.0.1:${deafPort},<origin>`],
    },
    sections: { Limits: ['ConnectTimeout=1'] },
  },
);

const get = (target: string) => `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`;
const ok = `HTTP/1.1 200 OK\r\n${date}`;

const second = {
  GET: get('/second'),
  HEAD: 'HEAD /second HTTP/1.1\r\nHost: a\r\n\r\n',
  'GET 1.0': 'GET /second HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n',
  'GET, a body': 'GET /second HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc',
  'POST, a body': 'POST /second HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc',
  'POST, an empty body': 'POST /second HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n',
  'POST, no body': 'POST /second HTTP/1.1\r\nHost: a\r\n\r\n',
  'PUT, a body': 'PUT /second HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc',
  'PUT, no body': 'PUT /second HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n',
  'DELETE, no body': 'DELETE /second HTTP/1.1\r\nHost: a\r\n\r\n',
  OPTIONS: 'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n',
  PATCH: 'PATCH /second HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n',
  PROPFIND: 'PROPFIND /second HTTP/1.1\r\nHost: a\r\n\r\n',
  MKCOL: 'MKCOL /second HTTP/1.1\r\nHost: a\r\n\r\n',
  chunked: 'PUT /second HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
} as const;

/** What becomes of the connection when it is used for the second time. */
const stale = {
  'closes it': ({ socket }: LaneCall) => socket.end(),
  'resets it': ({ socket }: LaneCall) => socket.resetAndDestroy(),
  'says half a head and closes it': (call: LaneCall) => {
    call.say('HTTP/1.1 2');
    call.socket.end();
  },
  'says it comes late and closes it': (call: LaneCall) => {
    call.say(`HTTP/1.1 408 Request Timeout\r\n${date}Connection: close\r\n\r\n`);
    call.socket.end();
  },
  'talks nonsense': (call: LaneCall) => call.say('nonsense\r\n\r\n'),
} as const;

/** Answers the first request of every connection, and does `what` at the next; `always` at any other. */
function goingStale(what: (call: LaneCall) => unknown, always = false): LaneScript {
  const used = new WeakSet<LaneCall['socket']>();
  return async (call) => {
    const isReused = used.has(call.socket) || (always && call.index > 0);
    used.add(call.socket);
    await call.complete;
    if (isReused) what(call);
    else await echo(call);
  };
}

/** A request of the same kind, which takes the same lane and so a connection of the same pool. */
function alike(next: string): string {
  return next.replace('/second', '/first');
}

/** Both on one connection, the second when the first is answered. */
function inTurn(first: string, next: string): (side: Side) => Promise<void> {
  return async (side) => {
    const { client } = side;
    const isHead = next.startsWith('HEAD');
    await client.flush(first);
    await client.until(() => client.text.includes('\r\n\r\n'), 'the first answer');
    await client.flush(next);
    const both = () => hear(client.text, client.closed).headCount === 2;
    await client.until(() => both() || client.closed, 'the second answer');
    await ended(side, isHead ? undefined : 2);
  };
}

describe('a kept-alive connection that has gone stale', () => {
  for (const always of [false, true]) {
    test(always ? 'and so is the next one' : 'is replaced where that is safe', async () => {
      await pair.compare(
        Object.entries(stale).flatMap(([how, what]) =>
          Object.values(second).map((next) => ({
            sent: `${alike(next)}| the origin ${how} at |${next}`,
            play: inTurn(alike(next), next),
            script: goingStale(what, always),
          })),
        ),
        siteCount,
      );
    });
  }

  test('and was closed before the next request came is no longer there', async () => {
    const scenarios: Scenario[] = Object.values(second).map((next) => ({
      sent: `${get('/first')}| the origin closes |${next}`,
      play: async (side) => {
        await side.client.flush(get('/first'));
        await side.client.until(() => side.client.text.endsWith('0\n'), 'the first answer');
        side.calls()[0]?.socket.end();
        await untilOriginIsClosed(side);
        await side.client.flush(next);
        await ended(side, next.startsWith('HEAD') ? undefined : 2);
      },
      script: echo,
    }));
    await pair.compare(scenarios, siteCount);
  });
});

describe('an answer before the body is here', () => {
  const heads = {
    length: 'POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 20\r\n\r\n0123456789',
    chunked:
      'POST /early HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n',
  } as const;
  const rests = { length: '0123456789', chunked: 'a\r\n0123456789\r\n0\r\n\r\n' } as const;
  const answers = {
    'stays open': (call: LaneCall) => call.say(`${ok}Content-Length: 5\r\n\r\nearly`),
    'says close': (call: LaneCall) =>
      call.say(
        `HTTP/1.1 413 Too Much\r\n${date}Connection: close\r\nContent-Length: 5\r\n\r\nearly`,
      ),
    closes: (call: LaneCall) => {
      call.say(`${ok}Content-Length: 5\r\n\r\nearly`);
      call.socket.end();
    },
    'is chunked': (call: LaneCall) =>
      call.say(`${ok}Transfer-Encoding: chunked\r\n\r\n5\r\nearly\r\n0\r\n\r\n`),
  } as const;

  test('is passed on, and the rest of the body is read or waited for', async () => {
    const scenarios = Object.entries(heads).flatMap(([framing, head]) =>
      Object.entries(answers).flatMap(([how, answer]) =>
        [rests[framing as 'length' | 'chunked'], ''].map(
          (rest): Scenario => ({
            sent: `${head}| an origin that ${how} answers |${rest}`,
            play: async (side) => {
              await side.client.flush(head);
              await side.client.until(() => side.client.text.includes('early'), 'the answer');
              await pause(20);
              if (rest !== '') await side.client.flush(rest);
              await ended(side, 1);
            },
            script: answer,
            withIncomplete: true,
          }),
        ),
      ),
    );
    await pair.compare(scenarios, siteCount);
  });

  test('behind or without 100 Continue', async () => {
    const head =
      'PUT /expect HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n';
    const go: LaneScript = async (call) => {
      call.say('HTTP/1.1 100 Continue\r\n\r\n');
      await echo(call);
    };
    const refuse: LaneScript = (call) =>
      call.say(`HTTP/1.1 403 No\r\n${date}Content-Length: 0\r\n\r\n`);
    const scenarios = [go, refuse].map(
      (script): Scenario => ({
        sent: head,
        play: async (side) => {
          await side.client.flush(head);
          await side.client.until(() => side.client.text.includes('\r\n\r\n'), 'the answer');
          if (side.client.text.startsWith('HTTP/1.1 100')) await side.client.flush('abc');
          await ended(side, 1);
        },
        script,
        withIncomplete: true,
      }),
    );
    await pair.compare(scenarios, siteCount);
  });
});

describe('much', () => {
  const size = 1024 * 1024;
  const body = Buffer.alloc(size, 'wormgate, both lanes alike\n').toString('latin1');
  const chunks = Array.from({ length: 64 }, (_, index) => {
    const chunk = body.slice((index * size) / 64, ((index + 1) * size) / 64);
    return `${chunk.length.toString(16)}\r\n${chunk}\r\n`;
  });

  test('is sent to a client that reads at once, late, or slowly', async () => {
    const answers = [
      `${ok}Content-Length: ${size}\r\n\r\n${body}`,
      `${ok}Transfer-Encoding: chunked\r\n\r\n${chunks.join('')}0\r\n\r\n`,
    ];
    const readers: ((side: Side) => Promise<void>)[] = [
      async () => {},
      async ({ client }) => {
        client.socket.pause();
        await pause(100);
        client.socket.resume();
      },
      async ({ client }) => {
        for (let times = 0; times < 20 && !client.text.includes('0\r\n\r\n'); times += 1) {
          client.socket.pause();
          await pause(5);
          client.socket.resume();
          await pause(1);
        }
      },
    ];
    const scenarios = answers.flatMap((answer, index) =>
      readers.map(
        (read): Scenario => ({
          sent: `${get('/large')} answered by 1 MiB, ${index === 0 ? 'with a length' : 'chunked'}`,
          play: async (side) => {
            await side.client.flush(get('/large'));
            await read(side);
            await ended(side, 1);
          },
          script: (call) => call.say(answer),
        }),
      ),
    );
    await pair.compare(scenarios, 4);
  });

  test('is sent by a client to an origin that reads at once or late', async () => {
    const requests = [
      `POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n\r\n${body}`,
      `POST /up HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${chunks.join('')}0\r\n\r\n`,
    ];
    const late: LaneScript = async (call) => {
      call.socket.pause();
      await pause(100);
      call.socket.resume();
      await echo(call);
    };
    const scenarios = requests.flatMap((request) => [
      { ...bytes([request], 1), script: echo },
      { ...bytes([request], 1), script: late },
    ]);
    await pair.compare(scenarios, 4);
  });
});

describe('an origin that', () => {
  const requests = Object.values(second);

  test('refuses connections', async () => {
    // One at a time on a site: which of two origins is the first goes round.
    for (const site of ['dead', 'dead first', 'dead twice']) {
      await pair.compare(
        requests.map((request) => ({ ...bytes([request], 1), site })),
        1,
      );
    }
  });

  test('does not accept them in time', async () => {
    const some = [second.GET, second['POST, a body'], second.chunked];
    await pair.compare(
      some.map((request) => ({ ...bytes([request], 1), site: 'deaf' })),
      some.length,
    );
    await pair.compare([{ ...bytes([second['POST, a body']], 1), site: 'deaf first' }], 1);
  });
});
