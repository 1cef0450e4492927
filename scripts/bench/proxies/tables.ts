/** The tables of a run, as cells; printed to a terminal or written as Markdown. Pure. */
import { aimWord, judgeAims } from './aims.ts';
import type { Figures } from './figures.ts';
import { type PeerName, peerRow } from './peers.ts';
import { cpuRatio, loadFigures, type Results } from './results.ts';
import type { Scenario } from './scenarios.ts';

export interface Table {
  readonly title: string;
  /** The columns up to this one are text, the others numbers; 1 when it is absent. */
  readonly textColumns?: number;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  readonly note?: string | undefined;
}

/** A number with as many digits as say something. */
export function shown(value: number | undefined): string {
  if (value === undefined) return '';
  if (value >= 100) return Math.round(value).toLocaleString('en');
  return value.toFixed(value >= 10 ? 1 : 2);
}

/** Whose CPU time the ratios are to. */
const references = ['nginx', 'haproxy', 'http-proxy'] as const satisfies readonly PeerName[];

/** In the table of scanning the ratios are to the row without. */
function referencesOf(scenario: Scenario): readonly PeerName[] {
  return scenario.name === 'scanning'
    ? ['scanning-off']
    : references.filter((name) => scenario.peers.includes(name));
}

/** The table of one scenario in one log mode; undefined when nothing of it was measured. */
export function loadTable(
  results: Results,
  scenario: Scenario,
  logsOn: boolean,
): Table | undefined {
  const columns = referencesOf(scenario);
  const faults: string[] = [];
  const rowOf = (name: PeerName, figures: Figures): string[] => {
    const { title } = peerRow(name);
    if (figures.fault !== undefined) faults.push(`wrk on ${title}: ${figures.fault}.`);
    const ratios = columns.map((reference) =>
      shown(cpuRatio(results, scenario.name, [name, reference], logsOn)),
    );
    const { requestsPerSecond, cpuUs, p50Ms, p99Ms } = figures;
    return [title, ...[requestsPerSecond, cpuUs, p50Ms, p99Ms].map(shown), ...ratios];
  };
  const rows = scenario.peers.flatMap((name) => {
    const figures = loadFigures(results, scenario.name, name, logsOn);
    return figures === undefined ? [] : [rowOf(name, figures)];
  });
  if (rows.length === 0) return undefined;
  if (scenario.name === 'cache-hit')
    rows.push(['wormgate', ...columns.map(() => ''), '', '', '', '']);
  const ratioHeads = columns.map((name) => `× ${peerRow(name).title.replace('wormgate, ', '')}`);
  return {
    title: `${scenario.title}; access logs ${logsOn ? 'on' : 'off'}`,
    head: ['', 'req/s', 'CPU µs/req', 'p50 ms', 'p99 ms', ...ratioHeads],
    rows,
    note: [scenario.note, ...faults].filter((text) => text !== undefined).join(' ') || undefined,
  };
}

export function floodTable({ floods }: Results): Table | undefined {
  if (floods.length === 0) return undefined;
  return {
    title: 'humble requests during a flood of virus requests; access logs off',
    head: ['', 'p50 ms', 'with flood', 'p99 ms', 'with flood', 'p99 ×', 'flood/s', 'core busy'],
    rows: floods.map(({ peer, figures }) => [
      peerRow(peer).title,
      shown(figures.quietP50Ms),
      shown(figures.floodP50Ms),
      shown(figures.quietP99Ms),
      shown(figures.floodP99Ms),
      shown(figures.floodP99Ms / figures.quietP99Ms),
      shown(figures.floodPerSecond),
      `${(figures.busyShare * 100).toFixed(0)} %`,
    ]),
    note: 'The flood alone is to keep the core 80 % busy; the last column is with the humble requests. A share well below it means that the load, on its one core, could not send more.',
  };
}

export function screeningTable(results: Results): Table | undefined {
  if (results.screening.length === 0) return undefined;
  const relayed = loadFigures(results, 'relay-1k-64', 'wormgate', false);
  return {
    title: 'what screening adds to a humble request, in process',
    head: ['patterns', 'off ns', 'on ns', 'added ns', '% of a relayed request'],
    rows: results.screening.map(({ patternCount, offNs, onNs, addedNs }) => [
      patternCount.toLocaleString('en'),
      ...[offNs, onNs, addedNs].map((ns) => ns.toFixed(1)),
      relayed === undefined ? '' : (addedNs / (relayed.cpuUs * 10)).toFixed(2),
    ]),
  };
}

export function aimTable(results: Results): Table {
  return {
    title: 'aims, ratios of CPU time a request, access logs off',
    textColumns: 4,
    head: ['', 'aim', 'found', ''],
    rows: judgeAims(results).map((aim) => [aim.title, aim.wanted, aim.found, aimWord(aim)]),
  };
}

/** Every table of a run, in the order of the scenarios. */
export function allTables(
  results: Results,
  scenarios: readonly Scenario[],
  logsOn: boolean,
): Table[] {
  const tables = scenarios.map((scenario) =>
    scenario.kind === 'flood'
      ? logsOn
        ? undefined
        : floodTable(results)
      : loadTable(results, scenario, logsOn),
  );
  return tables.filter((table) => table !== undefined);
}

/** For a terminal. */
export function plainText({ title, head, rows, note, textColumns = 1 }: Table): string {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => (row[column] ?? '').length)));
  const lines = all.map((row) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return column < textColumns ? cell.padEnd(width + 2) : cell.padStart(width + 2);
      })
      .join('')
      .trimEnd(),
  );
  return [title, ...lines, ...(note === undefined ? [] : [note]), ''].join('\n');
}

/** As Markdown, without the title. */
export function markdown({ head, rows, note, textColumns = 1 }: Table): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const rule = head.map((_, column) => (column < textColumns ? '---' : '--:'));
  const lines = [line(head), line(rule), ...rows.map(line)];
  return [...lines, ...(note === undefined ? [] : ['', note])].join('\n');
}
