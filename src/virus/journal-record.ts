/**
 * The fields of the journal's records: a change becomes a plain object, of which JSON is made, and an
 * object that was read becomes a change again, or undefined when it is none that we know. Text is
 * latin1, one character a byte. Lines, checks and damage are journal.ts.
 */
import type { Change, Proposal, ProposalReason, Sample, TunableName } from './change.ts';
import type { Fields } from './journal-line.ts';
import { padPattern } from './pattern.ts';
import { isProvenance } from './provenance.ts';
import { tunableTable } from './tunables.ts';

/** Far above the range of PatternSize; keeps a forged record from asking for memory. */
const patternSizeMax = 1024;

/** A pattern as JSON text: latin1, the zeros that fill it up left out. */
function patternText(pattern: Uint8Array): string {
  const last = pattern.findLastIndex((byte) => byte !== 0);
  return Buffer.from(pattern.buffer, pattern.byteOffset, last + 1).toString('latin1');
}

/** The record of a change. The first field names its kind. */
export function fieldsOf(change: Change): Fields {
  switch (change.kind) {
    case 'add': {
      const { pattern, origLength, from, atMs, sample, confirms } = change;
      const learned = sample && { ...sample, confirms };
      return {
        ...{ add: patternText(pattern), size: pattern.length, origLength, from, atMs },
        ...learned,
      };
    }
    case 'del':
    case 'expire': {
      const { kind, pattern, origLength } = change;
      return { [kind]: patternText(pattern), size: pattern.length, origLength };
    }
    case 'clear':
      return { clear: true };
    case 'add-keyword':
      return { addKeyword: change.keyword, from: change.from, atMs: change.atMs };
    case 'del-keyword':
      return { delKeyword: change.keyword };
    case 'set':
      return { set: change.name, value: change.value };
    case 'propose': {
      const { pattern, sample, ...rest } = change.proposal;
      return { propose: patternText(pattern), size: pattern.length, ...rest, ...sample };
    }
    case 'accept': {
      const { pattern, atMs, confirms } = change;
      return { accept: patternText(pattern), size: pattern.length, atMs, confirms };
    }
    case 'lapse':
      return { lapse: patternText(change.pattern), size: change.pattern.length };
    case 'reject': {
      const { pattern, keyword } = change;
      return { reject: patternText(pattern), size: pattern.length, keyword };
    }
    case 'seen': {
      const { pattern, origLength, hits, atMs } = change;
      return { seen: patternText(pattern), size: pattern.length, origLength, hits, atMs };
    }
    case 'confirm-keyword':
      return { confirmKeyword: change.keyword, atMs: change.atMs, seenMs: change.seenMs };
    case 'unconfirm-keyword':
      return { unconfirmKeyword: change.keyword };
  }
}

