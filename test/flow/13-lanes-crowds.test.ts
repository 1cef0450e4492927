/** Both lanes alike: more connections than are served, and more requests than an origin is sent at once. */
import { after, describe, test } from 'node:test';
import { echo, type LaneCall, type LaneScript } from '../support/lane-origin.ts';
import { startLanePair } from '../support/lane-pair.ts';
import { pause, type Scenario, type Side } from '../support/lane-scenario.ts';
import { hear } from '../support/lane-transcript.ts';
import { RawClient } from '../support/raw-client.ts';

const get = (target: string) => `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`;
const post = (target: string) =>
  `POST ${target} HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc`;

/** Further clients of one side; they come from the same address, in order. */
class Crowd {
  readonly #side: Side;
  readonly clients: RawClient[] = [];

  constructor(side: Side) {
    this.#side = side;
  }

  /** Connects one more, which asks. */
  async comes(request: string): Promise<RawClient> {
    const client = await RawClient.connect(this.#side.port, this.#side.address);
    this.clients.push(client);
    if (request !== '') await client.flush(request);
    return client;
  }

  /** Notes what each has heard, and sends all away. */
  leaves(): void {
    for (const [index, client] of this.clients.entries()) {
      const { lines } = hear(client.text, client.closed);
      this.#side.note(`client ${index}: ${lines.join(' / ')}`);
      if (client.closed) this.#side.note(`client ${index} was closed`);
      client.destroy();
    }
  }
}

/** Holds the first request back until it is told what to do with it. */
function holding(): {
  script: LaneScript;
  release: (side: Side, how: LaneScript) => Promise<void>;
} {
  return {
    script: (call) => (call.target === '/held' ? undefined : echo(call)),
    release: async (side, how) => {
      const held = side.calls().find(({ target }) => target === '/held') as LaneCall;
      await how(held);
    },
  };
}

const answered = (client: RawClient) =>
  client.until(
    () => hear(client.text, client.closed).answerCount > 0 || client.closed,
    'an answer',
  );

function queued(
  sent: string,
  play: (side: Side, crowd: Crowd, release: (how: LaneScript) => Promise<void>) => Promise<void>,
): Scenario {
  const { script, release } = holding();
  return {
    sent,
    play: async (side) => {
      const crowd = new Crowd(side);
      await crowd.comes(get('/held'));
      await side.received(1);
      try {
        await play(side, crowd, (how) => release(side, how));
      } finally {
        crowd.leaves();
      }
    },
    script,
  };
}

describe('one request at an origin at once', () => {
  const limits = ['MaxOriginConnections=1', 'OriginTimeout=1'];

  test('and none waiting: the second is answered 503', async () => {
    const pair = await startLanePair(
      { after },
      { sections: { Limits: [...limits, 'MaxOriginQueue=0'] } },
    );
    const scenarios = [get('/next'), post('/next')].map((request) =>
      queued(`${get('/held')}, meanwhile ${request}`, async (_side, crowd, release) => {
        await answered(await crowd.comes(request));
        await release(echo);
        const [first] = crowd.clients;
        if (first !== undefined) await answered(first);
        await answered(await crowd.comes(request));
      }),
    );
    await pair.compare(scenarios, 1);
  });

  test('and one waiting: it is served, or gives up, or leaves its place to the next', async () => {
    const pair = await startLanePair(
      { after },
      { sections: { Limits: [...limits, 'MaxOriginQueue=1'] } },
    );
    const endings: Readonly<Record<string, LaneScript>> = {
      'is answered': echo,
      'is hung up on': ({ socket }) => socket.destroy(),
      'gets nonsense': (call) => call.say('nonsense\r\n\r\n'),
    };
    const served = Object.entries(endings).flatMap(([how, ending]) =>
      [get('/next'), post('/next')].map((request) =>
        queued(`a request that ${how}, behind it ${request}`, async (_side, crowd, release) => {
          const waiting = await crowd.comes(request);
          await pause(50);
          await answered(await crowd.comes(get('/third')));
          await release(ending);
          await answered(waiting);
        }),
      ),
    );
    const givingUp = queued('a request that waits too long', async (side, crowd) => {
      const waiting = await crowd.comes(post('/next'));
      await answered(waiting);
      const [first] = crowd.clients;
      if (first !== undefined) await answered(first);
      side.note('both were answered');
    });
    const leaving = queued('a client that waits and leaves', async (_side, crowd, release) => {
      const waiting = await crowd.comes(get('/left'));
      await pause(50);
      waiting.destroy();
      await pause(50);
      const next = await crowd.comes(get('/next'));
      await pause(50);
      await release(echo);
      await answered(next);
    });
    const first = queued('the first client leaves', async (_side, crowd) => {
      const waiting = await crowd.comes(get('/next'));
      await pause(50);
      crowd.clients[0]?.destroy();
      await answered(waiting);
    });
    await pair.compare([...served, givingUp, leaving, first], 1);
  });
});

test('three connections at once: the fourth is closed, until one of them is gone', async () => {
  const pair = await startLanePair({ after }, { sections: { Limits: ['MaxConnections=3'] } });
  const scenario = (request: string): Scenario => ({
    sent: `three that say ${request}, and more`,
    play: async (side) => {
      // The scenario's own connection is the first of the three.
      const crowd = new Crowd(side);
      try {
        const [one, two] = [await crowd.comes(request), await crowd.comes(request)];
        if (request !== '') await Promise.all([answered(one), answered(two)]);
        else await pause(50);
        const refused = await crowd.comes('');
        await refused.until(() => refused.closed, 'the end');
        const alsoRefused = await crowd.comes(get('/refused'));
        await alsoRefused.until(() => alsoRefused.closed, 'the end');
        one.destroy();
        await pause(100);
        await answered(await crowd.comes(get('/late')));
      } finally {
        crowd.leaves();
      }
    },
  });
  // Each begins when the connections of the one before it are over.
  for (const request of ['', get('/x'), post('/x')]) await pair.compare([scenario(request)], 1);
});
