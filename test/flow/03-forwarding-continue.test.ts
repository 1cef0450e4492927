/** Forwarding: `Expect: 100-continue` (RFC 9110 §10.1.1), and answers that come before the body. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { headerOf } from '../support/answer.ts';
import { askOnce, RawClient } from '../support/raw-client.ts';
import { okAnswer, startScriptedOrigin, valuesOf } from '../support/scripted-origin.ts';
import { startSites } from '../support/sites.ts';
import { until } from '../support/wormgate.ts';

const lines = 'Host: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n';

const origin = await startScriptedOrigin({ after });
const {
  ports: { site: port },
} = await startSites({ after }, { site: { origin: origin.url } });

describe('100 Continue and early answers', { concurrency: true }, () => {
  test('the origin’s 100 Continue is relayed, and the body follows it', async () => {
    origin.on('/wait', ({ say, onBody, body }) => {
      say('HTTP/1.1 100 Continue\r\n\r\n');
      onBody(() => {
        if (body() === 'body') say(okAnswer());
      });
    });
    const client = await RawClient.connect(port);
    assert.equal((await client.ask(`POST /wait HTTP/1.1\r\n${lines}`)).status, 100);
    assert.deepEqual(valuesOf(origin.callsOf('/wait')[0]?.head ?? '', 'expect'), ['100-continue']);
    assert.equal(origin.callsOf('/wait')[0]?.body(), '');
    client.send('body');
    assert.equal((await client.answer()).status, 200);
    assert.equal((await client.ask('GET /next HTTP/1.1\r\nHost: a\r\n\r\n')).status, 200);
    client.destroy();
  });

  for (const status of [417, 401] as const) {
    test(`an origin that answers ${status} at once is heard, and the connection is closed`, async () => {
      origin.on(`/at-once-${status}`, ({ say }) =>
        say(`HTTP/1.1 ${status} No\r\nContent-Length: 2\r\n\r\nno`),
      );
      const client = await RawClient.connect(port);
      const answer = await client.ask(`POST /at-once-${status} HTTP/1.1\r\n${lines}`);
      assert.equal(answer.status, status);
      assert.equal(headerOf(answer, 'connection'), 'close');
      await client.end();
      assert.equal(client.wasReset, false);
      await origin.callsOf(`/at-once-${status}`)[0]?.closed;
    });
  }

  test('an origin that ignores Expect gets the body of a client that is tired of waiting', async () => {
    origin.on('/ignore', ({ say, onBody, body }) => {
      onBody(() => {
        if (body() === 'body') say(okAnswer());
      });
    });
    const client = await RawClient.connect(port);
    client.send(`PUT /ignore HTTP/1.1\r\n${lines}`);
    await until(() => origin.callsOf('/ignore').length === 1);
    client.send('body');
    assert.equal((await client.answer()).status, 200);
    client.destroy();
  });

  test('HTTP/1.0 knows no 100 Continue: the expectation is not passed on', async () => {
    origin.on('/old', ({ say }) => say(okAnswer()));
    const client = await RawClient.connect(port);
    client.send(`POST /old HTTP/1.0\r\n${lines}body`);
    assert.equal((await client.answer()).status, 200);
    assert.deepEqual(valuesOf(origin.callsOf('/old')[0]?.head ?? '', 'expect'), []);
  });

  test('another expectation is answered 417 by ourselves', async () => {
    const answer = await askOnce(port, 'GET /other HTTP/1.1\r\nHost: a\r\nExpect: tea\r\n\r\n');
    assert.equal(answer.status, 417);
    assert.equal(origin.callsOf('/other').length, 0);
  });

  test('an answer that comes while the body is still arriving is passed on at once', async () => {
    origin.on('/early', ({ say }) => say(okAnswer('early')));
    const client = await RawClient.connect(port);
    client.send('POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nbegin');
    assert.equal((await client.answer()).body.toString(), 'early');
    await origin.callsOf('/early')[0]?.closed;
    client.send(Buffer.alloc(100_000 - 5, 'x'));
    assert.equal((await client.ask('GET /next HTTP/1.1\r\nHost: a\r\n\r\n')).status, 200);
    client.destroy();
  });

  test('an early answer on a connection to be closed is not lost to a reset', async () => {
    const client = await RawClient.connect(port);
    const head =
      'POST /early HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 30000000\r\n\r\n';
    origin.on('/early', ({ say }) => say(okAnswer('early')));
    client.send(head, Buffer.alloc(20_000_000));
    assert.equal((await client.answer()).body.toString(), 'early');
    await client.end();
    assert.equal(client.wasReset, false);
  });

  test('an origin that answers while it reads is a conversation', async () => {
    origin.on('/talk', ({ say, body, onBody }) => {
      say('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
      let echoed = 0;
      onBody(() => {
        const text = body();
        say(text.slice(echoed));
        echoed = text.length;
      });
    });
    const client = await RawClient.connect(port);
    client.send('POST /talk HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
    for (const word of ['one', 'two', 'six']) {
      client.send(`3\r\n${word}\r\n`);
      await client.until(() => client.text.includes(word), word);
    }
    client.send('0\r\n\r\n');
    assert.equal((await client.answer()).body.toString(), 'onetwosix');
    client.destroy();
  });
});
