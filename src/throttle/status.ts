/**
 * The status report (the paper, "Current status and configuration", Figure 3), and the advice that its
 * "Configuring HP Virus Throttle" gives. Pure.
 */

import { type ParameterName, parameterRanges } from '../config/throttle-parameters.ts';
import type { Activity, ThrottleCounts, ThrottleSettings } from './throttle.ts';

/** What one throttle, or several together, have to report. */
export interface ThrottleReport {
  readonly activity: Activity;
  readonly counts: ThrottleCounts;
  readonly settings: ThrottleSettings;
}

const activitySentences: Readonly<Record<Activity, string>> = {
  never: 'virus-like activity has not occurred',
  now: 'virus-like activity is currently occurring',
  past: 'virus-like activity has occurred in the past',
};

/** The report's lines, in the paper's order. */
export function renderStatus({ activity, counts, settings }: ThrottleReport): string {
  return [
    'wormgate is running',
    '',
    activitySentences[activity],
    '',
    `connection establishing packets: ${counts.connecting}`,
    `packets passed without delay: ${counts.passed}`,
    `packets placed on queue: ${counts.queued}`,
    `packets removed from queue: ${counts.removed}`,
    `currently queued packets: ${counts.waiting}`,
    `maximum packets on queue: ${counts.waitingMax}`,
    `times virus-like activity detected: ${counts.detections}`,
    `packets dropped due to queue overflow: ${counts.dropped}`,
    '',
    `delay queue size: ${settings.queueSize}`,
    `delay queue seconds: ${settings.delayMs / 1_000}`,
    `known host working set size: ${settings.workingSetSize}`,
    `delay queue high water mark: ${settings.highWaterMark}`,
    `delay queue low water mark: ${settings.lowWaterMark}`,
  ].join('\n');
}

function within(value: number, min: number, max: number): number {
  return Math.min(Math.max(value, min), max);
}

/**
 * The paper's procedure from what was measured: the queue twice as long as it ever was, the marks twenty
 * percent above and below that maximum, all kept within the ranges. (The paper's Figure 5 shows 42 and
 * 50, a mark above the size, where its text says to double the 42: the text is followed.)
 */
export function advise({ counts, settings }: ThrottleReport): Record<ParameterName, number> {
  const size = parameterRanges.delay_queue_size;
  const queueSize = within(counts.waitingMax * 2, size.min, size.max);
  const high = within(Math.round(counts.waitingMax * 1.2), 8, queueSize);
  const low = within(Math.round(counts.waitingMax * 0.8), 4, high - 4);
  return {
    host_working_set_size: settings.workingSetSize,
    delay_queue_delay_seconds: settings.delayMs / 1_000,
    delay_queue_size: queueSize,
    delay_queue_high_watermark: high,
    delay_queue_low_watermark: low,
  };
}

/** The advice as lines for PROXY.CFG, with what it was measured from. */
export function renderAdvice(report: ThrottleReport): string {
  const { connecting, waitingMax } = report.counts;
  const lines = Object.entries(advise(report)).map(([name, value]) => `${name}=${value}`);
  return [
    `; from ${connecting} connection requests since the start, of which ${waitingMax} waited at most at once`,
    ...(waitingMax > 1 ? [] : ['; hardly any has waited: measure longer before you use this']),
    '[Virus Throttle]',
    ...lines,
  ].join('\n');
}

/** All throttles of a server as one: sums, the busiest queue, and activity when any has it. */
export function addUp(
  reports: readonly ThrottleReport[],
  settings: ThrottleSettings,
): ThrottleReport {
  const sum = (of: keyof ThrottleCounts) => {
    return reports.reduce((total, { counts }) => total + counts[of], 0);
  };
  const has = (activity: Activity) => reports.some((report) => report.activity === activity);
  return {
    activity: has('now') ? 'now' : has('past') ? 'past' : 'never',
    counts: {
      connecting: sum('connecting'),
      passed: sum('passed'),
      queued: sum('queued'),
      removed: sum('removed'),
      waiting: sum('waiting'),
      waitingMax: Math.max(0, ...reports.map(({ counts }) => counts.waitingMax)),
      detections: sum('detections'),
      dropped: sum('dropped'),
    },
    settings,
  };
}
