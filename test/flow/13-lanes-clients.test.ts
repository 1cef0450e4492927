/** Both lanes alike: clients that go away, or end their sending side, at every point of an exchange. */
import { after, describe, test } from 'node:test';
import { date, separateSites } from '../support/lane-answers.ts';
import { echo, type LaneScript } from '../support/lane-origin.ts';
import { startLanePair } from '../support/lane-pair.ts';
import { noteOriginsEnd, pause, type Scenario, type Side } from '../support/lane-scenario.ts';

const siteCount = 12;
const pair = await startLanePair({ after }, { sites: separateSites(siteCount) });

const get = 'GET /x HTTP/1.1\r\nHost: a\r\n\r\n';
const half = `HTTP/1.1 200 OK\r\n${date}Content-Length: 10\r\n\r\nhalf!`;

/** Ways of leaving; after the last of them a client may still read. */
const leave = {
  closes: ({ client }: Side) => client.destroy(),
  resets: ({ client }: Side) => client.reset(),
  'ends its side': async ({ client, note }: Side) => {
    client.socket.end();
    const isClosed = await client.sees(() => client.closed, 3000);
    note(isClosed ? 'closed by wormgate' : 'still open');
  },
} as const;

interface Moment {
  readonly sent: string;
  /** What happens until the client leaves. */
  readonly until: (side: Side) => Promise<void>;
  readonly script?: LaneScript;
  /** Whether there is a request to give up at the origin. */
  readonly isForwarded?: boolean;
}

const silent: LaneScript = () => {};

/** Sends the text, and waits until the origin has that much of the body. */
function uploading(sent: string, bodyLength: number): Moment {
  const until = async (side: Side) => {
    await side.client.flush(sent);
    await side.received(1);
    while ((side.calls()[0]?.body.length ?? 0) < bodyLength) await pause(2);
  };
  return { sent, until, script: silent, isForwarded: true };
}

/** Sends the text and goes on when it may well have been read. */
function sending(sent: string): Moment {
  const until = async ({ client }: Side) => {
    if (sent !== '') await client.flush(sent);
    await pause(30);
  };
  return { sent, until };
}

const moments: readonly Moment[] = [
  sending(''),
  sending('G'),
  sending('\r\n'),
  sending('GET /x HTTP/1.1'),
  sending('GET /x HTTP/1.1\r\n'),
  sending('GET /x HTTP/1.1\r\nHost: a\r\nX'),
  sending('GET /x HTTP/1.1\r\nHost: a\r\n\r'),
  uploading('POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n', 0),
  uploading('POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf!', 5),
  uploading('POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhalf!\r\n', 5),
  uploading('GET /x HTTP/1.1\r\nHost: a\r\n\r\n', 0),
  uploading('GET /x HTTP/1.0\r\nHost: a\r\n\r\n', 0),
  uploading('HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n', 0),
  uploading('POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhalf!', 5),
  uploading(`${get}${get}`, 0),
  uploading(`${get}GET /y HTT`, 0),
  ...[half, half.replace('Content-Length: 10', 'Transfer-Encoding: chunked')].map((answer) => ({
    sent: get,
    until: async ({ client }: Side) => {
      await client.flush(get);
      await client.until(() => client.text.includes('half!'), 'half an answer');
    },
    script: (call: Parameters<LaneScript>[0]) =>
      call.say(answer.replace('\r\nhalf!', answer === half ? '\r\nhalf!' : '\r\n5\r\nhalf!\r\n')),
    isForwarded: true,
  })),
  {
    sent: get,
    until: async ({ client }) => {
      await client.flush(get);
      await client.until(() => client.text.endsWith('GET /x 0\n'), 'the answer');
    },
    script: echo,
  },
  {
    sent: `${get}|G`,
    until: async ({ client }) => {
      await client.flush(get);
      await client.until(() => client.text.endsWith('GET /x 0\n'), 'the answer');
      await client.flush('G');
      await pause(30);
    },
    script: echo,
  },
];

describe('a client that', () => {
  for (const [how, go] of Object.entries(leave)) {
    test(`${how} at any point`, async () => {
      const scenarios = moments.map(
        (moment): Scenario => ({
          sent: `${moment.sent}| then it ${how}`,
          play: async (side) => {
            await moment.until(side);
            await go(side);
            if (moment.isForwarded === true) await noteOriginsEnd(side);
          },
          script: moment.script ?? echo,
          withIncomplete: true,
        }),
      );
      await pair.compare(scenarios, siteCount);
    });
  }
});

/** Sends all of it and the end of the sending side at once. */
function endingAtOnce(sent: string, script: LaneScript = echo, isGivenUp = false): Scenario {
  return {
    sent: `${sent}| and the end`,
    play: async (side) => {
      const { client, note } = side;
      client.send(sent);
      client.socket.end();
      const isClosed = await client.sees(() => client.closed, 3000);
      note(isClosed ? 'closed by wormgate' : 'still open');
      if (isGivenUp) await noteOriginsEnd(side);
    },
    script,
    withIncomplete: isGivenUp,
  };
}

function answeringAfter(ms: number): LaneScript {
  return async (call) => {
    await pause(ms);
    await echo(call);
  };
}

test('a client that ends its side right behind its requests gets what comes in time', async () => {
  const post = 'POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc';
  await pair.compare(
    [
      endingAtOnce(get),
      endingAtOnce(get.replace('1.1', '1.0')),
      endingAtOnce(`GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`),
      endingAtOnce(post),
      endingAtOnce('POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n'),
      endingAtOnce(
        'POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
      ),
      endingAtOnce(post.slice(0, -1), echo, true),
      endingAtOnce(`${get}${get}`),
      endingAtOnce(`${get}${post}${get}`),
      // Not `${get}${post.slice(0, -1)}`: the front, which reads ahead, then gives both up at once.
      endingAtOnce(`${get}GET /half`),
      endingAtOnce('GET /half'),
      endingAtOnce('nonsense\r\n\r\n'),
      endingAtOnce(''),
      endingAtOnce('\r\n\r\n'),
      endingAtOnce(get, answeringAfter(150)),
      endingAtOnce(post, answeringAfter(150)),
      endingAtOnce(get, answeringAfter(1500), true),
      endingAtOnce(get, silent, true),
      endingAtOnce(`${get}${get}`, silent, true),
    ],
    siteCount,
  );
});
