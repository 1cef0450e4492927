/** Both lanes alike: requests cut into packets at every byte, and several of them in one packet. */
import { after, test } from 'node:test';
import fc from 'fast-check';
import { startLanePair } from '../support/lane-pair.ts';
import { cutAt, typicalRequests } from '../support/lane-requests.ts';
import { bytes, type Scenario, sentinel } from '../support/lane-scenario.ts';

const pair = await startLanePair(
  { after },
  {
    sections: {
      'Virus Pattern Configuration': ['NoOfVirusPatterns=1', 'Pattern1="virus.exe HTTP/",19'],
      Limits: ['MaxHeaders=20'],
    },
  },
);

const laneCount = 32;

const virus = 'GET /virus.exe HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n';
const kinds = {
  get: typicalRequests[0],
  head: 'HEAD /h HTTP/1.1\r\nHost: a\r\n\r\n',
  post: typicalRequests[1],
  'post without a body': 'POST /e HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n',
  chunked: typicalRequests[3],
  'chunked with trailers':
    'POST /t HTTP/1.1\r\nHost: a\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n',
  '1.0, kept alive': typicalRequests[2],
  '1.0': 'GET /o HTTP/1.0\r\nHost: a\r\n\r\n',
  closing: 'GET /c HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
  virus,
  'disguised virus': 'GET /%76irus.exe HTTP/1.1\r\nHost: a\r\n\r\n',
  'absolute form': 'GET http://a/abs HTTP/1.1\r\nHost: b\r\n\r\n',
  'a line above 0x7f': 'GET /\xe9 HTTP/1.1\r\nHost: a\r\n\r\n',
  'two blanks': 'GET  /two HTTP/1.1\r\nHost: a\r\n\r\n',
  'no host': 'GET /n HTTP/1.1\r\nX: y\r\n\r\n',
  'two hosts': 'GET /n HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n',
  'too many lines': `GET /m HTTP/1.1\r\nHost: a\r\n${'X: y\r\n'.repeat(20)}\r\n`,
  'a bare line feed': 'GET /l HTTP/1.1\nHost: a\n\n',
  'a broken head': 'GET /b HTTP/1.1\r\nX y: z\r\n\r\n',
  'an unknown method': 'FOO /f HTTP/1.1\r\nHost: a\r\n\r\n',
  'an upgrade that is not passed on':
    'GET /u HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n',
  'an expectation': 'PUT /x HTTP/1.1\r\nHost: a\r\nExpect: x\r\nContent-Length: 2\r\n\r\nab',
  'with 100-continue, not waited for':
    'PUT /w HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nab',
  'empty lines ahead': '\r\n\r\nGET /r HTTP/1.1\r\nHost: a\r\n\r\n',
  json: 'GET /j HTTP/1.1\r\nAccept: application/json\r\n\r\n',
} as const;

/** What breaks in its line is told in the log as far as it had come, which packets decide. */
const cutAnywhere = Object.entries(kinds)
  .filter(([kind]) => !/line above|bare line feed|broken head|unknown method/.test(kind))
  .map(([, request]) => request);

test('cut in two at every byte', async () => {
  const cut = cutAnywhere.flatMap((request) =>
    Array.from({ length: request.length - 1 }, (_, index) =>
      bytes([request.slice(0, index + 1), request.slice(index + 1)], 1),
    ),
  );
  await pair.compare(cut, laneCount);
});

test('byte by byte', async () => {
  await pair.compare(
    cutAnywhere.map((request) => bytes([...request], 1)),
    laneCount,
  );
});

test('two at once, each kind behind each other one', async () => {
  const requests = Object.values(kinds);
  const pairs = requests.flatMap((first) => requests.map((second) => bytes([first + second])));
  await pair.compare(pairs, laneCount);
});

test('two to five at once, in one packet or a few', async () => {
  const several = fc
    .record({
      requests: fc.array(fc.constantFrom(...Object.values(kinds).slice(0, 12)), {
        minLength: 2,
        maxLength: 5,
      }),
      cuts: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 4 }),
    })
    .map(({ requests, cuts }) => cutAt(requests.join(''), cuts));
  const scenarios: Scenario[] = fc
    .sample(several, { seed: 1306, numRuns: 200 })
    .map((parts) => bytes(parts));
  await pair.compare(scenarios, laneCount);
});

test('more at once than may wait, a body among them', async () => {
  const many = Array.from({ length: 150 }, (_, index) =>
    index % 20 === 7
      ? `POST /p${index} HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody`
      : `GET /${index} HTTP/1.1\r\nHost: a\r\n\r\n`,
  );
  await pair.compare([
    bytes([many.join('')], 150),
    bytes(many, 150),
    bytes(cutAt(many.join(''), [0.3, 0.31, 0.5, 0.77]), 150),
    bytes([...many.slice(0, 100), virus, sentinel]),
  ]);
});
