/**
 * THE request path of the fast path, read from top to bottom: request line, screening, fields, verdict,
 * site, origin. The counterpart of handle.ts. Decides about the request that a connection's bytes begin
 * with; whatever is not ordinary is the front's, before anything is counted.
 */
import type { StoredAnswer } from '../cache/entry.ts';
import type { HeaderReader } from '../cache/fields.ts';
import type { Watched } from '../delivery/recipient.ts';
import { isIdempotent } from '../upstream/forward.ts';
import type { Site } from '../upstream/origins.ts';
import type { RelayedRequest } from '../upstream/relay-client.ts';
import { humble as importedHumble } from '../virus/screen.ts';
import type { BlockedSource } from '../virus/sources.ts';
import { clientBehind } from './client-address.ts';
import type { FastAnswers } from './fast-answers.ts';
import type { FastRequest } from './fast-request.ts';
import { viaName } from './head.ts';
import { editHead, headerOf } from './head-text.ts';
import { originHead, tracedHead } from './origin-head.ts';
import type { FrontParts, Policy } from './policy.ts';
import { type Refusal, refusals } from './refusals.ts';
import { HeadScanner } from './request-head.ts';
import type { SiteMemory } from './site-memory.ts';
import { traceparentName, tracestateName } from './tracing.ts';
import {
  blockedSource,
  countScreened,
  countWindow,
  markOf,
  noteMatch,
  noteSource,
  type PatternMatch,
} from './verdict.ts';

/** What a turn needs of the connection that it is on. */
export interface FastClient {
  readonly parts: FrontParts;
  readonly request: FastRequest;
  readonly memory: SiteMemory;
  readonly answers: FastAnswers;
  /** The head that the unread bytes begin with has not arrived whole. */
  awaitHead(): void;
  /** The first `byteCount` unread bytes are dealt with. */
  consume(byteCount: number): void;
  /** Takes a request in hand that is to be relayed; its head has `headBytes`. */
  begin(headBytes: number, wantsClose: boolean): void;
  /** Answers a request, whose head has `headBytes`, with what is stored for it. */
  hit(stored: StoredAnswer, headBytes: number, wantsClose: boolean): void;
  /** Closes without an answer. */
  slip(): void;
  /** Answers by ourselves; `bodyBytes` of the request are unread or still to come. */
  refuse(refusal: Refusal, bodyBytes: number, keepsOpen: boolean): void;
  /** Gives the connection to the front, with all unread bytes. */
  handOver(): false;
}

// Imported bindings are not folded into compiled code.
const humble = importedHumble;

/** One for all connections: a head is read in one go. */
const head = new HeadScanner();

/**
 * Reads and begins the request that `bytes` begin with. False: it has not arrived whole, or the
 * connection is the front's now.
 */
export function takeTurn(connection: FastClient, bytes: Buffer): boolean {
  const { parts } = connection;
  const policy = parts.policy();
  const line = head.readLine(bytes, bytes.length);
  if (line !== 'whole') return wait(line, connection, bytes, policy);
  const atMs = parts.nowMs();
  const answer = screen(bytes, policy);
  const isQuiet = parts.sources.isQuiet;
  const mayBlock = answer !== humble || !isQuiet;
  if (mayBlock && slipAtOnce(connection, bytes, atMs, answer, policy)) return true;
  const fields = head.readFields(bytes, bytes.length);
  if (fields !== 'whole') return wait(fields, connection, bytes, policy);
  if (exceedsLimits(policy)) return connection.handOver();
  const text = bytes.toString('latin1', 0, head.end);
  identify(connection, text, atMs, policy);
  if (answer !== humble) return judgeVirus(connection, bytes, answer, undefined, policy);
  const source = isQuiet ? undefined : blockedSource(connection.request, parts);
  if (source !== undefined) return judgeVirus(connection, bytes, answer, source, policy);
  if (!isOrdinary(connection)) return connection.handOver();
  if (policy.screen !== undefined) {
    connection.request.holdsKeyword = policy.screen.holdsKeyword;
    countScreened(false, atMs, parts);
    countWindow(connection.request, bytes, head.targetStart, head.lineEnd, policy, parts);
  }
  relay(connection, policy);
  return true;
}

/** Whether to wait for the rest of a head, or to leave it to the front. */
function wait(
  reading: 'incomplete' | 'odd',
  connection: FastClient,
  bytes: Buffer,
  policy: Policy,
): false {
  const { headerBytesMax } = policy.settings.limits;
  if (reading === 'odd' || bytes.length > headerBytesMax) return connection.handOver();
  connection.awaitHead();
  return false;
}

function screen(bytes: Buffer, policy: Policy): number {
  if (policy.screen === undefined) return humble;
  const { targetStart, lineEnd, mayNormalize, hasManyBlanks } = head;
  return policy.screen.screenBytes(bytes, targetStart, lineEnd, mayNormalize || hasManyBlanks);
}

