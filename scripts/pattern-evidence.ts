/**
 * Shows, for each shipped pattern, which lines of test/data it blocks: of requests.tsv and
 * known-requests.tsv, over HTTP/1.1 and HTTP/1.0, and of both sites' logs. Exits 1 when a request of
 * requests.tsv that is to be blocked is not, a humble one is, or a pattern blocks no line.
 *
 * Run it after a build: `node dist/scripts/pattern-evidence.js`.
 */
import { lineRanges, readSamples, type Sample } from '../test/support/samples.ts';
import {
  readPatternedWorms,
  readShippedPatterns,
  shippedPatternFiles,
  shippedScreen,
  windowsOf,
} from '../test/support/shipped-patterns.ts';

/** The requests of one sample that patterns block. */
interface Evidence extends Sample {
  /** The numbers of the lines that each pattern blocks, by the pattern's text. */
  readonly blockedBy: ReadonlyMap<string, readonly number[]>;
  readonly blockedCount: number;
  /** Requests that a pattern is to block and none does. */
  readonly missed: readonly string[];
}

const patterns = shippedPatternFiles.flatMap(readShippedPatterns);
const patterned = new Set(readPatternedWorms().map(({ line }) => line));
const known = new Set(patterns.map(({ pattern }) => pattern));
const screen = shippedScreen();

/** In each version of HTTP that a request of the sample comes in. */
function versionsOf({ name }: Sample, requestString: string): readonly string[] {
  if (!name.endsWith('.tsv')) return [requestString];
  return [requestString, requestString.replace(/1\.1$/, '1.0')];
}

function gather(sample: Sample): Evidence {
  const blockedBy = new Map<string, number[]>();
  const missed: string[] = [];
  let blockedCount = 0;
  for (const [index, requestString] of sample.requestStrings.entries()) {
    const versions = versionsOf(sample, requestString);
    const windows = new Set(versions.flatMap(windowsOf));
    const line = sample.lines[index] ?? 0;
    for (const window of windows) {
      if (!known.has(window)) continue;
      blockedBy.set(window, [...(blockedBy.get(window) ?? []), line]);
    }
    if (screen.screen(requestString) !== -1) blockedCount += 1;
    else if (sample.name === 'requests.tsv' && patterned.has(line)) {
      missed.push(`line ${line}: ${requestString}`);
    }
  }
  return { ...sample, blockedBy, blockedCount, missed };
}

const evidence = readSamples().map(gather);
let idleCount = 0;
for (const { file, line, pattern } of patterns) {
  console.log(`${file}:${line}: "${pattern}"`);
  const held = evidence.filter(({ blockedBy }) => blockedBy.has(pattern));
  for (const { name, kind, blockedBy } of held) {
    const shown = lineRanges(blockedBy.get(pattern) ?? []);
    console.log(`  ${kind === 'humble' ? 'WOULD BLOCK ' : ''}${name}: ${shown}`);
  }
  if (held.length === 0) {
    idleCount += 1;
    console.log('  NO LINE');
  }
}

for (const { name, missed } of evidence) {
  for (const request of missed) console.log(`NOT BLOCKED: ${name} ${request}`);
}
for (const { name, kind, blockedCount, requestStrings } of evidence) {
  console.log(`${name} (${kind}): ${blockedCount} of ${requestStrings.length} blocked`);
}
const isFaulty = evidence.some(({ kind, blockedCount, missed }) => {
  return (kind === 'humble' && blockedCount > 0) || missed.length > 0;
});
console.log(`${patterns.length} patterns; ${idleCount} of them block no line of the data`);
process.exitCode = isFaulty || idleCount > 0 ? 1 : 0;
