/**
 * The Virus Pattern Configuration screen (the paper's section of that name, Figure 1): the figures
 * at one moment as the lines of a terminal of a given size, and as the text of `virus show`. Pure:
 * draws nothing itself.
 */
import { escapeText } from '../config/quoted.ts';

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

function figure(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(2);
}

const configurationItems: readonly Item[] = [
  { label: 'No Of Patterns', value: (of) => figure(of.noOfPatterns) },
  { label: 'Pattern Size', value: (of) => figure(of.patternSize), key: 'PatternSize' },
  {
    label: 'Pattern Start Offset',
    value: (of) => figure(of.patternStartOffset),
    key: 'PatternStartOffset',
  },
  { label: 'Refresh Interval', value: (of) => figure(of.refreshInterval), key: 'RefreshInterval' },
  { label: 'Hit Threshold', value: (of) => figure(of.hitThreshold), key: 'HitThreshold' },
  {
    label: 'Virus Auto Update',
    value: (of) => (of.autoUpdate ? '1' : '0'),
    key: 'EnablePatternAutoUpdate',
  },
];

const monitoringItems: readonly Item[] = [
  { label: 'Virus Requests', value: (of) => figure(of.virusRequests) },
  { label: 'Non Virus Requests', value: (of) => figure(of.nonVirusRequests) },
  { label: 'Recommend Threshold', value: (of) => figure(of.recommendThreshold) },
  { label: 'Max Non Virus Hit Rate', value: (of) => figure(of.maxNonVirusHitRate) },
  { label: 'Ave Virus Hit Rate', value: (of) => figure(of.aveVirusHitRate) },
  { label: 'Ave Non Virus Hit Rate', value: (of) => figure(of.aveNonVirusHitRate) },
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
  if (snapshot.mode === 'detect') lines.push('Mode: detect (nothing is blocked)');
  return lines;
}

function predicted(snapshot: ScreenSnapshot): string {
  const request = snapshot.lastPredictedRequest;
  return request === undefined ? '-' : escapeText(request);
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

/** How far the rows of a terminal suffice: blank lines go first, then the oldest sources. */
function fit(groups: readonly (readonly string[])[], shrinkable: number, rows: number): string[] {
  const join = (parts: readonly (readonly string[])[], gap: readonly string[]) =>
    parts.flatMap((part, index) => (index === 0 ? part : [...gap, ...part]));
  const spaced = join(groups, ['']);
  if (spaced.length <= rows) return spaced;
  const dense = join(groups, []);
  const surplus = dense.length - rows;
  if (surplus <= 0) return dense;
  const shrunk = groups.map((group, index) =>
    index === shrinkable ? group.slice(0, Math.max(2, group.length - surplus)) : group,
  );
  return join(shrunk, []).slice(0, rows);
}

/**
 * The screen as at most `rows` lines of at most `columns` characters. Two columns of figures from 76
 * columns up, one below. What does not fit is left out from the bottom.
 */
export function renderScreen(
  snapshot: ScreenSnapshot,
  { columns, rows }: { readonly columns: number; readonly rows: number },
): string[] {
  const moment = formatMoment(snapshot.atMs);
  const head =
    columns >= title.length + moment.length + 2
      ? `${title}${moment.padStart(columns - title.length)}`
      : title;
  const configuration = section(snapshot, 'Configuration', configurationItems);
  const monitoring = section(snapshot, 'Monitoring', monitoringItems);
  const figures =
    columns >= twoColumnsWidthMin
      ? [besides(configuration, monitoring, Math.ceil(columns / 2))]
      : [configuration, monitoring];
  const sources = [sourcesLabel, ...sourceLines(snapshot, columns)];
  const last = [
    `${predictedLabel}: ${predicted(snapshot)}`,
    ...footnotes(snapshot),
    ...remarks(snapshot),
  ];
  const groups = [[head], ...figures, sources, last];
  return fit(groups, groups.length - 2, rows).map((line) => line.slice(0, columns).trimEnd());
}
