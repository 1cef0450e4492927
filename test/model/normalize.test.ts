/**
 * Normalising against a naive model written with regular expressions and RFC 3986 §5.2.4 to the
 * letter, and screening against the model that always normalises, whatever the pre-check says.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { normalizedRequestString, normalizeTarget } from '../../src/virus/normalize.ts';
import { cutWindow } from '../../src/virus/pattern.ts';
import { PatternSet } from '../../src/virus/pattern-set.ts';
import { Screen } from '../../src/virus/screen.ts';

function decode(text: string): string {
  return text.replace(/%([0-9a-fA-F]{2})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
}

function removeDotSegments(path: string): string {
  let input = path;
  let output = '';
  while (input !== '') {
    if (input.startsWith('../')) input = input.slice(3);
    else if (input.startsWith('./')) input = input.slice(2);
    else if (input.startsWith('/./')) input = input.slice(2);
    else if (input === '/.') input = '/';
    else if (input.startsWith('/../') || input === '/..') {
      input = `/${input.slice(4)}`;
      output = output.slice(0, Math.max(output.lastIndexOf('/'), 0));
    } else if (input === '.' || input === '..') input = '';
    else {
      const segment = /^\/?[^/]*/.exec(input)?.[0] ?? '';
      output += segment;
      input = input.slice(segment.length);
    }
  }
  return output;
}

const trigger = /%|\\|\/\/|\/\./;

function modelTarget(target: string): string | undefined {
  return trigger.test(target) ? normalizeAnyway(target) : undefined;
}

function normalizeAnyway(target: string): string {
  const [, path = '', query = ''] = /^([^?]*)(.*)$/s.exec(target) ?? [];
  const slashed = decode(decode(path)).replace(/[\\/]+/g, '/');
  return removeDotSegments(slashed) + decode(decode(query));
}

function modelRequestString(requestString: string): string | undefined {
  const [, target = '', blanks = '', version = ''] =
    /^(.*?)(?:( +)([^ ]*))?$/s.exec(requestString) ?? [];
  if (!trigger.test(target) && blanks.length < 2) return undefined;
  const normalized = normalizeAnyway(target);
  return blanks === '' ? normalized : `${normalized} ${version}`;
}

const pieces = ['/', '/', '.', '..', '/../', '/./', '\\', '?', '%', '%2e', '%2F', '%5c', '%25'];
const more = ['%3f', '%35', '%41', '2e', '5c', 'a', 'b', 'dir', '\0', '\xff', 'c', ' '];
const target = fc
  .array(fc.constantFrom(...pieces, ...more), { maxLength: 14 })
  .map((parts) => parts.join(''));
/** Mostly ordinary characters, so that a single trigger often stands alone, at any place. */
const ordinary = fc
  .array(fc.constantFrom('a', 'b', 'c', 'd', '/', 'e', 'f', '?', '//', '/..', '%41'), {
    maxLength: 14,
  })
  .map((parts) => parts.join(''));
const rooted = fc.oneof(
  target,
  target.map((text) => `/${text}`),
  ordinary.map((text) => `/${text}`),
);
const blanks = fc.constantFrom('', ' ', ' ', '  ', '    ');
const version = fc.constantFrom('HTTP/1.1', 'HTTP/1.1', 'HTTP//1', '%41', '');
const requestString = fc
  .tuple(rooted, blanks, version)
  .map(([text, gap, end]) => (gap === '' ? text : text + gap + end));

test('a target is normalised as the naive model does it', () => {
  fc.assert(
    fc.property(rooted, (text) => assert.equal(normalizeTarget(text), modelTarget(text))),
    { numRuns: 8_000 },
  );
});

test('a request string is normalised as the naive model does it', () => {
  fc.assert(
    fc.property(requestString, (text) =>
      assert.equal(normalizedRequestString(text), modelRequestString(text)),
    ),
    { numRuns: 4_000 },
  );
});

test('screening finds what looking at both windows of every request finds', () => {
  const shape = fc.record({
    text: requestString,
    patternSize: fc.integer({ min: 4, max: 12 }),
    patternStartOffset: fc.integer({ min: 0, max: 6 }),
    before: fc.constantFrom('', 'GET ', '/../'),
    after: fc.constantFrom('', '\r\n', '/../ '),
  });
  let secondLooks = 0;
  fc.assert(
    fc.property(shape, ({ text, patternSize, patternStartOffset, before, after }) => {
      const set = new PatternSet({ patternSize, maxPatterns: 10, seed: 1 });
      const screen = new Screen(set, { patternStartOffset, normalizeRequests: true });
      const bytes = Buffer.from(before + text + after, 'latin1');
      const screened = () => {
        const index = screen.screen(text);
        const end = before.length + text.length;
        assert.equal(screen.screenBytes(bytes, before.length, end), index);
        return index === -1 ? undefined : set.entry(index).origLength;
      };
      assert.equal(screened(), undefined);
      const normalized = modelRequestString(text) ?? text;
      set.add(cutWindow(normalized, patternStartOffset, patternSize), 2, 'console', 0);
      assert.equal(screened(), 2);
      const raw = cutWindow(text, patternStartOffset, patternSize);
      const isSame = set.add(raw, 1, 'console', 0) === 'added' && set.del(raw, 2) === false;
      if (isSame) secondLooks += 1;
      const first = set.entry(set.findInString(text, patternStartOffset)).origLength;
      assert.equal(screened(), first);
    }),
    { numRuns: 8_000 },
  );
  assert.ok(secondLooks > 1_000);
});
