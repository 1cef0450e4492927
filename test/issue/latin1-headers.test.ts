/** A head that leaves before any body byte once changed header bytes above 0x7f on their way. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startRawOrigin } from '../support/origin.ts';
import { sendRaw } from '../support/raw.ts';
import { startWormgate } from '../support/wormgate.ts';

const origin = await startRawOrigin({ after }, (socket, received) => {
  if (!received.includes('\r\n\r\n')) return;
  const head = 'HTTP/1.1 302 Found\r\nLocation: /\xc3\xa4\xff\r\nContent-Length: 0\r\n\r\n';
  socket.write(Buffer.from(head, 'latin1'));
});
const wormgate = await startWormgate({ after }, { origin: origin.url });

for (const [framing, body] of [
  ['', ''],
  ['Content-Length: 2\r\n', 'ok'],
  ['Transfer-Encoding: chunked\r\n', '2\r\nok\r\n0\r\n\r\n'],
] as const) {
  test(`header bytes above 0x7f pass both ways, with ${framing.trim() || 'no body'}`, async () => {
    origin.received = '';
    const method = body === '' ? 'GET' : 'POST';
    const head = `${method} / HTTP/1.1\r\nHost: a\r\nX-Name: \xe4\xc3\xb6\r\nConnection: close\r\n`;
    // The body comes late, so that the head goes on alone.
    const answer = await sendRaw(wormgate.port, [`${head}${framing}\r\n`, body]);
    assert.match(answer.text, /\r\nLocation: \/\xc3\xa4\xff\r\n/);
    assert.match(origin.received, /\r\nX-Name: \xe4\xc3\xb6\r\n/);
  });
}
