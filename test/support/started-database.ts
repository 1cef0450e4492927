/** A pattern database over a journal in memory, started and started again, for the unit tests. */
import { Statistics } from '../../src/statistics.ts';
import type { Change, Provenance, TunableName } from '../../src/virus/change.ts';
import { PatternDatabase, type PatternDatabaseOptions } from '../../src/virus/pattern-database.ts';
import { MemoryJournal } from './memory-journal.ts';

export const size = 16;
export const tunables = {
  HitThreshold: 250,
  RefreshInterval: 10,
  EnablePatternAutoUpdate: 0,
  MaxVirusPatterns: 5,
};

export const learning = { maxLearned: 3, maxProposals: 2 };

export function pattern(text: string): Uint8Array {
  const bytes = new Uint8Array(size);
  bytes.set(Buffer.from(text, 'latin1'));
  return bytes;
}

export function add(text: string, from: Provenance = 'console', atMs = 1_000): Change {
  return { kind: 'add', pattern: pattern(text), origLength: 10, from, atMs };
}

export function del(text: string): Change {
  return { kind: 'del', pattern: pattern(text), origLength: 10 };
}

export function word(keyword: string, from: Provenance = 'console'): Change {
  return { kind: 'add-keyword', keyword, from, atMs: 1_000 };
}

export function set(name: TunableName, value: number): Change {
  return { kind: 'set', name, value };
}

export interface Started {
  database: PatternDatabase;
  journal: MemoryJournal;
  statistics: Statistics;
  warnings: string[];
}

export async function start(
  base: readonly Change[] = [],
  {
    journal = new MemoryJournal(),
    ...options
  }: Partial<PatternDatabaseOptions> & {
    journal?: MemoryJournal;
  } = {},
): Promise<Started> {
  const statistics = new Statistics();
  const warnings: string[] = [];
  const database = new PatternDatabase({
    patternSize: size,
    maxKeywords: 3,
    learning,
    seed: 1,
    tunables,
    journal,
    journalBytesMax: 1_000_000,
    statistics,
    warn: (message) => warnings.push(message),
    ...options,
  });
  database.loadBase(base);
  database.recover(Buffer.from(journal.text));
  await database.tidyJournal();
  return { database, journal, statistics, warnings };
}

/** Starts again over the same journal, as after kill -9. */
export function restart(
  { journal }: Started,
  base: readonly Change[] = [],
  options: Partial<PatternDatabaseOptions> = {},
): Promise<Started> {
  return start(base, { ...options, journal: new MemoryJournal(journal.text) });
}

export function names(database: PatternDatabase): string[] {
  return [...database.patterns.entries()].map((entry) =>
    Buffer.from(entry.pattern).toString('latin1').replace(/\0+$/, ''),
  );
}

export function words(database: PatternDatabase): string[] {
  return [...database.keywords.entries()].map((entry) => entry.keyword);
}

export const shipped = [add('one', 'shipped'), add('two', 'shipped'), word('cmd.exe', 'shipped')];
