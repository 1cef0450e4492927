/** What the web console is shown, as JSON: patterns, keywords, proposals, settings. Pure. */
import { escapeText } from '../config/quoted.ts';
import { settingsTable } from '../config/settings.ts';
import type { Row } from '../config/table.ts';
import type { WrittenSetting } from '../config/written.ts';
import type { Proposal, Sample } from '../virus/change.ts';
import type { KeywordEntry } from '../virus/keyword-list.ts';
import { formatPattern } from '../virus/pattern.ts';
import type { PatternEntry } from '../virus/pattern-set.ts';
import { type Listed, proposalReasons } from './listing.ts';
import type { PageWanted } from './pattern-pages.ts';

/** A request that something was learned by; printable. */
export interface SampleView {
  readonly requestLine: string;
  readonly source: string;
}

export interface PatternView {
  /** As it is typed in `virus add -p`, without the quotation marks. */
  readonly pattern: string;
  readonly origLength: number;
  readonly from: string;
  readonly addedAtMs: number;
  readonly hits: number;
  readonly lastHitMs: number | null;
}

export interface ProposalView {
  readonly pattern: string;
  readonly origLength: number;
  readonly keyword: string;
  readonly why: string;
  readonly sample: SampleView;
  readonly firstSeenMs: number;
  readonly lastSeenMs: number;
  readonly times: number;
}

export interface KeywordView {
  readonly keyword: string;
  readonly from: string;
  readonly addedAtMs: number;
  readonly confirmedAtMs: number | null;
  readonly hits: number;
  readonly servedAtMs: number | null;
}

/** The columns that the list of patterns can be sorted by. */
export const patternColumns = ['hits', 'lastHit', 'added', 'pattern', 'length', 'from'] as const;

export type PatternColumn = (typeof patternColumns)[number];

const orders: Readonly<Record<PatternColumn, (one: PatternEntry, other: PatternEntry) => number>> =
  {
    hits: (one, other) => one.hits - other.hits,
    lastHit: (one, other) => (one.lastHitMs ?? 0) - (other.lastHitMs ?? 0),
    added: (one, other) => one.addedAtMs - other.addedAtMs,
    // By bytes: making text of each for each comparison would hold up requests.
    pattern: (one, other) => Buffer.compare(one.pattern, other.pattern),
    length: (one, other) => one.origLength - other.origLength,
    from: (one, other) => ascending(one.from, other.from),
  };

/** The page of patterns that is wanted; `search`: text that stands in the pattern or its provenance. */
export function patternPage(wanted: {
  readonly search: string;
  readonly sort: PatternColumn;
  readonly isDescending: boolean;
  readonly from: number;
  readonly count: number;
}): PageWanted<PatternEntry> {
  const order = orders[wanted.sort];
  const sign = wanted.isDescending ? -1 : 1;
  const search = wanted.search.toLowerCase();
  return {
    from: wanted.from,
    count: wanted.count,
    matches: ({ pattern, from }) =>
      search === '' || `${formatPattern(pattern)} ${from}`.toLowerCase().includes(search),
    compare: (one, other) => sign * order(one, other),
  };
}

function ascending(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}

export function viewPattern(entry: PatternEntry): PatternView {
  const { origLength, from, addedAtMs, hits, lastHitMs } = entry;
  return {
    pattern: formatPattern(entry.pattern),
    origLength,
    from: escapeText(from),
    addedAtMs,
    hits,
    lastHitMs: lastHitMs ?? null,
  };
}

function viewSample({ requestLine, source }: Sample): SampleView {
  return { requestLine: escapeText(requestLine), source: escapeText(source) };
}

function viewProposal(proposal: Proposal): ProposalView {
  const { origLength, keyword, reason, sample, firstSeenMs, lastSeenMs, times } = proposal;
  return {
    pattern: formatPattern(proposal.pattern),
    origLength,
    keyword: escapeText(keyword),
    why: proposalReasons[reason],
    sample: viewSample(sample),
    firstSeenMs,
    lastSeenMs,
    times,
  };
}

function viewKeyword(entry: KeywordEntry): KeywordView {
  const { from, addedAtMs, confirmedAtMs, hits, servedAtMs } = entry;
  return {
    keyword: escapeText(entry.keyword),
    from: escapeText(from),
    addedAtMs,
    confirmedAtMs: confirmedAtMs ?? null,
    hits,
    servedAtMs: servedAtMs ?? null,
  };
}

/** At most so many keywords and proposals are sent. */
export const listedMax = 1_000;

function firstOf<Item, View>(items: Iterable<Item>, view: (item: Item) => View): readonly View[] {
  const views: View[] = [];
  for (const item of items) {
    if (views.length === listedMax) break;
    views.push(view(item));
  }
  return views;
}

/** The lists that fit on one page. */
export function viewLists(listed: Listed) {
  return {
    proposals: firstOf(listed.proposals(), viewProposal),
    keywords: firstOf(listed.keywords(), viewKeyword),
    counts: {
      patterns: listed.count('patterns'),
      learned: listed.count('learned'),
      proposals: listed.count('proposals'),
      keywords: listed.count('keywords'),
    },
  };
}

/** A key of PROXY.CFG: what the file in force says, and what it is. */
export interface SettingView {
  readonly section: string;
  readonly key: string;
  /** `***`: a secret that is set. */
  readonly value: string;
  readonly isDefault: boolean;
  readonly default: string;
  readonly changedBy: 'reload' | 'restart';
  readonly help: string;
}

/** All keys, with the values that a configuration file has given them. */
export function viewSettings(written: readonly WrittenSetting[]): readonly SettingView[] {
  return written.flatMap(({ section, key, value, isDefault }) => {
    const row = rowOf(section, key);
    if (row === undefined) return [];
    return {
      section: escapeText(section),
      key,
      value: value === undefined ? '***' : escapeText(value),
      isDefault,
      default: row.defaultNote ?? row.default,
      changedBy: row.live ? ('reload' as const) : ('restart' as const),
      help: row.help,
    };
  });
}

function rowOf(section: string, key: string): Row<unknown> | undefined {
  const name = section.toLowerCase();
  const table = settingsTable.find((each) =>
    each.named === true
      ? name.startsWith(`${each.name.toLowerCase()} `)
      : name === each.name.toLowerCase(),
  );
  const plain = key.toLowerCase();
  const found = Object.entries(table?.rows ?? {}).find(([each]) =>
    [plain, plain.replace(/\d+$/, 'n')].includes(each.toLowerCase()),
  );
  return found?.[1];
}
