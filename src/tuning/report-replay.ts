/** What a replay found, as text: blocked, suspected, learned, proposed. Pure. */
import { escapeText } from '../config/quoted.ts';
import type { Proposal } from '../virus/change.ts';
import { formatPattern } from '../virus/pattern.ts';
import { blockReasons } from './fate.ts';
import type { BlockedClient, Replay } from './replay.ts';
import { cell, counted, firstRows, number, wrap } from './report-text.ts';

const rowsMax = 8;
const clientsMax = 3;
const reasonColumns = 7;
const countColumns = 11;

/** What blocked requests, the busiest first, and who sent most of them. */
export function blockedRows({ state, clients, blocked, blockedCount }: Replay): string[] {
  if (blockedCount === 0) return [];
  const reasons = Object.entries(blocked).filter(([, count]) => count > 0);
  const patterns = Array.from(state.patterns.entries(), ({ pattern, hits, from }) => {
    return { hits, what: `"${formatPattern(pattern)}"  ${escapeText(from)}` };
  });
  const keywords = Array.from(state.keywords.entries(), ({ keyword, hits }) => {
    return { hits, what: `confirmed keyword "${escapeText(keyword)}"` };
  });
  const blocking = [...patterns, ...keywords].filter(({ hits }) => hits > 0);
  blocking.sort((one, other) => other.hits - one.hits);
  const rows = blocking.map(({ hits, what }) => `${cell(hits, countColumns)}  ${what}`);
  return [
    ...reasons.map(([reason, count]) => {
      const what = blockReasons[reason as keyof typeof blocked];
      return `${cell(count, countColumns)}  ${reason.padEnd(reasonColumns)}  ${what}`;
    }),
    ...(rows.length === 0 ? [] : ['By pattern and keyword:', ...firstRows(rows, rowsMax)]),
    ...clientLines(clients),
  ];
}

function clientLines(clients: ReadonlyMap<string, BlockedClient>): string[] {
  const busiest = [...clients].sort(([, one], [, other]) => other.requests - one.requests);
  const shown = busiest
    .slice(0, clientsMax)
    .map(([client, { requests }]) => `${escapeText(client)} (${number(requests)})`);
  return wrap(`${clients.size > clientsMax ? 'Most' : 'All'} of them from ${shown.join(', ')}`);
}

/** Whom a log's misses and virus requests would have had blocked. */
export function sourceLines({ clients, statistics }: Replay): string[] {
  const { misses, misses_referred: referred, sources_forgotten: forgotten } = statistics.totals;
  const sources = [...clients].filter(([, { blocks }]) => blocks > 0);
  sources.sort(([, one], [, other]) => other.requests - one.requests);
  const rows = sources.map(([client, { requests, blocks, cause }]) => {
    const times = `${counted(blocks, 'time')}, last for ${cause}`;
    return `${cell(requests, countColumns)}  ${escapeText(client)}  ${times}`;
  });
  const told = `Misses: ${number(misses)}, and ${number(referred)} that a page of this site led to`;
  const lost = `${counted(forgotten, 'source')} were forgotten: more than MaxSources.`;
  return [
    ...wrap(told),
    sources.length === 0
      ? 'Sources blocked: none'
      : `Sources blocked: ${number(sources.length)} (with all their requests that were blocked)`,
    ...firstRows(rows, rowsMax),
    ...(forgotten === 0 ? [] : wrap(lost)),
  ];
}

/** In a sentence, how many requests were blocked; `besides` is put behind their number. */
export function blockedLines(replay: Replay, besides = ''): string[] {
  const { blockedCount, blockedServedCount, clients } = replay;
  if (blockedCount === 0) return [`Blocked: none${besides}`];
  const served =
    blockedServedCount === 0
      ? 'none of them was served (2xx, 3xx) at the time'
      : `${number(blockedServedCount)} of them had been served (2xx, 3xx): look at them`;
  const from = counted(clients.size, 'address', 'addresses');
  return wrap(`Blocked: ${counted(blockedCount, 'request')} from ${from}${besides}; ${served}`);
}

export function suspectLines({ suspects, suspectCount }: Replay): string[] {
  if (suspectCount === 0) return ['Suspected: none'];
  const often = [...suspects.values()].sort((one, other) => other.times - one.times);
  const rows = often.map(({ window, times, sample }) => {
    return `${cell(times, countColumns)}  "${window}"  ${escapeText(sample)}`;
  });
  return [
    `Suspected: ${counted(suspects.size, 'window')}, ${counted(suspectCount, 'time')}`,
    ...firstRows(rows, rowsMax),
  ];
}

export function learnedLines({ state }: Replay): string[] {
  const learned = [...state.learning.learned()].sort((one, other) => other.hits - one.hits);
  if (learned.length === 0) return ['Learned: none'];
  const rows = learned.map(({ pattern, keyword, hits, sample }) => {
    const what = `"${formatPattern(pattern)}"  keyword "${escapeText(keyword)}"`;
    const indent = ' '.repeat(countColumns + 2);
    return `${cell(hits, countColumns)}  ${what}\n${indent}${escapeText(sample.requestLine)}`;
  });
  return [
    `Learned: ${counted(learned.length, 'pattern')} (with the requests that each then blocked,`,
    'and the request that it was learned from)',
    ...firstRows(rows, rowsMax),
  ];
}

const reasons = {
  'window-served': 'window served',
  'path-served': 'path served',
  'not-missing': 'not answered 404 or 410',
  action: 'AutoUpdateAction=propose',
} as const satisfies Record<Proposal['reason'], string>;

export function proposedLines({ state, refusedCount }: Replay): string[] {
  const { proposals } = state.learning;
  const rows = Array.from(proposals.pending(), ({ pattern, keyword, reason }) => {
    return `  "${formatPattern(pattern)}"  ${reasons[reason]}: keyword "${escapeText(keyword)}"`;
  });
  const told =
    rows.length === 0
      ? 'Proposed instead: none'
      : `Proposed instead of learned: ${counted(rows.length, 'pattern')}`;
  const refused = `Refused: ${counted(refusedCount, 'pattern')}, because MaxVirusPatterns, MaxLearnedPatterns or MaxProposedPatterns was reached`;
  return [told, ...firstRows(rows, rowsMax), ...(refusedCount === 0 ? [] : wrap(refused))];
}

/** What is less than exact in a replay. */
export function replayBoundLines({ statistics }: Replay): string[] {
  const { windows_displaced: displaced } = statistics.totals;
  if (displaced === 0) return [];
  return wrap(
    `${counted(displaced, 'window')} were forgotten within their interval: too many different ones for MaxDistributionTable.`,
  );
}
