/**
 * The memory of what was served as text, so that it can be kept over a restart: a line of JSON, which
 * also tells which settings it was made with, and the bits in base64. Pure.
 */
import { crc32 } from 'node:zlib';
import { encodeLine, type Fields, readLine } from './journal-line.ts';
import { type ServedMemoryOptions, type ServedSnapshot, servedWords } from './served-memory.ts';

const formatVersion = 1;
const newline = 0x0a;
/** A multiple of three, so that the pieces make one text. */
const pieceBytes = 3 * 65_536;

/** The snapshot, or why there is none. */
export type ReadSnapshot =
  | { readonly ok: true; readonly snapshot: ServedSnapshot }
  | { readonly ok: false; readonly message: string };

/** The text in pieces. */
export function* encodeSnapshot(snapshot: ServedSnapshot): Generator<string> {
  const { current, previous, ...facts } = snapshot;
  const bytes = Buffer.concat([bytesOf(current), bytesOf(previous)]);
  yield encodeLine({ served: formatVersion, ...facts, check: crc32(bytes) });
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    yield bytes.toString('base64', at, at + pieceBytes);
  }
  yield '\n';
}

/** Reads a text for a memory with these options; the seed is the text's. */
export function decodeSnapshot(
  text: Buffer,
  options: Pick<ServedMemoryOptions, 'patternStartOffset' | 'patternSize' | 'bytesMax'>,
): ReadSnapshot {
  const end = text.indexOf(newline);
  const facts = end === -1 ? undefined : factsOf(readLine(text, 0, end));
  if (facts === undefined) return damaged;
  const { patternStartOffset, patternSize, bytesMax } = options;
  const words = servedWords(bytesMax);
  const bytes = Buffer.from(text.toString('latin1', end + 1).trimEnd(), 'base64');
  const isAlike =
    facts.patternStartOffset === patternStartOffset && facts.patternSize === patternSize;
  if (!isAlike || bytes.length !== words * 8) {
    const message = 'it was made with another PatternSize, PatternStartOffset or MaxServedMemory';
    return { ok: false, message };
  }
  if (crc32(bytes) !== facts.check) return damaged;
  const { check, ...times } = facts;
  const current = wordsOf(bytes.subarray(0, words * 4));
  const previous = wordsOf(bytes.subarray(words * 4));
  return { ok: true, snapshot: { ...times, current, previous } };
}

const damaged = { ok: false, message: 'it is damaged' } as const;

type Facts = Omit<ServedSnapshot, 'current' | 'previous'> & { readonly check: number };

function factsOf(fields: Fields | undefined): Facts | undefined {
  if (fields?.served !== formatVersion) return undefined;
  const names = ['patternStartOffset', 'patternSize', 'seed', 'startMs', 'notedMs', 'check'];
  if (!names.every((name) => Number.isSafeInteger(fields[name]))) return undefined;
  const numbers = names.map((name) => [name, Number(fields[name])]);
  return Object.fromEntries(numbers) as unknown as Facts;
}

function bytesOf(words: Uint32Array): Buffer {
  return Buffer.from(words.buffer, words.byteOffset, words.byteLength);
}

/** A copy, because the bytes may begin anywhere. */
function wordsOf(bytes: Buffer): Uint32Array {
  return new Uint32Array(Uint8Array.from(bytes).buffer);
}
