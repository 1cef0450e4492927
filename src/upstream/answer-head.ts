/**
 * The head of an origin's answer, read as strictly as a client's request (RFC 9112 §§2-6): the grammar
 * of the fast path's other side. What breaks it is no answer at all. Allocates next to nothing: one
 * scanner is used again for every answer, and its fields describe the head that it read last.
 */
import {
  ascii,
  decimalAt,
  equalsWord,
  FieldNames,
  isBlank,
  lineEndAt,
  nameKey,
  type Reading,
  textOf,
  isToken as tokenTable,
  isValue as valueTable,
} from './wire-grammar.ts';

// Constants of this module: the compiler knows their values, as it does not those of imported ones.
const isToken = tokenTable;
const isValue = valueTable;
const { blank, carriageReturn, colon, lineFeed } = ascii;

/** The longest head of an answer, in bytes: what Node's client accepts. */
export const answerHeadBytesMax = 16_384;

/** The most header lines of an answer: as many as Node's client hands on. */
export const answerFieldCountMax = 999;

/** What an answer's field means to a proxy. */
export const answerKinds = {
  /** Passed on as it is. */
  plain: 0,
  date: 1,
  contentLength: 2,
  transferEncoding: 3,
  connection: 4,
  keepAlive: 5,
  /** Ends at this connection (RFC 9110 §7.6.1). */
  dropped: 6,
  trailer: 7,
  /** Passed on as they are, but of interest to the cache. */
  cacheControl: 8,
  caching: 9,
  /** Counts in place of Cache-Control (RFC 9213). */
  targetedCaching: 10,
} as const;

const fieldNames = new FieldNames({
  date: answerKinds.date,
  'content-length': answerKinds.contentLength,
  'transfer-encoding': answerKinds.transferEncoding,
  connection: answerKinds.connection,
  'keep-alive': answerKinds.keepAlive,
  'proxy-connection': answerKinds.dropped,
  te: answerKinds.dropped,
  upgrade: answerKinds.dropped,
  'http2-settings': answerKinds.dropped,
  'proxy-authenticate': answerKinds.dropped,
  'proxy-authorization': answerKinds.dropped,
  trailer: answerKinds.trailer,
  'cache-control': answerKinds.cacheControl,
  'cdn-cache-control': answerKinds.targetedCaching,
  expires: answerKinds.caching,
  etag: answerKinds.caching,
  'last-modified': answerKinds.caching,
});

const versionPrefix = Buffer.from('HTTP/1.', 'latin1');
/** `HTTP/1.1 200` */
const statusEndOffset = 12;

export class AnswerScanner {
  /** Where the head begins, and where its first field line does. */
  start = 0;
  fieldsStart = 0;
  /** Behind the blank line. */
  end = 0;
  minorVersion = 1;
  /** 100 to 999. */
  status = 0;
  /** The line has a blank behind the status, and every field one behind its colon and none at its end. */
  isCanonical = true;
  fieldCount = 0;
  readonly nameStarts = new Int32Array(answerFieldCountMax);
  readonly nameEnds = new Int32Array(answerFieldCountMax);
  readonly valueStarts = new Int32Array(answerFieldCountMax);
  readonly valueEnds = new Int32Array(answerFieldCountMax);
  readonly kinds = new Uint8Array(answerFieldCountMax);
  hasDate = false;
  /** Whether any field says for how long the answer may be used, or which version it is. */
  hasCacheFields = false;
  /** Which field is Cache-Control; -1 without one, -2 with several or with a targeted one. */
  cacheControlIndex = -1;
  /** In bytes; -1 without a Content-Length. */
  contentLength = -1;
  isChunked = false;
  /** The origin closes the connection behind this answer. */
  willClose = false;
  /** Connection names fields that end here too. */
  namesFields = false;
  /** How long the origin keeps the connection, in seconds (Keep-Alive: timeout=); -1: it does not say. */
  keepAliveSeconds = -1;
  #saysKeepAlive = false;
  /** Behind the field line that was read last. */
  #nextLine = 0;

