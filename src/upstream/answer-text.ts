/**
 * An answer's head as the client receives it on the fast path: the origin's lines in their case and
 * order without what is hop-by-hop, a Date if the origin gave none, and our own framing. The same bytes
 * as origin-answer.ts writes through Node.
 */
import { type AnswerScanner, answerKinds } from './answer-head.ts';
import { withoutHopByHop } from './hop-by-hop.ts';
import { httpDate } from './http-date.ts';
import { textOf } from './wire-grammar.ts';

/** How the body behind the head is framed for the client. */
export type Framing = 'none' | 'length' | 'chunked';

export interface AnswerTextOptions {
  readonly framing: Framing;
  /** Our side of the connection ends behind the answer. */
  readonly closes: boolean;
  /** A line of ours for the end of the head; empty: none. */
  readonly addedLines: string;
}

/** A client that has seen it comes over TLS only (RFC 6797). */
export const hstsName = 'Strict-Transport-Security';

/** `line` if the head that was read from `bytes` has none such, else empty. */
export function missingHsts(head: AnswerScanner, bytes: Buffer, line: string): string {
  if (line === '') return '';
  for (let index = 0; index < head.fieldCount; index += 1) {
    const start = head.nameStarts[index] as number;
    const end = head.nameEnds[index] as number;
    if (end - start !== hstsName.length) continue;
    if (textOf(bytes, start, end).toLowerCase() === hstsName.toLowerCase()) return '';
  }
  return line;
}

/**
 * The head, latin1, the blank line included; `head` was read from `bytes`. `clock` is asked for an
 * origin that gave no Date.
 */
export function answerText(
  head: AnswerScanner,
  bytes: Buffer,
  { framing, closes, addedLines }: AnswerTextOptions,
  clock: { nowMs(): number },
): string {
  let text =
    head.isCanonical && !head.namesFields
      ? keptText(head, bytes, framing)
      : rewrittenText(head, bytes, framing);
  text += addedLines;
  if (!head.hasDate) text += `Date: ${httpDate(clock.nowMs())}\r\n`;
  if (closes) text += 'Connection: close\r\n';
  if (framing === 'chunked') text += 'Transfer-Encoding: chunked\r\n';
  return `${text}\r\n`;
}

/**
 * Where nothing has to be added, takes the lines that are not passed on out of `bytes` themselves, by
 * moving what is before them up: the head then begins at the offset given, and its body still follows
 * it. -1: something has to be added, and nothing was changed.
 */
export function compactHead(
  head: AnswerScanner,
  bytes: Buffer,
  { framing, closes, addedLines }: AnswerTextOptions,
): number {
  if (!head.isCanonical || head.namesFields || !head.hasDate || closes) return -1;
  if (addedLines !== '') return -1;
  if (framing === 'chunked' || head.minorVersion === 0) return -1;
  let start = head.start;
  for (let index = 0; index < head.fieldCount; index += 1) {
    if (isKept(head.kinds[index] as number, head.status, framing)) continue;
    const lineStart = head.nameStarts[index] as number;
    const lineBytes = (head.valueEnds[index] as number) + 2 - lineStart;
    bytes.copyWithin(start + lineBytes, start, lineStart);
    start += lineBytes;
  }
  return start;
}

/** Copies runs of lines that are passed on; the common case has one or two. */
function keptText(head: AnswerScanner, bytes: Buffer, framing: Framing): string {
  // RFC 9112 §2.3: the version is that of the connection, whatever the origin speaks.
  let text = head.minorVersion === 1 ? '' : 'HTTP/1.1';
  let runStart = head.minorVersion === 1 ? head.start : head.start + text.length;
  for (let index = 0; index < head.fieldCount; index += 1) {
    if (isKept(head.kinds[index] as number, head.status, framing)) continue;
    text += textOf(bytes, runStart, head.nameStarts[index] as number);
    runStart = (head.valueEnds[index] as number) + 2;
  }
  return text + textOf(bytes, runStart, head.end - 2);
}

function isKept(kind: number, status: number, framing: Framing): boolean {
  switch (kind) {
    case answerKinds.plain:
    case answerKinds.cacheControl:
    case answerKinds.caching:
    case answerKinds.targetedCaching:
    case answerKinds.date:
      return true;
    case answerKinds.contentLength:
      // RFC 9110 §8.6 forbids a length here, and a client might wait for it.
      return status !== 204;
    case answerKinds.trailer:
      return framing === 'chunked';
    default:
      return false;
  }
}

/** Writes every line anew, for heads that are unusual in form or name further hop-by-hop fields. */
function rewrittenText(head: AnswerScanner, bytes: Buffer, framing: Framing): string {
  const statusStart = head.start + 'HTTP/1.1 '.length;
  const line = textOf(bytes, statusStart, head.fieldsStart - 2);
  let text = `HTTP/1.1 ${line}${line.length === 3 ? ' ' : ''}\r\n`;
  for (const [name, value] of withoutHopByHop(head.rawHeaders(bytes))) {
    const key = name.toLowerCase();
    if (key === 'content-length' && head.status === 204) continue;
    if (key === 'trailer' && framing !== 'chunked') continue;
    text += `${name}: ${value}\r\n`;
  }
  return text;
}
