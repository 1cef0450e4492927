/**
 * One line of an access log, read from bytes: common or combined log format as Apache, nginx and
 * wormgate itself write it (`CLIENT - USER [TIME] "REQUEST" STATUS SIZE …`). Escapes of Apache and nginx
 * (`\xHH`, `\"`, `\\`) are undone; the %HH of PROXY.LOG stand as they are, because nobody can tell them
 * from what the client sent. Nothing is made into a string here: a log has millions of lines.
 */

import { LogTimeReader, timeBytes } from './log-time.ts';

/** What a line is. `note`: one of PROXY.LOG's lines about other things than requests. */
export type LineKind = 'request' | 'no-request' | 'note' | 'malformed';

const newline = 0x0a;
const blank = 0x20;
const quoteMark = 0x22;
const dash = 0x2d;
const slash = 0x2f;
const openBracket = 0x5b;
const backslash = 0x5c;
const closeBracket = 0x5d;

const laterVersion = /^ HTTP\/[23]\.0$/;
const laterVersionBytes = 9;

const methodBytesMax = 32;
const clientBytesMax = 64;

/** What a byte of a request may mean: its end, or that its target has to be normalised. */
const plain = 0;
const ends = 1;
const percent = 2;
const isBlank = 3;
const isDot = 4;
const isSlash = 5;
const meanings = new Uint8Array(256);
meanings[quoteMark] = ends;
meanings[backslash] = ends;
meanings[0x25] = percent;
meanings[blank] = isBlank;
meanings[0x2e] = isDot;
meanings[slash] = isSlash;

/** Values of `\n` and its like, by the letter. */
const escapedControls = new Map<number, number>([
  [0x6e, 0x0a],
  [0x72, 0x0d],
  [0x74, 0x09],
  [0x62, 0x08],
  [0x76, 0x0b],
  [0x66, 0x0c],
]);

function digit(bytes: Uint8Array, at: number): number {
  const value = (bytes[at] as number) - 0x30;
  return value >= 0 && value <= 9 ? value : Number.NaN;
}

/** The hexadecimal number of two digits at `at`; NaN when it is none. */
function hexByte(bytes: Uint8Array, at: number): number {
  const text = String.fromCharCode(bytes[at] ?? 0, bytes[at + 1] ?? 0);
  return /^[0-9a-fA-F]{2}$/.test(text) ? Number.parseInt(text, 16) : Number.NaN;
}

/** A request that a log tells of. */
export interface LogRequest {
  /** The request string is bytes[requestStart, requestEnd). */
  readonly bytes: Buffer;
  readonly requestStart: number;
  readonly requestEnd: number;
  /** False: the target holds no `%`, `\\`, `//` or `/.`, and one blank follows it. */
  readonly mayNormalize: boolean;
  /** 0 where there is none, as in PROXY.LOG's slips. */
  readonly status: number;
  /** The line's time, in milliseconds since the epoch. */
  readonly atMs: number;
  /** The request string, latin1. */
  text(): string;
  /** The request line, latin1. */
  requestLine(): string;
  /** The client's address as it is written, or as much of it as an address may have. */
  client(): string;
  /** The Referer as it is written, latin1; undefined where there is none, as in the common format. */
  referer(): string | undefined;
  /** The number of its line, over all files. */
  readonly line: number;
}

/** Reads lines one after the other; what was read is in the fields until the next one. */
export class LogLineReader implements LogRequest {
  /** Where the request string is: in the line's own bytes, or in ours when it had escapes. */
  bytes: Buffer = Buffer.alloc(0);
  requestStart = 0;
  requestEnd = 0;
  /** The line's own bytes, and where in them the client is. */
  lineBytes: Buffer = Buffer.alloc(0);
  clientStart = 0;
  clientEnd = 0;
  /** Where the method begins, in `bytes`. */
  lineStart = 0;
  mayNormalize = true;
  status = 0;
  /** Where in the line's own bytes the Referer is; nowhere when both are the same. */
  refererStart = 0;
  refererEnd = 0;
  /** For the caller to set. */
  line = 0;
  readonly #scratch: Buffer;
  readonly #time = new LogTimeReader();

  /** `lineBytesMax`: no longer line is ever read. */
  constructor(lineBytesMax: number) {
    this.#scratch = Buffer.alloc(lineBytesMax);
  }

  get atMs(): number {
    return this.#time.atMs;
  }

  text(): string {
    return this.bytes.toString('latin1', this.requestStart, this.requestEnd);
  }

