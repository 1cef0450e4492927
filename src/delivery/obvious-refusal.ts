/** Why an answer is not stored, where a look at its head is enough to tell. */
import type { StoreRefusal } from '../cache/policy.ts';
import type { AnswerScanner } from '../upstream/answer-head.ts';
import { textOf } from '../upstream/wire-grammar.ts';

/** Undefined: judgeStoring has to be asked, which otherwise says the same. */
export function obviousRefusal(
  head: AnswerScanner,
  bytes: Buffer,
  rules: { readonly defaultTtlMs: number },
): StoreRefusal | undefined {
  if (rules.defaultTtlMs > 0) return undefined;
  if (!head.hasCacheFields) return 'not-fresh';
  const index = head.cacheControlIndex;
  if (index < 0) return undefined;
  const value = textOf(bytes, head.valueStarts[index] as number, head.valueEnds[index] as number);
  return value === 'no-store' || value === 'private' ? value : undefined;
}
