/**
 * `npm run bench -- metrics`: what the metrics cost on the request path, in process and in nanoseconds a
 * request: the counters of one that is relayed, the clock read when it is over, and the histogram of its
 * lane; and what a scrape of `/metrics` costs, in microseconds. Medians of rounds that take turns.
 */
import { renderLatencies, renderMetrics } from '../../src/admin/metrics.ts';
import { systemClock } from '../../src/clock.ts';
import { Latencies } from '../../src/log/latency.ts';
import { Statistics } from '../../src/statistics.ts';
import { median } from './proxies/figures.ts';

const roundCount = 9;
const requestCount = 5_000_000;
const scrapeCount = 2_000;

const statistics = new Statistics();
const latencies = new Latencies();
/** Most requests take no whole millisecond, a few wait for their origin. */
const times = Float64Array.from({ length: 4_096 }, () => Math.floor(Math.random() ** 8 * 3_000));

/** Time of one, in milliseconds, of `count` calls. */
function timeOf(count: number, work: (index: number) => void): number {
  const begin = performance.now();
  for (let index = 0; index < count; index += 1) work(index);
  return (performance.now() - begin) / count;
}

let sum = 0;
const works: Readonly<Record<string, () => number>> = {
  nothing: () =>
    timeOf(requestCount, (index) => {
      sum += times[index & 4_095] as number;
    }) * 1e6,
  'counters of a relayed request': () =>
    timeOf(requestCount, (index) => {
      const { totals } = statistics;
      totals.requests += 1;
      totals.non_virus_requests += 1;
      totals.requests_forwarded += 1;
      sum += times[index & 4_095] as number;
    }) * 1e6,
  'the clock and the histogram': () =>
    timeOf(requestCount, (index) => {
      sum += systemClock.nowMs();
      latencies.fast.note(times[index & 4_095] as number);
    }) * 1e6,
};

const found = new Map<string, number[]>();
function note(name: string, value: number): void {
  found.set(name, [...(found.get(name) ?? []), value]);
}

let length = 0;
for (let round = 0; round <= roundCount; round += 1) {
  for (const [name, work] of Object.entries(works)) {
    const value = work();
    // The first round only warms the compiler up.
    if (round > 0) note(name, value);
  }
  const scrape = timeOf(scrapeCount, () => {
    length = (renderMetrics(statistics) + renderLatencies(latencies)).length;
  });
  if (round > 0) note('scrape', scrape * 1_000);
}

const of = (name: string) => median(found.get(name) ?? []);
const base = of('nothing');
const costs = Object.keys(works)
  .slice(1)
  .map((name) => [name, of(name) - base] as const);
const total = costs.reduce((all, [, ns]) => all + ns, 0);
console.log(`Node.js ${process.version}, medians of ${roundCount} rounds\n`);
for (const [name, ns] of costs)
  console.log(`${name.padEnd(36)}${ns.toFixed(1).padStart(8)} ns a request`);
console.log(`${'all metrics'.padEnd(36)}${total.toFixed(1).padStart(8)} ns a request`);
console.log(
  `${`a scrape, ${length} characters`.padEnd(36)}${of('scrape').toFixed(1).padStart(8)} us`,
);
// Whoever sums up has to be looked at, or the compiler leaves the summing out.
if (Number.isNaN(sum)) console.log(sum);
