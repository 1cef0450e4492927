/** Both lanes alike: answers that are broken, cut short, too early or too much. */
import { after, describe, test } from 'node:test';
import { sample } from 'fast-check';
import { answered, date, requestKinds, saying, siteCount, sites } from '../support/lane-answers.ts';
import { startLanePair } from '../support/lane-pair.ts';
import { oneByteOffOf } from '../support/lane-requests.ts';
import { bytes, pause, type Scenario } from '../support/lane-scenario.ts';

const pair = await startLanePair({ after }, { sites });

const ok = `HTTP/1.1 200 OK\r\n${date}`;
const five = 'Content-Length: 5\r\n';
const chunked = 'Transfer-Encoding: chunked\r\n';

/** Heads that are none, or that two readers read differently; each in one packet. */
const brokenHeads = {
  'bare line feeds': `HTTP/1.1 200 OK\n${five.replace('\r', '')}\nhello`,
  'a bare line feed': `${ok}X: y\n${five}\r\nhello`,
  'a bare line feed behind the status line': `HTTP/1.1 200 OK\nX: y\r\n${five}\r\nhello`,
  'a bare carriage return': `${ok}X: a\rb\r\n${five}\r\nhello`,
  'no status': `HTTP/1.1\r\n${five}\r\nhello`,
  'a status of two digits': `HTTP/1.1 20 OK\r\n${five}\r\nhello`,
  'a status of four digits': `HTTP/1.1 2000 OK\r\n${five}\r\nhello`,
  'status 0': `HTTP/1.1 000 OK\r\n${five}\r\nhello`,
  'status 099': `HTTP/1.1 099 OK\r\n${five}\r\nhello`,
  'a status that is a word': `HTTP/1.1 abc OK\r\n${five}\r\nhello`,
  'two blanks before the status': `HTTP/1.1  200 OK\r\n${five}\r\nhello`,
  'a tab before the reason': `HTTP/1.1 200\tOK\r\n${five}\r\nhello`,
  'two blanks before the reason': `HTTP/1.1 200  OK\r\n${five}\r\nhello`,
  'a NUL in the reason': `HTTP/1.1 200 O\0K\r\n${five}\r\nhello`,
  'a control character in the reason': `HTTP/1.1 200 O\x01K\r\n${five}\r\nhello`,
  'a tab in the reason': `HTTP/1.1 200 O\tK\r\n${five}\r\nhello`,
  'a DEL in the reason': `HTTP/1.1 200 O\x7fK\r\n${five}\r\nhello`,
  'a NUL in a value': `${ok}X: a\0b\r\n${five}\r\nhello`,
  'a control character in a value': `${ok}X: a\x01b\r\n${five}\r\nhello`,
  'a DEL in a value': `${ok}X: a\x7fb\r\n${five}\r\nhello`,
  'a folded line': `${ok}X: a\r\n b\r\n${five}\r\nhello`,
  'a folded line at the beginning': `HTTP/1.1 200 OK\r\n X: a\r\n${five}\r\nhello`,
  'two lengths': `${ok}${five}${five}\r\nhello`,
  'two different lengths': `${ok}${five}Content-Length: 4\r\n\r\nhello`,
  'a list of lengths': `${ok}Content-Length: 5, 5\r\n\r\nhello`,
  'length and chunked': `${ok}${five}${chunked}\r\n5\r\nhello\r\n0\r\n\r\n`,
  'chunked and length': `${ok}${chunked}${five}\r\n5\r\nhello\r\n0\r\n\r\n`,
  'a negative length': `${ok}Content-Length: -5\r\n\r\nhello`,
  'a length with a sign': `${ok}Content-Length: +5\r\n\r\nhello`,
  'a hexadecimal length': `${ok}Content-Length: 0x5\r\n\r\nhello`,
  'a length with a blank in it': `${ok}Content-Length: 1 2\r\n\r\nhello`,
  'an empty length': `${ok}Content-Length:\r\n\r\nhello`,
  'a huge length': `${ok}Content-Length: 99999999999999999999999\r\n\r\nhello`,
  'a line without a colon': `${ok}X\r\n${five}\r\nhello`,
  'a blank before the colon': `${ok}X : y\r\n${five}\r\nhello`,
  'an empty name': `${ok}: y\r\n${five}\r\nhello`,
  'a name with a blank': `${ok}X y: z\r\n${five}\r\nhello`,
  'a name above 0x7f': `${ok}\xe9: z\r\n${five}\r\nhello`,
  'HTTP/2.0': `HTTP/2.0 200 OK\r\n${five}\r\nhello`,
  'HTTP/1.2': `HTTP/1.2 200 OK\r\n${five}\r\nhello`,
  'HTTP/0.9 with a head': `HTTP/0.9 200 OK\r\n${five}\r\nhello`,
  'lower-case http': `http/1.1 200 OK\r\n${five}\r\nhello`,
  ICY: `ICY 200 OK\r\n${five}\r\nhello`,
  'HTTP/0.9': 'hello\r\n\r\n',
  'a request': 'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
  TLS: '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n',
  '101 unasked': `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n`,
  '101 without Upgrade': `HTTP/1.1 101 Switching Protocols\r\n\r\n`,
  '101 with a length': `HTTP/1.1 101 Switching Protocols\r\n${five}\r\nhello`,
  'an overlong head': `${ok}X: ${'y'.repeat(100_000)}\r\n${five}\r\nhello`,
  'an overlong status line': `HTTP/1.1 200 ${'y'.repeat(100_000)}\r\n${five}\r\nhello`,
  'an endless head': `${ok}X: ${'y'.repeat(200_000)}`,
  'a head within the limit': `${ok}X: ${'y'.repeat(15_000)}\r\n${five}\r\nhello`,
  'very many lines': `${ok}${'X: y\r\n'.repeat(1200)}${five}\r\nhello`,
  'two codings': `${ok}Transfer-Encoding: gzip, chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
  'chunked twice': `${ok}${chunked}${chunked}\r\n5\r\nhello\r\n0\r\n\r\n`,
  'chunked in a list': `${ok}Transfer-Encoding: chunked, chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
  '204 with a length': `HTTP/1.1 204 No Content\r\n${date}${five}\r\n`,
  '204 chunked': `HTTP/1.1 204 No Content\r\n${date}${chunked}\r\n`,
  '1.0 chunked': `HTTP/1.0 200 OK\r\n${date}${chunked}\r\n5\r\nhello\r\n0\r\n\r\n`,
  'an Upgrade line with 200': `${ok}Connection: Upgrade\r\nUpgrade: h2c\r\n${five}\r\nhello`,
} as const;