/**
 * Slips a virus request, or one of a blocked source, whose fate no header can change, without reading any.
 * False: it is not one.
 */
function slipAtOnce(
  connection: FastClient,
  bytes: Buffer,
  atMs: number,
  answer: number,
  policy: Policy,
): boolean {
  const { memory, request, parts } = connection;
  const { action, mode } = policy.settings.virus;
  if (action !== 'slip' || mode !== 'block' || memory.mayBeTrusted(policy.sites)) return false;
  const source = answer === humble ? parts.sources.findKey(memory.source, atMs) : undefined;
  if (answer === humble && source === undefined) return false;
  request.begin(head, bytes.toString('latin1', 0, head.lineEnd), atMs);
  request.client = memory.peer;
  request.peerTrusted = false;
  const mark = markOf(request, policy);
  if (mark !== 'slip') return false;
  parts.statistics.totals.requests += 1;
  countVirus(request, bytes, answer, source, mark, policy, parts);
  connection.slip();
  return true;
}

function exceedsLimits(policy: Policy): boolean {
  const { limits } = policy.settings;
  return (
    head.lineEnd > limits.requestLineBytesMax ||
    head.end > limits.headerBytesMax ||
    head.fieldCount > limits.headerCountMax ||
    (limits.requestBodyBytesMax > 0 && head.contentLength > limits.requestBodyBytesMax)
  );
}

/** Finds out whose request it is, and which site it is for. */
function identify(connection: FastClient, text: string, atMs: number, policy: Policy): void {
  const { memory, request } = connection;
  request.begin(head, text, atMs);
  request.noteAccept(head);
  memory.look(policy.sites, fieldValue(head.hostIndex, text) ?? '');
  request.peerTrusted = memory.peerTrusted;
  request.client = memory.peer;
  request.proxies = memory.trusted;
  if (policy.tracer !== undefined) {
    scannedText = text;
    const traceparent = scannedHeader(traceparentName);
    const host = fieldValue(head.hostIndex, text);
    request.trace = policy.tracer.begin(traceparent, scannedHeader(tracestateName), host);
  }
  if (!memory.peerTrusted || memory.trusted === undefined) return;
  const forwardedFor = fieldValue(head.forwardedForIndex, text);
  const forwarded = fieldValue(head.forwardedIndex, text);
  request.client = clientBehind(memory.peer, forwardedFor, forwarded, memory.trusted);
}

function fieldValue(index: number, text: string): string | undefined {
  return index < 0 ? undefined : text.slice(head.valueStarts[index], head.valueEnds[index]);
}

/** Whether the request is one that the fast path relays. */
function isOrdinary({ memory, request }: FastClient): boolean {
  if (head.minorVersion === 0 || head.hasManyBlanks) return false;
  if (head.hostIndex < 0 || !memory.isHost || memory.site === undefined) return false;
  // Where to, and when, is not known at once there.
  if (memory.site.isDynamic) return false;
  if (head.method === '' || memory.redirects) return false;
  // Our own name in Via may be a loop: the front counts.
  return head.viaIndex < 0 || !request.text.includes(viaName);
}

function countVirus(
  request: FastRequest,
  bytes: Buffer,
  answer: number,
  source: BlockedSource | undefined,
  mark: PatternMatch['mark'],
  policy: Policy,
  parts: FrontParts,
): void {
  if (source !== undefined) return noteSource(request, source, mark, parts);
  countScreened(true, request.atMs, parts);
  if (answer < humble) {
    countWindow(request, bytes, head.targetStart, head.lineEnd, policy, parts);
  }
  noteMatch(request, answer, mark, parts);
}

/** A virus request, or one of a blocked source, with its whole head: blocks it, or lets it pass as the settings say. */
function judgeVirus(
  connection: FastClient,
  bytes: Buffer,
  answer: number,
  source: BlockedSource | undefined,
  policy: Policy,
): boolean {
  const { request, parts } = connection;
  const mark = markOf(request, policy);
  const isBlocked = mark === 'slip' || mark === 'drop';
  const keepsOpen = mark === 'drop' && request.peerTrusted && !parts.draining();
  // How such an answer ends, the front knows.
  const endsOddly = keepsOpen && (head.minorVersion === 0 || head.wantsClose);
  const isFronts = isBlocked ? endsOddly || !connection.memory.isHost : !isOrdinary(connection);
  if (isFronts) return connection.handOver();
  countVirus(request, bytes, answer, source, mark, policy, parts);
  if (!isBlocked) {
    relay(connection, policy);
    return true;
  }
  parts.statistics.totals.requests += 1;
  connection.consume(head.end);
  if (mark === 'slip') connection.slip();
  else connection.refuse(refusals.blocked, head.contentLength, keepsOpen);
  return true;
}

