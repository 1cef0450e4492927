/**
 * Heads that Node's parser refused: broken grammar, too large, too slow. Each is answered where an
 * answer can still be read, logged, counted, and its connection closed, since nobody can know where
 * the next request would begin (RFC 9112 §2.2).
 */
import { METHODS } from 'node:http';
import type { Socket } from 'node:net';
import { type Arrival, loggedLine } from './arrival.ts';
import { logRequest } from './exchange-log.ts';
import type { FrontParts } from './policy.ts';
import { type Refusal, refusals } from './refusals.ts';
import { answerText } from './reply.ts';
import { nextRequestId } from './request-id.ts';
import { parseRequestLine, reduceToOriginForm, requestStringOf } from './request-line.ts';
import { judge, wouldSlip } from './verdict.ts';

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

/** A connection whose next head cannot be read, with no answer under way. */
export interface RefusedHead {
  readonly socket: Socket;
  readonly arrival: Arrival;
  /** The connection's peer, which is taken for the client: no header can be believed. */
  readonly peer: string;
  /** Whether the peer may be one that carries other clients' requests. */
  readonly peerTrusted: boolean;
  /** What was received of the head. */
  readonly bytes: Buffer;
  /** Ends the connection behind the answer. */
  readonly end: () => void;
}

/**
 * Deals with a head that was refused with a `code` of Node's parser. A virus request is one by its
 * request line alone, whatever follows it: it is screened like all others, and slipped if that is what
 * becomes of it. In other cases the fault is answered.
 */
export function refuseHead(code: string, head: RefusedHead, parts: FrontParts): void {
  const { socket } = head;
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const { line, isWhole } = firstLine(head.bytes);
  if (isWhole && slips(line, head, parts)) return;
  const { status, explanation, error = '', counter } = refusalFor(code, line, parts);
  if (counter !== undefined) parts.statistics.add(counter);
  const requestId = nextRequestId();
  const answer = { status, explanation, requestId, close: true, asJson: false };
  const { text, bodyBytes } = answerText(answer, parts.nowMs(), false);
  socket.write(text, 'latin1');
  head.end();
  // A connection on which nothing was ever sent is no request: counted above, but not logged.
  if (head.bytes.length === 0) return;
  const parsed = parseRequestLine(line);
  const lineIsSound =
    status !== 400 || (parsed !== undefined && reduceToOriginForm(parsed) !== undefined);
  parts.logAccess({
    client: head.peer,
    atMs: parts.nowMs(),
    requestLine: loggedLine(line, head.arrival.isHttp2),
    outcome: lineIsSound
      ? { kind: 'answered', status, bytes: bodyBytes, error: { code: error, requestId } }
      : { kind: 'malformed', status, bytes: bodyBytes, requestId },
  });
}

/** Screens the request line; a virus request that is to be slipped is counted, logged and closed. */
function slips(rawLine: string, head: RefusedHead, parts: FrontParts): boolean {
  const policy = parts.policy();
  const line = parseRequestLine(rawLine);
  const reduced = line === undefined ? undefined : reduceToOriginForm(line);
  if (line === undefined || reduced === undefined) return false;
  const text = requestStringOf(line, reduced.target);
  const request = {
    id: nextRequestId(),
    atMs: parts.nowMs(),
    client: head.peer,
    arrival: head.arrival,
    peerTrusted: head.peerTrusted,
    proxies: undefined,
    host: undefined,
    referer: undefined,
    target: reduced.target,
    requestString: text,
    text,
    requestStart: 0,
    requestEnd: text.length,
    mayNormalize: true,
    rawLine,
    isSound: true,
    match: undefined,
    holdsKeyword: false,
    error: undefined,
    status: undefined,
    bytes: 0,
  };
  if (!wouldSlip(request, policy, parts)) return false;
  parts.statistics.add('requests');
  judge(request, policy, parts);
  logRequest(request, parts);
  head.socket.destroy();
  return true;
}

/** The first line, latin1, without its line end; `isWhole`: the line end is there. */
function firstLine(bytes: Buffer): { line: string; isWhole: boolean } {
  const end = bytes.indexOf(0x0a);
  const text = bytes.toString('latin1', 0, end < 0 ? bytes.length : end);
  return { line: text.endsWith('\r') ? text.slice(0, -1) : text, isWhole: end >= 0 };
}