/** Bodies whose coding is broken, behind a sound head. */
const brokenBodies = {
  'no chunk size': ['5\r\nhello\r\n', 'x\r\n'],
  'a chunk longer than its size': ['5\r\nhello\r\n', '2\r\nabc\r\n'],
  'a huge chunk': ['5\r\nhello\r\n', 'fffffffffffffffffff\r\n'],
  'a bare line feed': ['5\r\nhello\r\n', '5\nhello\r\n'],
  'a broken trailer': ['5\r\nhello\r\n', '0\r\nX y\r\n\r\n'],
  'a folded trailer': ['5\r\nhello\r\n', '0\r\nX: y\r\n z\r\n\r\n'],
  'a negative chunk': ['5\r\nhello\r\n', '-1\r\n'],
} as const;

describe('heads that are none', () => {
  test('from an origin that waits', async () => {
    // A head without an end, or a body that may go on, is ended by the close instead.
    const endless = new Set(['an endless head', 'HTTP/0.9 with a head', 'no status']);
    const heads = Object.entries(brokenHeads).filter(([title]) => !endless.has(title));
    await pair.compare(
      heads.flatMap(([, head]) => answered([head], 'keeps')),
      siteCount,
    );
  });

  test('from an origin that closes', async () => {
    await pair.compare(
      Object.values(brokenHeads).flatMap((head) => answered([head], 'closes')),
      siteCount,
    );
  });
});

