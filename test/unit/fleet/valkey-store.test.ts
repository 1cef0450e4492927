/** What the keys of the engine may hold that no node has written. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { listNodes } from '../../../src/fleet/nodes.ts';
import type { Connection, Reply } from '../../../src/fleet/valkey.ts';
import { ValkeyStore } from '../../../src/fleet/valkey-store.ts';

/** An engine whose reply to a command is always the same. */
function replying(reply: Reply): Connection {
  return { call: async () => reply, transaction: async () => null, close: () => {} };
}

function storeWith(reply: Reply, bytesMax?: number): ValkeyStore {
  return new ValkeyStore(replying(reply), replying(reply), 'p', bytesMax);
}

test('a mark of more parts than any snapshot has is none', async () => {
  const mark = (parts: number) => ({ id: 'x', parts, position: '1-0', epoch: 1, count: 1 });
  const read = (parts: number) => storeWith(Buffer.from(JSON.stringify(mark(parts)))).mark();
  assert.deepEqual(await read(1_024), mark(1_024));
  assert.equal(await read(1_025), undefined);
  assert.equal(await read(Number.MAX_SAFE_INTEGER), undefined);
});

test('a snapshot that unpacks to more than there can be is not unpacked', async () => {
  const packed = gzipSync(Buffer.alloc(1_001, 'x'));
  const mark = { id: 'x', parts: 1, position: '1-0', epoch: 1, count: 1 };
  const read = (bytesMax: number) => storeWith(packed, bytesMax).snapshot(mark);
  assert.deepEqual(await read(1_001), ['x'.repeat(1_001)]);
  assert.equal(await read(1_000), undefined);
});

test('the list has no node whose name or version would steer a terminal', async () => {
  const row = { name: 'n-1', session: 's', version: '0.1.0', stamp: 1, waiting: 0, patterns: 1 };
  const rows = [row, { ...row, name: '\x1b[31mn\n' }, { ...row, version: '\x1b]0;t\x07' }];
  const flat = rows.flatMap((each, at) => [
    Buffer.from(`n${at}`),
    Buffer.from(JSON.stringify({ ...each, atMs: 1 })),
  ]);
  assert.deepEqual(await listNodes(replying(flat), 'p', 2), [{ ...row, atMs: 1 }]);
});
