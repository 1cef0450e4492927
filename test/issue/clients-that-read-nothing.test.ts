/**
 * A client that reads nothing was once waited for without an end, or without a bound on what was kept
 * for it: behind interim answers, and behind 400s on a trusted peer's connection.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { RawClient } from '../support/raw-client.ts';
import { okAnswer, startScriptedOrigin } from '../support/scripted-origin.ts';
import { startWormgate, until } from '../support/wormgate.ts';

const origin = await startScriptedOrigin({ after });
const hint = 'HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n';

test('interim answers that nobody reads end the connection after SendTimeout', async (t) => {
  origin.on('/hints', (call) => call.say(hint.repeat(200_000)));
  const wormgate = await startWormgate(t, {
    origin: origin.url,
    sections: { Limits: ['SendTimeout=1', 'OriginTimeout=60'] },
  });
  const client = await RawClient.connect(wormgate.port);
  client.socket.pause();
  client.send('GET /hints HTTP/1.1\r\nHost: a\r\n\r\n');
  await until(async () => (await wormgate.counter('response_send_timeouts')) === 1);
  await until(() => origin.openCount === 0);
  client.destroy();
});

test('interim answers that are read late are all there, and the answer behind them', async (t) => {
  const count = 30_000;
  origin.on('/late', (call) => call.say(hint.repeat(count) + okAnswer('done')));
  const wormgate = await startWormgate(t, { origin: origin.url });
  const client = await RawClient.connect(wormgate.port);
  client.socket.pause();
  client.send('GET /late HTTP/1.1\r\nHost: a\r\n\r\n');
  await new Promise((resolve) => setTimeout(resolve, 300));
  client.socket.resume();
  await client.until(() => client.text.endsWith('done'), 'the answer');
  assert.equal(client.text.split(hint).length - 1, count);
  client.destroy();
});

test('a trusted peer that reads nothing is read no further, and closed after SendTimeout', async (t) => {
  const wormgate = await startWormgate(t, {
    origin: origin.url,
    accelerator: ['TrustedProxies=127.0.0.0/8'],
    sections: {
      'Virus Pattern Configuration': ['NoOfVirusPatterns=1', 'Pattern1="scripts/root.exe",30'],
      Limits: ['SendTimeout=1'],
    },
  });
  const client = await RawClient.connect(wormgate.port);
  client.socket.pause();
  const request = 'GET /scripts/root.exe HTTP/1.1\r\nHost: a\r\n\r\n';
  client.send(request.repeat(200_000));
  await until(async () => (await wormgate.counter('response_send_timeouts')) === 1);
  assert.ok((await wormgate.counter('requests_dropped')) < 100_000);
  client.destroy();
});
