/** The map in the order of use against a list of pairs. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RecencyMap } from '../../src/virus/recency-map.ts';

const step = fc.tuple(
  fc.constantFrom('set' as const, 'set' as const, 'touch' as const, 'delete' as const),
  fc.constantFrom('a', 'b', 'c', 'd'),
);

test('entries stand in the order of use', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const map = new RecencyMap<number>();
      let list: [string, number][] = [];
      for (const [index, [kind, key]] of steps.entries()) {
        const known = list.find(([name]) => name === key);
        const others = list.filter(([name]) => name !== key);
        if (kind === 'set') list = [...others, [key, index]];
        else if (kind === 'delete') list = others;
        else if (known !== undefined) list = [...others, known];
        if (kind === 'set') map.set(key, index);
        else map[kind](key);
        assert.equal(map.size, list.length);
        assert.equal(map.oldestKey, list[0]?.[0]);
        const values = list.map(([, value]) => value);
        assert.deepEqual([...map.values()], values);
        assert.deepEqual([...map.newestFirst()], values.toReversed());
        assert.equal(map.get(key), list.find(([name]) => name === key)?.[1]);
      }
    }),
  );
});

test('what is given may be deleted, and the rest comes', () => {
  const map = new RecencyMap<string>();
  for (const key of ['a', 'b', 'c']) map.set(key, key);
  const given: string[] = [];
  for (const value of map.values()) {
    given.push(value);
    map.delete(value);
  }
  assert.deepEqual(given, ['a', 'b', 'c']);
  assert.equal(map.size, 0);
});
