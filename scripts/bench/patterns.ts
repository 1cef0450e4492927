/**
 * `npm run bench -- patterns`: the pattern set beside other ways to keep it. Look-up times at three
 * sizes, memory a pattern at a million, and what adding and deleting cost. Every representation runs
 * in a process of its own, so that neither the compiler nor the collector carries anything over from
 * one to the next. docs/decisions/0002-pattern-set.md says what was chosen.
 */
import { spawnSync } from 'node:child_process';
import xxhash from 'xxhash-wasm';
import { PatternRows } from '../../src/virus/pattern-rows.ts';
import { PatternSet } from '../../src/virus/pattern-set.ts';
import { PatternSlots } from '../../src/virus/pattern-slots.ts';
import { WindowHash } from '../../src/virus/window-hash.ts';

const patternSize = 16;
const sizes = [100, 10_000, 1_000_000];
const lookupCount = 65_536;
const turnCount = 3;
const roundCount = 5;
const seed = Math.floor(Math.random() * 2 ** 53);

/** Request strings, back to back in `bytes`, the window of each at offset 1; and as strings. */
interface Requests {
  readonly bytes: Buffer;
  readonly starts: Int32Array;
  readonly texts: readonly string[];
}

/** One way to keep patterns. Look-ups count how many of the requests matched. */
interface Representation {
  add(pattern: Uint8Array): void;
  /** Absent where the representation has no counterpart worth measuring. */
  del?(pattern: Uint8Array): void;
  countMatches(requests: Requests): number;
}

function windowsInBytes(find: (bytes: Buffer, start: number, end: number) => boolean) {
  return ({ bytes, starts }: Requests) => {
    let matches = 0;
    for (let at = 0; at < lookupCount; at += 1) {
      if (find(bytes, (starts[at] as number) + 1, starts[at + 1] as number)) matches += 1;
    }
    return matches;
  };
}

function windowsInText(find: (text: string) => boolean) {
  return ({ texts }: Requests) => {
    let matches = 0;
    for (const text of texts) {
      if (find(text)) matches += 1;
    }
    return matches;
  };
}

function makePatternSet(): PatternSet {
  return new PatternSet({ patternSize, maxPatterns: 10_000_000, seed });
}

function patternSet(isText: boolean): Representation {
  const set = makePatternSet();
  return {
    add: (pattern) => set.add(pattern, 385, 'console', 1_000_000_000_000),
    del: (pattern) => set.del(pattern, 385),
    countMatches: isText
      ? windowsInText((text) => set.findInString(text, 1) !== -1)
      : windowsInBytes((bytes, start, end) => set.findInBytes(bytes, start, end) !== -1),
  };
}

/** A pattern set behind a bit filter: two bits of one word a pattern, 8 to 16 bits for each. */
function filteredPatternSet(size: number): Representation {
  const set = makePatternSet();
  const hash = new WindowHash(patternSize, seed);
  const wordsLog2 = Math.max(2, Math.ceil(Math.log2((size * 8) / 32)));
  const words = new Uint32Array(2 ** wordsLog2);
  const shift = 32 - wordsLog2;
  const bitsOf = (value: number) => (1 << (value & 31)) | (1 << ((value >>> 5) & 31));
  return {
    add(pattern) {
      const value = hash.ofBytes(pattern, 0, patternSize);
      words[value >>> shift] = (words[value >>> shift] as number) | bitsOf(value);
      set.add(pattern, 385, 'console', 1_000_000_000_000);
    },
    countMatches: windowsInBytes((bytes, start, end) => {
      const value = hash.ofBytes(bytes, start, Math.min(end - start, patternSize));
      const bits = bitsOf(value);
      if (((words[value >>> shift] as number) & bits) !== bits) return false;
      return set.findInBytes(bytes, start, end) !== -1;
    }),
  };
}

/** The same arrays with xxhash-wasm in place of our hash. */
async function hashedByXxhash(): Promise<Representation> {
  const { h32Raw } = await xxhash();
  const hashSeed = seed >>> 0;
  const rows = new PatternRows(patternSize);
  const slots = new PatternSlots((row) => h32Raw(rows.pattern(row), hashSeed));
  return {
    add(pattern) {
      const row = rows.append({ pattern, origLength: 385, from: 0, atMs: 1_000_000_000_000 });
      slots.insert(h32Raw(pattern, hashSeed), row);
    },
    countMatches: windowsInBytes((bytes, start, end) => {
      const length = Math.min(end - start, patternSize);
      const hash = h32Raw(bytes.subarray(start, start + length), hashSeed);
      for (let slot = slots.first(hash); slot !== -1; slot = slots.next(hash, slot)) {
        if (rows.equalsBytes(slots.row(slot), bytes, start, length)) return true;
      }
      return false;
    }),
  };
}

