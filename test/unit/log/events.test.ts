import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { eventKinds } from '../../../src/config/event-rows.ts';
import { EventRate } from '../../../src/log/event-rate.ts';
import {
  blockedFields,
  eventTable,
  formatEvent,
  formatOmitted,
  textLengthMax,
} from '../../../src/log/events.ts';

const atMs = Date.UTC(2001, 7, 6, 15, 58, 58, 7);
const suspect = (request: string) => {
  return formatEvent('suspect', atMs, { pattern: 'p', request, client: '192.0.2.1' });
};

test('an event has its time, its kind and the fields of the table, in that order', () => {
  assert.equal(
    suspect('GET / HTTP/1.0'),
    '{"time":"2001-08-06T15:58:58.007Z","kind":"suspect","client":"192.0.2.1","request":"GET / HTTP/1.0","pattern":"p"}',
  );
  assert.equal(
    formatOmitted('blocked', atMs, 79_900),
    '{"time":"2001-08-06T15:58:58.007Z","kind":"blocked","omitted":79900}',
  );
});

test('no text can end a line, write to a terminal or into a page, and all of it can be read back', () => {
  const character = fc
    .oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(0x22, 0x5c, 0x3c, 0x3e, 0x26, 0x27))
    .map((code) => String.fromCharCode(code));
  fc.assert(
    fc.property(fc.string({ unit: character, maxLength: 60 }), (text) => {
      const line = suspect(text);
      assert.match(line, /^[\x20-\x7e]*$/);
      assert.doesNotMatch(line, /[<>&']/);
      assert.equal(JSON.parse(line).request, text);
    }),
  );
});

test('texts are cut, and an event is never longer than 8 KiB', () => {
  assert.equal(JSON.parse(suspect('x'.repeat(5000))).request, 'x'.repeat(textLengthMax));
  assert.ok(suspect('\0'.repeat(5000)).length < 8192);
});

test('every kind of the settings is in the table, each field with its prose', () => {
  assert.deepEqual(Object.keys(eventTable), [...eventKinds]);
  for (const { help, fields } of Object.values(eventTable)) {
    for (const text of [help, ...Object.values(fields).map((field) => field.help)]) {
      assert.match(text, /[.…]$/);
    }
  }
});

test('a blocked request tells its pattern or its keyword; one that passed tells nothing', () => {
  const entry = { client: '192.0.2.1', atMs, requestLine: 'GET /x HTTP/1.0' };
  const reason = { from: 'shipped', requestId: 'a-1' };
  const padded = { ...reason, matched: Buffer.from('x HTTP/1.0\0\0') };
  const common = { client: '192.0.2.1', request: 'GET /x HTTP/1.0', from: 'shipped', id: 'a-1' };
  assert.deepEqual(blockedFields({ ...entry, outcome: { kind: 'slipped', reason: padded } }), {
    ...common,
    ...{ action: 'slip', pattern: 'x HTTP/1.0', keyword: null },
  });
  const keyword = { ...reason, matched: 'cmd.exe' };
  const dropped = { kind: 'dropped', bytes: 9, reason: keyword } as const;
  assert.deepEqual(blockedFields({ ...entry, outcome: dropped }), {
    ...common,
    ...{ action: 'drop', pattern: null, keyword: 'cmd.exe' },
  });
  const passed = { ...padded, because: 'detect' } as const;
  const answered = { kind: 'answered', status: 200, bytes: 1, passed } as const;
  assert.equal(blockedFields({ ...entry, outcome: answered }), undefined);
});

test('of each kind so many are made in a second, and the others are counted', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constantFrom(...eventKinds), max: fc.integer({ min: 1, max: 4 }) }),
    fc.constant('second' as const),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const rate = new EventRate();
      let asked: { kind: string; made: boolean }[] = [];
      for (const each of steps) {
        if (each === 'second') {
          const omitted = new Map<string, number>(rate.endSecond());
          for (const kind of eventKinds) {
            const expected = asked.filter((one) => one.kind === kind && !one.made).length;
            assert.equal(omitted.get(kind) ?? 0, expected);
          }
          asked = [];
          continue;
        }
        const before = asked.filter(({ kind, made }) => kind === each.kind && made).length;
        const made = rate.admit(each.kind, each.max);
        assert.equal(made, before < each.max);
        asked.push({ kind: each.kind, made });
      }
    }),
  );
});
