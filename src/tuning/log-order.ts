/**
 * Brings the requests of a log into the order of their times. Servers write a line when the request ends
 * and stamp it with when it began, so lines are out of order by as long as requests take. A bounded number
 * of requests is held back and sorted; what is later than that keeps its place. Pure.
 */
import { tardyMsMax } from './log-clock.ts';
import type { LogLineReader, LogRequest } from './log-line.ts';

/** So many requests are held back at most, in so many bytes. */
const requestsMax = 8_192;
const bytesMax = 4 * 2 ** 20;

/** A request that was held back. Its bytes are overwritten after the call that it is handed to. */
class HeldRequest implements LogRequest {
  bytes: Buffer = Buffer.alloc(0);
  clientStart = 0;
  clientEnd = 0;
  lineStart = 0;
  requestStart = 0;
  requestEnd = 0;
  status = 0;
  mayNormalize = true;
  atMs = 0;
  refererStart = 0;
  refererEnd = 0;
  line = 0;

  text(): string {
    return this.bytes.toString('latin1', this.requestStart, this.requestEnd);
  }

  requestLine(): string {
    return this.bytes.toString('latin1', this.lineStart, this.requestEnd);
  }

  client(): string {
    return this.bytes.toString('latin1', this.clientStart, this.clientEnd);
  }

  referer(): string | undefined {
    if (this.refererStart === this.refererEnd) return undefined;
    return this.bytes.toString('latin1', this.refererStart, this.refererEnd);
  }
}

/** Of a request that was served, nobody asks who led to it. */
const refererFromStatus = 400;

export class LogOrder {
  readonly #onRequest: (request: LogRequest) => void;
  readonly #request = new HeldRequest();
  /**
   * Each from its client to the end of its request line, and its Referer if that matters, one after the
   * other, in the order in which they were read.
   */
  readonly #bytes = Buffer.alloc(bytesMax);
  readonly #starts = new Uint32Array(requestsMax + 1);
  readonly #clientBytes = new Uint8Array(requestsMax);
  readonly #lineOffsets = new Uint32Array(requestsMax);
  readonly #prefixBytes = new Uint32Array(requestsMax);
  readonly #requestEnds = new Uint32Array(requestsMax);
  readonly #lines = new Float64Array(requestsMax);
  readonly #statuses = new Uint16Array(requestsMax);
  readonly #mayNormalize = new Uint8Array(requestsMax);
  /** Whole seconds, so that they leave room for a number in a key. */
  readonly #times = new Float64Array(requestsMax);
  readonly #keys = new Float64Array(requestsMax);
  readonly #isOut = new Uint8Array(requestsMax);
  #count = 0;
  /** Whether those held are in the order of their times. */
  #isSorted = true;
  #latestMs = Number.NEGATIVE_INFINITY;

  constructor(onRequest: (request: LogRequest) => void) {
    this.#onRequest = onRequest;
  }

