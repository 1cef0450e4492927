/** traceparent against a naive reader that goes by single characters, and ids that are never all zeroes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  formatTraceparent,
  parseTraceparent,
  type TraceParent,
} from '../../src/log/trace-context.ts';
import { TraceIds } from '../../src/log/trace-ids.ts';

const digits = '0123456789abcdef';
const isHex = (text: string) => [...text].every((each) => digits.includes(each));

/** As W3C Trace Context puts it: four parts of 2, 32, 16 and 2 digits; more only in versions to come. */
function model(value: string): TraceParent | undefined {
  const [version, traceId, spanId, flags] = [
    ...[value.slice(0, 2), value.slice(3, 35), value.slice(36, 52), value.slice(53, 55)],
  ];
  if (value.length < 55 || value.length > 512) return undefined;
  for (const at of [2, 35, 52]) if (value[at] !== '-') return undefined;
  if (![version, traceId, spanId, flags].every((part) => isHex(part ?? ''))) return undefined;
  if (version === 'ff') return undefined;
  if (version === '00' && value.length > 55) return undefined;
  if (value.length > 55 && value[55] !== '-') return undefined;
  if (traceId === '0'.repeat(32) || spanId === '0'.repeat(16)) return undefined;
  const isSampled = digits.indexOf(flags?.[1] ?? '') % 2 === 1;
  return { traceId: traceId ?? '', spanId: spanId ?? '', isSampled };
}

const hex = (length: number) =>
  fc.oneof(
    { weight: 6, arbitrary: fc.stringMatching(new RegExp(`^[0-9a-f]{${length}}$`)) },
    { weight: 1, arbitrary: fc.constant('0'.repeat(length)) },
  );
const rest = fc.oneof(
  { weight: 4, arbitrary: fc.constant('') },
  fc.constantFrom('-', '-00', '-x y', 'x', `-${'y'.repeat(455)}`, `-${'y'.repeat(456)}`),
);
const sound = fc
  .tuple(fc.oneof(fc.constantFrom('00', '01', 'cc', 'ff'), hex(2)), hex(32), hex(16), hex(2), rest)
  .map(([version, traceId, spanId, flags, more]) => {
    return `${version}-${traceId}-${spanId}-${flags}${more}`;
  });
const mutated = fc
  .tuple(sound, fc.nat(), fc.constantFrom('', '-', 'A', 'g', ' ', '0', '\xe9'), fc.nat(2))
  .map(([value, at, put, removed]) => {
    const index = at % value.length;
    return value.slice(0, index) + put + value.slice(index + removed);
  });

test('traceparent is read as the model reads it', () => {
  fc.assert(
    fc.property(fc.oneof(sound, mutated, fc.string()), (value) => {
      assert.deepEqual(parseTraceparent(value), model(value));
    }),
    { numRuns: 3000 },
  );
});

test('what is written is read as it was, and is 55 characters long', () => {
  const id = (length: number) => hex(length).filter((text) => !/^0+$/.test(text));
  const made = fc.record({ traceId: id(32), spanId: id(16), isSampled: fc.boolean() });
  fc.assert(
    fc.property(made, (parent) => {
      const text = formatTraceparent(parent);
      assert.equal(text.length, 55);
      assert.deepEqual(parseTraceparent(text), { ...parent });
    }),
  );
});

test('ids are the random bytes in turn, without those that are all zeroes', () => {
  const kind = fc.constantFrom('trace' as const, 'span' as const);
  fc.assert(
    fc.property(fc.array(kind, { minLength: 1, maxLength: 900 }), fc.nat(255), (kinds, first) => {
      let next = first;
      const ids = new TraceIds((bytes) => {
        // Long runs of zeroes, so that ids of zeroes come up.
        for (let at = 0; at < bytes.length; at += 1) {
          bytes[at] = at % 64 < 32 ? 0 : next;
          next = (next + 7) % 256;
        }
      });
      for (const each of kinds) {
        const id = each === 'trace' ? ids.nextTraceId() : ids.nextSpanId();
        assert.match(id, each === 'trace' ? /^[0-9a-f]{32}$/ : /^[0-9a-f]{16}$/);
        assert.doesNotMatch(id, /^0+$/);
      }
    }),
    { numRuns: 50 },
  );
  const real = new TraceIds();
  const many = Array.from({ length: 2000 }, () => real.nextSpanId());
  assert.equal(new Set(many).size, many.length);
});
