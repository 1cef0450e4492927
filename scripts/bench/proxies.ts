/**
 * `npm run bench -- proxies`: wormgate beside nginx, HAProxy, Varnish, Apache, nginx with ModSecurity,
 * http-proxy and Fastify. Prints tables of throughput, CPU time a request and latencies, and whether
 * the aims are reached; after the whole of it, or with `--write`, writes docs/benchmarks.md.
 */
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { projectPath } from '../../test/support/paths.ts';
import { renderChart, renderDocument } from './proxies/document.ts';
import { busyShareOfMachine, describeMachine } from './proxies/machine.ts';
import { runMatrix } from './proxies/matrix.ts';
import { type Options, parseOptions, usage } from './proxies/options.ts';
import { installPackages } from './proxies/packages.ts';
import type { Results } from './proxies/results.ts';
import { type Scenario, scenarios } from './proxies/scenarios.ts';
import { aimTable, allTables, plainText, screeningTable } from './proxies/tables.ts';

/** So much may run beside a benchmark. */
const quietShare = 0.03;

function print(results: Results, chosen: readonly Scenario[]): void {
  for (const logsOn of [false, true]) {
    for (const table of allTables(results, chosen, logsOn)) console.log(plainText(table));
  }
  const screening = screeningTable(results);
  if (screening !== undefined) console.log(plainText(screening));
  console.log(plainText(aimTable(results)));
  for (const sentence of results.leftOut) console.log(sentence);
}

function write(results: Results, options: Options): void {
  const machine = describeMachine();
  const text = renderDocument({ results, machine, options, date: new Date() });
  writeFileSync(projectPath('docs', 'benchmarks.md'), text);
  writeFileSync(projectPath('docs', 'benchmarks.svg'), renderChart(results));
  console.log('docs/benchmarks.md\ndocs/benchmarks.svg');
}

async function main(): Promise<number> {
  const names = scenarios.map(({ name }) => name);
  const options = parseOptions(process.argv.slice(2), names);
  if (typeof options === 'string') {
    console.error(`wormgate: ${options}\n${usage}`);
    return 1;
  }
  if (process.platform !== 'linux' || cpus().length < 2) {
    console.error('wormgate: this benchmark needs Linux and two cores');
    return 1;
  }
  const { scenarios: wanted } = options;
  const chosen = scenarios.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
  const withScreening = wanted.length === 0 || wanted.includes('scanning');
  try {
    installPackages(chosen.flatMap(({ peers }) => peers));
    const busyShare = await busyShareOfMachine();
    if (busyShare > quietShare) {
      const percent = (busyShare * 100).toFixed(0);
      console.error(`wormgate: other programs keep this machine ${percent} % busy: expect noise`);
    }
    const results = await runMatrix(options, chosen, withScreening);
    print(results, chosen);
    if (options.write) write(results, options);
    return 0;
  } catch (error) {
    console.error(`wormgate: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  }
}

process.exit(await main());
