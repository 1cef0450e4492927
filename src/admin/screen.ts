/**
 * The Virus Pattern Configuration screen (the paper's section of that name, Figure 1): the figures
 * at one moment as the lines of a terminal of a given size, and as the text of `virus show`. Pure:
 * draws nothing itself.
 */
import { escapeText } from '../config/quoted.ts';
import { sampleBytesMax } from '../virus/change.ts';

/** One of the last sources of virus requests. */
export interface ScreenSource {
  readonly address: string;
  /** When its last virus request came, milliseconds since the epoch. */
  readonly atMs: number;
  /** How many virus requests it has sent while it was listed. */
  readonly count: number;
}

/** A setting whose value in force is not the one in PROXY.CFG. */
export interface ScreenDifference {
  /** The PROXY.CFG key. */
  readonly name: string;
  readonly configured: string | number;
  readonly inForce: string | number;
}

/** Everything on the screen, at one moment. Rates are requests per refresh interval. */
export interface ScreenSnapshot {
  readonly noOfPatterns: number;
  readonly patternSize: number;
  readonly patternStartOffset: number;
  /** Seconds. */
  readonly refreshInterval: number;
  readonly hitThreshold: number;
  readonly autoUpdate: boolean;
  readonly virusRequests: number;
  readonly nonVirusRequests: number;
  readonly recommendThreshold: number;
  readonly maxNonVirusHitRate: number;
  readonly aveVirusHitRate: number;
  readonly aveNonVirusHitRate: number;
  /** Newest first. */
  readonly virusSources: readonly ScreenSource[];
  readonly lastPredictedRequest?: string | undefined;
  /** How many patterns were learned, and how many wait for the operator. */
  readonly learnedPatterns: number;
  readonly proposedPatterns: number;
  readonly differences: readonly ScreenDifference[];
  readonly mode: 'block' | 'detect';
  readonly atMs: number;
}

interface Item {
  readonly label: string;
  readonly value: (snapshot: ScreenSnapshot) => string;
  /** The PROXY.CFG key that the value comes from. */
  readonly key?: string;
}

/** A number as the screen shows it. */
export function formatFigure(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(2);
}

const configurationItems: readonly Item[] = [
  { label: 'No Of Patterns', value: (of) => formatFigure(of.noOfPatterns) },
  { label: 'Pattern Size', value: (of) => formatFigure(of.patternSize), key: 'PatternSize' },
  {
    label: 'Pattern Start Offset',
    value: (of) => formatFigure(of.patternStartOffset),
    key: 'PatternStartOffset',
  },
  {
    label: 'Refresh Interval',
    value: (of) => formatFigure(of.refreshInterval),
    key: 'RefreshInterval',
  },
  { label: 'Hit Threshold', value: (of) => formatFigure(of.hitThreshold), key: 'HitThreshold' },
  {
    label: 'Virus Auto Update',
    value: (of) => (of.autoUpdate ? '1' : '0'),
    key: 'EnablePatternAutoUpdate',
  },
];

const monitoringItems: readonly Item[] = [
  { label: 'Virus Requests', value: (of) => formatFigure(of.virusRequests) },
  { label: 'Non Virus Requests', value: (of) => formatFigure(of.nonVirusRequests) },
  { label: 'Recommend Threshold', value: (of) => formatFigure(of.recommendThreshold) },
  { label: 'Max Non Virus Hit Rate', value: (of) => formatFigure(of.maxNonVirusHitRate) },
  { label: 'Ave Virus Hit Rate', value: (of) => formatFigure(of.aveVirusHitRate) },
  { label: 'Ave Non Virus Hit Rate', value: (of) => formatFigure(of.aveNonVirusHitRate) },
];

const sourcesLabel = 'Virus Source IP Address';
const predictedLabel = 'Last Predicted Request';
const keysOnScreen = new Set(configurationItems.map((item) => item.key));

function differenceNote(snapshot: ScreenSnapshot, key: string | undefined): string {
  const difference = snapshot.differences.find(({ name }) => name === key);
  return difference === undefined ? '' : ` (PROXY.CFG: ${difference.configured})`;
}

/** What has no label in the paper and is told only when it is out of the ordinary. */
function remarks(snapshot: ScreenSnapshot): string[] {
  const others = snapshot.differences.filter(({ name }) => !keysOnScreen.has(name));
  const lines = others.map(
    ({ name, configured, inForce }) => `${name}: ${inForce} (PROXY.CFG: ${configured})`,
  );
  const { learnedPatterns, proposedPatterns } = snapshot;
  if (learnedPatterns > 0) lines.push(`Learned Patterns: ${learnedPatterns}`);
  if (proposedPatterns > 0) {
    lines.push(`Proposed Patterns: ${proposedPatterns} ("virus list" shows why)`);
  }
  if (snapshot.mode === 'detect') lines.push('Mode: detect (nothing is blocked)');
  return lines;
}

