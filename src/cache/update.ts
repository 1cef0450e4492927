/**
 * What a 304 and the answer to a HEAD do to stored answers (RFC 9111 §§3.2, 4.3.3-4.3.5): which of them are
 * meant, and which header lines take the place of stored ones.
 */
import { isStrongMatch, isWeakMatch } from './conditional.ts';
import { assemble, datedLines, type StoredAnswer, selectedBy } from './entry.ts';
import { firstValueOf, type HeaderLine, omittedLines, storedLines, valuesOf } from './fields.ts';
import { parseHttpDate } from './http-date.ts';
import {
  type Exchange,
  type Freshness,
  isOfRequest,
  judgeStoring,
  type PolicyRules,
} from './policy.ts';
import { isSelectedBy } from './vary.ts';

/**
 * The stored answers that a 304 is about (RFC 9111 §4.3.4); `asked` is the one whose validators were sent.
 * None: the 304 is about something else, and the request has to be repeated without validators.
 */
export function answersMeant(
  answers: readonly StoredAnswer[],
  asked: StoredAnswer,
  lines: readonly HeaderLine[],
  nowMs: number,
): readonly StoredAnswer[] {
  const etag = firstValueOf(lines, 'etag');
  if (etag !== undefined && !etag.startsWith('W/')) {
    return answers.filter(
      (answer) => answer.etag !== undefined && isStrongMatch(answer.etag, etag),
    );
  }
  const lastModified = firstValueOf(lines, 'last-modified');
  // It says nothing about which: it answers what was asked.
  if (etag === undefined && lastModified === undefined)
    return answers.includes(asked) ? [asked] : [];
  const modifiedMs = parseHttpDate(lastModified ?? '', nowMs);
  const matching = answers.filter((answer) =>
    etag === undefined
      ? answer.lastModifiedMs === modifiedMs
      : answer.etag !== undefined && isWeakMatch(answer.etag, etag),
  );
  if (matching.length < 2) return matching;
  return [matching.reduce((latest, answer) => (answer.dateMs > latest.dateMs ? answer : latest))];
}

/**
 * Never taken over into a stored answer: its own framing, what one client alone is told, and what says how
 * the body that is stored is coded or which it is.
 */
const neverUpdated = new Set([
  'content-length',
  'set-cookie',
  'content-encoding',
  'content-range',
  'content-md5',
  'etag',
]);

/**
 * Stored lines with those of a later answer in the place of theirs (RFC 9111 §3.2).
 */
export function updatedLines(
  stored: readonly HeaderLine[],
  later: readonly HeaderLine[],
): HeaderLine[] {
  const byName = new Map<string, HeaderLine[]>();
  for (const line of storedLines(later)) {
    const key = line[0].toLowerCase();
    if (neverUpdated.has(key)) continue;
    const lines = byName.get(key);
    if (lines === undefined) byName.set(key, [line]);
    else lines.push(line);
  }
  const lines: HeaderLine[] = [];
  const taken = new Set<string>();
  for (const line of stored) {
    const key = line[0].toLowerCase();
    const replacing = byName.get(key);
    if (replacing === undefined) lines.push(line);
    else if (!taken.has(key)) lines.push(...replacing);
    taken.add(key);
  }
  for (const [key, replacing] of byName) {
    if (!taken.has(key)) lines.push(...replacing);
  }
  return lines;
}

export interface Update {
  /** To answer with. */
  readonly answer: StoredAnswer;
  /**
   * `replaces` the stored one; the stored one has to be `removed`, because the later answer forbids to store
   * it; or it stays as it is (`kept`), because the later answer is for the one who asked.
   */
  readonly outcome: 'replaces' | 'removed' | 'kept';
  /** Lines of the later answer that the client who asked gets beside the stored ones. */
  readonly clientLines: readonly HeaderLine[];
}

/**
 * A stored answer freshened by a 304, or by the answer to a HEAD that matches it; `exchange` is the request
 * that was sent and the head that came.
 */
export function updated(stored: StoredAnswer, exchange: Exchange, rules: PolicyRules): Update {
  const { responseMs, header } = exchange;
  // The Date of the stored answer says nothing about when this one was made.
  const later = datedLines(exchange.lines, responseMs);
  const merged = updatedLines(stored.lines, later);
  const ages = valuesOf(later, 'age').map((value): HeaderLine => ['Age', value]);
  const whole: Exchange = {
    ...exchange,
    method: 'GET',
    status: stored.status,
    lines: [...merged, ...ages],
  };
  const storing = judgeStoring(whole, rules);
  const freshness = storing.ok ? storing.freshness : withoutFreshness(stored);
  const lines = storedLines(merged, freshness.omittedFields);
  const reselected = selectedBy(lines, header);
  const isSameVary = reselected.varyFields.join() === stored.varyFields.join();
  const { reason, body } = stored;
  const selected = isSameVary ? stored : reselected;
  const { varyFields, varyRaw, varyValues } = selected;
  const answer = assemble({
    ...{ exchange: whole, freshness, reason, lines, body },
    selected: { varyFields, varyRaw, varyValues },
  });
  answer.uses = stored.uses;
  answer.lastUsedMs = stored.lastUsedMs;
  const clientLines = [
    ...later.filter(([name]) => name.toLowerCase() === 'set-cookie'),
    ...omittedLines(later, freshness.omittedFields),
  ];
  return { answer, outcome: outcome(), clientLines };

  function outcome(): Update['outcome'] {
    if (firstValueOf(exchange.lines, 'set-cookie') !== undefined) return 'kept';
    if (!storing.ok) return isOfRequest(storing.refusal) ? 'kept' : 'removed';
    // With another Vary, nobody knows what the request of a variant that was not asked for had in its fields.
    return isSameVary || isSelectedBy(stored, header) ? 'replaces' : 'removed';
  }
}

function withoutFreshness({ allowsCredentials }: StoredAnswer): Freshness {
  return {
    initialAgeMs: 0,
    lifetimeMs: 0,
    mustRevalidate: true,
    staleWhileRevalidateMs: 0,
    staleIfErrorMs: 0,
    allowsCredentials,
    omittedFields: [],
  };
}

/**
 * What a successful answer to a HEAD means for a stored answer that it could have been given from (RFC 9111
 * §4.3.5): `update` it, or take it for `stale`, because the origin has another one now.
 */
export function effectOfHead(
  stored: StoredAnswer,
  status: number,
  lines: readonly HeaderLine[],
  nowMs: number,
): 'update' | 'stale' | 'none' {
  if (status !== 200 || stored.status !== 200) return 'none';
  // The other lines may be as personal as the cookie.
  if (firstValueOf(lines, 'set-cookie') !== undefined) return 'none';
  const etag = firstValueOf(lines, 'etag');
  if (etag !== undefined && etag !== stored.etag) return 'stale';
  const lastModified = firstValueOf(lines, 'last-modified');
  if (lastModified !== undefined && parseHttpDate(lastModified, nowMs) !== stored.lastModifiedMs) {
    return 'stale';
  }
  for (const name of ['content-encoding', 'content-type']) {
    const now = firstValueOf(lines, name);
    if (now !== undefined && now !== firstValueOf(stored.lines, name)) return 'stale';
  }
  const length = firstValueOf(lines, 'content-length');
  return length === undefined || Number(length) === stored.body.length ? 'update' : 'stale';
}
