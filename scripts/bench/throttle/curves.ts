/** The spread experiment: many seeds of each share of throttled hosts, and their medians. Pure. */
import type { ThrottleSettings } from '../../../src/throttle/throttle.ts';
import { median, percentile } from '../proxies/figures.ts';
import { seededRandom } from './random.ts';
import { calibratedAddressCount, simulateSpread } from './spread.ts';
import { type Reaction, settingsOf2003 } from './throttled-worm.ts';

const minuteMs = 60_000;

/** With nothing throttled all are infected after so long, in the paper as here. */
export const paperMinutes = 20;
/** The worm's rate: the slowest of the paper's, of which the throttle lets most through. */
export const perSecond = 20;
/** How much time each run simulates at most. */
export const minutesMax = 120;
/** What the curves have points for, in minutes. */
export const gridMinutes: readonly number[] = Array.from({ length: 121 }, (_, index) => index / 2);
export const throttledShares: readonly number[] = [0, 0.25, 0.5, 0.75, 1];

export interface Experiment {
  readonly hostCount: number;
  readonly throttledShare: number;
  readonly runCount: number;
  /** The first run's seed; the others follow. */
  readonly seed: number;
  readonly minutes: number;
  readonly settings?: ThrottleSettings;
  readonly reaction?: Reaction;
}

/** The times of infection of every run, in milliseconds, earliest first. */
export function runExperiment({
  hostCount,
  throttledShare,
  runCount,
  seed,
  minutes,
  settings = settingsOf2003,
  reaction = 'stopped',
}: Experiment): number[][] {
  const addressCount = calibratedAddressCount(hostCount, perSecond, paperMinutes * 60);
  const throttledCount = Math.round(hostCount * throttledShare);
  const endMs = minutes * minuteMs;
  const options = { hostCount, throttledCount, addressCount, perSecond, settings, reaction };
  return Array.from({ length: runCount }, (_, run) =>
    simulateSpread({ ...options, endMs }, seededRandom(seed + run)),
  );
}

/** How many were infected at that moment. */
export function infectedAt(timesMs: readonly number[], minutes: number): number {
  let low = 0;
  let high = timesMs.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((timesMs[middle] as number) <= minutes * minuteMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The minutes until so many were infected; infinite when they never were. */
export function minutesUntil(timesMs: readonly number[], count: number): number {
  return (timesMs[count - 1] ?? Number.POSITIVE_INFINITY) / minuteMs;
}

/** What the runs of one share showed. */
export interface ShareResult {
  readonly throttledShare: number;
  /** Infected after the paper's 20 minutes: the median run, and where 90 % of the runs lie. */
  readonly infected: number;
  readonly infectedLow: number;
  readonly infectedHigh: number;
  /** Minutes until half, and all, were infected; infinite when that took longer than was simulated. */
  readonly halfMinutes: number;
  readonly allMinutes: number;
  /** The median of the infected share, 0-1, for each of `gridMinutes`. */
  readonly curve: readonly number[];
}

/** The experiment with one number of hosts. */
export interface SpreadResult {
  readonly hostCount: number;
  readonly addressCount: number;
  readonly runCount: number;
  readonly shares: readonly ShareResult[];
}

/** The medians of several runs. */
export function summarize(
  runs: readonly (readonly number[])[],
  hostCount: number,
  throttledShare: number,
): ShareResult {
  const infected = runs.map((times) => infectedAt(times, paperMinutes));
  const medianMinutes = (count: number) => median(runs.map((times) => minutesUntil(times, count)));
  return {
    throttledShare,
    infected: median(infected),
    infectedLow: percentile(infected, 0.05),
    infectedHigh: percentile(infected, 0.95),
    halfMinutes: medianMinutes(Math.ceil(hostCount / 2)),
    allMinutes: medianMinutes(hostCount),
    curve: gridMinutes.map(
      (minutes) => median(runs.map((times) => infectedAt(times, minutes))) / hostCount,
    ),
  };
}

/** Runs the experiment with every share. */
export function measureSpread(hostCount: number, runCount: number, seed: number): SpreadResult {
  return {
    hostCount,
    addressCount: calibratedAddressCount(hostCount, perSecond, paperMinutes * 60),
    runCount,
    shares: throttledShares.map((throttledShare) => {
      const experiment = { hostCount, throttledShare, runCount, seed, minutes: minutesMax };
      return summarize(runExperiment(experiment), hostCount, throttledShare);
    }),
  };
}
