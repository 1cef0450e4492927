/** Both lanes alike: a first origin that fails in every way, and a second that would answer. */
import { after, test } from 'node:test';
import { startLanePair } from '../support/lane-pair.ts';
import { bytes, type Scenario } from '../support/lane-scenario.ts';
import { type RawOrigin, startRawOrigin } from '../support/origin.ts';
import { startTlsOrigin } from '../support/tls-origin.ts';
import { freePort } from '../support/wormgate.ts';

const requests = {
  GET: 'GET /x HTTP/1.1\r\nHost: a\r\n\r\n',
  HEAD: 'HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n',
  'GET, a body': 'GET /x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc',
  'POST, a body': 'POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc',
  'POST, an empty body': 'POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n',
  'PUT, a body': 'PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc',
  'DELETE, no body': 'DELETE /x HTTP/1.1\r\nHost: a\r\n\r\n',
  PATCH: 'PATCH /x HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n',
} as const;

/** What the first origin does with a request. */
const failures = {
  'closes the connection': (socket) => socket.end(),
  'resets the connection': (socket) => socket.resetAndDestroy(),
  'answers garbage': (socket) => socket.write('SSH-2.0-x\r\n\r\n'),
  'answers garbage and closes': (socket) => socket.end('SSH-2.0-x\r\n\r\n'),
  'begins a head and closes': (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-'),
  'sends 103 and closes': (socket) => socket.end('HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'),
  'sends 102 and then garbage': (socket) =>
    socket.write('HTTP/1.1 102 Processing\r\n\r\ngarbage\r\n\r\n'),
  'closes within its answer': (socket) =>
    socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf'),
  'answers 503': (socket) =>
    socket.end('HTTP/1.1 503 No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n'),
  'says nothing': () => {},
} as const satisfies Record<string, Parameters<typeof startRawOrigin>[1]>;

const origins = new Map<string, RawOrigin>();
for (const [title, fail] of Object.entries<Parameters<typeof startRawOrigin>[1]>(failures)) {
  // What a client sends in two packets is answered once.
  const serve: typeof fail = (socket, received) => {
    const hasBody = received.includes('Content-Length: 3\r\n');
    if (received.endsWith(hasBody ? '\r\n\r\nabc' : '\r\n\r\n')) fail(socket, received);
  };
  origins.set(title, await startRawOrigin({ after }, serve));
}
const stranger = await startTlsOrigin({ after }, { certificate: 'origin' });
const dead = `http://127.0.0.1:${await freePort()}`;

function behind(first: string): readonly string[] {
  return [`Origin=${first}, <origin> backup`, 'MaxFails=0'];
}

const pair = await startLanePair(
  { after },
  {
    sites: {
      ...Object.fromEntries([...origins].map(([title, { url }]) => [title, behind(url)])),
      'refuses connections': behind(dead),
      'cannot be verified': behind(stranger.url),
      'is one of many': [`Origin=${dead}, ${dead} weight=2, http://127.0.0.1:1 backup`],
    },
    sections: { Limits: ['OriginTimeout=1'] },
  },
);

const titles = [...Object.keys(failures), 'refuses connections', 'cannot be verified'];
for (const title of titles) {
  test(`an origin that ${title}`, async () => {
    const scenarios = Object.values(requests).map(
      (request): Scenario => ({ ...bytes([request], 1), site: title }),
    );
    await pair.compare(scenarios, title === 'says nothing' ? 8 : 2);
  });
}

test('origins none of which answers', async () => {
  const scenarios = Object.values(requests).map(
    (request): Scenario => ({ ...bytes([request], 1), site: 'is one of many' }),
  );
  await pair.compare(scenarios, 1);
});
