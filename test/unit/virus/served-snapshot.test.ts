/** The memory of what was served, over a restart. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ServedMemory } from '../../../src/virus/served-memory.ts';
import { decodeSnapshot, encodeSnapshot } from '../../../src/virus/served-snapshot.ts';

const options = { patternStartOffset: 1, patternSize: 16, bytesMax: 1 << 20 };
const page = '/page HTTP/1.1';
const old = '/an-old-page HTTP/1.1';

function filled(): ServedMemory {
  const served = new ServedMemory({ ...options, lastsMs: 1000, seed: 2 ** 47 + 1, nowMs: 5000 });
  served.note(old, 0, old.length, 5500);
  served.notePath(page, 0, page.length, true, 6200);
  return served;
}

function textOf(served: ServedMemory): Buffer {
  return Buffer.from([...encodeSnapshot(served.snapshot())].join(''), 'utf8');
}

test('what was served is known after a restart, and forgotten when it would have been', () => {
  const read = decodeSnapshot(textOf(filled()), options);
  assert.ok(read.ok);
  const { snapshot } = read;
  const again = new ServedMemory({
    ...{ ...options, lastsMs: 1000, nowMs: 6300 },
    ...{ seed: snapshot.seed, snapshot },
  });
  assert.equal(again.notedMs, 6200);
  assert.equal(again.recallPath(page, 6300), true);
  assert.equal(again.recall(old, 6300), 'window');
  assert.equal(again.recallPath('/other HTTP/1.1', 6300), false);
  assert.equal(again.recall(old, 7100), undefined);
  assert.equal(again.recallPath(page, 7100), true);
});

test('a path alone is found by its path, in any spelling, and has no window', () => {
  const served = filled();
  assert.equal(served.recall(page, 6200), 'path');
  assert.equal(served.recallPath('/x/../%70age?q HTTP/1.0', 6200), true);
});

test('what is damaged, torn or of other settings is none', () => {
  const text = textOf(filled());
  const damaged = Buffer.from(text);
  const at = damaged.length - 100;
  damaged[at] = damaged[at] === 0x41 ? 0x42 : 0x41;
  const messageOf = (bytes: Buffer, changed = {}) => {
    const read = decodeSnapshot(bytes, { ...options, ...changed });
    return read.ok ? 'none' : read.message;
  };
  assert.equal(messageOf(damaged), 'it is damaged');
  assert.equal(messageOf(Buffer.from('nonsense\n')), 'it is damaged');
  assert.equal(messageOf(Buffer.alloc(0)), 'it is damaged');
  for (const changed of [{ patternSize: 8 }, { patternStartOffset: 2 }, { bytesMax: 1 << 21 }]) {
    assert.match(messageOf(text, changed), /another PatternSize/);
  }
  assert.match(messageOf(text.subarray(0, text.length / 2)), /another PatternSize/);
});
