/** What PROXY.LOG tells of a flood of refused requests, and what LogRequests leaves out. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { after, before, test } from 'node:test';
import { RawClient } from '../support/raw-client.ts';
import { freePort, runCli, startWormgate, until } from '../support/wormgate.ts';

const flooder = '127.0.0.50';
const refusedCount = 500;

const host = createServer((socket) => {
  socket.on('error', () => {});
  socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'));
});
let hostPort = 0;
before(async () => {
  host.listen(0, '127.0.0.2');
  await once(host, 'listening');
  const address = host.address();
  hostPort = typeof address === 'object' && address !== null ? address.port : 0;
});
after(() => host.close());

function egressLines(gateway: number): string[] {
  return [`Listen=127.0.0.1:${gateway}`, `AllowPorts=${hostPort}`, 'AllowPrivate=1'];
}

test('a flood of refused requests does not displace the lines of others', async (t) => {
  const gateway = await freePort();
  const wormgate = await startWormgate(t, {
    sections: {
      Egress: egressLines(gateway),
      Log: ['LogRequests=blocked'],
      Limits: ['MaxEgressLogLines=5'],
    },
  });
  const client = await RawClient.connect(gateway, flooder);
  for (let sent = 0; sent < refusedCount; sent += 50) {
    client.send('GET http://127.0.0.2:1/ HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(50));
    const expected = sent + 50;
    await client.until(() => client.text.split('(AllowPorts)').length > expected, 'fifty answers');
  }
  client.destroy();
  const other = await RawClient.connect(gateway, '127.0.0.60');
  other.send(`GET http://127.0.0.2:${hostPort}/ HTTP/1.1\r\nHost: x\r\n\r\n`);
  await other.until(() => other.text.endsWith('ok'), 'an answer');
  other.destroy();
  await until(async () => (await wormgate.counter('egress_requests')) === refusedCount + 1);
  await wormgate.stop();
  const lines = wormgate
    .log()
    .split('\n')
    .filter((line) => line.startsWith(flooder));
  const unlogged = refusedCount - lines.length;
  assert.ok(lines.length >= 5 && unlogged > 0, `${lines.length} lines`);
  assert.doesNotMatch(wormgate.log(), /^127\.0\.0\.60 /m, 'LogRequests=blocked');
  const warned =
    /^\[egress\] \[[^\]]+\] (\d+) refused requests have no line of their own \(MaxEgressLogLines\): 127\.0\.0\.50 (\d+)$/m;
  const told = warned.exec(wormgate.log());
  assert.deepEqual([told?.[1], told?.[2]], [String(unlogged), String(unlogged)]);
});

test('status knows a source by any spelling of its address', async (t) => {
  const gateway = await freePort();
  const wormgate = await startWormgate(t, {
    sections: { Egress: egressLines(gateway) },
  });
  const client = await RawClient.connect(gateway, '127.0.0.60');
  client.send(`GET http://127.0.0.2:${hostPort}/ HTTP/1.1\r\nHost: x\r\n\r\n`);
  await client.until(() => client.text.endsWith('ok'), 'an answer');
  client.destroy();
  const status = runCli(['status', '--data', wormgate.dataFolder, '--source', '::FFFF:127.0.0.60']);
  assert.match(status.stdout, /^connection establishing packets: 1$/m);
});
