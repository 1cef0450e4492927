/** What comes each second: tiles, charts, the screen, sources, throttle and origins. */
import { latencyBoundsMs } from '../../log/latency.ts';
import { Chart } from './charts.ts';
import { byId, fillTable, make, moment } from './dom.ts';
import { latencyBetween, RateHistory, rateOf } from './rates.ts';
import type { Figures } from './server.ts';

interface Watched {
  readonly history: RateHistory;
  readonly chart: Chart;
}

let watched: readonly Watched[] = [];

function startCharts(): readonly Watched[] {
  const place = (id: string) => byId(id, HTMLElement);
  return [
    {
      history: new RateHistory([
        rateOf(({ counters }) => counters.non_virus_requests),
        rateOf(({ counters }) => counters.virus_requests),
      ]),
      chart: new Chart(place('requests-chart'), [
        { label: 'humble', color: '--humble' },
        { label: 'virus', color: '--virus' },
      ]),
    },
    {
      history: new RateHistory([
        rateOf(({ counters }) => counters.cache_hits),
        rateOf(({ counters }) => counters.cache_misses),
      ]),
      chart: new Chart(place('cache-chart'), [
        { label: 'hits', color: '--hit' },
        { label: 'misses', color: '--miss' },
      ]),
    },
    {
      history: new RateHistory([latency(0.5), latency(0.99)]),
      chart: new Chart(place('latency-chart'), [
        { label: 'half below', color: '--humble' },
        { label: '99 % below', color: '--virus' },
      ]),
    },
    {
      history: new RateHistory([
        ({ sources }) => Math.max(0, ...sources.map(({ counts }) => counts.waiting)),
        ({ sources }) => sources[0]?.settings.highWaterMark ?? 0,
        ({ sources }) => sources[0]?.settings.lowWaterMark ?? 0,
      ]),
      chart: new Chart(place('throttle-chart'), [
        { label: 'longest queue', color: '--virus' },
        { label: 'high water mark', color: '--mark', dash: [6, 4] },
        { label: 'low water mark', color: '--mark', dash: [2, 4] },
      ]),
    },
  ];
}

function latency(part: number) {
  return (now: Figures, before: Figures) =>
    latencyBetween(before.latencyCounts, now.latencyCounts, part, latencyBoundsMs);
}

/** Shows the figures of a second. */
export function drawFigures(figures: Figures): void {
  if (watched.length === 0) watched = startCharts();
  for (const { history, chart } of watched) {
    history.add(figures);
    chart.draw(history.rates);
  }
  drawTiles(figures);
  drawScreen(figures);
  drawThrottle(figures);
  drawOrigins(figures);
}

/** After the colours have changed. */
export function redrawCharts(): void {
  for (const { chart } of watched) chart.redraw();
}

function fill(list: HTMLElement, fields: readonly (readonly [string, string])[]): void {
  const shown = fields.map(([name, value]) =>
    make('div', {}, make('dt', {}, name), make('dd', {}, value)),
  );
  list.replaceChildren(...shown);
}

function drawTiles({ counters, cache, screen }: Figures): void {
  fill(byId('tiles', HTMLElement), [
    ['Requests', String(counters.requests)],
    ['Virus requests', String(counters.virus_requests)],
    ['Suspects', String(counters.suspects)],
    ['Patterns', String(screen?.noOfPatterns ?? '-')],
    ['Proposed', String(screen?.proposedPatterns ?? '-')],
    ['Stored answers', String(cache.answers)],
  ]);
}

function drawScreen({ screen }: Figures): void {
  if (screen === undefined) return;
  const rate = (value: number) => (Number.isInteger(value) ? String(value) : value.toFixed(2));
  const differs = (key: string) => {
    const found = screen.differences.find(({ name }) => name === key);
    return found === undefined ? '' : ` (PROXY.CFG: ${found.configured})`;
  };
  fill(byId('screen-fields', HTMLElement), [
    ['No Of Patterns', String(screen.noOfPatterns)],
    ['Pattern Size', String(screen.patternSize)],
    ['Pattern Start Offset', String(screen.patternStartOffset)],
    ['Refresh Interval', `${screen.refreshInterval}${differs('RefreshInterval')}`],
    ['Hit Threshold', `${screen.hitThreshold}${differs('HitThreshold')}`],
    ['Virus Auto Update', `${screen.autoUpdate ? 1 : 0}${differs('EnablePatternAutoUpdate')}`],
    ['Virus Requests', String(screen.virusRequests)],
    ['Non Virus Requests', String(screen.nonVirusRequests)],
    ['Recommend Threshold', rate(screen.recommendThreshold)],
    ['Max Non Virus Hit Rate', rate(screen.maxNonVirusHitRate)],
    ['Ave Virus Hit Rate', rate(screen.aveVirusHitRate)],
    ['Ave Non Virus Hit Rate', rate(screen.aveNonVirusHitRate)],
    ...(screen.mode === 'detect' ? [['Mode', 'detect: nothing is blocked'] as const] : []),
  ]);
  const sources = screen.virusSources.map(({ address, atMs, count }) => [
    address,
    moment(atMs),
    String(count),
  ]);
  fillTable(byId('source-rows', HTMLElement), sources, 'None so far.');
  byId('predicted', HTMLElement).textContent = screen.lastPredictedRequest ?? '-';
}

const activities = { never: 'never', now: 'now', past: 'in the past' } as const;

function drawThrottle({ sources }: Figures): void {
  const rows = sources.map(({ source, activity, counts }) => [
    source,
    activity === 'now' ? make('strong', { class: 'bad' }, 'now') : activities[activity],
    String(counts.waiting),
    String(counts.waitingMax),
    String(counts.passed),
    String(counts.queued),
    String(counts.dropped),
  ]);
  fillTable(byId('throttle-rows', HTMLElement), rows, 'Nobody has opened a connection so far.');
}

function drawOrigins({ origins }: Figures): void {
  const rows = origins.map(
    ({ site, origin, state, isBackup, weight, running, waiting, failures, why }) => [
      site,
      origin,
      make(
        'span',
        { class: state === 'up' ? 'good' : 'bad' },
        `${state}${isBackup ? ', backup' : ''}`,
      ),
      String(weight),
      String(running),
      String(waiting),
      String(failures),
      why === '' ? '-' : why,
    ],
  );
  fillTable(byId('origin-rows', HTMLElement), rows, 'There are none.');
}
