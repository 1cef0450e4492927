/** Limits of requests: what is too long, too large or too slow is refused, logged and counted. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { type Answer, headerOf } from '../support/answer.ts';
import { askOnce, RawClient } from '../support/raw-client.ts';
import { okAnswer, startScriptedOrigin } from '../support/scripted-origin.ts';
import { startSites } from '../support/sites.ts';
import { until } from '../support/wormgate.ts';

const bodyMax = 100_000;
const origin = await startScriptedOrigin({ after });
const {
  wormgate,
  ports: { site: port },
} = await startSites(
  { after },
  { site: { origin: origin.url } },
  {
    Limits: [
      'MaxRequestLine=256',
      'MaxHeaderBytes=1024',
      'MaxHeaders=10',
      `MaxRequestBody=${bodyMax}`,
      'HeaderTimeout=1',
      'BodyTimeout=1',
      'SendTimeout=1',
      'KeepAliveTimeout=1',
    ],
  },
);

/** The refusal has this status, closes the connection, and is in the log and the counter. */
async function expectRefusal(
  answer: Answer,
  expected: { readonly status: number; readonly error: string },
): Promise<void> {
  assert.equal(answer.status, expected.status);
  assert.equal(headerOf(answer, 'connection'), 'close');
  const id = headerOf(answer, 'x-request-id');
  const entry = await wormgate.logLine(new RegExp(`id=${id}$`));
  assert.ok(
    entry.includes(`" ${expected.status} ${answer.body.length} error=${expected.error} id=`),
    entry,
  );
}

/** How much a counter grows while something is done. */
async function growthOf(counter: string, action: () => Promise<void>): Promise<number> {
  const before = await wormgate.counter(counter);
  await action();
  return (await wormgate.counter(counter)) - before;
}

const lineOf = (length: number) => `GET /${'x'.repeat(length - 'GET / HTTP/1.1'.length)} HTTP/1.1`;

/** A whole head of that many bytes. */
function headOf(length: number): string {
  const fixed = 'GET / HTTP/1.1\r\nHost: a\r\nX: \r\n\r\n';
  return fixed.replace('X: ', `X: ${'x'.repeat(length - fixed.length)}`);
}

describe('too long', { concurrency: true }, () => {
  const tooLong = { status: 414, error: 'line_too_long' };
  const tooLarge = { status: 431, error: 'head_too_large' };

  test('MaxRequestLine: that many bytes pass, one more is 414, however many more', async () => {
    const growth = await growthOf('request_line_too_long', async () => {
      assert.equal((await askOnce(port, `${lineOf(256)}\r\nHost: a\r\n\r\n`)).status, 200);
      for (const length of [257, 1000, 1024, 2000, 1_000_000]) {
        await expectRefusal(await askOnce(port, `${lineOf(length)}\r\nHost: a\r\n\r\n`), tooLong);
      }
    });
    assert.equal(growth, 5);
  });

  test('MaxHeaderBytes and MaxHeaders: that many pass, more is 431', async () => {
    const growth = await growthOf('request_headers_too_large', async () => {
      assert.equal((await askOnce(port, headOf(1024))).status, 200);
      for (const head of [headOf(1025), headOf(2000), headOf(1_000_000)]) {
        await expectRefusal(await askOnce(port, head), tooLarge);
      }
      for (const endless of [' ', 'x', 'X: y\r\n', 'X:\r\n']) {
        const head = `GET / HTTP/1.1\r\nHost: a\r\nX:${endless.repeat(200_000)}`;
        await expectRefusal(await askOnce(port, head), tooLarge);
      }
      const withLines = (count: number) =>
        `GET / HTTP/1.1\r\nHost: a\r\n${'X: y\r\n'.repeat(count - 1)}\r\n`;
      assert.equal((await askOnce(port, withLines(10))).status, 200);
      const tooMany = { status: 431, error: 'too_many_headers' };
      await expectRefusal(await askOnce(port, withLines(11)), tooMany);
    });
    assert.equal(growth, 8);
  });
});

