/**
 * The header of the PROXY protocol, versions 1 and 2, read strictly from the first bytes of a connection:
 * whom a balancer speaks for. Pure: bytes in, what they say out. The protocol is HAProxy's
 * (`doc/proxy-protocol.txt` there).
 */
import { isIPv4, isIPv6 } from 'node:net';
import { normalizeAddress } from '../config/address-list.ts';

/** What the first bytes of a connection are. */
export type ProxyHeader =
  /** More is needed to tell. */
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'broken' }
  | {
      readonly kind: 'whole';
      /** The client's address; undefined: the balancer speaks for itself, or does not say. */
      readonly source: string | undefined;
      /** Where what follows the header begins. */
      readonly end: number;
    };

/** The longest line of version 1, its line end included. */
const lineBytesMax = 107;
/** Addresses and what is told besides (TLVs), in version 2: more than anybody sends. */
const payloadBytesMax = 4096;

const textStart = Buffer.from('PROXY ', 'latin1');
const binaryStart = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const binaryHeadBytes = 16;

const broken: ProxyHeader = { kind: 'broken' };
const incomplete: ProxyHeader = { kind: 'incomplete' };

/** Reads the header that `bytes` begin with. */
export function readProxyHeader(bytes: Buffer): ProxyHeader {
  if (beginsLike(bytes, binaryStart)) return readBinary(bytes);
  return beginsLike(bytes, textStart) ? readText(bytes) : broken;
}

/** True when the bytes begin with `start`, as far as they go. */
function beginsLike(bytes: Buffer, start: Buffer): boolean {
  const length = Math.min(bytes.length, start.length);
  return bytes.compare(start, 0, length, 0, length) === 0;
}

const textLine = /^PROXY (?:(TCP4|TCP6) (\S+) (\S+) (\d{1,5}) (\d{1,5})|UNKNOWN(?: [ -~]*)?)$/;

function readText(bytes: Buffer): ProxyHeader {
  const lineFeed = bytes.subarray(0, lineBytesMax).indexOf(0x0a);
  if (lineFeed < 0) return bytes.length < lineBytesMax ? incomplete : broken;
  const end = lineFeed + 1;
  const line = bytes.toString('latin1', 0, end);
  const parts = line.endsWith('\r\n') ? textLine.exec(line.slice(0, -2)) : null;
  if (parts === null) return broken;
  const [, family, source = '', target = '', ...ports] = parts;
  if (family === undefined) return { kind: 'whole', source: undefined, end };
  const isAddress = family === 'TCP4' ? isIPv4 : isPlainIPv6;
  if (!isAddress(source) || !isAddress(target) || !ports.every(isPort)) return broken;
  return { kind: 'whole', source: normalizeAddress(source), end };
}

function isPlainIPv6(text: string): boolean {
  return isIPv6(text) && !text.includes('%');
}

function isPort(digits: string | undefined): boolean {
  return digits !== undefined && /^(0|[1-9]\d*)$/.test(digits) && Number(digits) <= 65_535;
}

/** Families of addresses, and how long the two addresses and ports of each are, in bytes. */
const families: Readonly<Record<number, number>> = { 1: 12, 2: 36, 3: 216 };

function readBinary(bytes: Buffer): ProxyHeader {
  if (bytes.length < binaryHeadBytes) return incomplete;
  const [versionAndCommand = 0, familyAndTransport = 0] = bytes.subarray(binaryStart.length);
  const payloadBytes = bytes.readUInt16BE(binaryStart.length + 2);
  const command = versionAndCommand & 0x0f;
  if (versionAndCommand >> 4 !== 2 || command > 1 || payloadBytes > payloadBytesMax) return broken;
  const family = familyAndTransport >> 4;
  const transport = familyAndTransport & 0x0f;
  if (family > 3 || transport > 2) return broken;
  // LOCAL: the balancer looks whether we are there; what it says besides means nothing.
  const isLocal = command === 0;
  if (!isLocal && payloadBytes < (families[family] ?? 0)) return broken;
  const end = binaryHeadBytes + payloadBytes;
  if (bytes.length < end) return incomplete;
  // Only connections are served here: a client behind anything else than TCP has no place in a log.
  const source = isLocal || transport !== 1 ? undefined : sourceOf(bytes, family);
  return { kind: 'whole', source, end };
}

function sourceOf(bytes: Buffer, family: number): string | undefined {
  if (family === 1) return bytes.subarray(binaryHeadBytes, binaryHeadBytes + 4).join('.');
  if (family !== 2) return undefined;
  const groups = Array.from({ length: 8 }, (_, index) =>
    bytes.readUInt16BE(binaryHeadBytes + 2 * index).toString(16),
  );
  return normalizeAddress(groups.join(':'));
}
