/**
 * The head of an ordinary request, read strictly from the connection's bytes (RFC 9112 §§2-5): the
 * grammar of the fast path. Whatever could be read in two ways, or is merely rare, is `odd` and left
 * to the front, which knows how to answer it. Allocates next to nothing: one scanner is used again for every
 * request, and its fields describe the head that it read last, as offsets into the bytes it was given.
 */
import { lookupFields } from '../cache/lookup.ts';
import {
  ascii,
  byteTable,
  decimalAt,
  equalsWord,
  FieldNames,
  isBlank,
  isSameName,
  lineEndAt,
  nameKey,
  type Reading,
  isToken as tokenTable,
  isValue as valueTable,
} from '../upstream/wire-grammar.ts';

// Constants of this module: the compiler knows their values, as it does not those of imported ones.
const isToken = tokenTable;
const isValue = valueTable;
const { blank, carriageReturn, colon, lineFeed } = ascii;

/** What a field means to a proxy. */
export const fieldKinds = {
  /** Passed on as it is. */
  plain: 0,
  /** The same, but has a say in what the cache may answer. */
  lookup: 1,
  host: 2,
  accept: 3,
  contentLength: 4,
  connection: 5,
  /** Ends at this connection (RFC 9110 §7.6.1), or means nothing without a chunked body. */
  dropped: 6,
  via: 7,
  forwardedFor: 8,
  forwardedProto: 9,
  forwardedHost: 10,
  forwarded: 11,
  /** Changes how the request has to be treated altogether. */
  odd: 12,
} as const;

const fieldNames = new FieldNames({
  ...Object.fromEntries(lookupFields.map((name) => [name, fieldKinds.lookup])),
  host: fieldKinds.host,
  accept: fieldKinds.accept,
  'content-length': fieldKinds.contentLength,
  connection: fieldKinds.connection,
  'keep-alive': fieldKinds.dropped,
  te: fieldKinds.dropped,
  trailer: fieldKinds.dropped,
  'http2-settings': fieldKinds.dropped,
  'proxy-authenticate': fieldKinds.dropped,
  'proxy-authorization': fieldKinds.dropped,
  via: fieldKinds.via,
  'x-forwarded-for': fieldKinds.forwardedFor,
  'x-forwarded-proto': fieldKinds.forwardedProto,
  'x-forwarded-host': fieldKinds.forwardedHost,
  forwarded: fieldKinds.forwarded,
  'transfer-encoding': fieldKinds.odd,
  upgrade: fieldKinds.odd,
  expect: fieldKinds.odd,
  // Node's parser takes it for Connection.
  'proxy-connection': fieldKinds.odd,
});

/** Bytes of a target; others have to be %-encoded. */
const isTarget = byteTable((byte) => byte > blank && byte < ascii.delete);

/** `HTTP/1.` before the digit of the minor version. */
const versionPrefix = Buffer.from('HTTP/1.', 'latin1');

/** Methods whose requests are ordinary. */
const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/** The most header lines that are recorded; a head with more is odd. */
const fieldCountMax = 128;

/** No method of HTTP is longer (RFC 9110 §16.1.3 lists the registered ones). */
const methodBytesMax = 24;

export class HeadScanner {
  methodEnd = 0;
  /** The method, if it is an ordinary one; else empty. */
  method = '';
  targetStart = 0;
  targetEnd = 0;
  /** Behind the version: the request string is [targetStart, lineEnd). */
  lineEnd = 0;
  /** 0 or 1, of HTTP/1.0 and HTTP/1.1. */
  minorVersion = 1;
  /** More than one blank stands before the version. */
  hasManyBlanks = false;
  /** The target holds `%`, `\`, `//` or `/.`: its normalised form may be another one. */
  mayNormalize = false;

