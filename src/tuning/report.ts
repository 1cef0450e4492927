/** The text of `wormgate tune`: what a log was, what the settings do with it, and what to set. Pure. */
import { escapeText } from '../config/quoted.ts';
import type { Proposal } from '../virus/change.ts';
import { formatPattern } from '../virus/pattern.ts';
import type { Recommendation } from './recommend.ts';
import type { Replay } from './replay.ts';
import type { IntervalCounts, WindowCounts } from './windows.ts';

/** What was read. */
export interface LogFacts {
  readonly files: number;
  readonly lines: number;
  readonly requests: number;
  readonly notes: number;
  readonly noRequests: number;
  readonly malformed: number;
  /** The first few malformed lines, as `FILE:LINE: TEXT`. */
  readonly samples: readonly string[];
  readonly firstMs: number;
  readonly lastMs: number;
}

/** A replay with the settings that it was made with. */
export interface Replayed {
  readonly replay: Replay;
  readonly threshold: number;
  readonly intervalSeconds: number;
}

export interface TuningFindings {
  readonly facts: LogFacts;
  readonly present: Replayed;
  /** Whether Auto Update is on in the settings. */
  readonly isLearning: boolean;
  readonly counts: WindowCounts;
  /** Keyword-holding windows that were never served. */
  readonly candidateCount: number;
  readonly keywordCount: number;
  readonly recommendation: Recommendation | undefined;
  /** The log replayed with the recommendation and no patterns; undefined when it cannot be read twice. */
  readonly recommended: Replayed | undefined;
}

const rowsMax = 8;
const width = 80;
const dayMs = 86_400_000;

function number(value: number): string {
  return Number.isInteger(value)
    ? value.toLocaleString('en')
    : value.toLocaleString('en', { maximumFractionDigits: value < 10 ? 1 : 0 });
}

function counted(count: number, noun: string): string {
  return `${number(count)} ${noun}${count === 1 ? '' : 's'}`;
}

function addresses(count: number): string {
  return `${number(count)} ${count === 1 ? 'address' : 'addresses'}`;
}

function moment(atMs: number): string {
  return new Date(atMs).toISOString().slice(0, 16).replace('T', ' ');
}

