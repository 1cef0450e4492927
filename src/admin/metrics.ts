/**
 * The counters as Prometheus text (exposition format 0.0.4), generated from the table in
 * statistics.ts; nothing here knows a counter by name. Behind them how each origin is now.
 */
import { type Latencies, latencyBoundsMs, latencyLanes } from '../log/latency.ts';
import { counterNames, counterTable, type Statistics } from '../statistics.ts';
import type { OriginRow } from '../upstream/origins.ts';

/** The whole page, one HELP, TYPE and sample a counter. */
export function renderMetrics(statistics: Statistics): string {
  return counterNames
    .map((name) => {
      const metric = `wormgate_${name}_total`;
      const { help } = counterTable[name];
      return `# HELP ${metric} ${help}\n# TYPE ${metric} counter\n${metric} ${statistics.get(name)}\n`;
    })
    .join('');
}

const latencyMetric = 'wormgate_request_duration_seconds';

/** The histograms of how long requests took, by lane. */
export function renderLatencies(latencies: Latencies): string {
  const samples = latencyLanes.map((lane) => {
    const { counts, sumMs } = latencies[lane];
    const label = `lane="${lane}"`;
    let below = 0;
    const buckets = [...latencyBoundsMs, undefined].map((boundMs, bucket) => {
      below += counts[bucket] ?? 0;
      const le = boundMs === undefined ? '+Inf' : String(boundMs / 1_000);
      return `${latencyMetric}_bucket{${label},le="${le}"} ${below}\n`;
    });
    const sum = `${latencyMetric}_sum{${label}} ${sumMs / 1_000}\n`;
    return `${buckets.join('')}${sum}${latencyMetric}_count{${label}} ${below}\n`;
  });
  const help = 'Time from the first line of a request to the last byte of its answer.';
  return `# HELP ${latencyMetric} ${help}\n# TYPE ${latencyMetric} histogram\n${samples.join('')}`;
}

const gauges: Readonly<Record<string, readonly [help: string, value: (row: OriginRow) => number]>> =
  {
    up: [
      'Whether the origin is given requests: 1, or 0 while it is left out.',
      ({ state }) => Number(state === 'up' || state === 'slow start'),
    ],
    requests: ['Requests and upgraded connections that it has now.', ({ running }) => running],
    waiting: ['Requests that wait for a connection to it now.', ({ waiting }) => waiting],
  };

/** What changes both ways about origins, one sample an origin of a site. */
export function renderOriginMetrics(rows: readonly OriginRow[]): string {
  return Object.entries(gauges)
    .map(([name, [help, value]]) => {
      const metric = `wormgate_origin_${name}`;
      const samples = rows.map((row) => {
        const labels = `site="${escapeLabel(row.site)}",origin="${escapeLabel(row.origin)}"`;
        return `${metric}{${labels}} ${value(row)}\n`;
      });
      return `# HELP ${metric} ${help}\n# TYPE ${metric} gauge\n${samples.join('')}`;
    })
    .join('');
}

function escapeLabel(text: string): string {
  return text.replace(/[\\"]/g, '\\$&');
}