  /** Behind the blank line: where the body begins. */
  end = 0;
  fieldCount = 0;
  /** Where each field line begins, and where its value begins and ends. */
  readonly nameStarts = new Int32Array(fieldCountMax);
  readonly valueStarts = new Int32Array(fieldCountMax);
  readonly valueEnds = new Int32Array(fieldCountMax);
  /** What each field means to a proxy. */
  readonly kinds = new Uint8Array(fieldCountMax);
  readonly #keys = new Int32Array(fieldCountMax);
  /** A field other than Host and those that are passed on as they are. */
  hasSpecialFields = false;
  /** A field that the cache has to know about. */
  hasLookupFields = false;
  /** Which field is Host; -1 without one. */
  hostIndex = -1;
  /** The same for Accept, Via, X-Forwarded-For and Forwarded. */
  acceptIndex = -1;
  viaIndex = -1;
  forwardedForIndex = -1;
  forwardedIndex = -1;
  /** In bytes; 0 also without a Content-Length. */
  contentLength = 0;
  /** `Connection: close`. */
  wantsClose = false;

  /** Reads the request line that bytes[0, end) begins with; screening needs no more than this. */
  readLine(bytes: Uint8Array, end: number): Reading {
    let at = 0;
    const methodLimit = Math.min(end, methodBytesMax);
    while (at < methodLimit && isToken[bytes[at] as number] === 1) at += 1;
    if (at === end) return beginsMethod(bytes, end) ? 'incomplete' : 'odd';
    if (at === 0 || bytes[at] !== blank) return 'odd';
    this.methodEnd = at;
    this.method = methodAt(bytes, at);
    at += 1;
    this.targetStart = at;
    if (at === end) return 'incomplete';
    if (bytes[at] !== ascii.slash) return 'odd';
    at = this.#readTarget(bytes, at, end);
    this.targetEnd = at;
    while (at < end && bytes[at] === blank) at += 1;
    this.hasManyBlanks = at - this.targetEnd > 1;
    if (at > this.targetEnd) return this.#readVersion(bytes, at, end);
    return at === end ? 'incomplete' : 'odd';
  }

