/** Both lanes alike: a virus request line is slipped, also in front of a head that is broken, too large or late. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { startLanePair } from '../support/lane-pair.ts';
import { bytes, type Scenario } from '../support/lane-scenario.ts';
import { escaped } from '../support/lane-transcript.ts';
import { isSlipped, sendRaw } from '../support/raw.ts';

const pair = await startLanePair(
  { after },
  {
    sections: {
      'Virus Pattern Configuration': ['NoOfVirusPatterns=1', 'Pattern1="virus.exe HTTP/1",19'],
      Limits: ['HeaderTimeout=1', 'MaxHeaderBytes=2048'],
    },
  },
);

const lines = [
  'GET /virus.exe HTTP/1.1\r\n',
  'GET /virus.exe HTTP/1.0\r\n',
  'POST /%76irus.exe HTTP/1.1\r\n',
  'GET http://a/virus.exe HTTP/1.1\r\n',
];

const heads: Readonly<Record<string, string>> = {
  'a name with a blank': 'Host: a\r\nX y: z\r\n\r\n',
  'a line without a colon': 'Host: a\r\nX\r\n\r\n',
  'a folded line': 'Host: a\r\nX: y\r\n z\r\n\r\n',
  'a NUL': 'Host: a\r\nX: y\0\r\n\r\n',
  'a bare line feed': 'Host: a\nX: y\n\n',
  'a bare carriage return': 'Host: a\r\nX: y\rz\r\n\r\n',
  'two framings': 'Host: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n',
  'no length that is one': 'Host: a\r\nContent-Length: x\r\n\r\n',
  'two lengths': 'Host: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc',
  'a head that is too large': `Host: a\r\nX: ${'y'.repeat(5000)}\r\n\r\n`,
  'a head without an end that is too large': `Host: a\r\nX: ${'y'.repeat(5000)}`,
  'nothing, and then nothing': '',
  'half a head, and then nothing': 'Host: a\r\nX: y',
};

/** The line and what follows it, together and in packets of their own. */
const scenarios: Scenario[] = Object.values(heads).flatMap((rest) =>
  lines.flatMap((line) => [
    bytes([line + rest]),
    ...(rest === '' ? [] : [bytes([line, rest])]),
    bytes([`GET /humble HTTP/1.1\r\nHost: a\r\n\r\n${line}${rest}`], 1),
  ]),
);

describe('a virus request line in front of', () => {
  for (const [title, rest] of Object.entries(heads)) {
    test(`${title} is slipped in both lanes`, async () => {
      for (const port of pair.ports) {
        for (const line of lines) {
          const answer = await sendRaw(port, [line + rest], { waitMs: 4000 });
          assert.ok(isSlipped(answer), escaped(`${line}${rest.slice(0, 40)}: ${answer.text}`));
        }
      }
    });
  }

  test('any of these heads leaves the same lines and counts behind', async () => {
    await pair.compare(scenarios);
  });
});
