/** Both lanes alike: what origins answer, well or badly, and how it comes through to the client. */
import { after, describe, test } from 'node:test';
import { answered, date, requestKinds, saying, siteCount, sites } from '../support/lane-answers.ts';
import { startLanePair } from '../support/lane-pair.ts';
import { bytes } from '../support/lane-scenario.ts';

const pair = await startLanePair({ after }, { sites });

/** Whole answers that every origin may give. */
const sound = {
  length: [`HTTP/1.1 200 OK\r\n${date}Content-Length: 5\r\n\r\nhello`],
  'length, apart': [`HTTP/1.1 200 OK\r\n${date}Content-Length: 5\r\n\r\n`, 'he', 'llo'],
  'length 0': [`HTTP/1.1 200 OK\r\n${date}Content-Length: 0\r\n\r\n`],
  'no Date': ['HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello'],
  'odd case and blanks': [
    `HTTP/1.1 200 OK\r\n${date}CONTENT-length:5 \r\nx-a:\t b \t\r\nX-A:\r\nx-É: \xe9\xff\r\n\r\nhello`,
  ],
  'repeated lines': [
    `HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\n${date}X: 1\r\nset-cookie: c=d\r\nx: 2\r\nDate: x\r\nContent-Length: 0\r\n\r\n`,
  ],
  chunked: [
    `HTTP/1.1 200 OK\r\n${date}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n`,
  ],
  'chunked, apart': [
    `HTTP/1.1 200 OK\r\n${date}Transfer-Encoding: chunked\r\n\r\n`,
    '5\r',
    '\nhel',
    'lo\r\n6',
    '\r\n world\r\n',
    '0\r\n',
    '\r\n',
  ],
  'chunked, nothing': [`HTTP/1.1 200 OK\r\n${date}Transfer-Encoding: chunked\r\n\r\n`, '0\r\n\r\n'],
  'chunk sizes in any spelling': [
    `HTTP/1.1 200 OK\r\n${date}transfer-ENCODING: Chunked\r\n\r\n00A\r\n0123456789\r\na\r\n0123456789\r\n000\r\n\r\n`,
  ],
  'chunk extensions': [
    `HTTP/1.1 200 OK\r\n${date}Transfer-Encoding: chunked\r\n\r\n5;a=b;c="d"\r\nhello\r\n0;last\r\n\r\n`,
  ],
  trailers: [
    `HTTP/1.1 200 OK\r\n${date}Trailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\nx-other:  2 \r\nExpect: 9\r\nSet-Cookie: no\r\n\r\n`,
  ],
  'Trailer with a length': [
    `HTTP/1.1 200 OK\r\n${date}Trailer: X-Sum\r\nContent-Length: 5\r\n\r\nhello`,
  ],
  204: [`HTTP/1.1 204 No Content\r\n${date}X: y\r\n\r\n`],
  '204 with length 0': [`HTTP/1.1 204 No Content\r\n${date}Content-Length: 0\r\n\r\n`],
  304: [`HTTP/1.1 304 Not Modified\r\n${date}ETag: "x"\r\n\r\n`],
  '304 with length': [`HTTP/1.1 304 Not Modified\r\n${date}Content-Length: 500\r\n\r\n`],
  '205 with length 0': [`HTTP/1.1 205 Reset Content\r\n${date}Content-Length: 0\r\n\r\n`],
  'other statuses': [`HTTP/1.1 599 Own Words, \xfcber\r\n${date}Content-Length: 1\r\n\r\nx`],
  'status 999': [`HTTP/1.1 999 High\r\n${date}Content-Length: 1\r\n\r\nx`],
  'no reason': [`HTTP/1.1 200\r\n${date}Content-Length: 1\r\n\r\nx`],
  'no reason but its blank': [`HTTP/1.1 200 \r\n${date}Content-Length: 1\r\n\r\nx`],
  'hop-by-hop lines': [
    `HTTP/1.1 200 OK\r\n${date}Connection: keep-alive, X-Hop, date, content-length\r\nKeep-Alive: timeout=5\r\nX-Hop: 1\r\nProxy-Connection: a\r\nProxy-Authenticate: b\r\nTE: c\r\nUpgrade: h2c\r\nX-Kept: d\r\nContent-Length: 2\r\n\r\nok`,
  ],
  'says close and stays': [
    `HTTP/1.1 200 OK\r\n${date}Connection: close\r\nContent-Length: 2\r\n\r\nok`,
  ],
  '1.0 with length': [`HTTP/1.0 200 OK\r\n${date}Content-Length: 2\r\n\r\nok`],
  '1.0 keep-alive': [
    `HTTP/1.0 200 OK\r\n${date}Connection: keep-alive\r\nContent-Length: 2\r\n\r\nok`,
  ],
  'a length of many digits': [`HTTP/1.1 200 OK\r\n${date}Content-Length: 0000002\r\n\r\nok`],
  'empty lines before it': [`\r\n\r\nHTTP/1.1 200 OK\r\n${date}Content-Length: 2\r\n\r\nok`],
  '401': [
    `HTTP/1.1 401 Unauthorized\r\n${date}WWW-Authenticate: Basic realm="x"\r\nContent-Length: 2\r\n\r\nno`,
  ],
  'a redirect': [
    `HTTP/1.1 302 Found\r\n${date}Location: http://127.0.0.1:1/y\r\nContent-Length: 0\r\n\r\n`,
  ],
} as const;