function relay(connection: FastClient, policy: Policy): void {
  const { memory, request, parts } = connection;
  const { totals } = parts.statistics;
  const { site } = memory;
  if (site === undefined) return;
  totals.requests += 1;
  const hasBody = head.contentLength > 0;
  const { method } = head;
  const isSafe = method === 'GET' || method === 'HEAD';
  if (memory.keyPrefix !== '' && !hasBody && isSafe) {
    const prefix = askedPrefix(connection);
    if (prefix !== undefined) return deliver(connection, site, policy, prefix);
  }
  totals.requests_forwarded += 1;
  connection.begin(head.end, head.wantsClose);
  const relayed: RelayedRequest = {
    origins: site,
    head: headFor(connection),
    isHead: method === 'HEAD',
    isRepeatable: !hasBody && isIdempotent(method),
    bodyBytes: head.contentLength,
    limits: policy.settings.limits,
    atMs: request.atMs,
  };
  connection.answers.relay(relayed, memory.keyPrefix === '' ? undefined : watchPassing(connection));
}

/** The head that the origin is sent. */
function headFor({ memory, request }: FastClient): string {
  const sent = originHead(head, request.text, memory.forwarder);
  return request.trace === undefined ? sent : tracedHead(sent, request.trace);
}

/** What of a request that goes past the cache may tell something about what is stored. */
function watchPassing(connection: FastClient): Watched {
  const { memory, request } = connection;
  scannedText = request.text;
  const told = memory.peerTrusted ? toldPrefix(connection) : undefined;
  return watch(connection, headerOf(request.text), told ?? memory.keyPrefix);
}

/** The prefix of the key that the cache is asked for; undefined: it is not asked. */
function askedPrefix(connection: FastClient): string | undefined {
  const { memory, request } = connection;
  if (!memory.isKeyed) return undefined;
  if (!memory.peerTrusted) return memory.keyPrefix;
  // The host and scheme of Forwarded stand in no key.
  if (head.forwardedIndex >= 0) return undefined;
  scannedText = request.text;
  // What a trusted proxy says about its client's connection is what the origin is told.
  return toldPrefix(connection);
}

/** Answers a GET or HEAD of a site with a cache. */
function deliver(connection: FastClient, site: Site, policy: Policy, prefix: string): void {
  const { request, parts } = connection;
  scannedText = request.text;
  const key = prefix + request.target;
  const isPlain = !head.hasLookupFields;
  if (isPlain) {
    const stored = parts.deliveries.find(key, scannedHeader, request.atMs);
    if (stored !== undefined) {
      if (request.trace !== undefined) request.trace.cache = 'hit';
      return connection.hit(stored, head.end, head.wantsClose);
    }
  }
  const sent = headFor(connection);
  const { limits } = policy.settings;
  if (isPlain && head.method === 'GET' && parts.deliveries.isPassed(key, request.atMs)) {
    const relayed: RelayedRequest = {
      origins: site,
      head: sent,
      isHead: false,
      isRepeatable: true,
      bodyBytes: 0,
      limits,
      atMs: request.atMs,
    };
    connection.begin(head.end, head.wantsClose);
    return connection.answers.pass(relayed, key);
  }
  const watched = watch(connection, headerOf(sent), prefix);
  const coding = scannedHeader('accept-encoding') ?? '';
  connection.begin(head.end, head.wantsClose);
  connection.answers.deliver({
    key,
    method: head.method,
    header: watched.header,
    origins: site,
    originHead: (edit) => editHead(sent, edit),
    limits,
    coding,
    isPlain,
    watched,
  });
}

/** The prefix of keys for the scheme and host that a trusted peer says its client has asked for. */
function toldPrefix({ memory }: FastClient): string | undefined {
  const proto = scannedHeader('x-forwarded-proto');
  const host = scannedHeader('x-forwarded-host');
  if (proto === undefined && host === undefined) return memory.keyPrefix;
  return memory.keyPrefixFor(proto, host);
}

function watch({ request }: FastClient, header: HeaderReader, keyPrefix: string): Watched {
  const { atMs } = request;
  return { method: head.method, keyPrefix, target: request.target, header, requestMs: atMs };
}

/** The head that `scannedHeader` reads from. */
let scannedText = '';

/** A header of the request that was read last. One for all: a look-up allocates nothing. */
function scannedHeader(name: string): string | undefined {
  for (let index = 0; index < head.fieldCount; index += 1) {
    const start = head.nameStarts[index] as number;
    if ((head.valueStarts[index] as number) - 2 - start !== name.length) continue;
    if (scannedText.slice(start, start + name.length).toLowerCase() === name) {
      return fieldValue(index, scannedText);
    }
  }
  return undefined;
}