function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 3)}...`;
}

/** Sentences broken into lines. */
function wrap(text: string, indent = ''): string[] {
  const lines: string[] = [];
  let line = indent;
  for (const word of text.split(' ')) {
    if (line.trim() !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = indent;
    }
    line += line.trim() === '' ? word : ` ${word}`;
  }
  return [...lines, line];
}

function heading(text: string): string[] {
  return ['', text, '-'.repeat(text.length)];
}

function more(total: number): string[] {
  return total > rowsMax ? [`  and ${number(total - rowsMax)} more`] : [];
}

function readSection({ facts }: TuningFindings): string[] {
  const { lines, requests, notes, noRequests, malformed, samples, firstMs, lastMs } = facts;
  const days = Math.max((lastMs - firstMs) / dayMs, 1 / 24);
  const others = [
    notes > 0 ? `${counted(notes, 'line')} about other things` : '',
    noRequests > 0 ? `${counted(noRequests, 'line')} without a request` : '',
    malformed > 0 ? `${counted(malformed, 'malformed line')}` : '',
  ].filter((text) => text !== '');
  const span =
    requests === 0
      ? [counted(lines, 'line')]
      : [
          `${counted(lines, 'line')}, ${counted(requests, 'request')} from ${moment(firstMs)} to ${moment(lastMs)} UTC,`,
          `about ${number(Math.round(requests / days))} a day`,
        ];
  return [
    ...heading('What was read'),
    ...span,
    ...others,
    ...samples.map((sample) => `  ${cut(sample, width - 2)}`),
  ];
}

function settingsOf({ threshold, intervalSeconds }: Replayed): string {
  return `HitThreshold=${threshold}, RefreshInterval=${intervalSeconds}`;
}

function blockedLines({ replay }: Replayed): string[] {
  const { blockedCount, blockedServedCount, state, sources } = replay;
  if (blockedCount === 0) return ['Blocked: none'];
  const hit = [...state.patterns.entries()].filter(({ hits }) => hits > 0);
  const byHits = hit.sort((one, other) => other.hits - one.hits);
  const served =
    blockedServedCount === 0
      ? 'none of them was served (2xx, 3xx) at the time'
      : `${number(blockedServedCount)} of them had been served (2xx, 3xx): look at them`;
  return [
    ...wrap(
      `Blocked: ${counted(blockedCount, 'request')} from ${addresses(sources.size)}; ${served}`,
    ),
    ...byHits.slice(0, rowsMax).map(({ pattern, hits, from }) => {
      return `  ${number(hits).padStart(9)}  "${formatPattern(pattern)}"  ${from}`;
    }),
    ...more(byHits.length),
  ];
}

function suspectLines({ replay }: Replayed): string[] {
  const { suspects, suspectCount } = replay;
  if (suspectCount === 0) return ['Suspected: none'];
  const often = [...suspects.values()].sort((one, other) => other.times - one.times);
  return [
    `Suspected: ${counted(suspects.size, 'window')}, ${counted(suspectCount, 'time')}`,
    ...often.slice(0, rowsMax).map(({ window, times, sample }) => {
      return cut(`  ${number(times).padStart(9)}  "${window}"  ${escapeText(sample)}`, width);
    }),
    ...more(often.length),
  ];
}

function learnedLines({ replay }: Replayed): string[] {
  const learned = [...replay.state.learning.learned()];
  if (learned.length === 0) return ['Learned: none'];
  return [
    `Learned: ${counted(learned.length, 'pattern')}`,
    ...learned.slice(0, rowsMax).map(({ pattern, keyword, hits }) => {
      const what = `"${formatPattern(pattern)}"  keyword "${escapeText(keyword)}"`;
      return cut(`  ${number(hits).padStart(9)}  ${what}`, width);
    }),
    ...more(learned.length),
  ];
}

const reasons = {
  'window-served': 'window served',
  'path-served': 'path served',
  'not-missing': 'never answered 404 or 410',
  action: 'AutoUpdateAction=propose',
} as const satisfies Record<Proposal['reason'], string>;

function proposedLines({ replay }: Replayed): string[] {
  const { proposals } = replay.state.learning;
  if (proposals.size === 0) return ['Proposed instead: none'];
  return [
    `Proposed instead of learned: ${counted(proposals.size, 'pattern')}`,
    ...[...proposals.pending()].slice(0, rowsMax).map(({ pattern, keyword, reason }) => {
      const what = `"${formatPattern(pattern)}"  ${reasons[reason]}: keyword "${escapeText(keyword)}"`;
      return cut(`  ${what}`, width);
    }),
    ...more(proposals.size),
  ];
}

function presentSection({ present, isLearning, facts, counts }: TuningFindings): string[] {
  const figures = present.replay.figures(facts.lastMs);
  const busiest = counts.intervals.find(({ seconds }) => seconds === present.intervalSeconds);
  const peak = Math.max(busiest?.humbleMax ?? 0, ...(busiest?.peaks.values() ?? []));
  const off = isLearning ? '' : ' (Auto Update is off; as if it were on)';
  return [
    ...heading('With the present settings'),
    `${settingsOf(present)}${off}`,
    '',
    ...blockedLines(present),
    ...suspectLines(present),
    ...learnedLines(present),
    ...proposedLines(present),
    ...(present.replay.suspectCount === 0
      ? wrap(
          `Nothing would ever become suspect: no window came more than ${counted(peak, 'time')} within ${counted(present.intervalSeconds, 'second')}, and the threshold is ${number(present.threshold)}.`,
        )
      : []),
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

function distributionRow(interval: IntervalCounts): string {
  const cells = bounds.map(([low, high]) => {
    let sum = 0;
    for (const [count, pairs] of interval.pairs) if (count >= low && count <= high) sum += pairs;
    return number(sum).padStart(8);
  });
  const ends = [interval.quantile(0.001), interval.humbleMax].map((end) => number(end).padStart(7));
  return `${`${interval.seconds} s`.padStart(7)}${cells.join('')}${ends.join('')}`;
}

function distributionSection({ counts }: TuningFindings): string[] {
  const names = bounds.map(([, , name]) => name.padStart(8)).join('');
  const unknown =
    counts.unknownCount === 0
      ? []
      : wrap(
          `${counted(counts.unknownCount, 'request')} had one of too many different windows and are not in it.`,
        );
  return [
    ...heading('Identical requests per interval, humble traffic'),
    ...wrap('How many windows came how often within one interval (windows that hold no keyword):'),
    `interval${names.slice(1)}  99.9 %    max`,
    ...counts.intervals.map(distributionRow),
    ...unknown,
  ];
}

function reason(recommendation: Recommendation, findings: TuningFindings): string {
  const { threshold, intervalSeconds, learnable, reachable, humbleMax } = recommendation;
  const { candidateCount, keywordCount } = findings;
  const average = `the threshold has to be above the Ave Non Virus Hit Rate, which is ${recommendation.aveNonVirusHitRate.toFixed(2)} at this interval`;
  const checks = `Humble requests make ${counted(Number(recommendation.humbleSuspectsADay.toFixed(1)), 'suspect')} a day; each costs one check in the background and is served all the while.`;
  const none = 'none of its requests that hold a keyword would ever be learned';
  if (keywordCount === 0) {
    return `There are no keywords, so nothing can be learned: add some with "virus add -k", or take keywords.ncf into PatternFiles. Until then the threshold is put above the busiest humble window (${number(humbleMax)} times in an interval).`;
  }
  if (reachable === 0) {
    return `The log holds ${counted(candidateCount, 'window')} with a keyword that were not served, and ${none}: they come once, or too rarely. So the threshold is put above the busiest humble window, which came ${number(humbleMax)} times in one interval; ${average}. ${checks}`;
  }
  const beyond =
    threshold > humbleMax
      ? `It stands above the busiest humble window, which came ${number(humbleMax)} times in one interval.`
      : `It stands below the busiest humble window (${number(humbleMax)} times in one interval), because these worms come more rarely than the site's own pages.`;
  return `Of ${counted(candidateCount, 'window')} with a keyword that were not served, ${number(learnable)} came more than ${counted(threshold, 'time')} within ${counted(intervalSeconds, 'second')} and would be learned; ${number(reachable)} is the most that any threshold reaches. ${beyond} And ${average}. ${checks}`;
}

function verified({ recommended }: TuningFindings): string[] {
  if (recommended === undefined) {
    return wrap('The standard input cannot be read twice, so this was not replayed.');
  }
  return [
    ...wrap(`Replayed with ${settingsOf(recommended)}, beginning with no patterns:`),
    ...learnedLines(recommended),
    ...proposedLines(recommended),
    ...blockedLines(recommended).filter((line) => !line.startsWith(' ')),
  ];
}

function recommendationSection(findings: TuningFindings): string[] {
  const { recommendation } = findings;
  if (recommendation === undefined) return [];
  const { threshold, intervalSeconds } = recommendation;
  return [
    ...heading('Recommended'),
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

/** The whole report, lines without their line ends. */
export function renderReport(findings: TuningFindings): string {
  if (findings.facts.requests === 0) {
    return [...readSection(findings).slice(1), '', 'There is no request to learn from.'].join('\n');
  }
  return [
    ...readSection(findings).slice(1),
    ...presentSection(findings),
    ...distributionSection(findings),
    ...recommendationSection(findings),
  ].join('\n');
}