  requestLine(): string {
    return this.bytes.toString('latin1', this.lineStart, this.requestEnd);
  }

  client(): string {
    return this.lineBytes.toString('latin1', this.clientStart, this.clientEnd);
  }

  get hasReferer(): boolean {
    return this.refererStart !== this.refererEnd;
  }

  referer(): string | undefined {
    if (!this.hasReferer) return undefined;
    return this.lineBytes.toString('latin1', this.refererStart, this.refererEnd);
  }

  /** Whether nothing stands where the request belongs: a connection without one. */
  get isRequestEmpty(): boolean {
    const length = this.requestEnd - this.lineStart;
    return length === 0 || (length === 1 && this.bytes[this.lineStart] === dash);
  }

  /** Reads the line bytes[start, end), without its line end. */
  read(bytes: Buffer, start: number, end: number): LineKind {
    if (bytes[start] === openBracket) return 'note';
    this.lineBytes = bytes;
    this.clientStart = start;
    let at = start;
    while (at < end && bytes[at] !== blank) at += 1;
    this.clientEnd = Math.min(at, start + clientBytesMax);
    if (at === start) return 'malformed';
    const requestStart = this.#findRequest(bytes, at, end);
    if (requestStart === -1) return 'malformed';
    const requestEnd = this.#findQuote(bytes, requestStart, end);
    if (requestEnd === -1 || !this.#readStatus(bytes, requestEnd + 1, end)) return 'malformed';
    this.#readReferer(bytes, requestEnd + 1, end);
    return this.#readRequest() ? 'request' : 'no-request';
  }

  /** Where the request begins, behind the time; -1: nowhere. A user's name may hold brackets, too. */
  #findRequest(bytes: Buffer, start: number, end: number): number {
    for (let at = start; at + timeBytes + 3 < end; at += 1) {
      if (bytes[at] !== openBracket) continue;
      const timeEnd = at + 1 + timeBytes;
      const isFollowed =
        bytes[timeEnd] === closeBracket &&
        bytes[timeEnd + 1] === blank &&
        bytes[timeEnd + 2] === quoteMark;
      if (isFollowed && this.#time.read(bytes, at + 1)) return timeEnd + 3;
    }
    return -1;
  }

  /** Finds the quotation mark that ends the request, and undoes the escapes before it. */
  #findQuote(bytes: Buffer, start: number, end: number): number {
    let at = start;
    let previous = plain;
    let mayNormalize = false;
    for (; at < end; at += 1) {
      const meaning = meanings[bytes[at] as number] as number;
      if (meaning !== plain) {
        if (meaning === ends) break;
        if (meaning === percent || (meaning === isBlank && previous === isBlank))
          mayNormalize = true;
        else if (previous === isSlash && meaning >= isDot) mayNormalize = true;
      }
      previous = meaning;
    }
    this.mayNormalize = mayNormalize;
    if (at < end && bytes[at] === quoteMark) {
      this.bytes = bytes;
      this.lineStart = start;
      this.requestEnd = at;
      return at;
    }
    this.mayNormalize = true;
    const own = this.#scratch;
    let to = bytes.copy(own, 0, start, at);
    while (at < end && bytes[at] !== quoteMark) {
      let byte = bytes[at] as number;
      at += 1;
      if (byte === backslash && at < end) {
        byte = bytes[at] as number;
        const hex = byte === 0x78 ? hexByte(bytes, at + 1) : Number.NaN;
        at += Number.isNaN(hex) ? 1 : 3;
        byte = Number.isNaN(hex) ? (escapedControls.get(byte) ?? byte) : hex;
      }
      own[to++] = byte;
    }
    if (at >= end) return -1;
    this.bytes = own;
    this.lineStart = 0;
    this.requestEnd = to;
    return at;
  }

