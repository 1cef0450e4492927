/**
 * How a node takes a snapshot over: afterwards it has what the snapshot says, and on top of that what only
 * this node knows, which waits to be sent. Pure; a step at a time, so that the caller can pause.
 */
import { patternOfKey } from '../virus/deletions.ts';
import type { Hands } from '../virus/sharing.ts';
import { carryOut } from './carry-out.ts';
import type { Command } from './command.ts';
import { History } from './history.ts';
import type { Replica } from './replica.ts';
import { registerOf, type SharedChange } from './shared-change.ts';
import { ownChanges, type Snapshot, unknownTo } from './snapshot.ts';

/** Yields between changes, unless that would show a database that lacks what it is to have. */
export function* adopt(
  replica: Replica,
  { head, commands }: Snapshot,
  hands: Hands,
): Generator<undefined> {
  const { history: before, view, node = '' } = replica;
  const more =
    before.hasBegun && !before.isForeignTo(head)
      ? [...unknownTo(replica, head)]
      : Array.from(ownChanges(view, node), (change): Command => ({ change, was: 0 }));
  const history = new History(head, stampsOf(commands));
  const isClearNews = head.clear > 0 && head.clear !== before.clear;
  if (isClearNews) hands.apply({ kind: 'clear' });
  for (const change of [...gone(replica, before, history)]) hands.apply(change);
  for (const { change } of commands) {
    const isOfSize = !('pattern' in change) || change.pattern.length === view.patterns.patternSize;
    if (isOfSize) carryOut({ change }, view, history, hands.apply);
    if (!isClearNews) yield undefined;
  }
  replica.goOnWith(
    history,
    more.filter(({ change, was = 0 }) => history.counts(change, was)),
    hands,
  );
}

function* stampsOf(commands: readonly Command[]): Generator<readonly [string, number]> {
  for (const { change, was } of commands) {
    const register = registerOf(change);
    if (register !== undefined && was !== undefined) yield [register, was];
  }
}

/** What the fleet has deleted so long ago that it does not remember. */
function* gone(replica: Replica, before: History, after: History): Generator<SharedChange> {
  const { patterns, keywords } = replica.view;
  const head = after.head();
  for (const [register, stamp] of before.stamps) {
    if (after.stamps.has(register) || !before.isCoveredBy(head, stamp)) continue;
    const name = register.slice(1);
    if (register.startsWith('k') && keywords.has(name)) {
      yield { kind: 'del-keyword', keyword: name };
    }
    if (!register.startsWith('p')) continue;
    const { pattern, origLength } = patternOfKey(name, patterns.patternSize);
    if (patterns.has(pattern, origLength)) yield { kind: 'expire', pattern, origLength };
  }
}