  /** Takes a request; copies what is needed of it. */
  push(line: LogLineReader): void {
    const { atMs, bytes, lineBytes, clientStart, lineStart, requestStart, requestEnd } = line;
    // Another log begins: its requests are not to be mixed with these.
    if (this.#latestMs - atMs > tardyMsMax) this.flush();
    const clientBytes = line.clientEnd - clientStart;
    // One piece, with what stands between them, costs less than two.
    const isOnePiece = bytes === lineBytes;
    const lineOffset = isOnePiece ? lineStart - clientStart : clientBytes;
    const requestOffset = lineOffset + requestEnd - lineStart;
    const hasReferer = line.status >= refererFromStatus;
    const refererBytes = hasReferer ? line.refererEnd - line.refererStart : 0;
    const length = requestOffset + refererBytes;
    while (this.#count === requestsMax || this.#end() + length > bytesMax) {
      this.#release(Math.ceil(this.#count / 2));
    }
    const at = this.#count;
    const start = this.#end();
    if (!isOnePiece) lineBytes.copy(this.#bytes, start, clientStart, line.clientEnd);
    const from = isOnePiece ? clientStart : lineStart;
    bytes.copy(this.#bytes, isOnePiece ? start : start + clientBytes, from, requestEnd);
    if (refererBytes > 0) {
      const to = start + requestOffset;
      lineBytes.copy(this.#bytes, to, line.refererStart, line.refererEnd);
    }
    this.#starts[at + 1] = start + length;
    this.#requestEnds[at] = requestOffset;
    this.#lines[at] = line.line;
    this.#clientBytes[at] = clientBytes;
    this.#lineOffsets[at] = lineOffset;
    this.#prefixBytes[at] = requestStart - lineStart;
    this.#statuses[at] = line.status;
    this.#mayNormalize[at] = line.mayNormalize ? 1 : 0;
    this.#times[at] = atMs / 1_000;
    this.#count = at + 1;
    if (atMs < this.#latestMs) this.#isSorted = false;
    else this.#latestMs = atMs;
  }

  /** Hands over all that are held back. */
  flush(): void {
    this.#release(this.#count);
    this.#latestMs = Number.NEGATIVE_INFINITY;
  }

  /** Where the bytes of those held end. */
  #end(): number {
    return this.#starts[this.#count] as number;
  }

  /** Hands over the `count` earliest. */
  #release(count: number): void {
    const isOut = this.#isOut.fill(0);
    if (this.#isSorted) {
      for (let at = 0; at < count; at += 1) this.#hand(at);
      isOut.fill(1, 0, count);
    } else {
      const keys = this.#sortedKeys();
      for (let rank = 0; rank < count; rank += 1) {
        const at = (keys[rank] as number) % requestsMax;
        this.#hand(at);
        isOut[at] = 1;
      }
    }
    this.#closeUp();
  }

  /**
   * The numbers of those held in the order of their times; of two with the same time the one read first
   * comes first. Each number is what is left of its key when whole `requestsMax` are taken away.
   */
  #sortedKeys(): Float64Array {
    const times = this.#times;
    const keys = this.#keys.subarray(0, this.#count);
    for (let at = 0; at < keys.length; at += 1) keys[at] = (times[at] as number) * requestsMax + at;
    // Numbers alone are sorted several times faster than by a function.
    return keys.sort();
  }

  #hand(at: number): void {
    const request = this.#request;
    request.bytes = this.#bytes;
    request.clientStart = this.#starts[at] as number;
    request.clientEnd = request.clientStart + (this.#clientBytes[at] as number);
    request.lineStart = request.clientStart + (this.#lineOffsets[at] as number);
    request.requestStart = request.lineStart + (this.#prefixBytes[at] as number);
    request.requestEnd = request.clientStart + (this.#requestEnds[at] as number);
    request.refererStart = request.requestEnd;
    request.refererEnd = this.#starts[at + 1] as number;
    request.line = this.#lines[at] as number;
    request.status = this.#statuses[at] as number;
    request.mayNormalize = this.#mayNormalize[at] === 1;
    request.atMs = (this.#times[at] as number) * 1_000;
    this.#onRequest(request);
  }

  /** Moves those that are still held to the front, in the order in which they were read. */
  #closeUp(): void {
    const count = this.#count;
    const isOut = this.#isOut;
    this.#count = 0;
    this.#isSorted = true;
    for (let at = 0; at < count; at += 1) {
      if (isOut[at] === 1) continue;
      const first = at;
      while (at < count && isOut[at] === 0) at += 1;
      this.#moveUp(first, at);
    }
  }

  /** Moves a run of requests behind those that were moved before. */
  #moveUp(first: number, end: number): void {
    const to = this.#count;
    const from = this.#starts[first] as number;
    const byteCount = from - this.#end();
    this.#bytes.copyWithin(this.#end(), from, this.#starts[end]);
    this.#clientBytes.copyWithin(to, first, end);
    this.#lineOffsets.copyWithin(to, first, end);
    this.#prefixBytes.copyWithin(to, first, end);
    this.#requestEnds.copyWithin(to, first, end);
    this.#lines.copyWithin(to, first, end);
    this.#statuses.copyWithin(to, first, end);
    this.#mayNormalize.copyWithin(to, first, end);
    this.#times.copyWithin(to, first, end);
    for (let at = first + 1; at <= end; at += 1) {
      this.#starts[to + at - first] = (this.#starts[at] as number) - byteCount;
    }
    this.#count = to + end - first;
    this.#isSorted &&= this.#isInOrder(Math.max(to, 1));
  }

  /** Whether each request from `from` on is no earlier than the one before it. */
  #isInOrder(from: number): boolean {
    const times = this.#times;
    for (let at = from; at < this.#count; at += 1) {
      if ((times[at] as number) < (times[at - 1] as number)) return false;
    }
    return true;
  }
}
