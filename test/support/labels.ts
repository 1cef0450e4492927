/** Verdicts of `tune --verdicts` against the labels of site-a. */
import { type Label, readLabels } from './requests-data.ts';

/** A row of the file: what became of a line. */
export interface VerdictRow {
  readonly line: number;
  readonly verdict: string;
  readonly reason: string;
}

/** Takes the file apart; throws on a row that is none. */
export function parseVerdicts(text: string): readonly VerdictRow[] {
  const [header, ...rows] = text.trimEnd().split('\n');
  if (header !== 'line\tverdict\treason') throw new Error(`not the header: ${header}`);
  return rows.map((row) => {
    const [line, verdict, reason, ...more] = row.split('\t');
    if (reason === undefined || more.length > 0) throw new Error(`not a row: ${row}`);
    return { line: Number(line), verdict: verdict ?? '', reason };
  });
}

/** How many of the lines of each label were blocked, and of all lines those of clean sources. */
export interface Score {
  readonly lines: Readonly<Record<Label, number>>;
  readonly blocked: Readonly<Record<Label, number>>;
  /** Blocked lines of sources that never sent an attack or a probe, by their numbers. */
  readonly cleanBlocked: readonly number[];
}

/** Scores verdicts by line: whether each was blocked. */
export function scoreSiteA(isBlocked: (line: number) => boolean): Score {
  const labels = readLabels();
  const isHostile = ({ label }: { label: Label }) => label === 'attack' || label === 'probe';
  const hostile = new Set(labels.filter(isHostile).map(({ client }) => client));
  const none = { attack: 0, probe: 0, normal: 0, ambiguous: 0 };
  const lines = { ...none };
  const blocked = { ...none };
  const cleanBlocked: number[] = [];
  for (const { line, label, client } of labels) {
    lines[label] += 1;
    if (!isBlocked(line)) continue;
    blocked[label] += 1;
    if (!hostile.has(client)) cleanBlocked.push(line);
  }
  return { lines, blocked, cleanBlocked };
}
