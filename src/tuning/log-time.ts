/**
 * The time of a log line, `06/Aug/2001:09:58:58 -0600`, read from bytes, strictly: a field that is out of
 * its range makes the line malformed. What lines have in common, the second or at least the day, is
 * worked out once.
 */

/** How many bytes it has. */
export const timeBytes = 26;

/** `06/Aug/2001:`, which the lines of a day share. */
const dayBytes = 12;
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const secondMs = 1_000;
const minuteMs = 60_000;
const hourMs = 3_600_000;
const firstYear = 1970;

const blank = 0x20;
const plus = 0x2b;
const dash = 0x2d;
const slash = 0x2f;
const zero = 0x30;
const colon = 0x3a;

/** The number of two digits; -1 when they are none, or above `max`. */
function twoDigits(bytes: Uint8Array, at: number, max: number): number {
  const tens = (bytes[at] as number) - zero;
  const ones = (bytes[at + 1] as number) - zero;
  const value = tens * 10 + ones;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 && value <= max ? value : -1;
}

/** When the day of `06/Aug/2001:` begins in Greenwich; undefined when there is no such day. */
function midnightOf(bytes: Buffer, start: number): number | undefined {
  if (bytes[start + 2] !== slash || bytes[start + 6] !== slash || bytes[start + 11] !== colon) {
    return undefined;
  }
  const day = twoDigits(bytes, start, 31);
  const month = months.indexOf(bytes.toString('latin1', start + 3, start + 6));
  const century = twoDigits(bytes, start + 7, 99);
  const ofCentury = twoDigits(bytes, start + 9, 99);
  const year = century * 100 + ofCentury;
  if (month < 0 || century < 0 || ofCentury < 0 || year < firstYear) return undefined;
  const midnightMs = Date.UTC(year, month, day);
  // The 30th of February would be a day of March.
  return day > 0 && new Date(midnightMs).getUTCDate() === day ? midnightMs : undefined;
}

/** Reads times one after the other. */
export class LogTimeReader {
  /** The time read last, in milliseconds since the epoch. */
  atMs = 0;
  /** The text read last, and when its day begins; at first what no line holds. */
  readonly #last = Buffer.alloc(timeBytes, '\n');
  #midnightMs = 0;

  /** Reads the time at `start`, of which there are `timeBytes` bytes; false: it is none. */
  read(bytes: Buffer, start: number): boolean {
    const last = this.#last;
    let same = 0;
    while (same < timeBytes && last[same] === bytes[start + same]) same += 1;
    if (same === timeBytes) return true;
    const midnightMs = same < dayBytes ? midnightOf(bytes, start) : this.#midnightMs;
    if (midnightMs === undefined || !hasMarks(bytes, start)) return false;
    const hours = twoDigits(bytes, start + 12, 23);
    const minutes = twoDigits(bytes, start + 15, 59);
    // 60 is a leap second.
    const seconds = twoDigits(bytes, start + 18, 60);
    const zoneHours = twoDigits(bytes, start + 22, 23);
    const zoneMinutes = twoDigits(bytes, start + 24, 59);
    if ((hours | minutes | seconds | zoneHours | zoneMinutes) < 0) return false;
    const localMs = midnightMs + hours * hourMs + minutes * minuteMs + seconds * secondMs;
    const zoneMs = zoneHours * hourMs + zoneMinutes * minuteMs;
    this.atMs = bytes[start + 21] === dash ? localMs + zoneMs : localMs - zoneMs;
    this.#midnightMs = midnightMs;
    for (let at = same; at < timeBytes; at += 1) last[at] = bytes[start + at] as number;
    return true;
  }
}

function hasMarks(bytes: Uint8Array, start: number): boolean {
  const sign = bytes[start + 21];
  return (
    bytes[start + 14] === colon &&
    bytes[start + 17] === colon &&
    bytes[start + 20] === blank &&
    (sign === dash || sign === plus)
  );
}
