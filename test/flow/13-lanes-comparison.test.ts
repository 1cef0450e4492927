/** The comparison of the two lanes itself: it finds what differs, and overlooks only what may. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { originDate } from '../support/lane-origin.ts';
import { startLanePair } from '../support/lane-pair.ts';
import { bytes, pause, type Scenario } from '../support/lane-scenario.ts';
import { difference, hear, readLogLine } from '../support/lane-transcript.ts';
import { RawClient } from '../support/raw-client.ts';

const pair = await startLanePair({ after }, { mutation: ['MaxHeaders=10', 'MaxConnections=20'] });

const get = (lineCount: number) =>
  `GET /x HTTP/1.1\r\nHost: a\r\n${'X: y\r\n'.repeat(lineCount - 1)}\r\n`;

test('two servers that differ are found to differ, in answer, log, origin and counters', async () => {
  const found = await pair.differences([bytes([get(11)])]);
  assert.equal(found.length, 2, found.join('\n\n'));
  const [played = '', counters = ''] = found;
  assert.match(played, /^sent: GET \/x HTTP\/1\.1\\r\\nHost: a\\r\\n/);
  assert.match(played, /\n- HTTP\/1\.1 200 OK\n/);
  assert.match(played, /\n\+ HTTP\/1\.1 431 /);
  assert.match(played, /\n- GET \/x HTTP\/1\.1\n- Host: a\n/);
  assert.match(played, /\nthe log, 127\.1\.0\.\d:\n- .*\n.*\n\+ .* error=too_many_headers/);
  assert.match(counters, /\nrequest_headers_too_large: - 0 \+ 1\n/);
});

test('what is alike on both is found to be alike', async () => {
  assert.deepEqual(await pair.differences([bytes([get(9)]), bytes(['x\r\n\r\n'])]), []);
});

test('a scenario that makes only the counters differ is named', async () => {
  const crowd: Scenario = {
    sent: 'a crowd that says nothing',
    play: async ({ port, address }) => {
      const clients = Array.from({ length: 25 }, () => RawClient.connect(port, address));
      const crowd = await Promise.all(clients);
      // None of them is gone before all of them were there.
      await pause(100);
      for (const client of crowd) client.destroy();
    },
  };
  const found = await pair.differences([bytes([get(2)]), crowd], 1);
  assert.equal(found.length, 2, found.join('\n\n'));
  assert.match(found[0] ?? '', /^counters:\n.*\nconnections_refused: - 0 \+ \d/s);
  assert.match(found[1] ?? '', /^alone: a crowd that says nothing\n/);
});

const id = '0123456789-a1';
const refusal = (requestId: string, date: string) => {
  const body = `400 Bad Request\n\nRequest id: ${requestId}\n`;
  return `HTTP/1.1 400 Bad Request\r\nDate: ${date}\r\nContent-Length: ${body.length}\r\nX-Request-Id: ${requestId}\r\n\r\n${body}`;
};
const chunked = (...chunks: string[]) => {
  const coded = chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join('');
  return `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${coded}0\r\nX: y\r\n\r\n`;
};

test('ids, dates of our own and chunk boundaries are overlooked', () => {
  const now = 'Fri, 02 Jan 2026 03:04:05 GMT';
  const later = 'Fri, 02 Jan 2026 03:04:06 GMT';
  assert.deepEqual(hear(refusal(id, now), true), hear(refusal('fedcba9876-zzz', later), true));
  assert.deepEqual(hear(chunked('abcdef'), false), hear(chunked('a', 'bcd', 'ef'), false));
  const line = (time: string, size: number, requestId: string) =>
    `127.0.0.1 - - [${time}] "GET / HTTP/1.1" 421 ${size} error=misdirected id=${requestId}`;
  assert.deepEqual(
    readLogLine(line('24/Nov/2026:02:45:32 +0000', 100 + id.length, id)),
    readLogLine(line('25/Nov/2026:02:45:32 +0000', 103 + id.length, `${id}abc`)),
  );
});

test('every single byte of an answer counts otherwise', () => {
  const answers = [
    refusal('not-ours', originDate),
    `HTTP/1.1 100 Continue\r\n\r\n${chunked('abc')}`,
    'HTTP/1.1 204 No Content\r\nA: b\r\na:  c\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc',
    'HTTP/1.0 200 OK\r\nConnection: close\r\n\r\nuntil the end',
  ];
  for (const answer of answers) {
    const whole = hear(answer, true);
    for (let at = 0; at < answer.length; at += 1) {
      const changed = `${answer.slice(0, at)}\x01${answer.slice(at + 1)}`;
      assert.notDeepEqual(hear(changed, true).lines, whole.lines, `byte ${at} of ${answer}`);
      assert.notDeepEqual(hear(answer.slice(0, at), true).lines, whole.lines, `cut at ${at}`);
    }
  }
});

test('answers are counted when they are whole', () => {
  assert.equal(hear(chunked('abc'), false).answerCount, 1);
  assert.equal(hear(chunked('abc').slice(0, -1), false).answerCount, 0);
  assert.equal(hear('HTTP/1.1 200 OK\r\n\r\nabc', false).answerCount, 0);
  assert.equal(hear('HTTP/1.1 200 OK\r\n\r\nabc', true).answerCount, 1);
  assert.equal(hear('HTTP/1.1 103 Early Hints\r\n\r\n', false).answerCount, 0);
});

test('the status, the size and the reason of a log line count', () => {
  const line = `127.0.0.1 - - [x] "GET / HTTP/1.1" 421 100 error=misdirected id=${id}`;
  const changes = [line.replace('421', '400'), line.replace('100', '101'), line.replace('mis', '')];
  for (const changed of changes) assert.notDeepEqual(readLogLine(changed), readLogLine(line));
});

test('a difference is shown between the lines that are alike', () => {
  assert.equal(difference(['a', 'b', 'd'], ['a', 'c', 'd']), '  a\n- b\n+ c\n  d');
  assert.equal(difference(['a'], ['a', 'a']), '  a\n+ a');
});
