/** The console's commands for virus sources: carried out, and their replies worded. */
import { escapeText } from '../config/quoted.ts';
import type { Source } from '../virus/sources.ts';
import type { Command } from './grammar.ts';
import { renderTable, tableOf } from './listing.ts';
import type { Reply } from './reply.ts';
import { formatMoment } from './screen.ts';

/** What the commands need of the running server. Addresses are IP addresses. */
export interface SourceConsole {
  /** SourceBlocking. */
  isWatching(): boolean;
  /** Blocked ones first. */
  list(): Iterable<Source>;
  counts(): { readonly blocked: number; readonly watched: number };
  find(address: string): Source | undefined;
  /** Why the address is never blocked, as a sentence; undefined: it may be. */
  objection(address: string): string | undefined;
  /** Durable when it resolves; rejects when it cannot be. */
  block(address: string, seconds: number | undefined): Promise<Source>;
  /** The same; undefined: it is not known. */
  forgive(address: string): Promise<Source | undefined>;
  /** The address as sources are named, or undefined for text that is none. */
  read(text: string): string | undefined;
}

const listedDefault = 100;
const words: ReadonlySet<string> = new Set(['sources', 'source', 'forgive', 'block']);

/** Whether a command is one of these. */
export function isSourceCommand({ word, asksHelp }: Command): boolean {
  return !asksHelp && words.has(word);
}

/** Carries out a command that `isSourceCommand` knows. */
export async function answerSourceCommand(
  { word, options, operand = '' }: Command,
  sources: SourceConsole,
  nowMs: number,
): Promise<Reply> {
  if (word === 'sources') {
    return {
      ok: true,
      text: renderSources(sources, Number(options.get('n') ?? listedDefault), nowMs),
    };
  }
  const address = sources.read(operand);
  if (address === undefined) {
    return refused(
      `"${escapeText(operand)}" is no IP address. It is one like 203.0.113.7 or 2001:db8::7.`,
    );
  }
  if (word === 'source') return show(sources, address, nowMs);
  if (word === 'forgive') return await forgive(sources, address);
  const seconds = options.get('s');
  return await block(sources, address, typeof seconds === 'number' ? seconds : undefined);
}

function refused(text: string): Reply {
  return { ok: false, text };
}

/** Whether its block lasts. */
export function isBlocked({ untilMs }: Source, nowMs: number): boolean {
  return nowMs < untilMs;
}

/** Why a source is blocked, in words. */
export const causes = {
  misses: 'misses',
  viruses: 'virus requests',
  console: 'the console',
} as const;

const header = [
  'ADDRESS',
  'BLOCKED UNTIL',
  'WHY',
  'MISSES',
  'VIRUS REQUESTS',
  'TIMES BLOCKED',
  'REQUESTS STOPPED',
];

function renderSources(sources: SourceConsole, max: number, nowMs: number): string {
  const { blocked, watched } = sources.counts();
  const off = sources.isWatching() ? '' : ' SourceBlocking=0: nobody is watched or blocked.';
  const summary = `${blocked} blocked, ${watched} watched.${off}`;
  if (blocked + watched === 0) return summary;
  const shown = take(sources.list(), max);
  const table = tableOf(header, shown, blocked + watched, (source) => {
    const blocks = isBlocked(source, nowMs);
    return [
      escapeText(source.address),
      blocks ? formatMoment(source.untilMs) : '-',
      blocks ? causes[source.cause] : '-',
      String(source.misses.length),
      String(source.viruses.length),
      String(source.times),
      String(source.requests),
    ];
  });
  return `${summary}\n${renderTable(table, '')}`;
}

/** The first `max` values. */
export function* take<T>(values: Iterable<T>, max: number): Generator<T> {
  let left = max;
  for (const value of values) {
    if (left === 0) return;
    left -= 1;
    yield value;
  }
}

function show(sources: SourceConsole, address: string, nowMs: number): Reply {
  const source = sources.find(address);
  if (source === undefined) return refused(unknown(address));
  const { cause, sinceMs, untilMs, times, requests, misses, viruses } = source;
  const state = isBlocked(source, nowMs)
    ? `is blocked from ${formatMoment(sinceMs)} until ${formatMoment(untilMs)} because of ${causes[cause]}; ${requests} requests were stopped`
    : 'is watched';
  const before =
    times === 0 ? '' : ` It was blocked ${times} ${times === 1 ? 'time' : 'times'} without a rest.`;
  const summary = `${source.address} ${state}.${before}`;
  const rows = [
    ...misses.map(
      ({ atMs, requestId, status, path }) => [atMs, requestId, `miss, ${status}`, path] as const,
    ),
    ...viruses.map(
      ({ atMs, requestId, matched }) => [atMs, requestId, 'virus request', matched] as const,
    ),
  ].sort(([one], [other]) => one - other);
  if (rows.length === 0) return { ok: true, text: summary };
  const table = tableOf(
    ['TIME', 'REQUEST ID', 'WHAT', 'PATH OR PATTERN'],
    rows,
    rows.length,
    (row) => {
      const [atMs, id, what, text] = row;
      return [formatMoment(atMs), id, what, `"${escapeText(text)}"`];
    },
  );
  return { ok: true, text: `${summary}\n${renderTable(table, '')}` };
}

function unknown(address: string): string {
  return `${address} is not known as a source.`;
}

async function forgive(sources: SourceConsole, address: string): Promise<Reply> {
  const source = await sources.forgive(address);
  return source === undefined
    ? refused(unknown(address))
    : { ok: true, text: `Forgave ${source.address}: nothing counts against it any more.` };
}

async function block(
  sources: SourceConsole,
  address: string,
  seconds: number | undefined,
): Promise<Reply> {
  if (!sources.isWatching()) return refused('SourceBlocking=0: nobody is blocked.');
  const objection = sources.objection(address);
  if (objection !== undefined) return refused(objection);
  const source = await sources.block(address, seconds);
  return { ok: true, text: `Blocked ${source.address} until ${formatMoment(source.untilMs)}.` };
}
