/** A connection closed behind its last answer was once reset by what the client had sent meanwhile. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { RawClient } from '../support/raw-client.ts';
import { startScriptedOrigin } from '../support/scripted-origin.ts';
import { startWormgate } from '../support/wormgate.ts';

// Fits into the buffers of both kernels, so that all of it is written long before it is read.
const size = 1024 * 1024;
const origin = await startScriptedOrigin({ after });
origin.on('/big', (call) => {
  call.say(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n${'x'.repeat(size)}`);
});

for (const fastPath of [1, 0]) {
  test(`a client that sends more than is answered still gets the answer, FastPath=${fastPath}`, async (t) => {
    const wormgate = await startWormgate(t, {
      origin: origin.url,
      sections: { 'Extra Configuration': ['ScanVirusPatterns=1', `FastPath=${fastPath}`] },
    });
    const clients = await Promise.all(
      [1, 2, 3].map(async () => {
        const client = await RawClient.connect(wormgate.port);
        client.socket.pause();
        client.send('GET /big HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
        await new Promise((resolve) => setTimeout(resolve, 100));
        await client.flush('GET /next HTTP/1.1\r\nHost: a\r\n\r\n');
        return client;
      }),
    );
    await new Promise((resolve) => setTimeout(resolve, 100));
    for (const client of clients) {
      client.socket.resume();
      assert.equal((await client.answer()).body.length, size);
      await client.end();
      assert.equal(client.wasReset, false);
      client.destroy();
    }
  });
}
