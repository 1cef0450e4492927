/**
 * Dates in header fields (RFC 9110 §5.6.7), read as strictly as RFC 9111 §4.2 wants it for freshness:
 * the three forms, in any case, GMT and nothing else. What `Date.parse` would make of other texts depends
 * on the engine and on the machine's time zone.
 */

const months = 'jan feb mar apr may jun jul aug sep oct nov dec'.split(' ');
const clock = String.raw`(\d{2}):(\d{2}):(\d{2})`;

/** `Sun, 06 Nov 1994 08:49:37 GMT` */
const imfFixdate = new RegExp(
  String.raw`^(?:mon|tue|wed|thu|fri|sat|sun), (\d{2}) ([a-z]{3}) (\d{4}) ${clock} gmt$`,
);
/** `Sunday, 06-Nov-94 08:49:37 GMT` */
const rfc850 = new RegExp(
  String.raw`^(?:mon|tues|wednes|thurs|fri|satur|sun)day, (\d{2})-([a-z]{3})-(\d{2}) ${clock} gmt$`,
);
/** `Sun Nov  6 08:49:37 1994` */
const asctime = new RegExp(
  String.raw`^(?:mon|tue|wed|thu|fri|sat|sun) ([a-z]{3}) ([ \d]\d) ${clock} (\d{4})$`,
);

const yearsAhead = 50;

/** Milliseconds since the epoch, or NaN for a text that is no date. `nowMs` tells the century of two digits. */
export function parseHttpDate(text: string, nowMs: number): number {
  // No form is longer; the bound keeps the patterns from long texts.
  if (text.length > 40) return Number.NaN;
  const lower = text.trim().toLowerCase();
  const fixed = imfFixdate.exec(lower);
  if (fixed !== null) {
    const [, day = '', month = '', year = '', hour = '', minute = '', second = ''] = fixed;
    return utc(Number(year), month, day, [hour, minute, second]);
  }
  const old = rfc850.exec(lower);
  if (old !== null) {
    const [, day = '', month = '', year = '', hour = '', minute = '', second = ''] = old;
    return utc(fullYear(Number(year), nowMs), month, day, [hour, minute, second]);
  }
  const c = asctime.exec(lower);
  if (c === null) return Number.NaN;
  const [, month = '', day = '', hour = '', minute = '', second = '', year = ''] = c;
  return utc(Number(year), month, day, [hour, minute, second]);
}

/** A year that would be more than 50 years ahead is the last one before with these digits. */
function fullYear(digits: number, nowMs: number): number {
  const thisYear = new Date(nowMs).getUTCFullYear();
  const year = thisYear - (thisYear % 100) + digits;
  return year > thisYear + yearsAhead ? year - 100 : year;
}

function utc(year: number, monthName: string, day: string, clockParts: readonly string[]): number {
  const month = months.indexOf(monthName);
  const [hour = 0, minute = 0, second = 0] = clockParts.map(Number);
  const dayOfMonth = Number(day);
  if (month < 0 || hour > 23 || minute > 59 || second > 60) return Number.NaN;
  const time = new Date(0);
  time.setUTCFullYear(year, month, dayOfMonth);
  // 31 Nov is no day, whatever the calendar of JavaScript makes of it.
  if (time.getUTCMonth() !== month || time.getUTCDate() !== dayOfMonth) return Number.NaN;
  return time.setUTCHours(hour, minute, second);
}

/** `Tue, 15 Nov 1994 08:12:31 GMT`, for milliseconds since the epoch. */
export function formatHttpDate(atMs: number): string {
  return new Date(Math.floor(atMs / 1000) * 1000).toUTCString();
}
