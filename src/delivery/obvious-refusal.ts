/** Why an answer is not stored, where a look at its head is enough to tell. */
import type { PolicyRules, StoreRefusal } from '../cache/policy.ts';
import type { AnswerScanner } from '../upstream/answer-head.ts';
import { textOf } from '../upstream/wire-grammar.ts';

/** Undefined: judgeStoring has to be asked, which otherwise says the same. */
export function obviousRefusal(
  head: AnswerScanner,
  bytes: Buffer,
  rules: PolicyRules,
): StoreRefusal | undefined {
  // With one of these, an answer that says nothing may be of use.
  if (rules.defaultTtlMs > 0 || rules.staleIfErrorMs > 0 || rules.staleWhileRevalidateMs > 0) {
    return undefined;
  }
  if (!head.hasCacheFields) return head.status === 206 ? 'partial' : 'not-fresh';
  const index = head.cacheControlIndex;
  if (index < 0) return undefined;
  const value = textOf(bytes, head.valueStarts[index] as number, head.valueEnds[index] as number);
  return value === 'no-store' || value === 'private' ? value : undefined;
}