test('bodies whose coding is broken once the client has the beginning', async () => {
  const head = `${ok}${chunked}\r\n`;
  // A body where there is none is another case, further down.
  const requests = Object.values(requestKinds).filter((request) => !request.startsWith('HEAD'));
  await pair.compare(
    Object.values(brokenBodies).flatMap((parts) =>
      requests.map(
        (request) =>
          ({
            ...bytes([request]),
            sent: `${request}|answered by|${head}|${parts.join('|')}`,
            script: async (call) => {
              await call.complete;
              call.say(head, parts[0]);
              await pause(30);
              call.say(parts[1]);
            },
          }) satisfies Scenario,
      ),
    ),
    siteCount,
  );
});

test('nothing, half a head or half a body, and then the end', async () => {
  const halves = [
    [],
    ['HTTP/1.1 2'],
    [`${ok}X: y\r\n`],
    [`${ok}${five}\r\n`],
    [`${ok}${five}\r\nhell`],
    [`${ok}${chunked}\r\n`],
    [`${ok}${chunked}\r\n5\r\nhel`],
    [`${ok}${chunked}\r\n5\r\nhello\r\n`],
    [`${ok}${chunked}\r\n5\r\nhello\r\n0\r\n`],
    ['HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n'],
    ['HTTP/1.1 100 Continue\r\n\r\n', `${ok}${five}`],
  ];
  await pair.compare(
    halves.flatMap((half) =>
      [
        ...answered(half, 'closes later'),
        ...answered(half, 'resets'),
        ...(half.length === 0 ? answered(half, 'closes') : []),
        // For HEAD that is not half a body but surplus, which is another case, further down.
      ].filter(({ sent }) => !sent.startsWith('HEAD') || !/\r\n\r\n./s.test(half.join(''))),
    ),
    siteCount,
  );
});

test('more than the answer: surplus bytes, a second answer', async () => {
  const surplus = ['x', '\r\n', '\r\n\r\n', `${ok}Content-Length: 2\r\n\r\nno`, '\0'];
  const whole = [`${ok}${five}\r\nhello`, `${ok}${chunked}\r\n5\r\nhello\r\n0\r\n\r\n`];
  const bodyless = [`HTTP/1.1 204 No Content\r\n${date}\r\n`, `HTTP/1.1 304 X\r\n${date}\r\n`];
  await pair.compare(
    [...whole, ...bodyless].flatMap((answer) =>
      surplus.flatMap((more) => [
        ...answered([answer + more], 'keeps'),
        ...answered([answer + more], 'closes'),
      ]),
    ),
    siteCount,
  );
});

test('an answer to HEAD that has a body all the same', async () => {
  const heads = [requestKinds['HEAD 1.1'], requestKinds['HEAD 1.0']];
  const answers = [`${ok}${five}\r\nhello`, `${ok}${chunked}\r\n5\r\nhello\r\n0\r\n\r\n`];
  await pair.compare(
    heads.flatMap((request) =>
      answers.map((answer) => ({
        ...bytes([request]),
        sent: `${request}|answered by|${answer}`,
        script: saying([answer], 'keeps'),
      })),
    ),
    siteCount,
  );
});

test('typical answers with one byte changed, put in or left out', async () => {
  const typical = [
    `HTTP/1.1 200 OK\r\n${date}X-A: b\r\n${five}\r\nhello`,
    `HTTP/1.1 404 Not Found\r\n${date}Connection: keep-alive, x-a\r\nX-A: 1\r\n${five}\r\nhello`,
    `${ok}${chunked}Trailer: X\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nX: y\r\n\r\n`,
    `HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n${ok}${five}\r\nhello`,
    `HTTP/1.1 304 Not Modified\r\n${date}ETag: "x"\r\n\r\n`,
  ];
  const requests = [requestKinds['GET 1.1'], requestKinds['POST 1.1'], requestKinds['GET 1.0']];
  const answers = sample(oneByteOffOf(typical), { seed: 1307, numRuns: 150 });
  await pair.compare(
    answers.map((answer, index) => ({
      ...bytes([requests[index % requests.length] ?? '']),
      sent: `${requests[index % requests.length]}|answered by|${answer}`,
      // A length that is too large now is ended by the close.
      script: saying([answer], 'closes'),
    })),
    siteCount,
  );
});
