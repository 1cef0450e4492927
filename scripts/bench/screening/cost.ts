/**
 * What screening adds to a humble request, measured in process: everything that the fast path does for
 * it, with the same parts. The request line is read with and without, since it has to be anyway.
 * Throughput over sockets is too noisy to show so little.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { systemClock } from '../../../src/clock.ts';
import { HeadScanner } from '../../../src/http/request-head.ts';
import { countScreened } from '../../../src/http/verdict.ts';
import { Statistics } from '../../../src/statistics.ts';
import { HitRates } from '../../../src/virus/hit-rates.ts';
import { PatternSet } from '../../../src/virus/pattern-set.ts';
import { Screen } from '../../../src/virus/screen.ts';
import { readSiteB } from '../../../test/support/requests-data.ts';
import { median } from '../proxies/figures.ts';
import { madePatterns } from './made-patterns.ts';

/** How many patterns are tried. */
export const patternCounts: readonly number[] = [0, 255, 10_000, 1_000_000];

/** How much is measured for each number of patterns. */
export interface ScreeningEffort {
  readonly requestCount: number;
  readonly roundCount: number;
}

export const fullEffort: ScreeningEffort = { requestCount: 10_000_000, roundCount: 5 };
export const quickEffort: ScreeningEffort = { requestCount: 1_000_000, roundCount: 3 };

/** Nanoseconds a request, medians of the rounds. */
export interface ScreeningCost {
  readonly patternCount: number;
  readonly offNs: number;
  readonly onNs: number;
  /** The median of the rounds' differences. */
  readonly addedNs: number;
}

/** The request lines of a real site's log in their order. */
function loggedLines(): Buffer[] {
  return readSiteB().map(({ method, target, version }) =>
    Buffer.from(`${method} ${target} ${version}\r\n`, 'latin1'),
  );
}

/** What the request path judges by: the parts of the server that have to do with screening. */
interface Parts {
  screen: Screen | undefined;
  readonly head: HeadScanner;
  readonly hitRates: HitRates;
  readonly statistics: Statistics;
}

/** What src/http/fast-turn.ts does with the line of a humble request, up to its header lines. */
function isHumble(parts: Parts, line: Buffer, nowMs: number): boolean {
  const { head, screen } = parts;
  if (head.readLine(line, line.length) !== 'whole') return false;
  if (screen === undefined) return true;
  const { targetStart, lineEnd, mayNormalize, hasManyBlanks } = head;
  const mayDiffer = mayNormalize || hasManyBlanks;
  const entryIndex = screen.screenBytes(line, targetStart, lineEnd, mayDiffer);
  countScreened(entryIndex >= 0, nowMs, parts);
  return entryIndex < 0;
}

/** Judges the requests again and again; gives how long one took, in ns. */
function judgeAll(parts: Parts, lines: readonly Buffer[], requestCount: number): number {
  let humbleCount = 0;
  let judgedCount = 0;
  const begin = performance.now();
  while (judgedCount < requestCount) {
    // A request's time is asked for anyway, for the log.
    const nowMs = systemClock.nowMs();
    for (const line of lines) if (isHumble(parts, line, nowMs)) humbleCount += 1;
    judgedCount += lines.length;
  }
  const ns = (performance.now() - begin) * 1e6;
  // Uses every answer, so that the compiler cannot leave the work out; and a match would be a mistake.
  if (humbleCount !== judgedCount) throw new Error(`${judgedCount - humbleCount} requests matched`);
  return ns / judgedCount;
}

/** Measures one number of patterns in this process. */
export function measureHere(patternCount: number, effort: ScreeningEffort): ScreeningCost {
  const set = new PatternSet({
    patternSize: 16,
    maxPatterns: 10_000_000,
    seed: Math.floor(Math.random() * 2 ** 32),
  });
  for (const pattern of madePatterns(patternCount)) {
    set.add(Buffer.from(pattern, 'latin1'), 385, 'shipped', systemClock.nowMs());
  }
  const screen = new Screen(set, { patternStartOffset: 1, normalizeRequests: true });
  const parts: Parts = {
    screen: undefined,
    head: new HeadScanner(),
    hitRates: new HitRates(10, systemClock.nowMs()),
    statistics: new Statistics(),
  };
  const requests = loggedLines();
  const off: number[] = [];
  const on: number[] = [];
  // The first round only warms the compiler up.
  for (let round = -1; round < effort.roundCount; round += 1) {
    parts.screen = undefined;
    const offNs = judgeAll(parts, requests, effort.requestCount);
    parts.screen = screen;
    const onNs = judgeAll(parts, requests, effort.requestCount);
    if (round < 0) continue;
    off.push(offNs);
    on.push(onNs);
  }
  const screenedCount = parts.statistics.get('non_virus_requests');
  if (screenedCount < effort.roundCount * effort.requestCount) throw new Error('not all counted');
  const added = on.map((ns, index) => ns - (off[index] as number));
  return { patternCount, offNs: median(off), onNs: median(on), addedNs: median(added) };
}

/** Measures every number of patterns, each in a process of its own, begun by `launcher`. */
export function measureScreening(
  effort: ScreeningEffort,
  launcher: readonly string[] = [],
): ScreeningCost[] {
  const program = join(import.meta.dirname, '..', 'screening.js');
  return patternCounts.map((patternCount) => {
    const { requestCount, roundCount } = effort;
    const numbers = [patternCount, requestCount, roundCount].map(String);
    const [command = '', ...args] = [
      ...launcher,
      process.execPath,
      program,
      '--measure',
      ...numbers,
    ];
    const child = spawnSync(command, args, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    if (child.status !== 0) throw new Error(`the measurement of ${patternCount} patterns failed`);
    return JSON.parse(child.stdout) as ScreeningCost;
  });
}