/** Answers that last until the origin closes. */
const untilClose = {
  'no length': [`HTTP/1.1 200 OK\r\n${date}Connection: close\r\n\r\n`, 'hello ', 'world'],
  'no length, nothing said of it': [`HTTP/1.1 200 OK\r\n${date}\r\n`, 'hello'],
  'no length, no body': [`HTTP/1.1 200 OK\r\n${date}\r\n`],
  '1.0': [`HTTP/1.0 200 OK\r\n${date}Content-Type: a/b\r\n\r\nhello`],
  'an error': [`HTTP/1.1 500 Oh\r\n${date}\r\n`, 'hello'],
} as const;

const interim = {
  '100 unasked': ['HTTP/1.1 100 Continue\r\n\r\n'],
  102: ['HTTP/1.1 102 Processing\r\n\r\n'],
  103: ['HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nX-Hint: 1\r\n\r\n'],
  'two 103': [
    'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nLink: </b.css>; rel=preload\r\n\r\n',
    'HTTP/1.1 103 Early Hints\r\nLink: </c.css>; rel=preload\r\n\r\n',
  ],
  '103 with an odd Link': ['HTTP/1.1 103 Early Hints\r\nLink: nonsense\r\n\r\n'],
  '103 without lines': ['HTTP/1.1 103 Early Hints\r\n\r\n'],
  '103 with hop-by-hop lines': [
    'HTTP/1.1 103 Early Hints\r\nConnection: x-hop\r\nX-Hop: 1\r\nLink: </a.css>; rel=preload\r\n\r\n',
  ],
  199: ['HTTP/1.1 199 Odd\r\nX: y\r\n\r\n'],
} as const;

describe('sound answers', () => {
  test('kept alive', async () => {
    await pair.compare(
      Object.values(sound).flatMap((parts) => answered(parts)),
      siteCount,
    );
  });

  test('closed behind the answer', async () => {
    await pair.compare(
      Object.values(sound).flatMap((parts) => answered(parts, 'closes')),
      siteCount,
    );
  });

  test('ended by the close', async () => {
    await pair.compare(
      Object.values(untilClose).flatMap((parts) => [
        ...answered(parts, 'closes'),
        ...answered(parts, 'closes later'),
      ]),
      siteCount,
    );
  });

  test('behind interim ones, in one packet and apart', async () => {
    const last = sound.length[0];
    await pair.compare(
      Object.values(interim).flatMap((parts) => [
        ...answered([...parts, last]),
        ...answered([`${parts.join('')}${last}`]),
      ]),
      siteCount,
    );
  });

  test('split at every byte', async () => {
    const whole = [
      sound.trailers[0],
      sound['chunk extensions'][0],
      sound['hop-by-hop lines'][0],
      `${interim[103][0]}${sound['odd case and blanks'][0]}`,
    ];
    await pair.compare(
      whole.flatMap((answer) =>
        Array.from({ length: answer.length - 1 }, (_, index) => ({
          ...bytes([requestKinds['GET 1.1']]),
          sent: `answered by ${answer.slice(0, index + 1)}|${answer.slice(index + 1)}`,
          script: saying([answer.slice(0, index + 1), answer.slice(index + 1)], 'keeps'),
        })),
      ),
      siteCount,
    );
  });

  test('byte by byte', async () => {
    const whole = [sound.trailers[0], `${interim[103][0]}${sound.length[0]}`, untilClose['1.0'][0]];
    await pair.compare(
      whole.map((answer, index) => ({
        ...bytes([requestKinds['GET 1.1']]),
        sent: `answered byte by byte by ${answer}`,
        script: saying([...answer], index === 2 ? 'closes' : 'keeps'),
      })),
      siteCount,
    );
  });
});
