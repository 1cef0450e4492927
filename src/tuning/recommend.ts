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
/** How far above the busiest humble window the threshold stands when there is nothing to learn. */
const headroom = 1.25;

/** The highest counts of the candidates in one interval, highest first. */
function peaksOf(interval: IntervalCounts, { candidates }: Evidence): number[] {
  return [...candidates.keys()]
    .map((id) => interval.peaks.get(id) ?? 0)
    .sort((one, other) => other - one);
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

/** Nothing in the log could be learned: out of the way of the humble, at an interval worth counting in. */
function quiet(evidence: Evidence): Recommendation | undefined {
  const { intervals } = evidence;
  const interval =
    intervals.find(({ seconds }) => averageRate(seconds, evidence) >= 1) ?? intervals.at(-1);
  if (interval === undefined) return undefined;
  const threshold = Math.max(
    lowest(interval, evidence),
    Math.ceil(interval.humbleMax * headroom),
    interval.humbleMax + 1,
  );
  return describe(interval, threshold, 0, evidence);
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
      // Below the peak of the last candidate that is wanted, and no lower than that.
      return describe(interval, (peaks[wanted - 1] as number) - 1, reachable, evidence);
    });
  return choices.sort(
    (one, other) =>
      one.humbleSuspectsADay - other.humbleSuspectsADay ||
      other.learnable - one.learnable ||
      one.intervalSeconds - other.intervalSeconds,
  )[0];
}
