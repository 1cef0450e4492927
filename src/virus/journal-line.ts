/**
 * One line of a journal: eight hexadecimal digits of CRC-32, a blank, and the JSON that they cover, all
 * ASCII. Touches no file.
 */

/** A record as it stands in JSON. */
export type Fields = Readonly<Record<string, unknown>>;

const checkDigits = 8;

const crcTable = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

function crc32(bytes: Uint8Array, start: number, end: number): number {
  let crc = 0xffffffff;
  for (let at = start; at < end; at++) {
    crc = (crc >>> 8) ^ (crcTable[(crc ^ (bytes[at] as number)) & 0xff] as number);
  }
  return (crc ^ 0xffffffff) >>> 0;
}

/** An object as a line, its line end included; ASCII only. */
export function encodeLine(value: object): string {
  const json = JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  const bytes = Buffer.from(json, 'latin1');
  const check = crc32(bytes, 0, bytes.length).toString(16).padStart(checkDigits, '0');
  return `${check} ${json}\n`;
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null;
}

/** The JSON object of the line at [start, end), or undefined when the line is damaged. */
export function readLine(bytes: Buffer, start: number, end: number): Fields | undefined {
  const jsonStart = start + checkDigits + 1;
  if (end <= jsonStart || bytes[jsonStart - 1] !== 0x20) return undefined;
  const check = bytes.toString('latin1', start, start + checkDigits);
  if (!/^[0-9a-f]{8}$/.test(check)) return undefined;
  if (Number.parseInt(check, 16) !== crc32(bytes, jsonStart, end)) return undefined;
  try {
    const value: unknown = JSON.parse(bytes.toString('latin1', jsonStart, end));
    return isFields(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