  #readTarget(bytes: Uint8Array, start: number, end: number): number {
    let mayNormalize = false;
    let at = start;
    let previous = 0;
    for (; at < end; at += 1) {
      const byte = bytes[at] as number;
      if (isTarget[byte] === 0) break;
      if (byte <= ascii.slash) {
        if (
          byte === ascii.percent ||
          ((byte === ascii.slash || byte === ascii.dot) && previous === ascii.slash)
        ) {
          mayNormalize = true;
        }
      } else if (byte === ascii.backslash) mayNormalize = true;
      previous = byte;
    }
    this.mayNormalize = mayNormalize;
    return at;
  }

  #readVersion(bytes: Uint8Array, start: number, end: number): Reading {
    for (let index = 0; index < versionPrefix.length; index += 1) {
      if (start + index === end) return 'incomplete';
      if (bytes[start + index] !== versionPrefix[index]) return 'odd';
    }
    const digitAt = start + versionPrefix.length;
    if (digitAt === end) return 'incomplete';
    const digit = bytes[digitAt];
    if (digit !== ascii.oneDigit && digit !== ascii.zeroDigit) return 'odd';
    this.minorVersion = digit === ascii.oneDigit ? 1 : 0;
    this.lineEnd = digitAt + 1;
    return lineEndAt(bytes, this.lineEnd, end);
  }

  /** Reads the header lines behind a request line that `readLine` found whole. */
  readFields(bytes: Uint8Array, end: number): Reading {
    this.fieldCount = 0;
    this.hasSpecialFields = false;
    this.hasLookupFields = false;
    this.hostIndex = -1;
    this.acceptIndex = -1;
    this.viaIndex = -1;
    this.forwardedForIndex = -1;
    this.forwardedIndex = -1;
    this.contentLength = 0;
    this.wantsClose = false;
    let at = this.lineEnd + 2;
    while (at < end && bytes[at] !== carriageReturn) {
      const reading = this.#readField(bytes, at, end);
      if (reading !== 'whole') return reading;
      at = (this.valueEnds[this.fieldCount - 1] as number) + 2;
    }
    this.end = at + 2;
    return lineEndAt(bytes, at, end);
  }

  /** Reads one line, `Name: value`, with one blank and without blanks at the value's ends. */
  #readField(bytes: Uint8Array, start: number, end: number): Reading {
    let at = start;
    let hasUnderscore = false;
    for (; at < end; at += 1) {
      const byte = bytes[at] as number;
      if (isToken[byte] === 0) break;
      if (byte === ascii.underscore) hasUnderscore = true;
    }
    if (at === end) return 'incomplete';
    const nameEnd = at;
    if (nameEnd === start || bytes[at] !== colon) return 'odd';
    if (at + 1 === end) return 'incomplete';
    if (bytes[at + 1] !== blank) return 'odd';
    at += 2;
    const valueStart = at;
    while (at < end && isValue[bytes[at] as number] === 1) at += 1;
    if (at + 1 >= end || bytes[at] !== carriageReturn || bytes[at + 1] !== lineFeed) {
      return lineEndAt(bytes, at, end);
    }
    if (at === valueStart || isBlank(bytes[valueStart]) || isBlank(bytes[at - 1])) return 'odd';
    // CGI cannot tell `_` from `-`, so such a name may be one of those that a proxy has to replace.
    if (hasUnderscore || this.fieldCount === fieldCountMax) return 'odd';
    const key = nameKey(bytes, start, nameEnd);
    if (this.#isRepeated(key, bytes, start, nameEnd)) return 'odd';
    const index = this.fieldCount;
    this.nameStarts[index] = start;
    this.valueStarts[index] = valueStart;
    this.valueEnds[index] = at;
    this.#keys[index] = key;
    this.fieldCount = index + 1;
    return this.#classify(bytes, index, fieldNames.kindOf(key, bytes, start, nameEnd));
  }

  /** True when an earlier field has the same name. */
  #isRepeated(key: number, bytes: Uint8Array, start: number, end: number): boolean {
    const keys = this.#keys;
    for (let index = 0; index < this.fieldCount; index += 1) {
      if (keys[index] !== key) continue;
      const otherStart = this.nameStarts[index] as number;
      const otherEnd = (this.valueStarts[index] as number) - 2;
      if (isSameName(bytes, start, end, bytes, otherStart, otherEnd)) return true;
    }
    return false;
  }

  #classify(bytes: Uint8Array, index: number, kind: number): Reading {
    this.kinds[index] = kind;
    switch (kind) {
      case fieldKinds.plain:
        return 'whole';
      case fieldKinds.lookup:
        this.hasLookupFields = true;
        return 'whole';
      case fieldKinds.host:
        this.hostIndex = index;
        return 'whole';
      case fieldKinds.accept:
        this.acceptIndex = index;
        return 'whole';
      case fieldKinds.contentLength:
        return this.#readLength(bytes, index);
      case fieldKinds.connection:
        this.hasSpecialFields = true;
        return this.#readConnection(bytes, index);
      case fieldKinds.odd:
        return 'odd';
      case fieldKinds.via:
        this.viaIndex = index;
        break;
      case fieldKinds.forwardedFor:
        this.forwardedForIndex = index;
        break;
      case fieldKinds.forwarded:
        this.forwardedIndex = index;
    }
    this.hasSpecialFields = true;
    return 'whole';
  }

  #readLength(bytes: Uint8Array, index: number): Reading {
    const start = this.valueStarts[index] as number;
    const length = decimalAt(bytes, start, this.valueEnds[index] as number);
    if (length < 0) return 'odd';
    this.contentLength = length;
    return 'whole';
  }

  /** Only `close` and `keep-alive` alone are ordinary; other options name fields to take out. */
  #readConnection(bytes: Uint8Array, index: number): Reading {
    const start = this.valueStarts[index] as number;
    const end = this.valueEnds[index] as number;
    if (equalsWord(bytes, start, end, 'keep-alive')) return 'whole';
    if (!equalsWord(bytes, start, end, 'close')) return 'odd';
    this.wantsClose = true;
    return 'whole';
  }
}

/** The ordinary method that bytes[0, end) is, or nothing. Without making a string of them. */
function methodAt(bytes: Uint8Array, end: number): string {
  for (const method of methods) {
    if (method.length !== end || method.charCodeAt(0) !== bytes[0]) continue;
    let at = 1;
    while (at < end && method.charCodeAt(at) === bytes[at]) at += 1;
    if (at === end) return method;
  }
  return '';
}

/** Whether an ordinary method begins with bytes[0, end). */
function beginsMethod(bytes: Uint8Array, end: number): boolean {
  const text = Buffer.from(bytes.subarray(0, end)).toString('latin1');
  return methods.some((method) => method.startsWith(text));
}