describe('MaxRequestBody', () => {
  const tooLarge = { status: 413, error: 'body_too_large' };
  const chunked = 'POST /grow HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';
  const chunk = `${(10_000).toString(16)}\r\n${'x'.repeat(10_000)}\r\n`;

  test('that many bytes pass, announced or in chunks', async () => {
    origin.on('/fits', (call) =>
      call.onBody(() => call.body().length >= bodyMax && call.say(okAnswer())),
    );
    const announced = `POST /fits HTTP/1.1\r\nHost: a\r\nContent-Length: ${bodyMax}\r\n\r\n`;
    assert.equal((await askOnce(port, announced + 'x'.repeat(bodyMax))).status, 200);
    const inChunks = chunked.replace('/grow', '/fits') + chunk.repeat(10);
    assert.equal((await askOnce(port, `${inChunks}0\r\n\r\n`)).status, 200);
  });

  test('one more, announced, is 413 before the origin hears of it', async () => {
    const growth = await growthOf('request_body_too_large', async () => {
      const head = `POST /announced HTTP/1.1\r\nHost: a\r\nContent-Length: ${bodyMax + 1}\r\n\r\n`;
      await expectRefusal(await askOnce(port, head), tooLarge);
      const waits = head.replace('\r\n\r\n', '\r\nExpect: 100-continue\r\n\r\n');
      await expectRefusal(await askOnce(port, waits), tooLarge);
    });
    assert.equal(growth, 2);
    assert.equal(origin.callsOf('/announced').length, 0);
  });

  test('a client that sends on and on gets the answer, not a reset', async () => {
    for (const head of ['Content-Length: 30000000', 'Transfer-Encoding: chunked']) {
      origin.on('/endless', () => {});
      const client = await RawClient.connect(port);
      client.send(`POST /endless HTTP/1.1\r\nHost: a\r\n${head}\r\n\r\n`);
      client.send(chunk.repeat(2000));
      await expectRefusal(await client.answer(), tooLarge);
      await client.end();
      assert.equal(client.wasReset, false);
      client.destroy();
    }
    for (const call of origin.callsOf('/endless')) await call.closed;
  });

  test('a body that outgrows it in chunks is 413 as long as the origin has not begun to answer', async () => {
    origin.on('/grow', () => {});
    const growth = await growthOf('request_body_too_large', async () => {
      await expectRefusal(await askOnce(port, chunked + chunk.repeat(11)), tooLarge);
    });
    assert.equal(growth, 1);
    await origin.callsOf('/grow')[0]?.closed;
  });

  test('afterwards the connections are closed in the middle of the answer', async () => {
    origin.on('/begun', ({ say }) => say('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf'));
    const client = await RawClient.connect(port);
    client.send(chunked.replace('/grow', '/begun'));
    await client.until(() => client.text.endsWith('half'), 'half an answer');
    const growth = await growthOf('request_body_too_large', async () => {
      client.send(chunk.repeat(11));
      await client.end();
      await origin.callsOf('/begun')[0]?.closed;
    });
    assert.equal(growth, 1);
    assert.match(await wormgate.logLine(/begun/), /" 200 4 error=body_too_large id=/);
  });
});

describe('too slow', { concurrency: true }, () => {
  test('HeaderTimeout: a head that does not come, or not whole, or only slowly, is 408', async () => {
    const lateHead = { status: 408, error: 'head_timeout' };
    const growth = await growthOf('request_header_timeouts', async () => {
      const parts = ['', 'GET', 'GET /late HTTP/1.1\r\nHost: a\r\n'];
      const late = parts.map(async (part) => {
        const client = await RawClient.connect(port);
        client.send(part);
        const answer = await client.answer();
        if (part === '') assert.equal(answer.status, 408);
        else await expectRefusal(answer, lateHead);
        await client.end();
        client.destroy();
      });
      const trickle = await RawClient.connect(port);
      const bytes = 'GET /trickle HTTP/1.1\r\nHost: a\r\n'.split('').values();
      const timer = setInterval(() => trickle.send(bytes.next().value ?? 'x'), 100);
      await expectRefusal(await trickle.answer(), lateHead).finally(() => clearInterval(timer));
      trickle.destroy();
      await Promise.all(late);
    });
    assert.ok(growth >= 4);
  });

  test('HeaderTimeout counts for every head on a connection', async () => {
    const client = await RawClient.connect(port);
    assert.equal((await client.ask('GET / HTTP/1.1\r\nHost: a\r\n\r\n')).status, 200);
    client.send('GET /again');
    assert.equal((await client.answer()).status, 408);
    await client.end();
    client.destroy();
  });

  test('BodyTimeout: a body that pauses is 408, and the origin is let go', async () => {
    origin.on('/pause', () => {});
    const lateBody = { status: 408, error: 'body_timeout' };
    const growth = await growthOf('request_body_timeouts', async () => {
      const client = await RawClient.connect(port);
      client.send('POST /pause HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf');
      await expectRefusal(await client.answer(), lateBody);
      await client.end();
      client.destroy();
    });
    assert.ok(growth >= 1);
    await origin.callsOf('/pause')[0]?.closed;
  });

  test('BodyTimeout within the answer closes the connections', async () => {
    origin.on('/halt', ({ say }) => say('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf'));
    const client = await RawClient.connect(port);
    client.send('POST /halt HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf');
    await client.end();
    assert.match(await wormgate.logLine(/halt/), /" 200 4 error=body_timeout id=/);
    await origin.callsOf('/halt')[0]?.closed;
  });

  test('a body that comes slowly but steadily is not late', async () => {
    origin.on('/steady', (call) =>
      call.onBody(() => call.body().length === 6 && call.say(okAnswer())),
    );
    const client = await RawClient.connect(port);
    client.send('POST /steady HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\n');
    const timer = setInterval(() => client.send('x'), 400);
    await until(() => origin.callsOf('/steady')[0]?.body().length === 6).finally(() =>
      clearInterval(timer),
    );
    assert.equal((await client.answer()).status, 200);
    client.destroy();
  });

  test('SendTimeout: a client that does not read is let go, and the origin with it', async () => {
    const size = 64 * 1024 * 1024;
    origin.on('/unread', ({ say, socket }) => {
      say(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`);
      socket.write(Buffer.alloc(size));
    });
    const growth = await growthOf('response_send_timeouts', async () => {
      const client = await RawClient.connect(port);
      client.socket.pause();
      client.send('GET /unread HTTP/1.1\r\nHost: a\r\n\r\n');
      await until(() => origin.callsOf('/unread').length === 1);
      await origin.callsOf('/unread')[0]?.closed;
      client.destroy();
    });
    assert.equal(growth, 1);
    assert.match(await wormgate.logLine(/unread/), /" 200 \d+ error=send_timeout id=/);
  });

  test('KeepAliveTimeout: an idle connection is closed without a word', async () => {
    const client = await RawClient.connect(port);
    assert.equal((await client.ask('GET /idle HTTP/1.1\r\nHost: a\r\n\r\n')).status, 200);
    await client.end();
    assert.equal(client.text, '');
    assert.equal(client.wasReset, false);
    client.destroy();
  });

  test('a client that waits for its origin is not idle', async () => {
    origin.on('/waits', ({ say }) => setTimeout(() => say(okAnswer()), 2500));
    assert.equal((await askOnce(port, 'GET /waits HTTP/1.1\r\nHost: a\r\n\r\n')).status, 200);
  });
});
