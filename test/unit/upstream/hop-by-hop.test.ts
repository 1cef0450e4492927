import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { headerLines, usableTrailers, withoutHopByHop } from '../../../src/upstream/hop-by-hop.ts';

test('a raw list is pairs of name and value; a name without a value is left out', () => {
  assert.deepEqual(
    [...headerLines(['A', '1', 'b', ''])],
    [
      ['A', '1'],
      ['b', ''],
    ],
  );
  assert.deepEqual([...headerLines([])], []);
  assert.deepEqual([...headerLines(['A', '1', 'B'])], [['A', '1']]);
});

test('the fields of RFC 9110 §7.6.1 and their older relatives are gone, in any case', () => {
  for (const name of [
    'Connection',
    'Proxy-Connection',
    'Keep-Alive',
    'TE',
    'Transfer-Encoding',
    'Upgrade',
    'HTTP2-Settings',
    'Proxy-Authenticate',
    'Proxy-Authorization',
  ]) {
    for (const spelled of [name, name.toLowerCase(), name.toUpperCase()]) {
      assert.deepEqual(withoutHopByHop([spelled, 'x', 'Y', 'z']), [['Y', 'z']], spelled);
    }
  }
});

test('what Connection names goes with it, wherever it stands', () => {
  const raw = ['X-One', '1', 'Connection', 'x-one , X-TWO,', 'x-Two', '2', 'X-Three', '3'];
  assert.deepEqual(withoutHopByHop(raw), [['X-Three', '3']]);
  assert.deepEqual(withoutHopByHop(['connection', 'a', 'Connection', 'b', 'A', '1', 'B', '2']), []);
});

test('framing, host and the client’s address stay even if Connection names them', () => {
  const kept = [
    ['Host', 'a'],
    ['Content-Length', '1'],
    ['Content-Type', 't'],
    ['Date', 'd'],
    ['Forwarded', 'f'],
    ['X-Forwarded-For', '1'],
    ['X-Forwarded-Host', 'h'],
    ['X-Forwarded-Proto', 'p'],
  ];
  const names = kept.map(([name]) => name).join(',');
  assert.deepEqual(withoutHopByHop(['Connection', names, ...kept.flat()]), kept);
});

test('trailers that would change a message from behind are left out', () => {
  const raw = ['X-Sum', '1', 'Content-Length', '5', 'Set-Cookie', 'a', 'HOST', 'b', 'Trailer', 'c'];
  assert.deepEqual(usableTrailers([...raw, 'Cache-Control', 'd', 'x-sum', '2', 'TE', 'e']), [
    ['X-Sum', '1'],
    ['x-sum', '2'],
  ]);
});

const name = fc.constantFrom(
  'Connection',
  'connection',
  'TE',
  'te',
  'Upgrade',
  'X-A',
  'x-a',
  'X-B',
  'Host',
  'Date',
);
const value = fc.constantFrom('x-a', 'X-B, host', 'close', ' x-a ,,x-b', 'keep-alive, TE', '');

test('agrees with a model of sets, and keeps case, order and repetition', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(name, value), { maxLength: 12 }), (lines) => {
      const lower = (text: string) => text.trim().toLowerCase();
      const tokens = lines
        .filter(([each]) => lower(each) === 'connection')
        .flatMap(([, list]) => list.split(',').map(lower));
      const gone = new Set([...tokens, 'connection', 'te', 'upgrade']);
      for (const each of ['host', 'date']) gone.delete(each);
      assert.deepEqual(
        withoutHopByHop(lines.flat()),
        lines.filter(([each]) => !gone.has(lower(each))),
      );
    }),
    { numRuns: 2000 },
  );
});
