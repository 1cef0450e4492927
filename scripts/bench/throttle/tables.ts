/** The tables of the throttle's benchmark, printed to a terminal or written as Markdown. Pure. */
import type { Table } from '../proxies/tables.ts';
import type { Cost } from './cost.ts';
import { minutesMax, paperMinutes, type SpreadResult } from './curves.ts';
import type { SocketRow } from './on-sockets.ts';
import type { Overhead } from './overhead.ts';
import type { Stop, StopRow } from './stopping.ts';
import type { VariantResult } from './variants.ts';

function shownStop({ seconds, reached }: Stop): string[] {
  return [seconds.toFixed(2), String(reached)];
}

/** Half of an even number of runs may lie between two counts. */
function shownCount(count: number): string {
  return Number.isInteger(count) ? count.toLocaleString('en') : count.toFixed(1);
}

function shownPercent(share: number): string {
  if (share === 0 || share === 1) return `${share * 100} %`;
  if (share < 0.001) return '< 0.1 %';
  // What is not all must not look like it.
  return `${(Math.min(share, 0.999) * 100).toFixed(1)} %`;
}

function shownMinutes(minutes: number): string {
  return Number.isFinite(minutes) ? minutes.toFixed(1) : `> ${minutesMax}`;
}

/** The table of 2003. */
export function stopTable(rows: readonly StopRow[]): Table {
  return {
    title: 'a worm of constant rate: seconds until it is stopped, and hosts reached by then',
    head: [
      'connections/s',
      ...['paper s', 'hosts', 'ideal s', 'hosts'],
      ...['wormgate s', 'hosts', 'idle before s', 'hosts'],
    ],
    rows: rows.map(({ perSecond, paper, ideal, closed, free }) => [
      String(perSecond),
      ...[paper, ideal, closed, free].flatMap(shownStop),
    ]),
  };
}

/** The same on real sockets. */
export function socketTable(rows: readonly SocketRow[]): Table {
  return {
    title: 'the same on real sockets, through the egress gateway',
    head: ['connections/s', 'paper s', 'hosts', 'wormgate s', 'hosts'],
    rows: rows.map(({ perSecond, paper, measured }) => [
      String(perSecond),
      ...(paper === undefined ? ['-', '-'] : shownStop(paper)),
      ...shownStop(measured),
    ]),
  };
}

/** What it costs a proxied request. */
export function overheadTable(rows: readonly Overhead[]): Table {
  return {
    title: 'CPU of the proxy for a request, in microseconds',
    head: ['the origin', 'Enable=0', 'Enable=1', 'more'],
    rows: rows.map(({ origin, offUs, onUs, share }) => [
      origin,
      offUs.toFixed(1),
      onUs.toFixed(1),
      `${(share * 100).toFixed(2)} %`,
    ]),
  };
}

/** The spread among so many hosts. */
export function spreadTable({ hostCount, addressCount, runCount, shares }: SpreadResult): Table {
  const hosts = hostCount.toLocaleString('en');
  const runs = `the median of ${runCount.toLocaleString('en')} runs`;
  return {
    title: `${hosts} hosts in ${addressCount.toLocaleString('en')} addresses, ${runs}`,
    head: [
      'throttled',
      ...[`infected after ${paperMinutes} min`, 'share', '90 % of the runs'],
      ...['half after min', 'all after min'],
    ],
    rows: shares.map((share) => [
      `${share.throttledShare * 100} %`,
      shownCount(share.infected),
      shownPercent(share.infected / hostCount),
      `${shownCount(share.infectedLow)} to ${shownCount(share.infectedHigh)}`,
      shownMinutes(share.halfMinutes),
      shownMinutes(share.allMinutes),
    ]),
  };
}

/** Other settings and reactions. */
export function variantTable(
  variants: readonly VariantResult[],
  hostCount: number,
  runCount: number,
): Table {
  return {
    title: `${paperMinutes} minutes of a worm, all hosts throttled alike; infected: the mean of ${runCount} runs`,
    head: ['', 'reached by one worm', `infected of ${hostCount}`],
    rows: variants.map(({ title, reached, infected }) => [
      title,
      shownCount(reached),
      infected.toFixed(2),
    ]),
  };
}

export function costTable(costs: readonly Cost[]): Table {
  return {
    title: 'a connection to a known host, in process',
    head: ['', 'ns'],
    rows: costs.map(({ name, ns }) => [name, ns.toFixed(0)]),
  };
}
