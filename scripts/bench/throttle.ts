/**
 * `npm run bench -- throttle [--write]`: what the virus throttle does to a worm, on virtual time and the
 * same each time: the stopping times of 2003, and the spread among hosts some of which are throttled.
 * Then what it costs a connection, in nanoseconds. With `--write`, also writes docs/throttle-evidence.md
 * and its drawing.
 */
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { projectPath } from '../../test/support/paths.ts';
import { plainText, type Table } from './proxies/tables.ts';
import { measureCost, usualSettings } from './throttle/cost.ts';
import { measureSpread } from './throttle/curves.ts';
import { type Evidence, renderDrawing, renderEvidence } from './throttle/document.ts';
import { measureOnSockets } from './throttle/on-sockets.ts';
import { measureOverhead } from './throttle/overhead.ts';
import { stopRows } from './throttle/stopping.ts';
import {
  costTable,
  overheadTable,
  socketTable,
  spreadTable,
  stopTable,
  variantTable,
} from './throttle/tables.ts';
import { settingsOf2003 } from './throttle/throttled-worm.ts';
import { measureVariants, type Variant } from './throttle/variants.ts';

const seed = 2003;
const fewHosts = { hostCount: 16, runCount: 1_001 };
const manyHosts = { hostCount: 100_000, runCount: 5 };
const variantRuns = { hostCount: 16, runCount: 401 };

const variants: readonly Variant[] = [
  { title: 'as in 2003: stopped at 100 waiting', settings: settingsOf2003, reaction: 'stopped' },
  { title: "HP's defaults, stopped at 160 waiting", settings: usualSettings, reaction: 'stopped' },
  {
    title: "HP's defaults, OnVirusLikeActivity=block",
    settings: usualSettings,
    reaction: 'blocked',
  },
  { title: "HP's defaults, OnVirusLikeActivity=log", settings: usualSettings, reaction: 'delayed' },
];

/** Works a table out, prints it and hands on what it was made of. */
function show<Result>(result: Result, tableOf: (result: Result) => Table): Result {
  console.log(plainText(tableOf(result)));
  return result;
}

async function measure(): Promise<Evidence> {
  const stops = show(stopRows(), stopTable);
  const onSockets = show(await measureOnSockets(), socketTable);
  const spreads = [fewHosts, manyHosts].map(({ hostCount, runCount }) =>
    show(measureSpread(hostCount, runCount, seed), spreadTable),
  );
  const { hostCount, runCount } = variantRuns;
  const others = show(measureVariants(variants, { hostCount, runCount, seed }), (results) =>
    variantTable(results, hostCount, runCount),
  );
  const costs = show(measureCost(), costTable);
  const overheads = show(await measureOverhead(), overheadTable);
  const processor = cpus()[0]?.model.trim() ?? 'an unknown processor';
  const machine = `${processor}, Node.js ${process.version}`;
  return { stops, onSockets, overheads, spreads, variants: others, variantRuns, costs, machine };
}

async function main(): Promise<number> {
  const [wanted, ...more] = process.argv.slice(2);
  if (more.length > 0 || (wanted !== undefined && wanted !== '--write')) {
    console.error('wormgate: usage: npm run bench -- throttle [--write]');
    return 1;
  }
  const begin = performance.now();
  console.log(`Node.js ${process.version}\n`);
  const evidence = await measure();
  console.log(`took ${((performance.now() - begin) / 1_000).toFixed(1)} s`);
  if (wanted === '--write') {
    writeFileSync(projectPath('docs', 'throttle-evidence.md'), renderEvidence(evidence));
    writeFileSync(projectPath('docs', 'throttle-spread.svg'), renderDrawing(evidence));
    console.log('docs/throttle-evidence.md\ndocs/throttle-spread.svg');
  }
  return 0;
}

process.exitCode = await main();
