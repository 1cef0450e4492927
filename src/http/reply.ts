/**
 * What wormgate answers by itself: a status, a sentence, and the request id that the log knows. Plain
 * text, or JSON for a client that asks for it. Never anything from the request.
 */
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import { httpDate } from '../upstream/http-date.ts';

export interface Answer {
  readonly status: number;
  readonly explanation: string;
  readonly requestId: string;
  /** False keeps the connection open where the request allows it. */
  readonly close: boolean;
  /** JSON instead of plain text. */
  readonly asJson: boolean;
  /** The methods that are understood, for a 405 (RFC 9110 §15.5.6). */
  readonly allow?: string;
  /** In seconds. */
  readonly retryAfter?: number | undefined;
  /** Where else to ask. */
  readonly location?: string | undefined;
  /** A whole header line, its line end included; empty: none. */
  readonly hstsLine?: string;
}

/** ASCII only: the sentences are ours. */
function bodyOf(answer: Answer): string {
  const reason = STATUS_CODES[answer.status] ?? '';
  if (answer.asJson) {
    const { status, explanation, requestId } = answer;
    return `${JSON.stringify({ status, error: reason, explanation, requestId })}\n`;
  }
  return `${answer.status} ${reason}\n\n${answer.explanation}\nRequest id: ${answer.requestId}\n`;
}

/** The header lines, as text. */
function headOf(answer: Answer, bodyBytes: number): string {
  const type = answer.asJson ? 'application/json' : 'text/plain; charset=utf-8';
  const allow = answer.allow === undefined ? '' : `Allow: ${answer.allow}\r\n`;
  const retry = answer.retryAfter === undefined ? '' : `Retry-After: ${answer.retryAfter}\r\n`;
  const location = answer.location === undefined ? '' : `Location: ${answer.location}\r\n`;
  const { hstsLine = '' } = answer;
  const connection = answer.close ? 'Connection: close\r\n' : '';
  return `Content-Type: ${type}\r\nContent-Length: ${bodyBytes}\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nX-Request-Id: ${answer.requestId}\r\n${allow}${retry}${location}${hstsLine}${connection}`;
}

/** The same as a raw header list. */
function headersOf(answer: Answer, bodyBytes: number): string[] {
  const lines = headOf(answer, bodyBytes).split('\r\n').slice(0, -1);
  return lines.flatMap((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon), line.slice(colon + 2)];
  });
}

/** Answers on a response whose head has not been sent; returns the bytes of the body. */
export function reply(req: IncomingMessage, res: ServerResponse, answer: Answer): number {
  const body = bodyOf(answer);
  // For HTTP/1.1 an open connection is the rule and needs no header (RFC 9112 §9.3).
  if (!answer.close && req.httpVersionMinor > 0 && res.shouldKeepAlive) {
    res.removeHeader('connection');
  }
  // The reason phrase is named because an origin's, refused by Node, may still be set.
  res.writeHead(answer.status, STATUS_CODES[answer.status] ?? '', headersOf(answer, body.length));
  res.end(body);
  // The rest of a body that nobody wants; connection.ts bounds it where the connection is closed.
  req.resume();
  return req.method === 'HEAD' ? 0 : body.length;
}

/** A whole answer as latin1 text, and the size of its body in bytes. */
export interface AnswerText {
  readonly text: string;
  readonly bodyBytes: number;
}

/** The answer as the web framework would write it, for a bare socket; `isHead`: without its body. */
export function answerText(answer: Answer, nowMs: number, isHead: boolean): AnswerText {
  const body = bodyOf(answer);
  let text = `HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status] ?? ''}\r\n`;
  text += `${headOf(answer, body.length)}Date: ${httpDate(nowMs)}\r\n\r\n`;
  return isHead ? { text, bodyBytes: 0 } : { text: text + body, bodyBytes: body.length };
}
