/**
 * A chunked body (RFC 9112 §7.1), read strictly as it arrives: which bytes may be passed on as they
 * are, and what has to be written instead of the others. A size line is passed on only when all of it
 * has been understood, an extension never: it ends at the connection that it came on. The end is kept
 * back until the trailer section is whole. Holds no content; who wants it is told where it lies.
 */
import { ascii, isValue, textOf } from './wire-grammar.ts';

/** The longest size line, extensions included, and the longest trailer section, in bytes. */
const sizeLineBytesMax = 16_384;
const trailerBytesMax = 16_384;
/** Sizes of more digits, leading zeros aside, are beyond what can be counted without rounding. */
const sizeDigitsMax = 13;

/** `0`, its line end, and the blank line. */
const plainEndBytes = 5;

const strayReturn = /\r[^\n]/;

type Phase = 'size' | 'extension' | 'sizeEnd' | 'data' | 'dataEnd' | 'dataEndFeed' | Last;
type Last = 'trailers' | 'over' | 'broken';

const hexValues = Int8Array.from({ length: 256 }, (_, byte) => {
  const value = Number.parseInt(String.fromCharCode(byte), 16);
  return Number.isNaN(value) ? -1 : value;
});

/** Told of content: bytes[start, end), which stay there only for as long as the call lasts. */
export type OnContent = (bytes: Buffer, start: number, end: number) => void;

export class ChunkScanner {
  /** What to pass on of the bytes read last: `prefix`, then bytes[passStart, passEnd), then `suffix`. */
  prefix = '';
  passStart = 0;
  passEnd = 0;
  suffix = '';
  /** Behind the last of those bytes that is the body's. */
  end = 0;
  /** Content bytes read since `begin`. */
  contentBytes = 0;
  #phase: Phase = 'size';
  #digitCount = 0;
  #lineBytes = 0;
  /** The size of the line being read, then what is left of its chunk. */
  #left = 0;
  /** Where the line being read begins in the bytes at hand; before 0 when it began in earlier ones. */
  #lineStart = 0;
  #extensionStart = 0;
  #trailers = '';
  readonly #onContent: OnContent | undefined;

  constructor(onContent?: OnContent) {
    this.#onContent = onContent;
  }

  /** Begins a new body. */
  begin(): void {
    this.contentBytes = 0;
    this.#trailers = '';
    this.#beginLine(0);
  }

  /** The body is read whole. */
  get isOver(): boolean {
    return this.#phase === 'over';
  }

  get isBroken(): boolean {
    return this.#phase === 'broken';
  }

  /** The trailer section's lines, latin1, without the blank line that ends it; known when it is over. */
  get trailers(): string {
    return this.#trailers;
  }

  /** Reads bytes[from, end); may move bytes within them, to close the gap that an extension leaves. */
  read(bytes: Buffer, from: number, end: number): void {
    this.prefix = '';
    this.suffix = '';
    this.passStart = from;
    this.passEnd = from;
    this.#lineStart = this.#lineBytes > 0 ? -1 : from;
    let at = from;
    while (at < end && this.#phase !== 'trailers') {
      if (this.#phase === 'data') {
        const length = Math.min(this.#left, end - at);
        this.#onContent?.(bytes, at, at + length);
        at += length;
        this.#left -= length;
        this.contentBytes += length;
        this.passEnd = at;
        if (this.#left === 0) this.#phase = 'dataEnd';
        continue;
      }
      this.#step(bytes, at);
      if (this.#phase === 'broken') return;
      at += 1;
    }
    this.end = this.#phase === 'trailers' ? this.#readTrailers(bytes, at, end) : at;
  }

  #beginLine(at: number): void {
    this.#phase = 'size';
    this.#digitCount = 0;
    this.#lineBytes = 0;
    this.#left = 0;
    this.#lineStart = at;
    this.#extensionStart = -1;
  }

  #step(bytes: Buffer, at: number): void {
    const byte = bytes[at] as number;
    switch (this.#phase) {
      case 'size':
        this.#lineBytes += 1;
        return this.#stepSize(byte, at);
      case 'extension':
        this.#lineBytes += 1;
        if (byte === ascii.carriageReturn) this.#phase = 'sizeEnd';
        else if (isValue[byte] === 0 || this.#lineBytes > sizeLineBytesMax) this.#phase = 'broken';
        return;
      case 'sizeEnd':
        if (byte !== ascii.lineFeed) this.#phase = 'broken';
        else this.#endLine(bytes, at);
        return;
      case 'dataEnd':
        this.#phase = byte === ascii.carriageReturn ? 'dataEndFeed' : 'broken';
        this.passEnd = at + 1;
        return;
      case 'dataEndFeed':
        if (byte !== ascii.lineFeed) {
          this.#phase = 'broken';
          return;
        }
        this.passEnd = at + 1;
        this.#beginLine(at + 1);
    }
  }

  #stepSize(byte: number, at: number): void {
    const value = hexValues[byte] as number;
    if (value >= 0 && this.#digitCount < sizeDigitsMax && this.#lineBytes <= sizeLineBytesMax) {
      this.#left = this.#left * 16 + value;
      if (this.#left > 0) this.#digitCount += 1;
    } else if (this.#lineBytes === 1) this.#phase = 'broken';
    else if (byte === ascii.carriageReturn) this.#phase = 'sizeEnd';
    else if (byte === ascii.semicolon) {
      this.#phase = 'extension';
      this.#extensionStart = at;
    } else this.#phase = 'broken';
  }

  /** A size line is whole; `at` is its line feed. */
  #endLine(bytes: Buffer, at: number): void {
    this.#lineBytes = 0;
    if (this.#left === 0) {
      this.#phase = 'trailers';
      return;
    }
    this.#phase = 'data';
    this.passEnd = at + 1;
    if (this.#lineStart < 0) {
      this.prefix = `${this.#left.toString(16)}\r\n`;
      this.passStart = at + 1;
    } else if (this.#extensionStart >= 0) {
      const gap = at - 1 - this.#extensionStart;
      bytes.copyWithin(this.passStart + gap, this.passStart, this.#extensionStart);
      this.passStart += gap;
    }
    this.#extensionStart = -1;
  }

  /** Collects the trailer section up to its blank line; gives the end of what was taken. */
  #readTrailers(bytes: Buffer, from: number, end: number): number {
    let at = from;
    while (at < end && this.#phase === 'trailers') {
      const lineFeedAt = bytes.indexOf(ascii.lineFeed, at);
      const lineEnd = lineFeedAt < 0 || lineFeedAt >= end ? end : lineFeedAt + 1;
      const text = textOf(bytes, at, lineEnd);
      const isTorn = strayReturn.test(this.#trailers.endsWith('\r') ? `\r${text}` : text);
      this.#trailers += text;
      at = lineEnd;
      if (isTorn) this.#phase = 'broken';
      else if (this.#trailers === '\r\n' || this.#trailers.endsWith('\r\n\r\n'))
        this.#phase = 'over';
      else if (this.#trailers.length > trailerBytesMax) this.#phase = 'broken';
    }
    if (this.#phase === 'over') this.#finish(at);
    return at;
  }

  #finish(end: number): void {
    this.#trailers = this.#trailers.slice(0, -2);
    const isPlain = this.#lineStart === this.passEnd && end - this.#lineStart === plainEndBytes;
    if (isPlain && this.#trailers === '') this.passEnd = end;
    else this.suffix = '0\r\n';
  }
}