  /** Reads the head that begins at `start`. `odd`: broken. */
  read(bytes: Buffer, start: number, end: number): Reading {
    this.start = start;
    this.isCanonical = true;
    this.fieldCount = 0;
    this.hasDate = false;
    this.hasCacheFields = false;
    this.cacheControlIndex = -1;
    this.contentLength = -1;
    this.isChunked = false;
    this.willClose = false;
    this.namesFields = false;
    this.keepAliveSeconds = -1;
    this.#saysKeepAlive = false;
    const line = this.#readStatusLine(bytes, start, end);
    if (line !== 'whole') return line;
    let at = this.fieldsStart;
    while (at < end && bytes[at] !== carriageReturn) {
      const reading = this.#readField(bytes, at, end);
      if (reading !== 'whole') return reading;
      at = this.#nextLine;
    }
    const reading = lineEndAt(bytes, at, end);
    if (reading !== 'whole') return reading;
    this.end = at + 2;
    if (this.minorVersion === 0 && !this.#saysKeepAlive) this.willClose = true;
    // RFC 9112 §6.3: the two together are how messages are smuggled.
    return this.isChunked && this.contentLength >= 0 ? 'odd' : 'whole';
  }

  /** The fields of the head that was read from `bytes`, as name, value, name, value … */
  rawHeaders(bytes: Buffer): string[] {
    const raw: string[] = [];
    for (let index = 0; index < this.fieldCount; index += 1) {
      raw.push(
        textOf(bytes, this.nameStarts[index] as number, this.nameEnds[index] as number),
        textOf(bytes, this.valueStarts[index] as number, this.valueEnds[index] as number),
      );
    }
    return raw;
  }

  #readStatusLine(bytes: Buffer, start: number, end: number): Reading {
    const known = Math.min(end - start, versionPrefix.length);
    for (let index = 0; index < known; index += 1) {
      if (bytes[start + index] !== versionPrefix[index]) return 'odd';
    }
    if (end - start < statusEndOffset) return 'incomplete';
    const digit = bytes[start + versionPrefix.length];
    if (digit !== ascii.oneDigit && digit !== ascii.zeroDigit) return 'odd';
    this.minorVersion = digit === ascii.oneDigit ? 1 : 0;
    const statusStart = start + versionPrefix.length + 2;
    if (bytes[statusStart - 1] !== blank) return 'odd';
    this.status = decimalAt(bytes, statusStart, start + statusEndOffset);
    if (this.status < 100) return 'odd';
    let at = start + statusEndOffset;
    if (at === end) return 'incomplete';
    if (bytes[at] === blank) {
      at += 1;
      while (at < end && isValue[bytes[at] as number] === 1) at += 1;
    } else this.isCanonical = false;
    this.fieldsStart = at + 2;
    return lineEndAt(bytes, at, end);
  }

  #readField(bytes: Buffer, start: number, end: number): Reading {
    let at = start;
    while (at < end && isToken[bytes[at] as number] === 1) at += 1;
    if (at === end) return 'incomplete';
    if (at === start || bytes[at] !== colon) return 'odd';
    const nameEnd = at;
    at += 1;
    while (at < end && isBlank(bytes[at])) at += 1;
    const valueStart = at;
    while (at < end && isValue[bytes[at] as number] === 1) at += 1;
    if (at + 1 >= end || bytes[at] !== carriageReturn || bytes[at + 1] !== lineFeed) {
      return lineEndAt(bytes, at, end);
    }
    if (this.fieldCount === answerFieldCountMax) return 'odd';
    this.#nextLine = at + 2;
    let valueEnd = at;
    while (valueEnd > valueStart && isBlank(bytes[valueEnd - 1])) valueEnd -= 1;
    if (valueEnd < at || valueStart !== nameEnd + 2 || bytes[nameEnd + 1] !== blank) {
      this.isCanonical = false;
    }
    const index = this.fieldCount;
    this.nameStarts[index] = start;
    this.nameEnds[index] = nameEnd;
    this.valueStarts[index] = valueStart;
    this.valueEnds[index] = valueEnd;
    this.fieldCount = index + 1;
    const kind = fieldNames.kindOf(nameKey(bytes, start, nameEnd), bytes, start, nameEnd);
    return this.#classify(bytes, index, kind);
  }

  #classify(bytes: Buffer, index: number, kind: number): Reading {
    this.kinds[index] = kind;
    if (kind === answerKinds.plain) return 'whole';
    const start = this.valueStarts[index] as number;
    const end = this.valueEnds[index] as number;
    switch (kind) {
      case answerKinds.date:
        this.hasDate = true;
        return 'whole';
      case answerKinds.cacheControl:
        this.hasCacheFields = true;
        this.cacheControlIndex = this.cacheControlIndex === -1 ? index : -2;
        return 'whole';
      case answerKinds.targetedCaching:
        this.cacheControlIndex = -2;
        this.hasCacheFields = true;
        return 'whole';
      case answerKinds.caching:
        this.hasCacheFields = true;
        return 'whole';
      case answerKinds.contentLength: {
        const isRepeated = this.contentLength >= 0;
        this.contentLength = decimalAt(bytes, start, end);
        return isRepeated || this.contentLength < 0 ? 'odd' : 'whole';
      }
      case answerKinds.transferEncoding: {
        const isRepeated = this.isChunked;
        this.isChunked = equalsWord(bytes, start, end, 'chunked');
        return isRepeated || !this.isChunked ? 'odd' : 'whole';
      }
      case answerKinds.connection:
        this.#readConnection(bytes, start, end);
        return 'whole';
      case answerKinds.keepAlive: {
        const timeout = /timeout=(\d{1,9})/i.exec(textOf(bytes, start, end))?.[1];
        if (timeout !== undefined) this.keepAliveSeconds = Number(timeout);
        return 'whole';
      }
      default:
        return 'whole';
    }
  }

  #readConnection(bytes: Buffer, start: number, end: number): void {
    if (equalsWord(bytes, start, end, 'keep-alive')) {
      this.#saysKeepAlive = true;
      return;
    }
    for (const token of textOf(bytes, start, end).toLowerCase().split(',')) {
      const option = token.trim();
      if (option === 'close') this.willClose = true;
      else if (option === 'keep-alive') this.#saysKeepAlive = true;
      else if (option !== '') this.namesFields = true;
    }
  }
}
