/** Spans as OTLP: what is encoded is what a collector reads. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodeSpans, refusedSpans } from '../../../src/log/otlp.ts';
import type { Span } from '../../../src/log/span.ts';
import { readSpans, refusalOf } from '../../support/otlp-reader.ts';

const hex = (length: number) => fc.stringMatching(new RegExp(`^[0-9a-f]{${length}}$`));
const source = { serviceName: 'shop', version: '1.2.3', instanceId: 'i' };

const spanModel: fc.Arbitrary<Span> = fc.record({
  traceId: hex(32),
  spanId: hex(16),
  parentSpanId: fc.option(hex(16), { nil: undefined }),
  traceState: fc.option(fc.stringMatching(/^[a-z]=[0-9]{1,5}$/), { nil: undefined }),
  name: fc.constantFrom('GET', 'HTTP'),
  startMs: fc.integer({ min: 1, max: 2 ** 41 }),
  endMs: fc.integer({ min: 1, max: 2 ** 41 }),
  isError: fc.boolean(),
  attributes: fc.dictionary(
    fc.stringMatching(/^[a-z.]{1,20}$/),
    fc.oneof(fc.string(), fc.nat(65_535)),
    { noNullPrototype: true, maxKeys: 5 },
  ),
});

test('whatever a span says, a collector reads', () => {
  fc.assert(
    fc.property(fc.array(spanModel, { maxLength: 5 }), (spans) => {
      const read = readSpans(Buffer.from(encodeSpans(spans, source)));
      const expected = spans.map((span) => ({
        traceId: span.traceId,
        spanId: span.spanId,
        traceState: span.traceState ?? '',
        parentSpanId: span.parentSpanId ?? '',
        name: span.name,
        kind: 2,
        startNs: BigInt(span.startMs) * 1_000_000n,
        endNs: BigInt(span.endMs) * 1_000_000n,
        attributes: span.attributes,
        status: span.isError ? 2 : 0,
        flags: span.parentSpanId === undefined ? 0x101 : 0x301,
        resource: {
          ...{ 'service.name': 'shop', 'service.version': '1.2.3', 'service.instance.id': 'i' },
        },
      }));
      assert.deepEqual(read, expected);
    }),
  );
});

test('parts of a millisecond are kept', () => {
  const [span] = fc.sample(spanModel, 1);
  assert.ok(span !== undefined);
  const [read] = readSpans(
    Buffer.from(encodeSpans([{ ...span, startMs: 1000, endMs: 1000.25 }], source)),
  );
  assert.equal(read?.endNs, 1_000_250_000n);
});

test('an answer says how many spans it refuses; an odd one refuses none', () => {
  assert.deepEqual(refusedSpans(refusalOf(3, 'too old')), { count: 3, reason: 'too old' });
  assert.deepEqual(refusedSpans(Buffer.alloc(0)), { count: 0, reason: '' });
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      const { count, reason } = refusedSpans(bytes);
      assert.ok(count >= 0 && Number.isFinite(count));
      assert.equal(typeof reason, 'string');
    }),
    { numRuns: 2000 },
  );
});
