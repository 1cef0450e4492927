/**
 * `npm run bench -- keywords`: what the search for keywords costs. The time of one request, over the
 * request strings of site-b, of which nearly none holds a keyword; that of a line made to be slow; how
 * long building takes, and the memory. The keywords are put together from words of real attacks, and
 * none of them stands in a request of site-b; the shipped ones come last.
 */
import { KeywordSearch } from '../../src/virus/keyword-search.ts';
import { readSiteB } from '../../test/support/requests-data.ts';
import { readSamples } from '../../test/support/samples.ts';
import { readShippedKeywords } from '../../test/support/shipped-keywords.ts';

const counts = [0, 10, 100, 1_000, 10_000];
const roundCount = 31;
const lineBytes = 8_192;

/** Request strings, back to back in `bytes`. */
interface Requests {
  readonly bytes: Buffer;
  readonly starts: Int32Array;
  readonly mayDecode: readonly boolean[];
}

function packRequests(texts: readonly string[]): Requests {
  const starts = new Int32Array(texts.length + 1);
  for (const [index, text] of texts.entries()) {
    starts[index + 1] = (starts[index] as number) + text.length;
  }
  const bytes = Buffer.from(texts.join(''), 'latin1');
  return { bytes, starts, mayDecode: texts.map((text) => text.includes('%')) };
}

/** Numbers below `bound`, the same at every run. */
function numbers(): (bound: number) => number {
  let state = 1;
  return (bound) => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) | 0;
    return Math.floor(((state >>> 0) / 2 ** 32) * bound);
  };
}

/** `count` keywords of two or three words of real attacks, `bytesMin` bytes or more each. */
function makeKeywords(count: number, bytesMin: number, humble: string): string[] {
  const attacks = readSamples().filter(({ kind }) => kind === 'attack');
  const text = attacks.flatMap(({ requestStrings }) => requestStrings).join(' ');
  const words = [...new Set(text.match(/[\w-]{2,20}/g) ?? [])];
  const below = numbers();
  const pick = (from: readonly string[]) => from[below(from.length)] ?? '';
  const keywords = new Set<string>();
  while (keywords.size < count) {
    const rest = keywords.size % 2 === 0 ? '' : pick(['/', '.', '=', '-']) + pick(words);
    const keyword = (
      pick(words) +
      pick(['/', '.', '-', '_', '?']) +
      pick(words) +
      rest
    ).toLowerCase();
    if (keyword.length >= bytesMin && !humble.includes(keyword)) keywords.add(keyword);
  }
  return [...keywords];
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

/** The median time of `run`, in ns; the first rounds only warm the compiler up. */
function measure(run: () => void, rounds: number): number {
  const times: number[] = [];
  for (let round = 0; round < rounds + 5; round += 1) {
    const begin = performance.now();
    run();
    if (round >= 5) times.push((performance.now() - begin) * 1e6);
  }
  return median(times);
}

function searchAll(search: KeywordSearch, { bytes, starts, mayDecode }: Requests): number {
  let found = 0;
  for (let index = 0; index < mayDecode.length; index += 1) {
    const start = starts[index] as number;
    const end = starts[index + 1] as number;
    if (search.findInBytes(bytes, start, end, mayDecode[index]) !== -1) found += 1;
  }
  return found;
}

/** A line of keywords that lack their last byte, so that it holds none but nearly does everywhere. */
function hostileLine(search: KeywordSearch, keywords: readonly string[]): Buffer {
  let line = '/';
  for (const keyword of keywords) {
    const longer = Buffer.from(`${line}${keyword.slice(0, -1)}~`, 'latin1');
    if (longer.length > lineBytes) break;
    if (search.findInBytes(longer, 0, longer.length) === -1) line = longer.toString('latin1');
  }
  return Buffer.from(line.repeat(Math.ceil(lineBytes / line.length)).slice(0, lineBytes), 'latin1');
}

const columns = ['request', '8 KiB line', 'the same, %', 'build', 'memory', 'a keyword byte'];
const siteB = readSiteB().map(({ target, version }) => `${target} ${version}`);
const requests = packRequests(siteB);
const humbleText = siteB.join(' ').toLowerCase();

function row(name: string, cells: readonly string[]): string {
  return name.padEnd(10) + cells.map((cell) => cell.padStart(15)).join('');
}

function report(keywords: readonly string[]): void {
  const search = new KeywordSearch(keywords);
  let found = 0;
  const request = measure(() => {
    found = searchAll(search, requests);
  }, roundCount);
  if (found > 0) throw new Error(`${found} requests of site-b hold a keyword`);
  const line = hostileLine(search, keywords);
  // Its last escape makes the line be decoded twice, and searched three times.
  const escaped = Buffer.concat([line.subarray(0, -5), Buffer.from('%2541')]);
  const lineTime = measure(() => search.findInBytes(line, 0, line.length), roundCount);
  const escapedTime = measure(() => search.findInBytes(escaped, 0, escaped.length), roundCount);
  const build = measure(() => new KeywordSearch(keywords), 5);
  const keywordBytes = keywords.reduce((sum, { length }) => sum + length, 0);
  const cells = [
    `${(request / siteB.length).toFixed(0)} ns`,
    `${(lineTime / 1e3).toFixed(0)} us`,
    `${(escapedTime / 1e3).toFixed(0)} us`,
    `${(build / 1e6).toFixed(1)} ms`,
    `${(search.bytes / 1024).toFixed(0)} KiB`,
    keywordBytes === 0 ? '-' : `${(search.bytes / keywordBytes).toFixed(1)} B`,
  ];
  console.log(row(String(keywords.length), cells));
}

console.log(`Node.js ${process.version}, medians; ${siteB.length} requests of site-b`);
for (const bytesMin of [4, 8]) {
  console.log(`\nkeywords of ${bytesMin} bytes and more`);
  console.log(row('', columns));
  const keywords = makeKeywords(Math.max(...counts), bytesMin, humbleText);
  // The shortest first, so that every count has it: it decides how much can be skipped.
  const shortest = Math.min(...keywords.map(({ length }) => length));
  keywords.unshift(
    ...keywords.splice(
      keywords.findIndex(({ length }) => length === shortest),
      1,
    ),
  );
  for (const count of counts) report(keywords.slice(0, count));
}

console.log('\nthe shipped keywords');
report(readShippedKeywords().map(({ keyword }) => keyword));
