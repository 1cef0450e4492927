/**
 * Shows, for each keyword of patterns/keywords.ncf, which lines of each file of test/data hold it:
 * attacks, humble requests, and those that are neither. Then the share of attacks that hold a keyword,
 * and which hold none. Exits 1 when a humble request holds one.
 *
 * Run it after a build: `node dist/scripts/keyword-evidence.js`.
 */
import { KeywordSearch } from '../src/virus/keyword-search.ts';
import { lineRanges, readSamples, type Sample } from '../test/support/samples.ts';
import { keywordFile, readShippedKeywords } from '../test/support/shipped-keywords.ts';

/** What the keywords made of one sample. */
interface Evidence extends Sample {
  /** The numbers of the lines that hold each keyword, by its index. */
  readonly held: ReadonlyMap<number, readonly number[]>;
  /** The requests that hold a keyword, with the first one. */
  readonly found: readonly { readonly requestString: string; readonly index: number }[];
  readonly missed: readonly string[];
}

const keywords = readShippedKeywords();
const search = new KeywordSearch(keywords.map(({ keyword }) => keyword));

function gather(sample: Sample): Evidence {
  const held = new Map<number, number[]>();
  const found: { requestString: string; index: number }[] = [];
  const missed: string[] = [];
  for (const [at, requestString] of sample.requestStrings.entries()) {
    const bytes = Buffer.from(requestString, 'latin1');
    const indexes = search.findAll(bytes, 0, bytes.length);
    for (const index of indexes) {
      held.set(index, [...(held.get(index) ?? []), sample.lines[at] ?? 0]);
    }
    const [index] = indexes;
    if (index === undefined) missed.push(requestString);
    else found.push({ requestString, index });
  }
  return { ...sample, held, found, missed };
}

function percent(part: number, whole: number): string {
  return `${((100 * part) / whole).toFixed(1)} %`;
}

const evidence = readSamples().map(gather);
const attacks = evidence.filter(({ kind }) => kind === 'attack');
const humble = evidence.filter(({ kind }) => kind === 'humble');

for (const [index, { keyword, line }] of keywords.entries()) {
  console.log(`${keywordFile}:${line}: "%s"`, keyword);
  for (const { name, held } of evidence) {
    const lines = held.get(index) ?? [];
    if (lines.length > 0) console.log(`  ${name}: ${lineRanges(lines)}`);
  }
}

for (const { name, missed } of attacks) {
  for (const requestString of new Set(missed))
    console.log('HOLDS NONE: %s: %s', name, requestString);
}
for (const { kind, name, found } of evidence.filter(({ kind }) => kind !== 'attack')) {
  for (const { requestString, index } of found) {
    const what = kind === 'humble' ? 'HUMBLE, HOLDS' : 'neither, holds';
    console.log('%s "%s": %s: %s', what, keywords[index]?.keyword, name, requestString);
  }
}
for (const { name, kind, found, requestStrings } of evidence) {
  const share = percent(found.length, requestStrings.length);
  console.log(`${name} (${kind}): ${found.length} of ${requestStrings.length}, ${share}`);
}

const countAll = (samples: readonly Evidence[]) =>
  samples.reduce((sum, { requestStrings }) => sum + requestStrings.length, 0);
const countFound = (samples: readonly Evidence[]) =>
  samples.reduce((sum, { found }) => sum + found.length, 0);
console.log(
  `${keywords.length} keywords; ${countFound(attacks)} of ${countAll(attacks)} attacks hold one, ` +
    `${percent(countFound(attacks), countAll(attacks))}; ` +
    `${countFound(humble)} of ${countAll(humble)} humble requests do`,
);
process.exitCode = countFound(humble) > 0 ? 1 : 0;
