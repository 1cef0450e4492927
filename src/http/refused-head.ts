/**
 * Heads that Node's parser refused: broken grammar, too large, too slow. Each is answered where an
 * answer can still be read, logged, counted, and its connection closed, since nobody can know where
 * the next request would begin (RFC 9112 §2.2).
 */
import { METHODS } from 'node:http';
import type { Connection } from './connection.ts';
import type { FrontParts } from './policy.ts';
import { type Refusal, refusals } from './refusals.ts';
import { replyOnSocket } from './reply.ts';
import { nextRequestId } from './request-id.ts';
import { parseRequestLine, reduceToOriginForm } from './request-line.ts';

/** A head that outgrew MaxHeaderBytes in a way that the parser does not count. */
export class HeadOverflow extends Error {
  readonly code = 'HPE_HEADER_OVERFLOW';
}

function refusalFor(code: string, line: string, parts: FrontParts): Refusal {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return refusals.lateHead;
  if (code === 'HPE_HEADER_OVERFLOW') {
    const { limits } = parts.policy().settings;
    return line.length > limits.requestLineBytesMax ? refusals.lineTooLong : refusals.headTooLarge;
  }
  const parsed = parseRequestLine(line);
  if (code !== 'HPE_INVALID_METHOD' || parsed === undefined) return refusals.brokenHead;
  return METHODS.includes(parsed.method) ? refusals.brokenHead : refusals.unknownMethod;
}

/** Deals with an error of the parser on a connection that has no answer under way. */
export function refuseHead(code: string, connection: Connection, parts: FrontParts): void {
  const { socket } = connection;
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const bytes = connection.tap.refusedBytes();
  const requestLine = firstLine(bytes);
  const { status, explanation, error = '', counter } = refusalFor(code, requestLine, parts);
  if (counter !== undefined) parts.statistics.add(counter);
  const requestId = nextRequestId();
  const size = replyOnSocket(socket, { status, explanation, requestId, close: true });
  connection.end();
  // A connection on which nothing was ever sent is no request: counted above, but not logged.
  if (bytes.length === 0) return;
  const parsed = parseRequestLine(requestLine);
  const lineIsSound =
    status !== 400 || (parsed !== undefined && reduceToOriginForm(parsed) !== undefined);
  parts.logAccess({
    client: connection.peer,
    atMs: parts.nowMs(),
    requestLine,
    outcome: lineIsSound
      ? { kind: 'answered', status, bytes: size, error: { code: error, requestId } }
      : { kind: 'malformed', status, bytes: size, requestId },
  });
}

function firstLine(bytes: Buffer): string {
  const end = bytes.indexOf(0x0a);
  const text = bytes.toString('latin1', 0, end < 0 ? bytes.length : end);
  return text.endsWith('\r') ? text.slice(0, -1) : text;
}
