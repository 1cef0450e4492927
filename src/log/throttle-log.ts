/**
 * The lines of hp-vt.log (the paper, "Log Message Format"): `[TAG] [DATE] TEXT`, further lines of a
 * message indented. Pure apart from the time zone of the process: it makes strings.
 */

export type ThrottleTag =
  | 'ALERT_VLA_DETECTED'
  | 'ALERT_VLA_STOPPED'
  | 'DROPPING_CONNECTIONS'
  | 'ERROR'
  | 'WARNING'
  | 'INFO';

/** What the throttle has to tell of a source, at the moment when it happens. */
export interface ThrottleAlert {
  readonly event: 'detected' | 'stopped' | 'dropping';
  /** The address of the server whose connections are throttled. */
  readonly source: string;
  /** How many of its connection requests wait now, and how many were dropped since the start. */
  readonly waiting: number;
  readonly dropped: number;
  readonly atMs: number;
}

const dayNames = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'] as const;
const monthNames = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}

/** `Thu Feb 10 12:54:35 CST 2005`, in the time zone of the process; the day has a blank below 10. */
export function formatThrottleDate(atMs: number): string {
  const at = new Date(atMs);
  const time = [at.getHours(), at.getMinutes(), at.getSeconds()].map(twoDigits).join(':');
  const zone =
    new Intl.DateTimeFormat('en-US', { timeZoneName: 'short' })
      .formatToParts(at)
      .find(({ type }) => type === 'timeZoneName')?.value ?? 'UTC';
  const day = String(at.getDate()).padStart(2, ' ');
  return `${dayNames[at.getDay()]} ${monthNames[at.getMonth()]} ${day} ${time} ${zone} ${at.getFullYear()}`;
}

/** One message as lines without their last line end; text that holds line ends goes on indented. */
export function formatThrottleMessage(tag: ThrottleTag, atMs: number, text = ''): string {
  const safe = text.replace(/[^\x20-\x7e\n]/g, '?');
  const [first = '', ...rest] = safe.split('\n');
  const head = `[${tag}] [${formatThrottleDate(atMs)}]`;
  return [first === '' ? head : `${head} ${first}`, ...rest.map((line) => `  ${line}`)].join('\n');
}
