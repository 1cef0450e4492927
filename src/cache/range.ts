/**
 * Ranges of a stored whole (RFC 9110 §14): one range of bytes is cut out. Several at once, and what is no
 * range, are answered with the whole, which every client has to expect (RFC 9110 §14.2).
 */

/** What a Range field asks of a body; `end` is behind the last byte. */
export type RangeDecision =
  | { readonly kind: 'whole' }
  | { readonly kind: 'part'; readonly start: number; readonly end: number }
  | { readonly kind: 'unsatisfiable' };

const whole: RangeDecision = { kind: 'whole' };

/** Reads a Range field for a body of `lengthBytes`. */
export function decideRange(value: string, lengthBytes: number): RangeDecision {
  const found = /^bytes=[ \t]*(?:([0-9]+)-([0-9]*)|-([0-9]+))[ \t]*$/i.exec(value.trim());
  if (found === null) return whole;
  const [, firstDigits, lastDigits = '', suffixDigits] = found;
  if (suffixDigits !== undefined) return suffix(Number(suffixDigits), lengthBytes);
  const first = Number(firstDigits);
  const last = lastDigits === '' ? Number.POSITIVE_INFINITY : Number(lastDigits);
  if (last < first) return whole;
  if (first >= lengthBytes) return { kind: 'unsatisfiable' };
  return { kind: 'part', start: first, end: Math.min(last + 1, lengthBytes) };
}

/** The last bytes: all of them where there are fewer. */
function suffix(wantedBytes: number, lengthBytes: number): RangeDecision {
  if (wantedBytes === 0) return { kind: 'unsatisfiable' };
  // No Content-Range could tell of no bytes at all.
  if (lengthBytes === 0) return whole;
  return { kind: 'part', start: Math.max(0, lengthBytes - wantedBytes), end: lengthBytes };
}

/** `bytes 0-499/1234`, or for a range that there is not, `bytes *` and the length. */
export function contentRange(decision: RangeDecision, lengthBytes: number): string {
  return decision.kind === 'part'
    ? `bytes ${decision.start}-${decision.end - 1}/${lengthBytes}`
    : `bytes */${lengthBytes}`;
}
