/**
 * A stored answer: its head ready to be written up to where Age goes, its body in one piece, and the times
 * that say what it may be used for, computed once, so that a look-up adds and compares and does nothing
 * else. Immutable but for the record of its use; an update makes a new one (update.ts).
 */
import { firstValueOf, type HeaderLine, type HeaderReader, storedLines } from './fields.ts';
import { formatHttpDate, parseHttpDate } from './http-date.ts';
import { dateMs, type Exchange, type Freshness } from './policy.ts';
import { type Selected, varyFields, varyValues } from './vary.ts';

/** All times are in milliseconds since the epoch. */
export interface StoredAnswer extends Selected {
  readonly status: number;
  readonly reason: string;
  /** What is stored of the head, Date and Content-Length included, Age left out. */
  readonly lines: readonly HeaderLine[];
  /** Status line and lines, latin1, without the blank line: Age and others follow. */
  readonly headText: string;
  readonly body: Buffer;
  readonly requestMs: number;
  readonly responseMs: number;
  /** The present less this is the current age (RFC 9111 §4.2.3). */
  readonly bornMs: number;
  /** Fresh before this moment. */
  readonly freshUntilMs: number;
  /** May be served before this moment while it is revalidated. */
  readonly staleWhileRevalidateUntilMs: number;
  /** May be served before this moment when the origin fails. */
  readonly staleIfErrorUntilMs: number;
  readonly mustRevalidate: boolean;
  readonly allowsCredentials: boolean;
  readonly etag: string | undefined;
  readonly lastModified: string | undefined;
  /** NaN without a Last-Modified that can be read. */
  readonly lastModifiedMs: number;
  readonly dateMs: number;
  /** It has a Strict-Transport-Security of the origin's. */
  readonly hasHsts: boolean;
  /** The memory that it takes, in bytes, the key left out. */
  readonly costBytes: number;
  /** How often it was used, and when last; for the operator and for the bound on variants. */
  uses: number;
  lastUsedMs: number;
  /** As it was written last, for whoever writes it again within the second. */
  written: WrittenAnswer | undefined;
}

/** An answer whole, head and body, as text; valid for a moment, because Age is part of it. */
export interface WrittenAnswer {
  readonly text: string;
  /** Lines of the connection's own that are part of it. */
  readonly addedLines: string;
  readonly fromMs: number;
  readonly untilMs: number;
}

/** Bodies up to this size are kept as they were written last, too: one is a second copy in memory. */
export const writtenBodyBytesMax = 8_192;

/** Memory per stored answer and per header line beside their text, in bytes; measured on Node.js 20. */
const answerOverheadBytes = 1300;
const lineOverheadBytes = 110;
const textBytes = 40;

export interface AnswerParts {
  readonly exchange: Exchange;
  readonly freshness: Freshness;
  readonly reason: string;
  /** The body in the pieces that it came in; they are copied. */
  readonly body: readonly Uint8Array[];
}

/** The stored answer; undefined when the body is not as long as its Content-Length says. */
export function makeStoredAnswer(parts: AnswerParts): StoredAnswer | undefined {
  const { exchange, freshness } = parts;
  const body = joined(parts.body);
  const announced = firstValueOf(exchange.lines, 'content-length');
  if (announced !== undefined && Number(announced) !== body.length) return undefined;
  const kept = storedLines(exchange.lines, freshness.omittedFields);
  const lines = framedLines(datedLines(kept, exchange.responseMs), exchange.status, body.length);
  return assemble({ ...parts, lines, body, selected: selectedBy(exchange.lines, exchange.header) });
}

/** Everything that a stored answer is made from. */
export interface AssemblyParts {
  readonly exchange: Exchange;
  readonly freshness: Freshness;
  readonly reason: string;
  /** As they are stored. */
  readonly lines: readonly HeaderLine[];
  readonly body: Buffer;
  readonly selected: Selected;
}

