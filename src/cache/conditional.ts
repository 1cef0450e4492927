/**
 * Conditional requests against a stored answer (RFC 9110 §13, RFC 9111 §4.3.2): whether the client has it
 * already, and whether a precondition that protects the origin's state lets the cache answer at all.
 */
import type { StoredAnswer } from './entry.ts';
import type { HeaderLine, HeaderReader } from './fields.ts';
import { parseHttpDate } from './http-date.ts';

/** The entity tags of a list, as written; `*` stands for itself. Tags without quotation marks are let pass. */
export function entityTags(value: string): string[] {
  return value.match(/(?:W\/)?"[^"]*"|[^\s,"][^\s,]*/g) ?? [];
}

function opaque(tag: string): string {
  return tag.startsWith('W/') ? tag.slice(2) : tag;
}

/** Weak comparison (RFC 9110 §8.8.3.2): whether two tags stand for equivalent representations. */
export function isWeakMatch(a: string, b: string): boolean {
  return opaque(a) === opaque(b);
}

/** Strong comparison: byte for byte the same representation. */
export function isStrongMatch(a: string, b: string): boolean {
  return a === b && !a.startsWith('W/');
}

/**
 * Whether the client's own copy is the stored answer, so that 304 is the answer to it. If-Modified-Since
 * counts only without If-None-Match (RFC 9110 §13.2.2).
 */
export function isNotModified(answer: StoredAnswer, header: HeaderReader, nowMs: number): boolean {
  // RFC 9110 §13.2.1: conditions count only where the answer without them would be a success.
  if (answer.status < 200 || answer.status > 299) return false;
  const ifNoneMatch = header('if-none-match');
  if (ifNoneMatch !== undefined) {
    const { etag } = answer;
    return entityTags(ifNoneMatch).some(
      (tag) => tag === '*' || (etag !== undefined && isWeakMatch(tag, etag)),
    );
  }
  const since = header('if-modified-since');
  if (since === undefined) return false;
  const sinceMs = parseHttpDate(since, nowMs);
  // RFC 9111 §4.3.2: without a Last-Modified, the Date is compared.
  const changedMs = Number.isNaN(answer.lastModifiedMs) ? answer.dateMs : answer.lastModifiedMs;
  return !Number.isNaN(sinceMs) && changedMs <= sinceMs;
}

/**
 * Whether If-Match and If-Unmodified-Since hold for the stored answer. If not, what the answer is, 412
 * most likely, is for the origin to say: it may have another representation by now.
 */
export function preconditionsHold(
  answer: StoredAnswer,
  header: HeaderReader,
  nowMs: number,
): boolean {
  const ifMatch = header('if-match');
  if (ifMatch !== undefined) {
    const { etag } = answer;
    return entityTags(ifMatch).some(
      (tag) => tag === '*' || (etag !== undefined && isStrongMatch(tag, etag)),
    );
  }
  const since = header('if-unmodified-since');
  if (since === undefined) return true;
  const sinceMs = parseHttpDate(since, nowMs);
  return Number.isNaN(sinceMs) || answer.lastModifiedMs <= sinceMs;
}

/** A date is a strong validator only if the answer is at least this much younger (RFC 9110 §8.8.2.2). */
const strongDateMs = 1000;

/** Whether If-Range is missing or names exactly the stored representation (RFC 9110 §13.1.5). */
export function isRangeWanted(answer: StoredAnswer, header: HeaderReader, nowMs: number): boolean {
  const ifRange = header('if-range');
  if (ifRange === undefined) return true;
  const { etag, lastModifiedMs } = answer;
  if (ifRange.includes('"')) return etag !== undefined && isStrongMatch(ifRange, etag);
  return (
    parseHttpDate(ifRange, nowMs) === lastModifiedMs &&
    lastModifiedMs + strongDateMs <= answer.dateMs
  );
}

/** The lines that ask the origin whether a stored answer is still the one (RFC 9111 §4.3.1); none without validators. */
export function validationLines(answer: StoredAnswer): HeaderLine[] {
  const lines: HeaderLine[] = [];
  if (answer.etag !== undefined) lines.push(['If-None-Match', answer.etag]);
  if (answer.lastModified !== undefined) lines.push(['If-Modified-Since', answer.lastModified]);
  return lines;
}

/**
 * The client's fields that a request with `validationLines` is sent without, in lower case: the origin is
 * asked about the cache's copy, and about the whole of it.
 */
export const replacedByValidation: ReadonlySet<string> = new Set([
  'if-none-match',
  'if-modified-since',
  'if-range',
  'range',
]);

/** Metadata of a representation that a 304 has no place for (RFC 9110 §15.4.5). */
const representationOnly = new Set([
  'content-length',
  'content-type',
  'content-encoding',
  'content-language',
  'content-range',
  'content-md5',
  'content-digest',
  'repr-digest',
  'accept-ranges',
]);

/** The stored lines that a 304 carries. Last-Modified only where no ETag says the same better. */
export function notModifiedLines(answer: StoredAnswer): HeaderLine[] {
  return answer.lines.filter(([name]) => {
    const key = name.toLowerCase();
    if (key === 'last-modified') return answer.etag === undefined;
    return !representationOnly.has(key);
  });
}
