/**
 * Chooses HitThreshold and RefreshInterval from what a log shows. The paper's rules ("Choosing a Proper
 * Threshold"): the threshold is greater than the Ave Non Virus Hit Rate, and the two go up and down
 * together. Within these, the pair is chosen that would have learned the most, with as few background
 * checks of humble requests as possible. Pure.
 */
import type { IntervalCounts, KeywordWindow } from './windows.ts';

/** What is known of a log. */
export interface Evidence {
  readonly intervals: readonly IntervalCounts[];
  /** The windows that hold a keyword and were never served, by their ids. */
  readonly candidates: ReadonlyMap<number, KeywordWindow>;
  /** Humble requests in all, and how long the log is. */
  readonly humbleCount: number;
  readonly elapsedMs: number;
}

export interface Recommendation {
  readonly threshold: number;
  readonly intervalSeconds: number;
  /** Candidates that become suspect with it, and the most that any threshold above 0 could reach. */
  readonly learnable: number;
  readonly reachable: number;
  /** The busiest humble window in one interval. */
  readonly humbleMax: number;
  readonly aveNonVirusHitRate: number;
  /** Humble windows that become suspect, a day; each is checked and goes on being served. */
  readonly humbleSuspectsADay: number;
}

const dayMs = 86_400_000;
const thresholdMin = 1;
/** A little less is accepted for a higher threshold. */
const shareWanted = 0.9;
/** How far above the busiest humble window is far enough: the lower, the sooner a worm is learned. */
const headroom = 1.25;

/** The highest counts of the candidates in one interval, highest first. */
function peaksOf(interval: IntervalCounts, { candidates }: Evidence): number[] {
  return [...candidates.keys()].map((id) => interval.peakOf(id)).sort((one, other) => other - one);
}

/** The average number of humble requests in an interval. */
export function averageRate(seconds: number, { humbleCount, elapsedMs }: Evidence): number {
  return humbleCount / Math.max(1, elapsedMs / (seconds * 1_000));
}

function describe(
  interval: IntervalCounts,
  threshold: number,
  reachable: number,
  evidence: Evidence,
) {
  const days = Math.max(evidence.elapsedMs / dayMs, interval.seconds / 86_400);
  const peaks = peaksOf(interval, evidence);
  return {
    threshold,
    intervalSeconds: interval.seconds,
    learnable: peaks.filter((peak) => peak > threshold).length,
    reachable,
    humbleMax: interval.humbleMax,
    aveNonVirusHitRate: averageRate(interval.seconds, evidence),
    humbleSuspectsADay: interval.pairsAbove(threshold) / days,
  };
}

/** The lowest threshold that the paper allows: above the average rate. */
function lowest(interval: IntervalCounts, evidence: Evidence): number {
  return Math.max(thresholdMin, Math.floor(averageRate(interval.seconds, evidence)) + 1);
}

/** The lowest threshold that is also well above what humble requests do. */
function comfortable(interval: IntervalCounts, evidence: Evidence): number {
  const { humbleMax } = interval;
  return Math.max(lowest(interval, evidence), Math.ceil(humbleMax * headroom), humbleMax + 1);
}

/** Nothing in the log could be learned: out of the way of the humble, at an interval worth counting in. */
function quiet(evidence: Evidence): Recommendation | undefined {
  const { intervals } = evidence;
  const interval =
    intervals.find(({ seconds }) => averageRate(seconds, evidence) >= 1) ?? intervals.at(-1);
  return interval && describe(interval, comfortable(interval, evidence), 0, evidence);
}

/** The pair to set; undefined for a log without requests. */
export function recommend(evidence: Evidence): Recommendation | undefined {
  const reaches = evidence.intervals.map((interval) => {
    const floor = lowest(interval, evidence);
    const peaks = peaksOf(interval, evidence).filter((peak) => peak > floor);
    return { interval, peaks };
  });
  const reachable = Math.max(0, ...reaches.map(({ peaks }) => peaks.length));
  if (reachable === 0) return quiet(evidence);
  const wanted = Math.max(1, Math.ceil(reachable * shareWanted));
  const choices = reaches
    .filter(({ peaks }) => peaks.length >= wanted)
    .map(({ interval, peaks }) => {
      // Below the peak of the last candidate that is wanted; no higher than the humble call for.
      const highest = (peaks[wanted - 1] as number) - 1;
      const threshold = Math.min(highest, comfortable(interval, evidence));
      return describe(interval, threshold, reachable, evidence);
    });
  return choices.sort(
    (one, other) =>
      one.humbleSuspectsADay - other.humbleSuspectsADay ||
      other.learnable - one.learnable ||
      one.intervalSeconds - other.intervalSeconds,
  )[0];
}
