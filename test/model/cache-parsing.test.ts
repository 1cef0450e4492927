/** Directives, ranges, entity tags, dates and keys: what was written is what is read, and nothing crashes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseCacheControl, parseTargeted } from '../../src/cache/cache-control.ts';
import { entityTags } from '../../src/cache/conditional.ts';
import { parseDictionary } from '../../src/cache/dictionary.ts';
import { formatHttpDate, parseHttpDate } from '../../src/cache/http-date.ts';
import { keyHost, keyPrefix, parsePurgeTarget, urlOfKey } from '../../src/cache/key.ts';
import { contentRange, decideRange } from '../../src/cache/range.ts';
import { normalizedValue } from '../../src/cache/vary.ts';

const token = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/);
const text = fc.string({
  unit: fc.constantFrom('a', ',', '"', '\\', '=', ' ', 'max-age=9'),
  maxLength: 6,
});
const blanks = fc.constantFrom('', ' ', '\t', '  ');

function quoted(value: string): string {
  return `"${value.replace(/["\\]/g, '\\$&')}"`;
}

test('directives are read as they were written, whatever stands in quotation marks', () => {
  const directive = fc.record({
    name: token,
    value: fc.oneof(fc.constant(undefined), fc.integer({ min: 0, max: 2 ** 31 }).map(String), text),
    blank: blanks,
  });
  fc.assert(
    fc.property(fc.uniqueArray(directive, { selector: ({ name }) => name }), (directives) => {
      const written = directives.map(({ name, value, blank }) => {
        if (value === undefined) return blank + name + blank;
        const isNumber = /^[0-9]+$/.test(value);
        return `${blank}${name.toUpperCase()}=${isNumber ? value : quoted(value)}${blank}`;
      });
      const read = parseCacheControl([written.join(',')]);
      for (const { name, value } of directives) {
        assert.ok(read.has(name));
        const seconds = read.seconds(name);
        const isNumber = value !== undefined && /^[0-9]+$/.test(value);
        assert.deepEqual(seconds, isNumber ? Number(value) : Number.NaN);
        assert.equal(read.standsAlone(name), value === undefined);
      }
      assert.ok(directives.some(({ name }) => name === 'max-age') || !read.has('max-age'));
    }),
  );
});

test('no text makes the readers fail, and both know no more than the text says', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 40 }), fc.array(text), (any, parts) => {
      for (const each of [any, parts.join(''), `max-age=${any}`]) {
        parseCacheControl([each]);
        parseTargeted([each]);
        parseDictionary(each);
        parsePurgeTarget(each, false);
        entityTags(each);
        normalizedValue('foo', each);
        decideRange(each, 10);
        const atMs = parseHttpDate(each, 0);
        assert.ok(Number.isNaN(atMs) || each.toLowerCase().includes(' '));
      }
    }),
  );
});

test('a range is what Array.slice would cut, or is refused', () => {
  const number = fc.integer({ min: 0, max: 12 });
  fc.assert(
    fc.property(number, fc.option(number), fc.option(number), (lengthBytes, first, last) => {
      const bytes = Array.from({ length: lengthBytes }, (_, index) => index);
      const decision = decideRange(`bytes=${first ?? ''}-${last ?? ''}`, lengthBytes);
      if (first === null && last === null) return assert.equal(decision.kind, 'whole');
      if (first === null && last !== null) {
        const wanted = last === 0 ? [] : bytes.slice(-last);
        if (decision.kind !== 'part') return assert.deepEqual(wanted, []);
        return assert.deepEqual(bytes.slice(decision.start, decision.end), wanted);
      }
      if (last !== null && last < (first ?? 0)) return assert.equal(decision.kind, 'whole');
      const wanted = bytes.slice(first ?? 0, last === null ? undefined : last + 1);
      if (decision.kind !== 'part') {
        assert.equal(contentRange(decision, lengthBytes), `bytes */${lengthBytes}`);
        return assert.deepEqual([decision.kind, wanted], ['unsatisfiable', []]);
      }
      assert.deepEqual(bytes.slice(decision.start, decision.end), wanted);
      const [, from, to] = /^bytes (\d+)-(\d+)\//.exec(contentRange(decision, lengthBytes)) ?? [];
      assert.deepEqual([Number(from), Number(to)], [wanted[0], wanted.at(-1)]);
    }),
  );
});

test('the tags of a list are those that were written into it', () => {
  const tag = fc
    .tuple(fc.boolean(), fc.stringMatching(/^[!#-~]{0,5}$/))
    .map(([isWeak, opaque]) => `${isWeak ? 'W/' : ''}"${opaque}"`);
  fc.assert(
    fc.property(fc.array(fc.tuple(tag, blanks, blanks)), (tags) => {
      const written = tags.map(([each, before, behind]) => before + each + behind).join(',');
      assert.deepEqual(
        entityTags(written),
        tags.map(([each]) => each),
      );
    }),
  );
});

test('a date that is written is read again', () => {
  fc.assert(
    fc.property(fc.integer({ min: -6e10, max: 2.5e11 }), (second) => {
      const atMs = second * 1000;
      assert.equal(parseHttpDate(formatHttpDate(atMs), 0), atMs);
    }),
  );
});

test('keys of different targets, hosts, schemes or accelerators differ, and URLs find their keys', () => {
  const host = fc.constantFrom('a', 'A', 'b', 'a:80', 'a:443', 'a:8080', '[::1]', '[::1]:80');
  const part = fc.record({
    site: fc.constantFrom('x', 'x y', 'http://a'),
    scheme: fc.constantFrom('http' as const, 'https' as const),
    host,
    target: fc.stringMatching(/^\/[a-z?%/.]{0,4}$/),
  });
  const keyOf = ({
    site,
    scheme,
    host: name,
    target,
  }: typeof part extends fc.Arbitrary<infer T> ? T : never) =>
    keyPrefix(site, scheme, name) + target;
  fc.assert(
    fc.property(part, part, (one, other) => {
      const isSame =
        one.site === other.site &&
        one.scheme === other.scheme &&
        one.target === other.target &&
        keyHost(one.scheme, one.host) === keyHost(other.scheme, other.host);
      assert.equal(keyOf(one) === keyOf(other), isSame);
      const purged = parsePurgeTarget(`${one.scheme}://${one.host}${one.target}`, false);
      assert.equal(purged.ok && purged.url, urlOfKey(keyOf(one)));
    }),
  );
});

test('long texts of a client are read in proportion to their length', () => {
  const long = 200_000;
  for (const piece of [' ', '\t', ',', ' ,', ';', '"', '\\', '"\\', '=', 'W/"', '#', 'a=']) {
    const value = `a,${piece.repeat(long)}a`;
    for (const field of ['foo', 'accept-language']) normalizedValue(field, value);
    parseCacheControl([value]);
    parseTargeted([value]);
    entityTags(value);
    decideRange(`bytes=${value}`, 10);
    parsePurgeTarget(`http://a/${value}`, false);
  }
});
