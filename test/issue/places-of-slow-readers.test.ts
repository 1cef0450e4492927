/**
 * An origin's place was once given back before the client had taken the end of its answer, while the
 * connection was kept: MaxOriginConnections did not bound connections. And a pool once took back a
 * connection that had broken meanwhile.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { RawClient } from '../support/raw-client.ts';
import { okAnswer, startScriptedOrigin } from '../support/scripted-origin.ts';
import { startWormgate } from '../support/wormgate.ts';

test('clients that do not read have no more origin connections than there may be', async () => {
  const origin = await startScriptedOrigin({ after });
  origin.on('/b', (call) => call.say(okAnswer('x'.repeat(Number(call.target.slice(2))))));
  const wormgate = await startWormgate(
    { after },
    { origin: origin.url, sections: { Limits: ['MaxOriginConnections=2', 'SendTimeout=5'] } },
  );
  const clients: RawClient[] = [];
  let peak = 0;
  // Around the size that fits into the kernel's buffers, whatever it is on this machine.
  for (let size = 500_000; size < 8_000_000; size += 250_000) {
    const client = await RawClient.connect(wormgate.port);
    client.socket.pause();
    client.send(`GET /b${size} HTTP/1.1\r\nHost: a\r\n\r\n`);
    clients.push(client);
    await new Promise((resolve) => setTimeout(resolve, 20));
    peak = Math.max(peak, origin.openCount);
  }
  for (const client of clients) client.destroy();
  assert.ok(peak <= 2, `${peak} connections at once`);
  const last = await RawClient.connect(wormgate.port);
  assert.equal((await last.ask('GET /last HTTP/1.1\r\nHost: a\r\n\r\n')).status, 200);
  last.destroy();
});
