/**
 * One line of a journal: eight hexadecimal digits of CRC-32, a blank, and the JSON that they cover, all
 * ASCII. Touches no file.
 */
import { crc32 } from 'node:zlib';

/** A record as it stands in JSON. */
export type Fields = Readonly<Record<string, unknown>>;

const checkDigits = 8;

/** An object as a line, its line end included; ASCII only. */
export function encodeLine(value: object): string {
  const json = JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  const check = crc32(json).toString(16).padStart(checkDigits, '0');
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
  if (Number.parseInt(check, 16) !== crc32(bytes.subarray(jsonStart, end))) return undefined;
  try {
    const value: unknown = JSON.parse(bytes.toString('latin1', jsonStart, end));
    return isFields(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