  #readStatus(bytes: Buffer, start: number, end: number): boolean {
    if (bytes[start] !== blank || start + 1 >= end) return false;
    this.status = 0;
    if (bytes[start + 1] === dash) return true;
    if (start + 3 >= end) return false;
    const status =
      digit(bytes, start + 1) * 100 + digit(bytes, start + 2) * 10 + digit(bytes, start + 3);
    if (Number.isNaN(status)) return false;
    this.status = status;
    return true;
  }

  /** Finds the Referer behind status and size. It is kept as it is written, with its escapes. */
  #readReferer(bytes: Buffer, start: number, end: number): void {
    this.refererStart = 0;
    this.refererEnd = 0;
    let at = start + 1;
    for (let blanks = 0; at < end && blanks < 2; at += 1) if (bytes[at] === blank) blanks += 1;
    if (at >= end || bytes[at] !== quoteMark) return;
    const first = at + 1;
    let last = bytes.indexOf(quoteMark, first);
    while (last !== -1 && bytes[last - 1] === backslash) last = bytes.indexOf(quoteMark, last + 1);
    if (last === -1 || last >= end) return;
    if (last === first + 1 && bytes[first] === dash) return;
    this.refererStart = first;
    this.refererEnd = last;
  }

  /** Finds the request string behind the method; an absolute target loses its scheme and host. */
  #readRequest(): boolean {
    const { bytes, requestEnd } = this;
    let at = this.lineStart;
    while (at < requestEnd && at - this.lineStart < methodBytesMax) {
      const byte = bytes[at] as number;
      if ((byte < 0x41 || byte > 0x5a) && byte !== dash && byte !== 0x5f) break;
      at += 1;
    }
    if (at === this.lineStart || bytes[at] !== blank || at + 1 >= requestEnd) return false;
    if (at === this.lineStart + 1 && bytes[this.lineStart] === dash) return false;
    this.requestStart = at + 1;
    if (bytes[at + 1] !== slash) this.#reduceTarget();
    this.#readVersion();
    return true;
  }

  /** Requests over later versions are screened as the same request in HTTP/1.1. */
  #readVersion(): void {
    const versionStart = this.requestEnd - laterVersionBytes;
    if (this.bytes[this.requestEnd - 1] !== 0x30 || versionStart < this.requestStart) return;
    const version = this.bytes.toString('latin1', versionStart, this.requestEnd);
    if (!laterVersion.test(version)) return;
    if (this.bytes !== this.#scratch) {
      this.bytes.copy(this.#scratch, 0, this.lineStart, this.requestEnd);
      this.bytes = this.#scratch;
      this.requestStart -= this.lineStart;
      this.requestEnd -= this.lineStart;
      this.lineStart = 0;
    }
    this.bytes.write('1.1', this.requestEnd - 3, 'latin1');
  }

  #reduceTarget(): void {
    const { bytes, requestStart, requestEnd } = this;
    const schemeEnd = Math.min(requestStart + 8, requestEnd);
    const scheme = bytes.toString('latin1', requestStart, schemeEnd);
    const [found] = /^https?:\/\//i.exec(scheme) ?? [];
    if (found === undefined) return;
    let at = requestStart + found.length;
    while (at < requestEnd && bytes[at] !== slash && bytes[at] !== blank) at += 1;
    if (at < requestEnd && bytes[at] === slash) this.requestStart = at;
  }
}

/** Cuts chunks into lines, and hands over where each is; the end of one too long is thrown away. */
export class LineCutter {
  readonly #lineBytesMax: number;
  readonly #onLine: (bytes: Buffer, start: number, end: number, isCut: boolean) => void;
  #rest: Buffer[] = [];
  #restBytes = 0;

  constructor(
    lineBytesMax: number,
    onLine: (bytes: Buffer, start: number, end: number, isCut: boolean) => void,
  ) {
    this.#lineBytesMax = lineBytesMax;
    this.#onLine = onLine;
  }

  push(chunk: Buffer): void {
    let start = 0;
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, start)) {
      if (this.#restBytes > 0) {
        this.#keep(chunk.subarray(start, end));
        this.end();
      } else this.#hand(chunk, start, end, end - start > this.#lineBytesMax);
      start = end + 1;
    }
    if (start < chunk.length) this.#keep(chunk.subarray(start));
  }

  /** Hands over what stands behind the last newline, if anything does. */
  end(): void {
    if (this.#restBytes === 0) return;
    const line = Buffer.concat(this.#rest);
    const isCut = this.#restBytes > this.#lineBytesMax;
    this.#rest = [];
    this.#restBytes = 0;
    this.#hand(line, 0, line.length, isCut);
  }

  #hand(bytes: Buffer, start: number, end: number, isCut: boolean): void {
    const last = isCut ? start + this.#lineBytesMax : end;
    const lineEnd = last > start && bytes[last - 1] === 0x0d ? last - 1 : last;
    this.#onLine(bytes, start, lineEnd, isCut);
  }

  #keep(piece: Buffer): void {
    const room = this.#lineBytesMax - this.#restBytes;
    this.#restBytes += piece.length;
    if (room > 0) this.#rest.push(Buffer.from(piece.subarray(0, room)));
  }
}
