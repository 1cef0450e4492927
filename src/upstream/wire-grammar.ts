/**
 * What request and answer heads have in common on the wire (RFC 9110 §5, RFC 9112 §2): the bytes that
 * may stand where, line ends, and field names told apart without making strings of them. The scanners
 * of the two heads are http/request-head.ts and answer-head.ts.
 */

export const ascii = {
  horizontalTab: 0x09,
  lineFeed: 0x0a,
  carriageReturn: 0x0d,
  blank: 0x20,
  percent: 0x25,
  dot: 0x2e,
  slash: 0x2f,
  zeroDigit: 0x30,
  oneDigit: 0x31,
  colon: 0x3a,
  semicolon: 0x3b,
  backslash: 0x5c,
  underscore: 0x5f,
  delete: 0x7f,
} as const;

/** A table with 1 at the bytes that `contains` says yes to. */
export function byteTable(contains: (byte: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => (contains(byte) ? 1 : 0));
}

/** Bytes of a token: method and field names (RFC 9110 §5.6.2). */
export const isToken = byteTable((byte) =>
  /[!#$%&'*+\-.^_`|~0-9A-Za-z]/.test(String.fromCharCode(byte)),
);

/** Bytes of a field value or reason phrase: visible ones, blanks, those above ASCII (RFC 9110 §5.5). */
export const isValue = byteTable(
  (byte) => byte === ascii.horizontalTab || (byte >= ascii.blank && byte !== ascii.delete),
);

export function isBlank(byte: number | undefined): boolean {
  return byte === ascii.blank || byte === ascii.horizontalTab;
}

/** What stands at a place in bytes that may end before it is complete. */
export type Reading = 'whole' | 'incomplete' | 'odd';

/** Whether CR LF stands at `at`. A bare LF is never a line end here (RFC 9112 §2.2). */
export function lineEndAt(bytes: Uint8Array, at: number, end: number): Reading {
  if (at === end) return 'incomplete';
  if (bytes[at] !== ascii.carriageReturn) return 'odd';
  if (at + 1 === end) return 'incomplete';
  return bytes[at + 1] === ascii.lineFeed ? 'whole' : 'odd';
}

/** Whether bytes[start, end) is `word` in any case; `word` in lower case, of letters and `-`. */
export function equalsWord(bytes: Uint8Array, start: number, end: number, word: string): boolean {
  if (end - start !== word.length) return false;
  for (let index = 0; index < word.length; index += 1) {
    if (((bytes[start + index] as number) | 0x20) !== word.charCodeAt(index)) return false;
  }
  return true;
}

/** The most digits, leading zeros aside, that are counted without rounding. */
const digitsMax = 15;

/** The decimal number that bytes[start, end) is; -1 when it is none, or too long for one. */
export function decimalAt(bytes: Uint8Array, start: number, end: number): number {
  let first = start;
  while (first + 1 < end && bytes[first] === ascii.zeroDigit) first += 1;
  if (end === start || end - first > digitsMax) return -1;
  let value = 0;
  for (let at = first; at < end; at += 1) {
    const digit = (bytes[at] as number) - ascii.zeroDigit;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}

/** bytes[start, end) as latin1 text. */
export function textOf(bytes: Buffer, start: number, end: number): string {
  return bytes.toString('latin1', start, end);
}

/**
 * A number that field names of different length, first or last byte do not share, whatever the letters'
 * case: names are told apart by it first, and byte by byte only where it agrees.
 */
export function nameKey(bytes: Uint8Array, start: number, end: number): number {
  const first = (bytes[start] as number) | 0x20;
  const last = (bytes[end - 1] as number) | 0x20;
  return (first << 16) | (last << 8) | ((end - start) & 0xff);
}

/** Multiplicative hashing spreads the keys over the slots; with this factor no two names in use share one. */
const spread = 0xc2b2ae35;
const slotBits = 10;
const slotShift = 32 - slotBits;

/** Field names that mean something to a proxy, each with a kind; other names have kind 0. */
export class FieldNames {
  readonly #kinds = new Uint8Array(1 << slotBits);
  /** In lower case, by slot. */
  readonly #names: Uint8Array[] = new Array(1 << slotBits).fill(new Uint8Array(0));

  /** Names in lower case. Two that fall into one slot are a mistake of the caller's and throw. */
  constructor(kindsByName: Readonly<Record<string, number>>) {
    for (const [name, kind] of Object.entries(kindsByName)) {
      const bytes = Buffer.from(name, 'latin1');
      const slot = Math.imul(nameKey(bytes, 0, bytes.length), spread) >>> slotShift;
      if (this.#kinds[slot] !== 0) throw new Error(`${name} shares a slot`);
      this.#kinds[slot] = kind;
      this.#names[slot] = bytes;
    }
  }

  /** The kind of the name bytes[start, end), token bytes only; `key` is its `nameKey`. */
  kindOf(key: number, bytes: Uint8Array, start: number, end: number): number {
    const slot = Math.imul(key, spread) >>> slotShift;
    const kind = this.#kinds[slot] as number;
    if (kind === 0) return 0;
    const name = this.#names[slot] as Uint8Array;
    return isSameName(bytes, start, end, name, 0, name.length) ? kind : 0;
  }
}

/** Whether two names, token bytes only, are the same in any case. */
export function isSameName(
  bytes: Uint8Array,
  start: number,
  end: number,
  others: Uint8Array,
  otherStart: number,
  otherEnd: number,
): boolean {
  if (end - start !== otherEnd - otherStart) return false;
  for (let index = 0; index < end - start; index += 1) {
    const byte = (bytes[start + index] as number) | 0x20;
    if (byte !== ((others[otherStart + index] as number) | 0x20)) return false;
  }
  return true;
}
