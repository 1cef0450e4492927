/**
 * The naive pattern database: arrays searched from end to end, and the whole history of changes,
 * never shortened. What the real one should hold is the files, then that history, in order.
 */
import type { Change, LearningChange, Outcome, Provenance } from '../../src/virus/change.ts';
import { foldKeyword } from '../../src/virus/keyword-list.ts';
import type { PatternDatabase } from '../../src/virus/pattern-database.ts';
import { type TunableValues, tunableNames } from '../../src/virus/tunables.ts';

/** What the naive database understands. */
export type PlainChange = Exclude<Change, LearningChange>;

export const patternSize = 4;
export const tunables: TunableValues = {
  HitThreshold: 250,
  RefreshInterval: 10,
  EnablePatternAutoUpdate: 0,
  MaxVirusPatterns: 6,
};
export const maxKeywords = 3;
export const learning = { maxLearned: 100, maxProposals: 100 };

export interface Row {
  readonly id: string;
  readonly from: Provenance;
  readonly atMs: number;
}

/** What the database should hold, as arrays searched from end to end. */
export interface State {
  patterns: Row[];
  keywords: Row[];
  values: Record<string, number>;
}

export function idOf(change: Extract<PlainChange, { kind: 'add' | 'del' }>): string {
  return `${Buffer.from(change.pattern).toString('latin1')}/${change.origLength}`;
}

export function without(rows: readonly Row[], id: string): Row[] {
  return rows.filter((row) => row.id !== id);
}

export function applied(state: State, change: PlainChange): State {
  switch (change.kind) {
    case 'add': {
      const row = { id: idOf(change), from: change.from, atMs: change.atMs };
      return { ...state, patterns: [...without(state.patterns, row.id), row] };
    }
    case 'del':
      return { ...state, patterns: without(state.patterns, idOf(change)) };
    case 'clear':
      return { ...state, patterns: [] };
    case 'add-keyword': {
      const row = { id: foldKeyword(change.keyword), from: change.from, atMs: change.atMs };
      return { ...state, keywords: [...without(state.keywords, row.id), row] };
    }
    case 'del-keyword':
      return { ...state, keywords: without(state.keywords, foldKeyword(change.keyword)) };
    case 'set':
      return { ...state, values: { ...state.values, [change.name]: change.value } };
  }
}

/** What kind of answer `change` gets, the sentence left out. */
export function expectedOutcome(state: State, change: PlainChange): Outcome['kind'] {
  const hasPattern = (id: string) => state.patterns.some((row) => row.id === id);
  const hasKeyword = (id: string) => state.keywords.some((row) => row.id === id);
  const limit = state.values.MaxVirusPatterns ?? 0;
  switch (change.kind) {
    case 'add':
      if (hasPattern(idOf(change))) return 'unchanged';
      return state.patterns.length < limit ? 'done' : 'refused';
    case 'del':
      return hasPattern(idOf(change)) ? 'done' : 'refused';
    case 'clear':
      return state.patterns.length > 0 ? 'done' : 'unchanged';
    case 'add-keyword':
      if (hasKeyword(foldKeyword(change.keyword))) return 'unchanged';
      return state.keywords.length < maxKeywords ? 'done' : 'refused';
    case 'del-keyword':
      return hasKeyword(foldKeyword(change.keyword)) ? 'done' : 'refused';
    case 'set':
      return state.values[change.name] === change.value ? 'unchanged' : 'done';
  }
}

/** The files under the operator's changes: a pattern or keyword that is there already stays. */
export function baseState(base: readonly PlainChange[]): State {
  let state: State = { patterns: [], keywords: [], values: { ...tunables } };
  for (const change of base) {
    const isRepeated =
      (change.kind === 'add' && state.patterns.some((row) => row.id === idOf(change))) ||
      (change.kind === 'add-keyword' &&
        state.keywords.some((row) => row.id === foldKeyword(change.keyword)));
    if (!isRepeated) state = applied(state, change);
  }
  return state;
}

/** The model: the files and the whole history, never shortened. */
export class Model {
  shipped: readonly PlainChange[] = [];
  dumped: readonly PlainChange[] = [];
  history: PlainChange[] = [];

  get base(): readonly PlainChange[] {
    return [...this.shipped, ...this.dumped];
  }

  get state(): State {
    return this.history.reduce(applied, baseState(this.base));
  }
}

export function held(database: PatternDatabase): State {
  return {
    patterns: [...database.patterns.entries()].map((entry) => ({
      id: `${Buffer.from(entry.pattern).toString('latin1')}/${entry.origLength}`,
      from: entry.from,
      atMs: entry.addedAtMs,
    })),
    keywords: [...database.keywords.entries()].map((entry) => ({
      id: foldKeyword(entry.keyword),
      from: entry.from,
      atMs: entry.addedAtMs,
    })),
    values: Object.fromEntries(tunableNames.map((name) => [name, database.tunables.get(name)])),
  };
}

/** Everything but what a reload in between may do: the order, and who brought what is in a file. */
export function comparable(state: State): object {
  const isOwn = (row: Row) => row.from === 'console' || row.from.startsWith('auto(');
  const sides = (rows: readonly Row[]) => ({
    ids: rows.map((row) => row.id).sort(),
    own: rows.filter(isOwn),
  });
  return {
    patterns: sides(state.patterns),
    keywords: sides(state.keywords),
    values: state.values,
  };
}
