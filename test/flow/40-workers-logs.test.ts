/** What several workers write into one log: whole lines, all of them, each with an id of its own. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startOrigin } from '../support/origin.ts';
import { RawClient } from '../support/raw-client.ts';
import { startWithWorkers } from '../support/workers.ts';
import { until } from '../support/wormgate.ts';

const { url: origin } = await startOrigin({ after }, (_request, answer) => answer.end('ok\n'));

const clientCount = 8;
const requestsEach = 300;
const long = 'x'.repeat(3_000);
const line =
  /^127\.0\.0\.1 - - \[[^\]]+\] "GET \/(?:which\.worker\?is\.)?[^" ]* HTTP\/1\.1" (?:200 3|400 \d+ \S+ \S+ id=\S+)$/;

test('no line is torn, mixed or lost, and no id comes twice', async (t) => {
  const wormgate = await startWithWorkers(t, { origin });
  await Promise.all(
    Array.from({ length: clientCount }, async (_, client) => {
      const connection = await RawClient.connect(wormgate.port);
      for (let each = 0; each < requestsEach; each += 1) {
        const target = each % 3 === 0 ? `/which.worker?is.${each}` : `/${client}-${each}-${long}`;
        await connection.ask(`GET ${target} HTTP/1.1\r\nHost: site.test\r\n\r\n`);
      }
      connection.destroy();
    }),
  );
  await wormgate.stop();
  const lines = wormgate.log().split('\n').slice(0, -1);
  assert.equal(lines.length, clientCount * requestsEach);
  for (const each of lines) assert.match(each, line);
  const whole = lines.filter((each) => each.includes(long));
  assert.equal(new Set(whole.map((each) => /"GET (\S+)/.exec(each)?.[1])).size, whole.length);
  const ids = lines.flatMap((each) => / id=(\S+)$/.exec(each)?.[1] ?? []);
  assert.equal(ids.length, clientCount * (requestsEach / 3));
  assert.equal(new Set(ids).size, ids.length);
});

test('blocked requests of all workers become events', async (t) => {
  const wormgate = await startWithWorkers(t, {
    origin,
    sections: { Events: ['EventLog=events.jsonl', 'EventKinds=blocked'] },
  });
  for (let each = 0; each < 6; each += 1) {
    const client = await RawClient.connect(wormgate.port);
    await client.ask(`GET /which.worker?is.${each} HTTP/1.1\r\nHost: site.test\r\n\r\n`);
    client.destroy();
  }
  await until(async () => (await wormgate.counter('event_lines')) === 6);
});
