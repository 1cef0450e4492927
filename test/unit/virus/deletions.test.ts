import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  Deletions,
  FingerprintSet,
  patternKey,
  patternOfKey,
} from '../../../src/virus/deletions.ts';

test('a key gives back the pattern and the original length it was made of', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
      fc.integer({ min: 1, max: 2 ** 31 - 1 }),
      (odd, origLength) => {
        const pattern = Uint8Array.from(odd);
        assert.deepEqual(patternOfKey(patternKey(pattern, origLength), 16), {
          pattern,
          origLength,
        });
      },
    ),
    { seed: 1 },
  );
});

test('a fingerprint set never forgets a key, and rarely claims one that it has not seen', () => {
  const set = new FingerprintSet();
  for (let number = 0; number < 50_000; number++) set.add(`key ${number}`);
  for (let number = 0; number < 50_000; number++) assert.ok(set.has(`key ${number}`));
  let wrong = 0;
  for (let number = 0; number < 50_000; number++) if (set.has(`other ${number}`)) wrong += 1;
  assert.ok(wrong < 10);
  const union = new FingerprintSet();
  union.add('own');
  union.addAll(set);
  assert.ok(union.has('own') && union.has('key 49999'));
});

test('at the bound, deletions that no file brings back are forgotten, the others are kept', () => {
  const deletions = new Deletions(2);
  deletions.noteInFiles('shipped 1');
  deletions.noteInFiles('shipped 2');
  deletions.noteInFiles('shipped 3');
  deletions.noteDeleted('typed');
  deletions.noteDeleted('shipped 1');
  assert.ok(deletions.hasRoomFor('shipped 2'));
  deletions.noteDeleted('shipped 2');
  assert.deepEqual([...deletions.keys()], ['shipped 1', 'shipped 2']);
  assert.equal(deletions.hasRoomFor('shipped 3'), false);
  assert.ok(deletions.hasRoomFor('typed'));
  deletions.noteDeleted('typed');
  assert.equal(deletions.has('typed'), false);
  deletions.noteAdded('shipped 1');
  assert.ok(deletions.hasRoomFor('shipped 3'));
});
