/**
 * The keyword search against a naive model: `includes` and `endsWith` over the folded text as it is,
 * decoded once and decoded twice by a regular expression. Small alphabets make shared beginnings and
 * ends, overlaps and escapes frequent.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { KeywordSearch } from '../../src/virus/keyword-search.ts';

function decode(text: string): string {
  return text.replace(/%([0-9a-fA-F]{2})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
}

function fold(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/** The text as it is, decoded once and decoded twice, each folded. */
function formsOf(text: string): string[] {
  return [text, decode(text), decode(decode(text))].map(fold);
}

/** The keyword that ends first in `form`, the longest of those that end there; -1: none. */
function modelFindIn(keywords: readonly string[], form: string): number {
  for (let end = 1; end <= form.length; end += 1) {
    const read = form.slice(0, end);
    const ending = keywords.filter((keyword) => read.endsWith(keyword));
    if (ending.length === 0) continue;
    const longest = Math.max(...ending.map((keyword) => keyword.length));
    return keywords.indexOf(ending.find((keyword) => keyword.length === longest) ?? '');
  }
  return -1;
}

function modelFind(keywords: readonly string[], text: string): number {
  for (const form of formsOf(text)) {
    const index = modelFindIn(keywords, form);
    if (index !== -1) return index;
  }
  return -1;
}

function modelFindAll(keywords: readonly string[], text: string): number[] {
  const forms = formsOf(text);
  const indexes = keywords.flatMap((keyword, index) =>
    keywords.indexOf(keyword) === index && forms.some((form) => form.includes(keyword))
      ? [index]
      : [],
  );
  return indexes;
}

/** `escapes`: pieces that decode to letters of the alphabet, in one round or in two. */
function textOf(letters: readonly string[], escapes: readonly string[], lengthMax: number) {
  return fc
    .array(fc.constantFrom(...letters, ...letters, ...escapes), { maxLength: lengthMax })
    .map((pieces) => pieces.join(''));
}

const escapesOfAb = ['%61', '%62', '%41', '%2561', '%%36%32', '%', '%6', '6', '%25'];

/** Sets of keywords and texts in which they, or much of them, stand often. */
const shapes = {
  'two letters, keywords of any length': {
    keyword: textOf(['a', 'b', 'B'], ['%61', '6', '%'], 5),
    text: textOf(['a', 'b', 'A'], escapesOfAb, 20),
  },
  'two letters, keywords that can be filtered': {
    keyword: textOf(['a', 'b', 'B'], [], 14).filter((text) => text.length > 2),
    text: textOf(['a', 'b', 'A'], escapesOfAb, 60),
  },
  'four letters, long keywords': {
    keyword: textOf(['a', 'b', 'c', 'd'], [], 24).filter((text) => text.length > 7),
    text: textOf(['a', 'b', 'c', 'd'], ['%63', '%2564', 'abcd', 'dcba'], 40),
  },
  'bytes that a filter may confuse': {
    keyword: textOf(['@', '`', '\xc0', '\xe0', '\0', ' '], [], 6).filter((text) => text.length > 2),
    text: textOf(['@', '`', '\xc0', '\xe0', '\0', ' '], ['%60', '%00', '%C0'], 30),
  },
};

for (const [title, { keyword, text }] of Object.entries(shapes)) {
  test(`keywords are found as the naive model finds them: ${title}`, () => {
    let foundCount = 0;
    let otherCount = 0;
    const words = fc.array(
      keyword.filter((each) => each !== ''),
      { maxLength: 12 },
    );
    const parts = fc.array(fc.oneof(text, fc.nat(11)), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(words, parts, fc.constantFrom('', 'ab', '%6'), (keywords, pieces, around) => {
        const search = new KeywordSearch(keywords);
        const body = pieces
          .map((piece) => (typeof piece === 'string' ? piece : (keywords[piece] ?? '')))
          .join('');
        const bytes = Buffer.from(around + body + around, 'latin1');
        const end = around.length + body.length;
        const folded = keywords.map(fold);
        const expected = modelFind(folded, body);
        assert.equal(search.findInBytes(bytes, around.length, end), expected);
        assert.equal(
          search.findInBytes(bytes, around.length, end, false),
          modelFindIn(folded, fold(body)),
        );
        assert.deepEqual(search.findAll(bytes, around.length, end), modelFindAll(folded, body));
        if (expected === -1) otherCount += 1;
        else foundCount += 1;
      }),
      { numRuns: 4_000 },
    );
    assert.ok(foundCount > 500 && otherCount > 500, `${foundCount} found, ${otherCount} not`);
  });
}
