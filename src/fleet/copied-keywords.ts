/** A worker's copy of the keywords: how they were used is kept for the primary. */
import { type KeywordEntry, KeywordList } from '../virus/keyword-list.ts';
import type { KeywordState, KeywordUse } from './messages.ts';

/** The primary's bound holds; a copy takes whatever it took. */
const unbounded = 2 ** 31;

/** The list that the primary has sent, in the place of `before`, whose uses go over to it. */
export function copyOfKeywords(states: readonly KeywordState[], before: KeywordList): KeywordList {
  const list = new KeywordList(unbounded);
  for (const { keyword, from, isConfirmed } of states) {
    list.add(keyword, from, 0);
    const entry = list.find(keyword);
    if (entry === undefined) continue;
    if (isConfirmed) entry.confirmedAtMs = 0;
    const { hits = 0, lastHitMs, servedAtMs } = before.find(keyword) ?? {};
    entry.hits = hits;
    entry.lastHitMs = lastHitMs;
    entry.servedAtMs = servedAtMs;
  }
  return list;
}

/** Uses of keywords since the last call; the entries forget them. */
export function takeKeywordUses(list: KeywordList): KeywordUse[] {
  const uses: KeywordUse[] = [];
  for (const entry of list.entries()) {
    const { keyword, hits, lastHitMs, servedAtMs } = entry;
    if (hits === 0 && servedAtMs === undefined) continue;
    uses.push({ keyword, hits, lastHitMs, servedAtMs });
    entry.hits = 0;
    entry.servedAtMs = undefined;
  }
  return uses;
}

/** Adds uses to the primary's own entry, if the keyword is still there. */
export function addKeywordUse(entry: KeywordEntry | undefined, use: KeywordUse): void {
  if (entry === undefined) return;
  entry.hits += use.hits;
  if (use.lastHitMs !== undefined && use.hits > 0) {
    entry.lastHitMs = Math.max(entry.lastHitMs ?? 0, use.lastHitMs);
  }
  if (use.servedAtMs !== undefined) {
    entry.servedAtMs = Math.max(entry.servedAtMs ?? 0, use.servedAtMs);
  }
}
