/** docs/benchmarks.md and its drawing, from the results of a run. Pure. */
import { type BarGroup, drawChart } from './chart.ts';
import type { Machine } from './machine.ts';
import type { Options } from './options.ts';
import { peerRow } from './peers.ts';
import { loadFigures, type Results } from './results.ts';
import { type Scenario, scenarios } from './scenarios.ts';
import { aimTable, allTables, markdown, screeningTable, type Table } from './tables.ts';

/** What is drawn. */
const drawn = ['relay-1k-64', 'relay-64k-64', 'cache-hit', 'virus-open', 'virus-new'];

function isDrawn({ name }: Scenario): boolean {
  return drawn.includes(name);
}

/** The drawing: CPU time a request with access logs off. */
export function renderChart(results: Results): string {
  const groups: BarGroup[] = scenarios.filter(isDrawn).map((scenario) => ({
    title: scenario.title,
    bars: scenario.peers.flatMap((name) => {
      const figures = loadFigures(results, scenario.name, name, false);
      if (figures === undefined) return [];
      const { title } = peerRow(name);
      return [{ label: title, value: figures.cpuUs, isOurs: name.startsWith('wormgate') }];
    }),
  }));
  return drawChart(
    'CPU time a request in µs, less is better; access logs off',
    groups.filter(({ bars }) => bars.length > 0),
  );
}

const method = `## How it is measured

- Each server runs alone on core 0; wrk with one thread, and the origin, an nginx that serves files,
  on core 1. Everything is on the loopback interface. The servers of a scenario are all started, then
  loaded in turn, round after round; the one that is not loaded is idle.
- *CPU µs/req* is the user and system time of all of a server's processes and threads, as the kernel
  accounts it in \`/proc/PID/stat\`, divided by the requests answered. It differs far less between runs
  than throughput, so the ratios and the aims are made from it. The kernel's work on packets counts for
  whoever is running at that moment, which is the same for all.
- *req/s*, *p50* and *p99* are wrk's. Where a server is cheaper than wrk, *req/s* is wrk's limit and
  not the server's. wrk sends as fast as it is answered: its latencies are those of a full server.
- A request has \`Host\`, \`User-Agent\` and \`Accept\` beside its request line, nothing that the Core
  Rule Set would complain about.
- Every figure is the median of the rounds. A ratio is the quotient of two medians of the same table.
- The configurations are in \`scripts/bench/proxies/templates\`. Each server has one process or thread
  that works, except Apache, which has as many threads as there are connections, and Varnish. Each keeps
  up to 256 connections to the origin and sends it \`X-Forwarded-For\`; without connections of their own
  to keep, the two servers on Node.js would cost far more.
- *wormgate front* is wormgate with \`FastPath=0\`: every request takes the complete way through the web
  framework. Both have the shipped patterns.
- *http-proxy* is a plain server with the library of that name that wormgate's own front uses, and a
  keep-alive agent. *Fastify + @fastify/http-proxy* is the usual way to do the same with Fastify.
- The virus request is Code Red's, without the escapes at its end. nginx and HAProxy find it by a prefix of
  the path, the cheapest way that they have: one pattern, against wormgate's shipped ones.
- Access logs on: wormgate \`LogRequests=all\`; nginx \`access_log\` in combined format, unbuffered, as it
  is by default; HAProxy \`option httplog\` to its standard output, a file; Varnish with varnishncsa, whose
  CPU time counts as Varnish's; Apache \`CustomLog\` in combined format; http-proxy one line a request;
  Fastify its own logger, two lines a request. Off: none of these; wormgate \`LogRequests=blocked\`, so
  that it still logs each virus request, as the others do not.
- The flood is of virus requests, each on a connection of its own, dropped. wrk keeps it at a pace that
  alone makes the proxy's core 80 % busy, and yields its own core to the humble client, whose latencies
  are the ones in the table: 250 requests a second, at random moments, over eight kept connections.
- *Screening, in process*: ten million requests of a real site's log, as bytes, go through the same
  parts as in the server, with scanning off and on. Between two requests of a server other work
  displaces something from the caches, which such a loop does not show.
`;

function section(table: Table): string {
  return `### ${table.title}\n\n${markdown(table)}\n`;
}

function whereAndWhen(machine: Machine, options: Options, date: Date): string {
  const { processor, coreCount, kernel, versions } = machine;
  const rounds = `${options.rounds} ${options.rounds === 1 ? 'round' : 'rounds'}`;
  return `${processor}, ${coreCount} cores, ${kernel}; ${date.toISOString().slice(0, 10)}; ${rounds} of ${options.seconds} s.

| program | version |
|---|---|
${versions.map(([name, version]) => `| ${name} | ${version} |`).join('\n')}
`;
}

export interface DocumentParts {
  readonly results: Results;
  readonly machine: Machine;
  readonly options: Options;
  readonly date: Date;
}

/** The document. */
export function renderDocument({ results, machine, options, date }: DocumentParts): string {
  const off = allTables(results, scenarios, false);
  const on = allTables(results, scenarios, true);
  const screening = screeningTable(results);
  const leftOut = results.leftOut.map((sentence) => `- ${sentence.split('\n')[0]}`);
  const parts = [
    `# Benchmarks

<!-- Written by \`npm run bench -- proxies\`. -->

What a request costs through wormgate, and through the servers that do the same or part of it, on the
same machine in the same minutes. To repeat it on another one:

\`\`\`
npm run bench -- proxies
\`\`\`

It takes about 35 minutes and two cores. \`--scenario NAME\` measures one scenario, \`--quick\` shows in
short whether everything runs, \`--rounds N\` and \`--seconds S\` say how much is measured, \`--write\`
writes this page after a part as well.

![CPU time a request in each scenario](benchmarks.svg)

## Where and when

${whereAndWhen(machine, options, date)}`,
    `## The aims\n\n${markdown(aimTable(results))}\n`,
    method,
  ];
  if (off.length > 0) parts.push(`## Access logs off\n\n${off.map(section).join('\n')}`);
  if (on.length > 0) parts.push(`## Access logs on\n\n${on.map(section).join('\n')}`);
  if (screening !== undefined) {
    parts.push(`## Screening, in process\n\n${markdown(screening)}\n`);
  }
  if (leftOut.length > 0) parts.push(`## Not measured\n\n${leftOut.join('\n')}\n`);
  return parts.join('\n');
}