function isWhole(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isTunableName(value: unknown): value is TunableName {
  return typeof value === 'string' && Object.hasOwn(tunableTable, value);
}

function isReason(value: unknown): value is ProposalReason {
  const reasons: readonly unknown[] = ['window-served', 'path-served', 'not-missing', 'action'];
  return reasons.includes(value);
}

function patternOf(text: unknown, size: unknown): Uint8Array | undefined {
  if (typeof text !== 'string' || !isWhole(size) || size > patternSizeMax) return undefined;
  return padPattern(Uint8Array.from(Buffer.from(text, 'latin1')), size);
}

function sampleOf({ requestLine, source }: Fields): Sample | undefined {
  if (typeof requestLine !== 'string' || typeof source !== 'string') return undefined;
  return { requestLine, source };
}

function addOf(fields: Fields): Change | undefined {
  const { add, size, origLength, from, atMs } = fields;
  const pattern = patternOf(add, size);
  if (pattern === undefined || !isWhole(origLength)) return undefined;
  if (!isProvenance(from) || !isWhole(atMs)) return undefined;
  const sample = sampleOf(fields);
  const change = { kind: 'add', pattern, origLength, from, atMs } as const;
  return sample === undefined ? change : { ...change, sample, confirms: fields.confirms === true };
}

function goneOf(kind: 'del' | 'expire', text: unknown, fields: Fields): Change | undefined {
  const { size, origLength } = fields;
  const pattern = patternOf(text, size);
  if (pattern === undefined || !isWhole(origLength)) return undefined;
  return { kind, pattern, origLength };
}

function seenOf({ seen, size, origLength, hits, atMs }: Fields): Change | undefined {
  const pattern = patternOf(seen, size);
  if (pattern === undefined || !isWhole(origLength)) return undefined;
  return isWhole(hits) && isWhole(atMs)
    ? { kind: 'seen', pattern, origLength, hits, atMs }
    : undefined;
}

function proposalOf(fields: Fields): Change | undefined {
  const { propose, size, origLength, keyword, reason, confirms } = fields;
  const { firstSeenMs, lastSeenMs, times } = fields;
  const pattern = patternOf(propose, size);
  const sample = sampleOf(fields);
  if (pattern === undefined || sample === undefined || !isWhole(origLength)) return undefined;
  if (typeof keyword !== 'string' || !isReason(reason)) return undefined;
  if (!isWhole(firstSeenMs) || !isWhole(lastSeenMs) || !isWhole(times)) return undefined;
  const seen = { firstSeenMs, lastSeenMs, times };
  const proposal: Proposal = {
    ...{ pattern, origLength, keyword, reason, confirms: confirms === true },
    ...{ sample, ...seen },
  };
  return { kind: 'propose', proposal };
}

function answerOf(fields: Fields): Change | undefined {
  const { accept, reject, lapse, size, atMs, keyword } = fields;
  const pattern = patternOf(accept ?? reject ?? lapse, size);
  if (pattern === undefined) return undefined;
  if (lapse !== undefined) return { kind: 'lapse', pattern };
  if (accept !== undefined) {
    const confirms = fields.confirms === true;
    return isWhole(atMs) ? { kind: 'accept', pattern, atMs, confirms } : undefined;
  }
  return { kind: 'reject', pattern, ...(typeof keyword === 'string' && { keyword }) };
}

function keywordChangeOf(fields: Fields): Change | undefined {
  const { addKeyword, delKeyword, confirmKeyword, unconfirmKeyword, from, atMs } = fields;
  if (typeof addKeyword === 'string' && isProvenance(from) && isWhole(atMs)) {
    return { kind: 'add-keyword', keyword: addKeyword, from, atMs };
  }
  if (typeof delKeyword === 'string') return { kind: 'del-keyword', keyword: delKeyword };
  if (typeof confirmKeyword === 'string' && isWhole(atMs)) {
    const change = { kind: 'confirm-keyword', keyword: confirmKeyword, atMs } as const;
    return isWhole(fields.seenMs) ? { ...change, seenMs: fields.seenMs } : change;
  }
  if (typeof unconfirmKeyword !== 'string') return undefined;
  return { kind: 'unconfirm-keyword', keyword: unconfirmKeyword };
}

/** The change of a record; undefined when it is of an unknown kind, or a field is missing or wrong. */
export function changeOf(fields: Fields): Change | undefined {
  const { del, expire, set, value } = fields;
  if (fields.add !== undefined) return addOf(fields);
  if (del !== undefined) return goneOf('del', del, fields);
  if (expire !== undefined) return goneOf('expire', expire, fields);
  if (fields.seen !== undefined) return seenOf(fields);
  if (fields.propose !== undefined) return proposalOf(fields);
  const isAnswer = (fields.accept ?? fields.reject ?? fields.lapse) !== undefined;
  if (isAnswer) return answerOf(fields);
  if (fields.clear === true) return { kind: 'clear' };
  if (isTunableName(set) && isWhole(value)) return { kind: 'set', name: set, value };
  return keywordChangeOf(fields);
}
