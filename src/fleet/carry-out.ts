/**
 * Makes a shared change on this node, so that the same comes of it as on every other, and what only this
 * node knows and nobody else needs is kept. Pure.
 */
import type { Change } from '../virus/change.ts';
import type { Command } from './command.ts';
import type { History } from './history.ts';
import { type DatabaseView, patternRegister, type SharedChange } from './shared-change.ts';

type Apply = (change: Change) => void;

/** Makes the change of a command that counts. */
export function carryOut(
  { change, was }: Command,
  view: DatabaseView,
  history: History,
  apply: Apply,
): void {
  switch (change.kind) {
    case 'add': {
      // It moves to the end of the order, and keeps what was counted here.
      const { pattern, origLength } = change;
      const { hits = 0, lastHitMs = 0 } = view.patterns.find(pattern, origLength) ?? {};
      apply(change);
      if (hits > 0) apply({ kind: 'seen', pattern, origLength, hits, atMs: lastHitMs });
      return;
    }
    case 'reject': {
      // A proposal of this node alone must not say which keyword is barred.
      const { pattern } = change;
      if (view.learning.proposals.find(pattern) !== undefined) apply({ kind: 'lapse', pattern });
      apply(change);
      return;
    }
    case 'clear': {
      const later = was === undefined ? [] : [...addedSince(was, view, history)];
      apply(change);
      for (const add of later) apply(add);
      return;
    }
    default:
      apply(change);
  }
}

/** What a clear leaves that had its place before. */
function* addedSince(
  stamp: number,
  { patterns, learning }: DatabaseView,
  { stamps }: History,
): Generator<SharedChange> {
  for (const { pattern, origLength, from, addedAtMs } of patterns.entries()) {
    if ((stamps.get(patternRegister(pattern, origLength)) ?? 0) <= stamp) continue;
    const add = { kind: 'add', pattern, origLength, from, atMs: addedAtMs } as const;
    const sample = learning.sampleOf(pattern, origLength);
    yield sample === undefined ? add : { ...add, sample };
  }
}
