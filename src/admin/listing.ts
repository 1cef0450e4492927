/**
 * What `virus list` prints: tables of the patterns, of those that were learned, of those that are
 * proposed, and of the keywords. Pure: what it lists is handed in.
 */
import { escapeText, quote } from '../config/quoted.ts';
import type { Proposal, ProposalReason, Sample } from '../virus/change.ts';
import type { KeywordEntry } from '../virus/keyword-list.ts';
import { formatPattern } from '../virus/pattern.ts';
import type { PatternEntry } from '../virus/pattern-set.ts';
import { formatMoment } from './screen.ts';

/** A learned pattern, with the keyword and the request that it was learned by. */
export interface ListedLearning extends PatternEntry {
  readonly keyword: string;
  readonly sample: Sample;
}

/** What there is to list, in the order of the tables' rows. */
export interface Listed {
  patterns(): Iterable<PatternEntry>;
  learned(): Iterable<ListedLearning>;
  proposals(): Iterable<Proposal>;
  keywords(): Iterable<KeywordEntry>;
  /** How many of each there are; iterating a million patterns to find out would take too long. */
  count(what: 'patterns' | 'learned' | 'proposals' | 'keywords'): number;
}

const rowsMax = 1000;
/** Of a sample so many characters are shown; the journal holds more. */
const sampleLengthMax = 80;

/** A table as it is printed. */
export interface Table {
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Rows that are not shown. */
  readonly moreCount: number;
}

/** The first rows of what there is. */
export function tableOf<Row>(
  header: readonly string[],
  rows: Iterable<Row>,
  count: number,
  cells: (row: Row) => readonly string[],
): Table {
  const shown: (readonly string[])[] = [];
  for (const row of rows) {
    shown.push(cells(row));
    if (shown.length === rowsMax) break;
  }
  return { header, rows: shown, moreCount: count - shown.length };
}

/** Columns as wide as their widest cell; numbers to the right. */
export function renderTable({ header, rows, moreCount }: Table, elsewhere: string): string {
  const widths = header.map((name, column) =>
    rows.reduce((width, row) => Math.max(width, row[column]?.length ?? 0), name.length),
  );
  const isNumber = header.map((_, column) =>
    rows.every((row) => /^-?\d+$/.test(row[column] ?? '')),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) =>
        isNumber[column] === true
          ? cell.padStart(widths[column] ?? 0)
          : cell.padEnd(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd();
  const lines = [header, ...rows].map(line);
  return [...lines, ...(moreCount > 0 ? [`And ${moreCount} more${elsewhere}.`] : [])].join('\n');
}

const dumped = '; "virus dump" writes all of them to VIRPAT.NCF';

function printable(text: string): string {
  return quote(text).slice(1, -1);
}

function moment(atMs: number | undefined): string {
  return atMs === undefined ? '-' : formatMoment(atMs);
}

function quotedPattern(pattern: Uint8Array): string {
  return `"${formatPattern(pattern)}"`;
}

function sampleText({ requestLine }: Sample): string {
  if (requestLine === '') return '-';
  const cut = requestLine.slice(0, sampleLengthMax);
  return `"${escapeText(cut)}${cut.length < requestLine.length ? '...' : ''}"`;
}

function sourceText({ source }: Sample): string {
  return source === '' ? '-' : escapeText(source);
}

function patternTable(listed: Listed): Table {
  const header = ['PATTERN', 'LENGTH', 'FROM', 'ADDED', 'HITS', 'LAST HIT'];
  return tableOf(header, listed.patterns(), listed.count('patterns'), (entry) => [
    quotedPattern(entry.pattern),
    String(entry.origLength),
    printable(entry.from),
    moment(entry.addedAtMs),
    String(entry.hits),
    moment(entry.lastHitMs),
  ]);
}

function learnedTable(listed: Listed): Table {
  const seen = ['FIRST SEEN', 'LAST SEEN', 'HITS'];
  const header = ['PATTERN', 'LENGTH', 'KEYWORD', ...seen, 'FIRST SOURCE', 'SAMPLE'];
  return tableOf(header, listed.learned(), listed.count('learned'), (entry) => [
    quotedPattern(entry.pattern),
    String(entry.origLength),
    quote(entry.keyword),
    moment(entry.addedAtMs),
    moment(entry.lastHitMs ?? entry.addedAtMs),
    String(entry.hits),
    sourceText(entry.sample),
    sampleText(entry.sample),
  ]);
}

/** Why a pattern was not added, in a few words. */
export const proposalReasons: Readonly<Record<ProposalReason, string>> = {
  'window-served': 'its window was lately served',
  'path-served': 'its path was lately served',
  'not-missing': 'no origin answered 404 or 410',
  action: 'AutoUpdateAction=propose',
};

function proposalTable(listed: Listed): Table {
  const seen = ['FIRST SEEN', 'LAST SEEN', 'TIMES'];
  const header = [
    'PATTERN',
    'LENGTH',
    'KEYWORD',
    'WHY NOT ADDED',
    ...seen,
    'FIRST SOURCE',
    'SAMPLE',
  ];
  return tableOf(header, listed.proposals(), listed.count('proposals'), (proposal) => [
    quotedPattern(proposal.pattern),
    String(proposal.origLength),
    quote(proposal.keyword),
    proposalReasons[proposal.reason],
    moment(proposal.firstSeenMs),
    moment(proposal.lastSeenMs),
    String(proposal.times),
    sourceText(proposal.sample),
    sampleText(proposal.sample),
  ]);
}

function keywordTable(listed: Listed): Table {
  const header = ['KEYWORD', 'FROM', 'ADDED', 'CONFIRMED', 'BLOCKED', 'LAST SERVED'];
  return tableOf(header, listed.keywords(), listed.count('keywords'), (entry) => [
    quote(entry.keyword),
    printable(entry.from),
    moment(entry.addedAtMs),
    moment(entry.confirmedAtMs),
    String(entry.hits),
    moment(entry.servedAtMs),
  ]);
}

/** The reply to `virus list`, or to `virus list -k`. */
export function renderList(ofKeywords: boolean, listed: Listed): string {
  if (ofKeywords) {
    const table = keywordTable(listed);
    return table.rows.length === 0 ? 'There are no keywords.' : renderTable(table, dumped);
  }
  const patterns = patternTable(listed);
  const learned = learnedTable(listed);
  const proposed = proposalTable(listed);
  const parts = [
    patterns.rows.length === 0 ? 'There are no patterns.' : renderTable(patterns, dumped),
  ];
  if (learned.rows.length > 0) {
    parts.push(`Learned by Auto Update:\n${renderTable(learned, '')}`);
  }
  if (proposed.rows.length > 0) {
    const heading = 'Proposed by Auto Update, for "virus accept" or "virus reject":';
    parts.push(`${heading}\n${renderTable(proposed, '')}`);
  }
  return parts.join('\n\n');
}
