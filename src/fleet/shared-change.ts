/**
 * Which changes of the pattern database concern all nodes of a fleet, and in which form. What a change
 * means for one node may depend on what that node knows, such as its proposals; a shared change means the
 * same on every node, whatever else is there, and making it twice is making it once. Pure.
 */
import type { Change, Outcome, TunableName } from '../virus/change.ts';
import { patternKey } from '../virus/deletions.ts';
import { foldKeyword } from '../virus/keyword-list.ts';
import type { PatternDatabase } from '../virus/pattern-database.ts';
import { broughtBy, learnedKeyword } from '../virus/provenance.ts';

/** A deletion is an `expire`, with a `reject` beside it when the operator has made it. */
export type SharedChange = Extract<
  Change,
  {
    kind:
      | 'add'
      | 'expire'
      | 'reject'
      | 'clear'
      | 'add-keyword'
      | 'del-keyword'
      | 'confirm-keyword'
      | 'unconfirm-keyword'
      | 'set'
      | 'seen';
  }
>;

/** What the database knows, for reading. */
export type DatabaseView = Pick<
  PatternDatabase,
  'patterns' | 'keywords' | 'learning' | 'tunables' | 'overlay'
>;

/** How much memory a machine has is its own matter; the rest of what the console sets holds for all. */
const sharedTunables: ReadonlySet<TunableName> = new Set([
  'HitThreshold',
  'RefreshInterval',
  'EnablePatternAutoUpdate',
]);

const sharedKinds: ReadonlySet<Change['kind']> = new Set<SharedChange['kind']>([
  'add',
  'expire',
  'reject',
  'clear',
  'add-keyword',
  'del-keyword',
  'confirm-keyword',
  'unconfirm-keyword',
  'set',
  'seen',
]);

/** Whether what another node sent is a change that nodes share. */
export function isShared(change: Change): change is SharedChange {
  if (change.kind === 'set') return sharedTunables.has(change.name);
  return sharedKinds.has(change.kind) && !('from' in change && change.from === 'shipped');
}

type Add = Extract<Change, { kind: 'add' }>;

function sharedAdd({ confirms, ...add }: Add, node: string): SharedChange[] {
  const from = broughtBy(add.from, node);
  const keyword = learnedKeyword(from);
  const shared: SharedChange = { ...add, from };
  if (confirms !== true || keyword === undefined) return [shared];
  return [shared, { kind: 'confirm-keyword', keyword, atMs: add.atMs }];
}

/** What a change that `view` has no objection to means for all nodes; undefined: nothing. */
export function sharedForm(
  change: Change,
  view: DatabaseView,
  node: string,
): SharedChange[] | undefined {
  switch (change.kind) {
    case 'add':
      return sharedAdd(change, node);
    case 'accept': {
      const add = view.learning.accepted(change);
      return add && sharedAdd(add, node);
    }
    case 'del': {
      const { pattern, origLength } = change;
      const from = view.patterns.find(pattern, origLength)?.from ?? '';
      const keyword = view.learning.proposals.find(pattern)?.keyword ?? learnedKeyword(from);
      return [{ kind: 'expire', pattern, origLength }, rejection(pattern, keyword)];
    }
    case 'reject': {
      const { pattern } = change;
      const keyword = view.learning.proposals.find(pattern)?.keyword ?? change.keyword;
      return [rejection(pattern, keyword)];
    }
    case 'add-keyword':
      return [{ ...change, from: broughtBy(change.from, node) }];
    default:
      return isShared(change) ? [change] : undefined;
  }
}

/** The rejection of a window, and of the keyword that found it. */
export function rejection(pattern: Uint8Array, keyword: string | undefined): SharedChange {
  return { kind: 'reject', pattern, ...(keyword !== undefined && { keyword }) };
}

/** The key of the rejection of a window, as `registerOf` has it. */
export function windowRegister(pattern: Uint8Array): string {
  return `r${Buffer.from(pattern.buffer, pattern.byteOffset, pattern.length).toString('latin1')}`;
}

/** The key of a pattern, as `registerOf` has it. */
export function patternRegister(pattern: Uint8Array, origLength: number): string {
  return `p${patternKey(pattern, origLength)}`;
}

/**
 * What a change decides, as a key; of two changes with the same key the later one counts. Undefined: of
 * a clear, which decides about all patterns and confirmations, and of what decides nothing.
 */
export function registerOf(change: SharedChange): string | undefined {
  switch (change.kind) {
    case 'add':
    case 'expire':
      return patternRegister(change.pattern, change.origLength);
    case 'reject':
      return windowRegister(change.pattern);
    case 'add-keyword':
    case 'del-keyword':
      return `k${foldKeyword(change.keyword)}`;
    case 'confirm-keyword':
    case 'unconfirm-keyword':
      return `c${foldKeyword(change.keyword)}`;
    case 'set':
      return `t${change.name}`;
    default:
      return undefined;
  }
}

/** Everything that a change alters, as keys; none for a clear, which alters all. */
export function alteredBy(change: SharedChange): string[] {
  const own = registerOf(change);
  const keys = own === undefined ? [] : [own];
  if (change.kind === 'add') keys.push(windowRegister(change.pattern));
  if (change.kind === 'add-keyword' || change.kind === 'del-keyword') {
    keys.push(`c${foldKeyword(change.keyword)}`);
  }
  if (change.kind === 'reject' && change.keyword !== undefined) {
    keys.push(`c${foldKeyword(change.keyword)}`);
  }
  return keys;
}

/** What is refused while too many commands wait for the engine. */
export function outboxFull(waiting: number): Outcome {
  const message = `${waiting} commands wait for the fleet's engine already, which cannot be reached; try again when "virus fleet" shows that it is back.`;
  return { kind: 'refused', message };
}
