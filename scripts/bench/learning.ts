/**
 * `npm run bench -- learning`: what Auto Update costs on the request path, in process and in nanoseconds
 * a request: counting windows (their hashes are made by screening), and remembering what was served. The
 * requests are those of a real site's log in their order, and random ones as an attacker would send
 * them. Medians of rounds that take turns.
 */
import { DistributionTable } from '../../src/virus/heuristics.ts';
import { ServedMemory } from '../../src/virus/served-memory.ts';
import { WindowHash } from '../../src/virus/window-hash.ts';
import { readSiteB } from '../../test/support/requests-data.ts';
import { median } from './proxies/figures.ts';

const patternSize = 16;
const patternStartOffset = 1;
const roundCount = 7;
const bytesMax = 33_554_432;
const seed = Math.floor(Math.random() * 2 ** 53);
const hash = new WindowHash(patternSize, seed);
const lines = readSiteB().map(({ target, version }) =>
  Buffer.from(`${target} ${version}`, 'latin1'),
);
// Made from bytes as the server makes them: strings that were put together are read more slowly.
const requests = lines.map((line) => line.toString('latin1'));

/** One thing to measure: a round gives how many requests it did. */
interface Work {
  readonly name: string;
  readonly round: () => number;
}

/** Windows of random bytes, back to back. */
function randomBytes(count: number): Buffer {
  const bytes = Buffer.allocUnsafe(count * patternSize);
  for (let at = 0; at < bytes.length; at += 4) {
    bytes.writeUInt32LE(Math.floor(Math.random() * 2 ** 32), at);
  }
  return bytes;
}

function tallySite(): Work {
  const table = new DistributionTable({ patternSize, bytesMax });
  const hashes = lines.map(
    (line) => hash.ofBytes(line, 1, Math.min(line.length - 1, patternSize)) | 0,
  );
  let interval = 0;
  return {
    name: "count windows, a real site's requests, 10,000 an interval",
    round() {
      for (let turn = 0; turn < 100; turn += 1) {
        interval += 1;
        for (let at = 0; at < lines.length; at += 1) {
          const line = lines[at] as Buffer;
          table.tally(line, 1, line.length, hashes[at] as number, interval, 1_000_000);
        }
      }
      return 100 * lines.length;
    },
  };
}

function tallyRandom(distinct: number): Work {
  const table = new DistributionTable({ patternSize, bytesMax });
  const bytes = randomBytes(distinct);
  const hashes = Int32Array.from({ length: distinct }, (_, index) => {
    return hash.ofBytes(bytes, index * patternSize, patternSize);
  });
  let interval = 0;
  return {
    name: `count windows, ${distinct.toLocaleString('en')} random ones an interval`,
    round() {
      interval += 1;
      for (let at = 0; at < bytes.length; at += patternSize) {
        table.tally(bytes, at, at + patternSize, hashes[at / patternSize] as number, interval, 250);
      }
      return distinct;
    },
  };
}

function noteServed(): Work {
  const options = { patternStartOffset, patternSize, bytesMax: 4_194_304, lastsMs: 86_400_000 };
  const served = new ServedMemory({ ...options, seed, nowMs: 0 });
  return {
    name: "remember what was served, a real site's requests",
    round() {
      for (let turn = 0; turn < 50; turn += 1) {
        for (const text of requests) served.note(text, 0, text.length, 1);
      }
      return 50 * requests.length;
    },
  };
}

function measure(): void {
  const works = [tallySite(), tallyRandom(1_000_000), tallyRandom(4_000_000), noteServed()];
  const times = new Map<string, number[]>(works.map(({ name }) => [name, []]));
  for (let round = 0; round <= roundCount; round += 1) {
    for (const { name, round: work } of works) {
      const begin = performance.now();
      const count = work();
      const ns = ((performance.now() - begin) * 1e6) / count;
      // The first round only warms the compiler up.
      if (round > 0) times.get(name)?.push(ns);
    }
  }
  const meanLength = lines.reduce((sum, { length }) => sum + length, 0) / lines.length;
  console.log(`Node.js ${process.version}; request strings of ${meanLength.toFixed(0)} bytes\n`);
  for (const [name, values] of times)
    console.log(`${name.padEnd(64)}${median(values).toFixed(0).padStart(8)} ns`);
}

measure();
