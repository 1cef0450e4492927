/**
 * `npm run bench -- sources`: what virus sources cost, in process and in nanoseconds a request: what every
 * request pays, with nobody blocked and with many, what is remembered of an answer, and the path of a miss.
 * The requests are those of a real site's log in their order. Medians of rounds that take turns, of
 * processor time, so that others on the machine matter little.
 */
import { Statistics } from '../../src/statistics.ts';
import { NeverBlock } from '../../src/virus/never-block.ts';
import { ServedMemory } from '../../src/virus/served-memory.ts';
import { sourceKey } from '../../src/virus/source-key.ts';
import { SourceWatch } from '../../src/virus/source-watch.ts';
import { readSiteB } from '../../test/support/requests-data.ts';
import { median } from './proxies/figures.ts';

const roundCount = 7;
const turns = 5;
const seed = Math.floor(Math.random() * 2 ** 53);
const hour = 3_600_000;
// Made from bytes as the server makes them: strings that were put together are read more slowly.
const requests = readSiteB().map(({ target, version }) =>
  Buffer.from(`${target} ${version}`, 'latin1').toString('latin1'),
);

function address(index: number): string {
  const text = `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`;
  return Buffer.from(text, 'latin1').toString('latin1');
}
const clients = requests.map((_, index) => address(index % 3000));
const readers = requests.map((_, index) => address(200_000 + (index % 3000)));

function watching(): SourceWatch {
  const served = new ServedMemory({
    ...{ patternStartOffset: 1, patternSize: 16, bytesMax: 4_194_304 },
    ...{ lastsMs: 168 * hour, seed, nowMs: 0 },
  });
  return new SourceWatch({
    rules: { statuses: [404], exceptions: ['/', '/favicon*', '/robots.txt', '/sitemap*'] },
    served,
    holdsKeyword: () => false,
    sourceRules: {
      ...{ missLimit: 5, missIntervalMs: 60_000, virusLimit: 2, sourcesMax: 200_000 },
      ...{ blockMs: 24 * hour, blockMsMax: 24 * hour },
    },
    neverBlock: () => new NeverBlock([], []),
    statistics: new Statistics(),
  });
}

/** One thing to measure; `run` does it for all requests once. */
interface Work {
  readonly name: string;
  readonly run: () => number;
}

/** What the request path asks for each request. */
function lookUp(name: string, blockedCount: number, whose: readonly string[]): Work {
  const watch = watching();
  for (let index = 0; index < blockedCount; index += 1) {
    watch.sources.block(address(300_000 + index), 'viruses', 0);
  }
  const keys = whose.map(sourceKey);
  return {
    name,
    run() {
      let found = 0;
      for (let at = 0; at < requests.length; at += 1) {
        if (watch.isQuiet) continue;
        if (watch.sources.find(keys[at] as string, 1) !== undefined) found += 1;
      }
      return found;
    },
  };
}

function remember(hasWindow: boolean): Work {
  const served = new ServedMemory({
    ...{ patternStartOffset: 1, patternSize: 16, bytesMax: 4_194_304 },
    ...{ lastsMs: 168 * hour, seed, nowMs: 0 },
  });
  return {
    name: hasWindow
      ? 'the same with its window, as Auto Update needs it'
      : 'remember what was served',
    run() {
      for (const text of requests) {
        if (hasWindow) served.note(text, 0, text.length, 1);
        else served.notePath(text, 0, text.length, false, 1);
      }
      return requests.length;
    },
  };
}

/** Each miss as new, so that the tables move: an hour passes between two turns. */
function miss(name: string, requestString: (index: number) => string): Work {
  const watch = watching();
  const texts = requests.map((_, index) =>
    Buffer.from(requestString(index), 'latin1').toString('latin1'),
  );
  let nowMs = 0;
  return {
    name,
    run() {
      nowMs += hour;
      for (let at = 0; at < texts.length; at += 1) {
        const request = { client: clients[at] as string, target: '/x', requestId: 'x' };
        const answer = { status: 404, referer: undefined, host: 'a.test', atMs: nowMs };
        watch.noteAnswer(request, { ...answer, requestString: texts[at] as string });
      }
      return watch.sources.size;
    },
  };
}

function blocked(): Work {
  const watch = watching();
  for (const client of clients) watch.sources.block(client, 'viruses', 0);
  return {
    name: 'a request of a blocked source: found, and its block renewed',
    run() {
      let found = 0;
      for (const client of clients) {
        const source = watch.find(client, 1);
        if (source === undefined) continue;
        watch.renew(source.address, 1);
        found += 1;
      }
      return found;
    },
  };
}

function measure(): void {
  const works = [
    lookUp('look up, nobody blocked', 0, readers),
    lookUp('look up, 1,000 others blocked', 1000, readers),
    lookUp('look up, 100,000 others blocked', 100_000, readers),
    remember(false),
    remember(true),
    blocked(),
    miss('a miss, the same target again', () => '/gone HTTP/1.1'),
    miss('a miss, another target each time', (index) => `/gone/${index} HTTP/1.1`),
  ];
  const times = new Map<string, number[]>(works.map(({ name }) => [name, []]));
  let kept = 0;
  for (let round = 0; round <= roundCount; round += 1) {
    for (const { name, run } of works) {
      const begin = process.cpuUsage();
      for (let turn = 0; turn < turns; turn += 1) kept += run();
      const { user, system } = process.cpuUsage(begin);
      const ns = ((user + system) * 1000) / (turns * requests.length);
      // The first round only warms the compiler up.
      if (round > 0) times.get(name)?.push(ns);
    }
  }
  console.log(
    `Node.js ${process.version}; ns a request${kept === 0 ? ' (nothing was done)' : ''}\n`,
  );
  for (const [name, values] of times) {
    console.log(`${name.padEnd(64)}${median(values).toFixed(1).padStart(8)} ns`);
  }
}

measure();
