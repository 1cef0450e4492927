/** The text of `wormgate tune`: what a log was, what the settings do with it, and what to set. Pure. */
import { adviceSection } from './advice.ts';
import type { TuningFindings } from './findings.ts';
import {
  blockedLines,
  blockedRows,
  learnedLines,
  proposedLines,
  replayBoundLines,
  sourceLines,
  suspectLines,
} from './report-replay.ts';
import { cell, counted, cut, heading, moment, number, wrap } from './report-text.ts';
import { type IntervalCounts, windowsMax } from './windows.ts';

const dayMs = 86_400_000;
/** A shorter log says nothing of a day. */
const rateFromMs = 3_600_000;

function readSection({ facts, clock }: TuningFindings): string[] {
  const { lines, requests, notes, noRequests, malformed, samples, firstMs, lastMs } = facts;
  const { elapsedMs, stepBackCount, gapCount } = clock;
  const rate = requests / (elapsedMs / dayMs);
  const aDay = elapsedMs < rateFromMs ? '' : `, about ${number(Math.round(rate))} a day`;
  const span =
    requests === 0
      ? ''
      : `, ${counted(requests, 'request')} from ${moment(firstMs)} to ${moment(lastMs)} UTC${aDay}`;
  const others: readonly (readonly [count: number, text: string])[] = [
    [notes, `${counted(notes, 'line')} about other things`],
    [noRequests, `${counted(noRequests, 'line')} without a request`],
    [stepBackCount, `The time steps back ${counted(stepBackCount, 'time')}: several logs?`],
    [gapCount, `${counted(gapCount, 'gap')} of more than 31 days, not counted as time`],
    [malformed, counted(malformed, 'malformed line')],
  ];
  return [
    ...heading('What was read'),
    ...wrap(`${counted(lines, 'line')}${span}`),
    ...others.filter(([count]) => count > 0).map(([, text]) => text),
    ...samples.map((sample) => cut(`  ${sample}`)),
  ];
}

/** What keeps the present settings from doing what is shown of them. */
function hindrances({ settings, isLearning }: TuningFindings): string[] {
  const { scanVirusPatterns, virus } = settings;
  return [
    ...(scanVirusPatterns ? [] : ['Nothing is screened now (ScanVirusPatterns=0). As if it were:']),
    ...(virus.mode === 'block' ? [] : ['Nothing is blocked now (Mode=detect). As if it were:']),
    ...(settings.sources.blocking ? [] : ['Sources are not watched (SourceBlocking=0).']),
    ...(isLearning ? [] : ['Auto Update is off (EnablePatternAutoUpdate=0). As if it were on:']),
  ];
}

function presentSection(findings: TuningFindings): string[] {
  const { present, counts, clock, keywordCount, settings } = findings;
  const { replay, threshold, intervalSeconds } = present;
  const figures = replay.figures(clock.nowMs);
  const busiest = counts.intervals.find(({ seconds }) => seconds === intervalSeconds);
  const peak = Math.max(busiest?.humbleMax ?? 0, busiest?.keywordMax ?? 0);
  const quiet = `With the present settings nothing would ever become suspect: the busiest window came ${counted(peak, 'time')} within ${counted(intervalSeconds, 'second')}, and the threshold is ${number(threshold)}.`;
  return [
    ...heading('With the present settings'),
    `HitThreshold=${threshold}, RefreshInterval=${intervalSeconds}`,
    ...wrap(
      `${counted(replay.firstPatternCount, 'pattern')} and ${counted(keywordCount, 'keyword')} of the configuration and its PatternFiles. What was changed on the console, in the data folder, is not looked at.`,
    ),
    ...hindrances(findings),
    '',
    ...blockedLines(replay),
    ...blockedRows(replay),
    ...(settings.sources.blocking ? sourceLines(replay) : []),
    ...suspectLines(replay),
    ...learnedLines(replay),
    ...proposedLines(replay),
    ...replayBoundLines(replay),
    ...(replay.suspectCount === 0 ? wrap(quiet) : []),
    '',
    `Max Non Virus Hit Rate: ${number(figures?.maxNonVirusHitRate ?? 0)}`,
    `Ave Non Virus Hit Rate: ${(figures?.aveNonVirusHitRate ?? 0).toFixed(2)}`,
    `Ave Virus Hit Rate:     ${(figures?.aveVirusHitRate ?? 0).toFixed(2)}`,
    `Recommend Threshold:    ${number(figures?.recommendThreshold ?? 0)} (the paper's rule)`,
  ];
}

const bounds: readonly (readonly [low: number, high: number, name: string])[] = [
  [1, 1, '1'],
  [2, 2, '2'],
  [3, 5, '3-5'],
  [6, 10, '6-10'],
  [11, 50, '11-50'],
  [51, 250, '51-250'],
  [251, Number.POSITIVE_INFINITY, '>250'],
];
const boundColumns = 8;
const endColumns = 8;

function distributionRow(interval: IntervalCounts): string {
  const cells = bounds.map(([low, high]) => {
    return cell(interval.pairsAbove(low - 1) - interval.pairsAbove(high), boundColumns);
  });
  const ends = [interval.quantile(0.001), interval.humbleMax].map((end) => cell(end, endColumns));
  return `${`${interval.seconds} s`.padStart(7)}${cells.join('')}${ends.join('')}`;
}

function distributionSection({ counts }: TuningFindings): string[] {
  const names = bounds.map(([, , name]) => name.padStart(boundColumns)).join('');
  const { unknownCount } = counts;
  const unknown = `${counted(unknownCount, 'request')} of too many different windows (more than ${number(windowsMax)}, or 64 MiB of those with a keyword) are not in it, and the recommendation does not know of them.`;
  return [
    ...heading('Identical requests per interval, humble traffic'),
    ...wrap('How many windows came how often within one interval (windows that hold no keyword):'),
    `interval${names.slice(1)}${'99.9 %'.padStart(endColumns)}${'max'.padStart(endColumns)}`,
    ...counts.intervals.map(distributionRow),
    ...(unknownCount === 0 ? [] : wrap(unknown)),
  ];
}

/** The whole report, lines without their line ends. */
export function renderReport(findings: TuningFindings): string {
  const read = readSection(findings).slice(1);
  if (findings.facts.requests === 0) {
    return [...read, '', 'There is no request to learn from.'].join('\n');
  }
  return [
    ...read,
    ...presentSection(findings),
    ...distributionSection(findings),
    ...adviceSection(findings),
  ].join('\n');
}
