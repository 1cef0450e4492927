/** Both lanes alike: sizes and numbers right at the limits, and one beyond. */
import { after, describe, test } from 'node:test';
import { startLanePair } from '../support/lane-pair.ts';
import { bytes, type Scenario } from '../support/lane-scenario.ts';

const lineMax = 512;
const headMax = 2048;
const countMax = 10;
const bodyMax = 1000;

const pair = await startLanePair(
  { after },
  {
    sections: {
      'Virus Pattern Configuration': ['NoOfVirusPatterns=1', 'Pattern1="virus.exe HTTP/",19'],
      Limits: [
        `MaxRequestLine=${lineMax}`,
        `MaxHeaderBytes=${headMax}`,
        `MaxHeaders=${countMax}`,
        `MaxRequestBody=${bodyMax}`,
      ],
    },
  },
);

/** From a few below the limit to a few above. */
function around(limit: number, distance = 3): number[] {
  return Array.from({ length: 2 * distance + 1 }, (_, index) => limit - distance + index);
}

function lineOf(length: number, target = '/'): string {
  const rest = `GET ${target} HTTP/1.1`;
  return `GET ${target}${'x'.repeat(length - rest.length)} HTTP/1.1`;
}

/** A head of that many bytes, the blank line included; the first blanks are around a value. */
function headOf(length: number, blanks = 0): string {
  const start = `GET /head HTTP/1.1\r\nHost: a\r\nX:${' '.repeat(blanks + 1)}`;
  return `${start}${'y'.repeat(length - start.length - 4)}\r\n\r\n`;
}

/** In one packet, and in packets that end before, within and behind the end of the head. */
function inPackets(head: string, rest = ''): Scenario[] {
  const whole = head + rest;
  return [
    bytes([whole]),
    ...[10, head.length - 5, head.length - 1].map((at) =>
      bytes([whole.slice(0, at), whole.slice(at)]),
    ),
    ...(rest === '' ? [] : [bytes([head, rest])]),
  ];
}

describe('limits', () => {
  test('the request line', async () => {
    await pair.compare(
      [...around(lineMax), 2 * lineMax].flatMap((length) => [
        ...inPackets(`${lineOf(length)}\r\nHost: a\r\n\r\n`),
        bytes([`${lineOf(length, 'http://a/')}\r\nHost: a\r\n\r\n`]),
        bytes([`${lineOf(length)}\r\n\r\n`]),
        bytes([`\r\n\r\n${lineOf(length)}\r\nHost: a\r\nAccept: application/json\r\n\r\n`]),
        bytes([`${lineOf(length, '/virus.exe?')}\r\nHost: a\r\n\r\n`]),
      ]),
    );
  });

  test('the head', async () => {
    const lengths = [...around(headMax, 6), headMax + 100, 2 * headMax, 20 * headMax];
    await pair.compare(
      lengths.flatMap((length) => [
        ...inPackets(headOf(length)),
        bytes([headOf(length, 300)]),
        bytes([`\r\n\r\n${headOf(length)}`]),
        bytes([`GET /first HTTP/1.1\r\nHost: a\r\n\r\n${headOf(length)}`]),
      ]),
    );
  });

  test('a head that is nothing but a line, or a name, or blanks', async () => {
    const lengths = [...around(headMax, 2), 3 * headMax];
    const host = 'Host: a\r\n';
    await pair.compare(
      lengths.flatMap((length) => [
        bytes([`${lineOf(length - 13)}\r\n${host}\r\n`]),
        bytes([`GET /name HTTP/1.1\r\n${host}${'n'.repeat(length - 34)}: y\r\n\r\n`]),
        bytes([`GET /blanks HTTP/1.1\r\n${host}X:${' '.repeat(length - 36)}\r\n\r\n`]),
        bytes([`${'\r\n'.repeat(length / 2)}GET /ends HTTP/1.1\r\n${host}\r\n`]),
        bytes(['M'.repeat(length)]),
      ]),
    );
  });

  test('the number of header lines', async () => {
    await pair.compare(
      [...around(countMax), 200, 500].flatMap((count) => [
        ...inPackets(`GET /count HTTP/1.1\r\nHost: a\r\n${'a:\r\n'.repeat(count - 1)}\r\n`),
        bytes([`GET /count HTTP/1.1\r\n${'a:\r\n'.repeat(count - 1)}Host: a\r\n\r\n`]),
        bytes([
          `POST /count HTTP/1.1\r\nHost: a\r\n${'a:\r\n'.repeat(count - 2)}Content-Length: 3\r\n\r\nabc`,
        ]),
      ]),
    );
  });

  test('the body', async () => {
    await pair.compare(
      [...around(bodyMax), 5 * bodyMax].flatMap((length) => {
        const body = 'b'.repeat(length);
        const chunk = `${length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
        const head = `POST /body HTTP/1.1\r\nHost: a\r\n`;
        return [
          ...inPackets(`${head}Content-Length: ${length}\r\n\r\n`, body),
          bytes([`${head}Content-Length: ${length}\r\nConnection: close\r\n\r\n${body}`]),
          bytes([`${head}Content-Length: ${length}\r\nExpect: 100-continue\r\n\r\n`]),
          bytes([`${head}Transfer-Encoding: chunked\r\n\r\n${chunk}`]),
        ];
      }),
    );
  });

  test('of several at once, the same is found first', async () => {
    const long = lineOf(lineMax + 1);
    const many = 'a:\r\n'.repeat(countMax);
    await pair.compare([
      bytes([`${long}\r\nHost: a\r\n${many}\r\n`]),
      bytes([`${long}\r\nHost: a\r\nHost: b\r\nContent-Length: 5000\r\n\r\n`]),
      bytes([`GET / HTTP/1.1\r\n${many}X: y\r\nExpect: x\r\n\r\n`]),
      bytes([`POST / HTTP/1.1\r\nHost: a\r\nExpect: x\r\nContent-Length: 5000\r\n\r\n`]),
      bytes([`GET /virus.exe HTTP/1.1\r\nHost: a\r\n${many}\r\n`]),
      bytes([`GET /virus.exe HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n`]),
      bytes([`GET /virus.exe HTTP/1.1\r\n\r\n`]),
    ]);
  });
});
