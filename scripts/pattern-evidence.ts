/**
 * Shows, for each shipped pattern, which requests of test/data/requests.tsv it blocks, over HTTP/1.1
 * and HTTP/1.0, and which lines of site-b it would block. Exits 1 when a worm's request is not
 * blocked or an honest one is.
 *
 * Run it after a build: `node dist/scripts/pattern-evidence.js`.
 */
import { readSiteB, readWormRequests, wormRequestString } from '../test/support/requests-data.ts';
import {
  readShippedPatterns,
  shippedPatternFiles,
  shippedScreen,
  windowsOf,
} from '../test/support/shipped-patterns.ts';

/** What each pattern matched, by the pattern's text. */
type Hits = ReadonlyMap<string, Set<string>>;

const patterns = shippedPatternFiles.flatMap(readShippedPatterns);
const screen = shippedScreen();

function noHits(): Hits {
  return new Map(patterns.map(({ pattern }) => [pattern, new Set()]));
}

/** Notes `label` under every pattern that one of the request's windows matches. */
function note(hits: Hits, requestString: string, label: string): void {
  for (const window of windowsOf(requestString)) hits.get(window)?.add(label);
}

const wormHits = noHits();
const missed: string[] = [];
for (const request of readWormRequests()) {
  for (const version of ['HTTP/1.1', 'HTTP/1.0']) {
    const requestString = wormRequestString(request, version);
    note(wormHits, requestString, request.name);
    if (screen.screen(requestString) === -1) missed.push(`${request.name} over ${version}`);
  }
}

const siteHits = noHits();
const siteB = readSiteB();
let blockedCount = 0;
for (const { target, version, line } of siteB) {
  const requestString = `${target} ${version}`;
  note(siteHits, requestString, `line ${line}: ${target}`);
  if (screen.screen(requestString) !== -1) blockedCount += 1;
}

for (const { file, line, pattern } of patterns) {
  console.log(`${file}:${line}: "${pattern}"`);
  const worms = [...(wormHits.get(pattern) ?? [])];
  console.log(`  requests.tsv: ${worms.length === 0 ? 'no request of its own' : worms.join(', ')}`);
  for (const request of siteHits.get(pattern) ?? []) console.log(`  WOULD BLOCK site-b ${request}`);
}
for (const name of missed) console.log(`NOT BLOCKED: ${name}`);
console.log(
  `${patterns.length} patterns; ${missed.length} requests of requests.tsv missed; ` +
    `${blockedCount} of ${siteB.length} requests of site-b blocked`,
);
process.exitCode = missed.length > 0 || blockedCount > 0 ? 1 : 0;
