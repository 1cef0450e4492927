/** The aims, and whether a run reached them: always with access logs off. Pure. */
import { ratio } from './figures.ts';
import { floodShare } from './flood.ts';
import { cpuRatio, loadFigures, type Results } from './results.ts';

export interface Aim {
  readonly title: string;
  /** As text, e.g. `≤ 1.0 × nginx`. */
  readonly wanted: string;
  readonly found: string;
  /** Undefined: not measured. */
  readonly reached: boolean | undefined;
}

interface AimRow {
  readonly title: string;
  readonly wanted: string;
  readonly value: (results: Results) => number | undefined;
  readonly limit: number;
  readonly atLeast?: boolean;
  readonly unit: '×' | '%';
}

/** The dearest scanning of any number of patterns, in percent of a relayed request. */
function scanningPercent(results: Results): number | undefined {
  const relayed = loadFigures(results, 'relay-1k-64', 'wormgate', false);
  if (relayed === undefined || results.screening.length === 0) return undefined;
  const addedNs = Math.max(...results.screening.map((each) => each.addedNs));
  return (addedNs / (relayed.cpuUs * 1_000)) * 100;
}

/** How far from the wanted share of the core a flood may have been. */
const floodTolerance = 0.1;

function floodRatio({ floods }: Results): number | undefined {
  const figures = floods.find(({ peer }) => peer === 'wormgate')?.figures;
  if (figures === undefined) return undefined;
  // A flood of another size proves nothing: that load was starved, or the machine had other work.
  if (Math.abs(figures.busyShare - floodShare) > floodTolerance) return undefined;
  return ratio(figures.floodP99Ms, figures.quietP99Ms);
}

const rows: readonly AimRow[] = [
  {
    title: 'relay 1 KiB, 64 connections',
    wanted: '≤ 1.0 × nginx',
    value: (results) => cpuRatio(results, 'relay-1k-64', ['wormgate', 'nginx']),
    limit: 1,
    unit: '×',
  },
  {
    title: 'relay 1 KiB, 64 connections',
    wanted: '≤ 1.0 × HAProxy',
    value: (results) => cpuRatio(results, 'relay-1k-64', ['wormgate', 'haproxy']),
    limit: 1,
    unit: '×',
  },
  {
    title: 'relay 1 KiB, 64 connections',
    wanted: '≥ 5 times less than http-proxy',
    value: (results) => cpuRatio(results, 'relay-1k-64', ['http-proxy', 'wormgate']),
    limit: 5,
    atLeast: true,
    unit: '×',
  },
  {
    title: 'relay 1 KiB, 64 connections',
    wanted: '≥ 25 times less than nginx + ModSecurity + CRS',
    value: (results) => cpuRatio(results, 'relay-1k-64', ['modsecurity', 'wormgate']),
    limit: 25,
    atLeast: true,
    unit: '×',
  },
  {
    title: 'cache hit, 1 KiB, 64 connections',
    wanted: '≤ 0.65 × nginx `proxy_cache`',
    value: (results) => cpuRatio(results, 'cache-hit', ['wormgate-cached', 'nginx']),
    limit: 0.65,
    unit: '×',
  },
  {
    title: 'cache hit, 1 KiB, 64 connections',
    wanted: '≤ 0.45 × Varnish',
    value: (results) => cpuRatio(results, 'cache-hit', ['wormgate-cached', 'varnish']),
    limit: 0.45,
    unit: '×',
  },
  {
    title: 'virus request, connection stays open (drop)',
    wanted: '≤ 1.1 × HAProxy `deny`',
    value: (results) => cpuRatio(results, 'virus-open', ['wormgate', 'haproxy']),
    limit: 1.1,
    unit: '×',
  },
  {
    title: 'virus request, a new connection each (drop)',
    wanted: '≤ 1.5 × nginx `return 400`',
    value: (results) => cpuRatio(results, 'virus-new', ['wormgate', 'nginx']),
    limit: 1.5,
    unit: '×',
  },
  {
    title: 'virus request, a new connection each (slip)',
    wanted: '≤ 1.5 × nginx `return 400`',
    value: (results) => cpuRatio(results, 'virus-new', ['wormgate-slip', 'nginx']),
    limit: 1.5,
    unit: '×',
  },
  {
    title: 'scanning on against off, up to 1,000,000 patterns',
    wanted: '≤ 0.37 % of a relayed request',
    value: scanningPercent,
    limit: 0.37,
    unit: '%',
  },
  {
    title: 'p99 of humble requests during a flood at 80 % of capacity',
    wanted: '≤ 2 × the p99 without',
    value: floodRatio,
    limit: 2,
    unit: '×',
  },
];

/** Each aim with what was found. */
export function judgeAims(results: Results): Aim[] {
  return rows.map(({ title, wanted, value, limit, atLeast = false, unit }) => {
    const found = value(results);
    if (found === undefined) return { title, wanted, found: '', reached: undefined };
    const reached = atLeast ? found >= limit : found <= limit;
    return { title, wanted, found: `${found.toFixed(2)} ${unit}`, reached };
  });
}

export function aimWord({ reached }: Aim): 'reached' | 'missed' | 'not measured' {
  if (reached === undefined) return 'not measured';
  return reached ? 'reached' : 'missed';
}