/** Puts a stored answer together and computes its times. */
export function assemble(parts: AssemblyParts): StoredAnswer {
  const { exchange, freshness, reason, lines, body, selected } = parts;
  const { status, requestMs, responseMs } = exchange;
  const bornMs = responseMs - freshness.initialAgeMs;
  const freshUntilMs = bornMs + freshness.lifetimeMs;
  const headText = renderedHead(status, reason, lines);
  const lastModified = firstValueOf(lines, 'last-modified');
  return {
    ...selected,
    status,
    reason,
    lines,
    headText,
    body,
    requestMs,
    responseMs,
    bornMs,
    freshUntilMs,
    staleWhileRevalidateUntilMs: freshUntilMs + freshness.staleWhileRevalidateMs,
    staleIfErrorUntilMs: freshUntilMs + freshness.staleIfErrorMs,
    mustRevalidate: freshness.mustRevalidate,
    allowsCredentials: freshness.allowsCredentials,
    etag: firstValueOf(lines, 'etag'),
    lastModified,
    lastModifiedMs: parseHttpDate(lastModified ?? '', responseMs),
    dateMs: dateMs(lines, responseMs),
    hasHsts: firstValueOf(lines, 'strict-transport-security') !== undefined,
    costBytes: costBytes(lines, headText, body) + selectedBytes(selected),
    uses: 0,
    lastUsedMs: responseMs,
    written: undefined,
  };
}

/** The same answer, stale from now on. */
export function madeStale(answer: StoredAnswer, nowMs: number): StoredAnswer {
  const freshUntilMs = Math.min(answer.freshUntilMs, nowMs);
  return {
    ...answer,
    freshUntilMs,
    staleWhileRevalidateUntilMs: freshUntilMs,
    staleIfErrorUntilMs: Math.min(answer.staleIfErrorUntilMs, nowMs),
  };
}

/** Which requests a stored answer is for, by its Vary and the request that it answered. */
export function selectedBy(lines: readonly HeaderLine[], header: HeaderReader): Selected {
  const fields = varyFields(lines) ?? [];
  return {
    varyFields: fields,
    varyRaw: fields.map((field) => owned(header(field))),
    varyValues: varyValues(fields, header).map(owned),
  };
}

/** A text with memory of its own: one that was cut out of a head would keep all of that alive. */
export function owned<T extends string | undefined>(text: T): T {
  return text === undefined ? text : (Buffer.from(text, 'latin1').toString('latin1') as T);
}

/** With a Date, which a recipient adds where the origin gave none (RFC 9110 §6.6.1). */
export function datedLines(lines: readonly HeaderLine[], responseMs: number): HeaderLine[] {
  const isDated = firstValueOf(lines, 'date') !== undefined;
  return isDated ? [...lines] : [...lines, ['Date', formatHttpDate(responseMs)]];
}

/** With one Content-Length, that of the stored body, in the place of the origin's. */
function framedLines(
  lines: readonly HeaderLine[],
  status: number,
  lengthBytes: number,
): HeaderLine[] {
  const framed: HeaderLine[] = [];
  // RFC 9110 §8.6: a 204 has none.
  let isFramed = status === 204;
  for (const line of lines) {
    if (line[0].toLowerCase() !== 'content-length') framed.push(line);
    else if (!isFramed) {
      framed.push([line[0], String(lengthBytes)]);
      isFramed = true;
    }
  }
  if (!isFramed) framed.push(['Content-Length', String(lengthBytes)]);
  return framed;
}

/** In memory of its own: a slice would keep alive whatever it was cut from. */
function joined(pieces: readonly Uint8Array[]): Buffer {
  const lengthBytes = pieces.reduce((sum, piece) => sum + piece.length, 0);
  const whole = Buffer.allocUnsafeSlow(lengthBytes);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/** Header lines as text, each with its line end. */
function linesText(lines: readonly HeaderLine[]): string {
  let text = '';
  for (const [name, value] of lines) text += `${name}: ${value}\r\n`;
  return text;
}

function renderedHead(status: number, reason: string, lines: readonly HeaderLine[]): string {
  const text = `HTTP/1.1 ${status} ${reason}\r\n${linesText(lines)}`;
  // Through bytes and back: a text put together of parts is kept as its parts until it is used.
  return Buffer.from(text, 'latin1').toString('latin1');
}

function costBytes(lines: readonly HeaderLine[], headText: string, body: Buffer): number {
  const linesBytes = lines.reduce(
    (sum, [name, value]) => sum + name.length + value.length + lineOverheadBytes,
    0,
  );
  const copies = body.length <= writtenBodyBytesMax ? 2 : 1;
  return answerOverheadBytes + linesBytes + copies * (headText.length + body.length);
}

/** What a client has put into the fields that Vary names may be long, too. */
function selectedBytes({ varyFields: fields, varyRaw, varyValues: values }: Selected): number {
  let bytes = 0;
  for (const text of [...fields, ...varyRaw, ...values]) bytes += (text?.length ?? 0) + textBytes;
  return bytes;
}

/** The current age in seconds, as the Age field gives it. */
export function ageSeconds(answer: Pick<StoredAnswer, 'bornMs'>, nowMs: number): number {
  return Math.max(0, Math.floor((nowMs - answer.bornMs) / 1000));
}
