/**
 * Sources as lines of their journal: what is known of one that was blocked, or that one was forgiven; the
 * last line about an address counts. Reading tells a last line that a crash has torn from damage elsewhere.
 * Touches no file.
 */
import { encodeLine, type Fields, readLine } from './journal-line.ts';
import type { BlockCause, Miss, Source, VirusRequest } from './sources.ts';

/** What happened to a source. */
export type SourceRecord =
  | { readonly kind: 'blocked'; readonly source: Source }
  | { readonly kind: 'forgiven'; readonly address: string };

/** What `decodeSources` found besides the records. */
export interface SourceReading {
  /** The length in bytes without a torn last line. */
  readonly goodLength: number;
  /** Lines that are no records. */
  readonly damagedCount: number;
}

const newline = 0x0a;

/** One record as a line, its line end included; ASCII only. */
export function encodeSource(record: SourceRecord): string {
  if (record.kind === 'forgiven') return encodeLine({ forgiven: record.address });
  const { address, toldUntilMs, ...rest } = record.source;
  return encodeLine({ blocked: address, ...rest });
}

/** Reads a journal and hands its records to `apply` in order. */
export function decodeSources(bytes: Buffer, apply: (record: SourceRecord) => void): SourceReading {
  let damagedCount = 0;
  let start = 0;
  for (;;) {
    const end = bytes.indexOf(newline, start);
    if (end === -1) return { goodLength: start, damagedCount };
    const fields = readLine(bytes, start, end);
    const record = fields === undefined ? undefined : recordOf(fields);
    if (record === undefined) damagedCount += 1;
    else apply(record);
    start = end + 1;
  }
}

function recordOf(fields: Fields): SourceRecord | undefined {
  const { forgiven, blocked: address } = fields;
  if (typeof forgiven === 'string') return { kind: 'forgiven', address: forgiven };
  const { cause, sinceMs, lengthMs, untilMs, times, requests } = fields;
  const misses = listOf(fields.misses, missOf);
  const viruses = listOf(fields.viruses, virusOf);
  if (typeof address !== 'string' || !isCause(cause)) return undefined;
  if (!isWhole(sinceMs) || !isWhole(lengthMs) || !isWhole(untilMs)) return undefined;
  if (!isWhole(times) || !isWhole(requests)) return undefined;
  if (misses === undefined || viruses === undefined) return undefined;
  const spans = { sinceMs, lengthMs, untilMs, toldUntilMs: untilMs };
  return {
    kind: 'blocked',
    source: { address, cause, ...spans, times, requests, misses, viruses },
  };
}

function isWhole(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isCause(value: unknown): value is BlockCause {
  return value === 'misses' || value === 'viruses' || value === 'console';
}

function listOf<T>(value: unknown, read: (fields: Fields) => T | undefined): T[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const items = value.map((item: unknown) =>
    typeof item === 'object' && item !== null ? read(item as Fields) : undefined,
  );
  return items.every((item) => item !== undefined) ? items : undefined;
}

function missOf({ hash, path, status, atMs, requestId }: Fields): Miss | undefined {
  if (!Number.isSafeInteger(hash) || typeof path !== 'string') return undefined;
  if (!isWhole(status) || !isWhole(atMs) || typeof requestId !== 'string') return undefined;
  return { hash: Number(hash), path, status, atMs, requestId };
}

function virusOf({ matched, atMs, requestId }: Fields): VirusRequest | undefined {
  if (typeof matched !== 'string' || !isWhole(atMs) || typeof requestId !== 'string') {
    return undefined;
  }
  return { matched, atMs, requestId };
}