function predicted(snapshot: ScreenSnapshot): string {
  const request = snapshot.lastPredictedRequest;
  if (request === undefined) return '-';
  const cut = request.slice(0, sampleBytesMax);
  return `${escapeText(cut)}${cut.length < request.length ? '...' : ''}`;
}

/** A moment to the second, in UTC. */
export function formatMoment(atMs: number): string {
  return new Date(atMs).toISOString().replace(/\.\d+/, '');
}

/** The reply to `virus show`: the screen once, a `Label: value` a line. */
export function renderShow(snapshot: ScreenSnapshot): string {
  const items = [...configurationItems, ...monitoringItems];
  const addresses = snapshot.virusSources.map((source) => escapeText(source.address));
  return [
    ...items.map((item) => {
      return `${item.label}: ${item.value(snapshot)}${differenceNote(snapshot, item.key)}`;
    }),
    `${sourcesLabel}: ${addresses.join(', ') || '-'}`,
    `${predictedLabel}: ${predicted(snapshot)}`,
    ...remarks(snapshot),
  ].join('\n');
}

const title = 'Virus Pattern Configuration';
const twoColumnsWidthMin = 76;

function section(snapshot: ScreenSnapshot, heading: string, items: readonly Item[]): string[] {
  const width = Math.max(...items.map((item) => item.label.length));
  const isChanged = ({ key }: Item) => snapshot.differences.some(({ name }) => name === key);
  const lines = items.map((item) => {
    const mark = isChanged(item) ? ' *' : '';
    return `  ${item.label.padEnd(width)} : ${item.value(snapshot)}${mark}`;
  });
  return [heading, ...lines];
}

/** What the asterisks mean: half a line has no room for the values of PROXY.CFG. */
function footnotes(snapshot: ScreenSnapshot): string[] {
  const marked = snapshot.differences.filter(({ name }) => keysOnScreen.has(name));
  if (marked.length === 0) return [];
  const values = marked.map(({ name, configured }) => `${name}=${configured}`);
  return [`* in PROXY.CFG: ${values.join(', ')}`];
}

function besides(left: readonly string[], right: readonly string[], width: number): string[] {
  const count = Math.max(left.length, right.length);
  return Array.from({ length: count }, (_, index) => {
    const cell = (left[index] ?? '').slice(0, width - 1).padEnd(width);
    return `${cell}${right[index] ?? ''}`;
  });
}

function sourceLines(snapshot: ScreenSnapshot, columns: number): string[] {
  if (snapshot.virusSources.length === 0) return ['  -'];
  const addresses = snapshot.virusSources.map((source) => escapeText(source.address));
  const width = Math.max(15, ...addresses.map((address) => address.length));
  return snapshot.virusSources.map((source, index) => {
    const address = `  ${(addresses[index] ?? '').padEnd(width)}`;
    const full = `${address}  ${formatMoment(source.atMs)}  ${source.count}`;
    return full.length <= columns ? full : address.trimEnd();
  });
}

/** `line` in pieces of at most `columns`; those that follow the first are indented. */
function wrap(line: string, columns: number): string[] {
  if (line.length <= columns) return [line];
  const indent = ' '.repeat(Math.min(4, Math.floor(columns / 4)));
  const pieces = [line.slice(0, columns)];
  const step = columns - indent.length;
  for (let at = columns; at < line.length; at += step) {
    pieces.push(`${indent}${line.slice(at, at + step)}`);
  }
  return pieces;
}

/** The whole screen in groups of lines of at most `columns` characters; nothing is left out. */
function groupsOf(snapshot: ScreenSnapshot, columns: number): string[][] {
  const moment = formatMoment(snapshot.atMs);
  const head =
    columns >= title.length + moment.length + 2
      ? [`${title}${moment.padStart(columns - title.length)}`]
      : [title, moment];
  const configuration = section(snapshot, 'Configuration', configurationItems);
  const monitoring = section(snapshot, 'Monitoring', monitoringItems);
  const figures =
    columns >= twoColumnsWidthMin
      ? [besides(configuration, monitoring, Math.ceil(columns / 2))]
      : [configuration, monitoring];
  const sources = [sourcesLabel, ...sourceLines(snapshot, columns)];
  // The longest line comes last: nothing else may leave the screen for it.
  const last = [
    ...footnotes(snapshot),
    ...remarks(snapshot),
    `${predictedLabel}: ${predicted(snapshot)}`,
  ];
  return [head, ...figures, sources, last].map((group) =>
    group.flatMap((line) => wrap(line.trimEnd(), columns)),
  );
}

/**
 * The whole screen as lines of at most `columns` characters. Two columns of figures from 76 columns up,
 * one below; blank lines between the parts if everything then fits into `rows`. Longer lines go on in
 * the next one, so that nothing is left out.
 */
export function renderScreen(
  snapshot: ScreenSnapshot,
  { columns, rows }: { readonly columns: number; readonly rows: number },
): string[] {
  const groups = groupsOf(snapshot, columns);
  const spaced = groups.flatMap((group, index) => (index === 0 ? group : ['', ...group]));
  return spaced.length <= rows ? spaced : groups.flat();
}
