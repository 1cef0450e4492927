/** What `wormgate tune` recommends, with the reason, as text. Pure. */

import type { TuningFindings } from './findings.ts';
import type { Recommendation } from './recommend.ts';
import { blockedLines, learnedLines, proposedLines } from './report-replay.ts';
import { counted, heading, number, wrap } from './report-text.ts';

/** The section with the lines for PROXY.CFG. */
export function adviceSection(findings: TuningFindings): string[] {
  const { recommendation, settings } = findings;
  if (recommendation === undefined) return [];
  const { threshold, intervalSeconds } = recommendation;
  const extra = settings.scanVirusPatterns ? [] : ['[Extra Configuration]', 'ScanVirusPatterns=1'];
  return [
    ...heading('Recommended'),
    ...extra,
    '[Virus Pattern Configuration]',
    'EnablePatternAutoUpdate=1',
    `HitThreshold=${threshold}`,
    `RefreshInterval=${intervalSeconds}`,
    '',
    ...wrap(reason(recommendation, findings)),
    '',
    ...verified(findings),
  ];
}

function reason(recommendation: Recommendation, findings: TuningFindings): string {
  const { humbleMax, humbleSuspectsADay, learnable } = recommendation;
  const peak = `the busiest humble window, which came ${counted(humbleMax, 'time')} in one interval`;
  if (findings.keywordCount === 0) {
    return `There are no keywords, so nothing can be learned: add some with "virus add -k", or take keywords.ncf into PatternFiles. Until then the threshold is put above ${peak}.`;
  }
  const average = recommendation.aveNonVirusHitRate.toFixed(2);
  const rule = `By the paper's rule it has to be greater than the Ave Non Virus Hit Rate, which is ${average} at this interval.`;
  const suspects = Number(humbleSuspectsADay.toFixed(1));
  const checks = `Humble windows become suspect ${counted(suspects, 'time')} a day; each costs one check in the background and is served all the while.`;
  if (learnable === 0)
    return `${nothing(findings)} So the threshold is put above ${peak}. ${rule} ${checks}`;
  return `${something(recommendation, findings)} ${rule} ${checks}`;
}

function nothing({ candidateCount }: TuningFindings): string {
  if (candidateCount === 0) {
    return 'The log shows nothing to learn: no request that holds a keyword, was answered 404 or 410, and whose window and path nobody was served.';
  }
  return `The log holds ${counted(candidateCount, 'window')} to learn from, which hold a keyword and were answered 404 or 410, but they come too rarely for any threshold.`;
}

function something(recommendation: Recommendation, { candidateCount }: TuningFindings): string {
  const { threshold, intervalSeconds, learnable, reachable, humbleMax } = recommendation;
  const humble = `the busiest humble window (${counted(humbleMax, 'time')} in one interval)`;
  const place =
    threshold > humbleMax
      ? `The threshold stands above ${humble}.`
      : `The threshold stands below ${humble}, because these worms come more rarely than the site's own pages.`;
  const often = `More than ${counted(threshold, 'time')} within ${counted(intervalSeconds, 'second')} came ${number(learnable)} of them`;
  return `Windows that could be learned, because they hold a keyword, were answered 404 or 410, and neither they nor their paths were served: ${number(candidateCount)}. ${often}; no setting that was tried reaches more than ${number(reachable)}. ${place}`;
}

function verified({ recommended, present, recommendation }: TuningFindings): string[] {
  if (recommended === undefined) {
    return wrap(
      'This was not replayed, because the log cannot be read twice. Name files, not a pipe or the standard input, to see what it does.',
    );
  }
  const { replay, threshold, intervalSeconds } = recommended;
  const besides = ` (with the present settings: ${number(present.replay.blockedCount)})`;
  const { learning } = replay.state;
  const learnedCount = [...learning.learned()].length;
  const isFewer = learnedCount < (recommendation?.learnable ?? 0);
  const why =
    'Of a window, only the request that makes it suspect is checked, once an interval; and what is blocked meanwhile, by a confirmed keyword or for its source, no origin is asked for. So fewer are learned than came often enough.';
  return [
    ...wrap(
      `Replayed with HitThreshold=${threshold}, RefreshInterval=${intervalSeconds}, beginning with no patterns:`,
    ),
    ...learnedLines(replay),
    ...proposedLines(replay),
    ...(isFewer ? wrap(why) : []),
    ...blockedLines(replay, besides),
  ];
}