function latin1(pattern: Uint8Array): string {
  return Buffer.from(pattern).toString('latin1');
}

/** Strings alone, without any bookkeeping. */
function setOfStrings(): Representation {
  const set = new Set<string>();
  return {
    add: (pattern) => set.add(latin1(pattern)),
    del: (pattern) => set.delete(latin1(pattern)),
    countMatches: windowsInText((text) => set.has(text.slice(1, 1 + patternSize))),
  };
}

/** Strings with the same bookkeeping as the pattern set, as objects. */
function mapOfObjects(): Representation {
  const map = new Map<string, object>();
  return {
    add(pattern) {
      const counts = { origLength: 385, from: 'console', addedAtMs: 1e12, hits: 0, lastHitMs: 0.5 };
      map.set(latin1(pattern), counts);
    },
    del: (pattern) => map.delete(latin1(pattern)),
    countMatches: windowsInText((text) => map.has(text.slice(1, 1 + patternSize))),
  };
}

const representations: Record<string, (size: number) => Representation | Promise<Representation>> =
  {
    'PatternSet, bytes': () => patternSet(false),
    'PatternSet, string': () => patternSet(true),
    'PatternSet + bit filter': filteredPatternSet,
    'typed arrays + xxhash-wasm': hashedByXxhash,
    'Set<string>': setOfStrings,
    'Map<string, object>': mapOfObjects,
  };

/** Patterns back to back, so that a million of them do not crowd the heap. */
class Patterns {
  readonly count: number;
  readonly #bytes: Buffer;

  /** Random printable patterns, all different. */
  constructor(count: number) {
    this.count = count;
    this.#bytes = Buffer.alloc(count * patternSize);
    for (let at = 0; at < this.#bytes.length; at += 1) {
      this.#bytes[at] = 33 + Math.floor(Math.random() * 90);
    }
    for (let index = 0; index < count; index += 1) this.at(index).write(index.toString(36));
  }

  at(index: number): Buffer {
    return this.#bytes.subarray(index * patternSize, (index + 1) * patternSize);
  }

  random(): Buffer {
    return this.at(Math.floor(Math.random() * this.count));
  }
}

function makeRequests(windowOf: (index: number) => string): Requests {
  const starts = new Int32Array(lookupCount + 1);
  const texts: string[] = [];
  for (let index = 0; index < lookupCount; index += 1) {
    const window = windowOf(index);
    const text = `/${window}${window.length < patternSize ? '' : '/a?b=c HTTP/1.1'}`;
    starts[index + 1] = (starts[index] as number) + text.length;
    texts.push(latin1(Buffer.from(text, 'latin1')));
  }
  return { bytes: Buffer.from(texts.join(''), 'latin1'), starts, texts };
}

/** Hits, misses, and a mix as a site sees it: 95 of 100 requests for few, often repeated targets. */
function makeWorkloads(patterns: Patterns): Record<'miss' | 'hit' | 'mix', Requests> {
  const others = new Patterns(lookupCount);
  const missAt = (index: number) => `~~~~~~~~${latin1(others.at(index)).slice(8)}`;
  const site = Array.from({ length: 500 }, (_, index) => missAt(index).slice(0, 3 + (index % 14)));
  return {
    miss: makeRequests(missAt),
    hit: makeRequests(() => latin1(patterns.random())),
    mix: makeRequests(() => {
      if (Math.random() < 0.05) return latin1(patterns.random());
      return site[Math.floor(Math.random() ** 3 * site.length)] as string;
    }),
  };
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[Math.floor(values.length / 2)] as number;
}

/** What one size of one representation measured: ns, or bytes for memory. */
type Figures = Record<string, number>;

/**
 * The median time of one look-up in ns, for each workload. The workloads take turns, so that a busy
 * moment of the machine does not fall on one of them alone; the first round of a turn only warms the
 * caches.
 */
