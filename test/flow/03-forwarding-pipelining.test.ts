/** Forwarding: several requests sent at once on one connection (RFC 9112 §9.3.2). */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { headerOf } from '../support/answer.ts';
import { residentBytes } from '../support/process.ts';
import { RawClient } from '../support/raw-client.ts';
import { type Call, okAnswer, startScriptedOrigin } from '../support/scripted-origin.ts';
import { startSites } from '../support/sites.ts';
import { until } from '../support/wormgate.ts';

const get = (target: string) => `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`;

const origin = await startScriptedOrigin({ after });
const {
  wormgate,
  ports: { site: port },
} = await startSites({ after }, { site: { origin: origin.url } });

/** Lets calls to `path` wait until they are told to go on. */
function holdBack(path: string): { release(): Promise<void> } {
  const held: Call[] = [];
  origin.on(path, (call) => held.push(call));
  return {
    release: async () => {
      await until(() => held.length > 0);
      held.shift()?.say(okAnswer(path));
    },
  };
}

describe('pipelining', { concurrency: true }, () => {
  test('answers come in the order of the requests, the slow one first', async () => {
    const slow = holdBack('/slow');
    origin.on('/fast', ({ target, say }) => say(okAnswer(target)));
    const client = await RawClient.connect(port);
    client.send(`${get('/slow')}${get('/fast1')}${get('/fast2')}`);
    await slow.release();
    for (const expected of ['/slow', '/fast1', '/fast2']) {
      assert.equal((await client.answer()).body.toString(), expected);
    }
    client.destroy();
  });

  test('an unsafe request never overtakes the one before it', async () => {
    const first = holdBack('/first');
    const client = await RawClient.connect(port);
    client.send(`${get('/first')}POST /unsafe HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n`);
    await until(() => origin.callsOf('/first').length === 1);
    // Whatever is on its way to the origin has arrived when a later request is answered.
    const other = await RawClient.connect(port);
    await other.ask(get('/'));
    assert.equal(origin.callsOf('/unsafe').length, 0);
    await first.release();
    assert.equal((await client.answer()).status, 200);
    assert.equal((await client.answer()).status, 200);
    assert.equal(origin.callsOf('/unsafe').length, 1);
    client.destroy();
    other.destroy();
  });

  for (const [title, bad] of Object.entries({
    'a broken head': 'GET /never HTTP/1.1\r\nBad Header: x\r\n\r\n',
    'an ambiguous head': 'GET /never HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n',
    'a broken line': 'GET  /never HTTP/1.1\r\nHost: a\r\n\r\n',
    'a broken body':
      'POST /torn HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n',
    'an endless head': `GET /never HTTP/1.1\r\nX:${' '.repeat(70_000)}`,
  })) {
    test(`${title} behind a good request: the good one is answered first, then 400 or 431, then the end`, async () => {
      const path = `/before-${title.replaceAll(' ', '-')}`;
      const good = holdBack(path);
      const client = await RawClient.connect(port);
      client.send(`${get(path)}${bad}${get('/never')}`);
      await good.release();
      assert.equal((await client.answer()).body.toString(), path);
      const refusal = await client.answer();
      assert.equal(refusal.status, title === 'an endless head' ? 431 : 400);
      assert.equal(headerOf(refusal, 'connection'), 'close');
      await client.end();
      assert.equal(client.text, '');
      assert.equal(origin.callsOf('/never').length, 0);
    });
  }

  test('a virus request behind a good one is slipped after the good one is answered', async () => {
    wormgate.virus('add', '-p', 'default.ida?NNNN', '-o', '385');
    const good = holdBack('/before-virus');
    const client = await RawClient.connect(port);
    client.send(
      `${get('/before-virus')}GET /default.ida?NNNNNNNN HTTP/1.0\r\n\r\n${get('/after-virus')}`,
    );
    await good.release();
    assert.equal((await client.answer()).status, 200);
    await client.end();
    assert.equal(client.text, '');
    assert.equal(origin.callsOf('/after-virus').length, 0);
  });

  test('nothing in a body passes for the next request line', async () => {
    origin.on('/upload', (call) =>
      call.onBody(() => call.body().length >= 60 && call.say(okAnswer())),
    );
    const fake = '\nGET /evil HTTP/1.1\r\nHost: a\r\n\r\n';
    const body = fake.padStart(60, 'x');
    const client = await RawClient.connect(port);
    client.send(
      `POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}${get('/e')}`,
    );
    assert.equal((await client.answer()).status, 200);
    assert.equal((await client.answer()).status, 200);
    assert.equal(origin.callsOf('/e').at(-1)?.target, '/e');
    assert.match(await wormgate.logLine(/"GET \/e HTTP/), /" 200 2$/);
    client.destroy();
  });

  test('bodies split at every byte do not confuse where the next request begins', async () => {
    origin.on('/split', (call) =>
      call.onBody(() => call.body().endsWith('0\r\n\r\n') && call.say(okAnswer())),
    );
    const chunked = 'POST /split HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';
    const all =
      `${chunked}a;ext=1\r\n\nGET /x H\r\n\r\n00\r\n\r\n\r\n\r\n${get('/after-split')}`.replace(
        'a;ext=1\r\n\nGET /x H\r\n\r\n',
        'a;ext=1\r\n\nGET /x H\r\r\n',
      );
    const client = await RawClient.connect(port);
    client.socket.setNoDelay(true);
    for (const byte of all) await client.flush(byte);
    assert.equal((await client.answer()).status, 200);
    assert.equal((await client.answer()).status, 200);
    assert.equal(origin.callsOf('/after-split').length, 1);
    assert.match(await wormgate.logLine(/after-split/), /"GET \/after-split HTTP\/1\.1" 200 2$/);
    client.destroy();
  });
});

describe('many pipelined requests', () => {
  test('a flood of pipelined requests waits in the kernel, not in memory', async () => {
    const first = holdBack('/flood');
    const client = await RawClient.connect(port);
    client.send(get('/flood'));
    await until(() => origin.callsOf('/flood').length === 1);
    const before = residentBytes(wormgate.pid);
    const packet = Buffer.from(get('/').repeat(1000));
    let sent = 0;
    const write = (error?: Error | null): void => {
      sent += 1;
      if (error == null) client.socket.write(packet, write);
    };
    write();
    let last = 0;
    let since = Date.now();
    await until(() => {
      if (sent !== last) since = Date.now();
      last = sent;
      return Date.now() - since > 300;
    });
    assert.ok(residentBytes(wormgate.pid) - before < 64 * 1024 * 1024);
    await first.release();
    assert.equal((await client.answer()).status, 200);
    client.reset();
  });
});
