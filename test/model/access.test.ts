/**
 * Any bytes as a request, any text as an address or keyword: the line still parses as common log
 * format with the fields in their places, and tells what was sent.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type AccessOutcome,
  cutLineBytes,
  formatAccess,
  wholeLineBytesMax,
} from '../../src/log/access.ts';

/** A strict reading of a line: seven fields of common log format, and the extra field. */
const lineForm =
  /^([0-9A-Za-z.:%_-]+) - - \[(\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d [+-]\d{4})\] "([ !#-[\]-~]+)" (\d{3}|-) (\d+|-)( .+)?$/;
const extraForm =
  /^ (?:(detect|never-block) )?(?:pattern="([ !#-[\]-~]*)" from=([!#-[\]-~]+) )?(?:error=[!#-[\]-~]+ )?id=([!#-[\]-~]+)$/;

const anyByte = fc.integer({ min: 0, max: 255 });
const hostileByte = fc.constantFrom(...Buffer.from('"\\\r\n\0 %[]-=id41'));
const bytes = fc.uint8Array({ maxLength: 600 });
const latin1 = fc
  .oneof(bytes, fc.array(fc.oneof(hostileByte, anyByte), { maxLength: 400 }))
  .map((values) => Buffer.from(values).toString('latin1'));
const size = fc.nat();
const reason = fc.record({
  matched: fc.uint8Array({ minLength: 16, maxLength: 16 }),
  from: fc.oneof(
    fc.constantFrom('console', 'ncf', 'shipped'),
    latin1.map((keyword) => `auto(${keyword})`),
  ),
  requestId: fc.oneof(latin1, fc.constant('7Q2K')),
});
const status = fc.integer({ min: 100, max: 599 });

const outcome: fc.Arbitrary<AccessOutcome> = fc.oneof(
  fc.record({ kind: fc.constant('answered' as const), status, bytes: size }),
  fc.record({
    kind: fc.constant('answered' as const),
    status: fc.option(status, { nil: undefined }),
    bytes: size,
    passed: fc
      .tuple(reason, fc.constantFrom('detect' as const, 'never-block' as const))
      .map(([why, because]) => ({ ...why, because })),
    error: fc.record({ code: fc.constant('origin_refused'), requestId: latin1 }),
  }),
  fc.record({ kind: fc.constant('slipped' as const), reason }),
  fc.record({ kind: fc.constant('dropped' as const), bytes: size, reason }),
  fc.record({
    kind: fc.constant('malformed' as const),
    status,
    bytes: size,
    requestId: latin1,
  }),
);
const entry = fc.record({
  client: fc.oneof(latin1, fc.ipV4(), fc.ipV6()),
  atMs: fc.integer({ min: 0, max: Date.UTC(2100, 0, 1) }),
  requestLine: latin1,
  outcome,
});

function decodePercent(text: string): string {
  return text.replace(/%([0-9a-fA-F]{2})/g, (_whole, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
}

/** Splits a line, failing where it has not the form of one. */
function parse(line: string): { request: string; status: string; extra: string } {
  const fields = lineForm.exec(line);
  assert.ok(fields, line);
  const [, , , request = '', statusField = '', , extra = ''] = fields;
  return { request, status: statusField, extra };
}

test('whatever is sent, a line has the fields of common log format and no others', () => {
  fc.assert(
    fc.property(entry, (sent) => {
      const line = formatAccess(sent);
      assert.match(line, /^[ -~]+$/);
      const { status: statusField, extra } = parse(line);
      const { outcome: what } = sent;
      if (what.kind === 'slipped') assert.equal(statusField, '-');
      if (what.kind === 'answered' && !what.passed && !what.error) {
        assert.equal(extra, '');
        return;
      }
      const marks = extraForm.exec(extra);
      assert.ok(marks, extra);
      const expected = what.kind === 'answered' ? what.passed?.because : undefined;
      assert.equal(marks[1], expected);
    }),
    { seed: 2, numRuns: 1000 },
  );
});

test('the request bytes that were not cut come back by %-decoding', () => {
  fc.assert(
    fc.property(entry, fc.boolean(), (sent, longer) => {
      const requestLine = longer
        ? sent.requestLine.repeat(1 + Math.ceil(wholeLineBytesMax / 200))
        : sent.requestLine;
      fc.pre(requestLine !== '');
      const isMalformed = sent.outcome.kind === 'malformed';
      const isCut = requestLine.length > (isMalformed ? cutLineBytes : wholeLineBytesMax);
      let { request } = parse(formatAccess({ ...sent, requestLine }));
      if (isMalformed) {
        assert.ok(request.startsWith('(bad request line) '));
        request = request.slice('(bad request line) '.length);
      }
      if (isCut) {
        assert.ok(request.endsWith(' (truncated)'));
        request = request.slice(0, -' (truncated)'.length);
      }
      const kept = isCut ? requestLine.slice(0, cutLineBytes) : requestLine;
      assert.equal(decodePercent(request), decodePercent(kept));
      if (!kept.includes('%')) assert.equal(decodePercent(request), kept);
    }),
    { seed: 2, numRuns: 500 },
  );
});

test('the pattern of a blocked line comes back by %-decoding', () => {
  fc.assert(
    fc.property(entry, reason, (sent, why) => {
      const line = formatAccess({ ...sent, outcome: { kind: 'slipped', reason: why } });
      const marks = extraForm.exec(parse(line).extra);
      const printed = Buffer.from(why.matched).toString('latin1').replace(/\0+$/, '');
      assert.equal(decodePercent(marks?.[2] ?? ''), decodePercent(printed));
      assert.equal(decodePercent(marks?.[3] ?? ''), decodePercent(why.from));
    }),
    { seed: 2, numRuns: 500 },
  );
});
