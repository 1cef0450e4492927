/**
 * What wormgate answers by itself: a status, a sentence, and the request id that the log knows. Plain
 * text, or JSON for a client that asks for it. Never anything from the request.
 */
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';

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
}

function bodyOf(answer: Answer): string {
  const reason = STATUS_CODES[answer.status] ?? '';
  if (answer.asJson) {
    const { status, explanation, requestId } = answer;
    return `${JSON.stringify({ status, error: reason, explanation, requestId })}\n`;
  }
  return `${answer.status} ${reason}\n\n${answer.explanation}\nRequest id: ${answer.requestId}\n`;
}

function headOf(answer: Answer, body: string): [string, string][] {
  const lines: [string, string][] = [
    ['Content-Type', answer.asJson ? 'application/json' : 'text/plain; charset=utf-8'],
    ['Content-Length', String(Buffer.byteLength(body))],
    ['Cache-Control', 'no-store'],
    ['X-Content-Type-Options', 'nosniff'],
    ['X-Request-Id', answer.requestId],
  ];
  if (answer.allow !== undefined) lines.push(['Allow', answer.allow]);
  if (answer.close) lines.push(['Connection', 'close']);
  return lines;
}

/** Answers on a response whose head has not been sent; returns the bytes of the body. */
export function reply(req: IncomingMessage, res: ServerResponse, answer: Answer): number {
  const body = bodyOf(answer);
  // The reason phrase is named because an origin's, refused by Node, may still be set.
  res.writeHead(answer.status, STATUS_CODES[answer.status] ?? '', headOf(answer, body).flat());
  res.end(body);
  // The rest of a body that nobody wants; connection.ts bounds it where the connection is closed.
  req.resume();
  return req.method === 'HEAD' ? 0 : Buffer.byteLength(body);
}

/** Answers on a bare socket, which is the caller's to end; returns the bytes of the body. */
export function replyOnSocket(socket: Socket, answer: Omit<Answer, 'asJson'>): number {
  const whole = { ...answer, asJson: false };
  const body = bodyOf(whole);
  const lines = headOf(whole, body);
  lines.unshift(['Date', new Date().toUTCString()]);
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  const status = `HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status] ?? ''}\r\n`;
  socket.write(`${status}${head}\r\n${body}`);
  return Buffer.byteLength(body);
}