function measureLookups(
  representation: Representation,
  workloads: Record<string, Requests>,
): Figures {
  const times = new Map<string, number[]>();
  for (let turn = 0; turn < turnCount; turn += 1) {
    for (const [name, requests] of Object.entries(workloads)) {
      const own = times.get(name) ?? [];
      times.set(name, own);
      representation.countMatches(requests);
      for (let round = 0; round < roundCount; round += 1) {
        const begin = performance.now();
        representation.countMatches(requests);
        own.push(((performance.now() - begin) * 1e6) / lookupCount);
      }
    }
  }
  return Object.fromEntries([...times].map(([name, values]) => [name, median(values)]));
}

function usedBytes(): number {
  for (let round = 0; round < 3; round += 1) globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

async function measureSize(name: string, size: number): Promise<Figures> {
  const make = representations[name];
  if (make === undefined) throw new Error(`no representation is called ${name}`);
  const figures: Figures = {};
  const patterns = new Patterns(size);
  const before = usedBytes();
  const representation = await make(size);
  const begin = performance.now();
  for (let index = 0; index < size; index += 1) representation.add(patterns.at(index));
  figures.add = ((performance.now() - begin) * 1e6) / size;
  figures.memory = (usedBytes() - before) / size;
  Object.assign(figures, measureLookups(representation, makeWorkloads(patterns)));
  if (representation.del !== undefined) churn(representation, patterns, figures);
  return figures;
}

/** Deletes and adds patterns a million times, or 100,000 at the large size, then looks up again. */
function churn(representation: Representation, patterns: Patterns, figures: Figures): void {
  const cycles = patterns.count > 100_000 ? 100_000 : 1_000_000;
  const begin = performance.now();
  for (let cycle = 0; cycle < cycles; cycle += 1) {
    const pattern = patterns.random();
    representation.del?.(pattern);
    pattern[15] = 33 + (((pattern[15] as number) + 1) % 90);
    representation.add(pattern);
  }
  figures.cycle = ((performance.now() - begin) * 1e6) / cycles;
  const missAfter = makeWorkloads(patterns).miss;
  Object.assign(figures, measureLookups(representation, { missAfter }));
}

async function measure(name: string): Promise<Figures[]> {
  const all: Figures[] = [];
  // The first round only warms the compiler up.
  await measureSize(name, 1_000);
  for (const size of sizes) all.push(await measureSize(name, size));
  return all;
}

function measureInChild(name: string): Figures[] {
  const script = process.argv[1] ?? '';
  const child = spawnSync(process.execPath, ['--expose-gc', script, '--measure', name], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (child.status !== 0) throw new Error(`the measurement of ${name} failed`);
  return JSON.parse(child.stdout) as Figures[];
}

function line(name: string, cells: readonly string[]): string {
  return name.padEnd(28) + cells.map((cell) => cell.padStart(9)).join('');
}

function shown(value: number | undefined): string {
  return value === undefined ? '-' : value.toFixed(value < 10 ? 1 : 0);
}

const tables: readonly { figure: string; title: string }[] = [
  { figure: 'miss', title: 'look-up, random windows, none in the set' },
  { figure: 'hit', title: 'look-up, random patterns of the set' },
  { figure: 'mix', title: 'look-up, 95 % humble requests for 500 targets, 5 % virus requests' },
  { figure: 'missAfter', title: 'the first again after a million deletions and additions *' },
  { figure: 'add', title: 'filling an empty set, a pattern' },
  { figure: 'cycle', title: 'deleting a pattern and adding another' },
];

function report(): void {
  const results = Object.keys(representations).map((name) => ({ name, all: measureInChild(name) }));
  for (const { figure, title } of tables) {
    console.log(`\n${title}: ns`);
    console.log(line('', [...sizes.map((size) => String(size)), '1M : 100']));
    for (const { name, all } of results) {
      const values = all.map((figures) => figures[figure]);
      const [smallest, , largest] = values;
      if (smallest === undefined || largest === undefined) continue;
      console.log(line(name, [...values.map(shown), (largest / smallest).toFixed(2)]));
    }
  }
  console.log('\nmemory at 1,000,000 patterns, heap and array buffers: bytes a pattern');
  for (const { name, all } of results) console.log(line(name, [shown(all[2]?.memory)]));
  console.log('\n* 100,000 at the largest size');
}

if (process.argv[2] === '--measure') {
  process.stdout.write(JSON.stringify(await measure(process.argv[3] ?? '')));
} else {
  console.log(
    `Node.js ${process.version}, medians of ${turnCount * roundCount} rounds of ${lookupCount}`,
  );
  report();
}
