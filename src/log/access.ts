/**
 * PROXY.LOG's lines: common log format, with the forms that the paper shows under "Verifying the
 * Blocking of Virus Requests" for slipped and dropped requests, and one extra field at the end of a
 * line that needs an explanation. The format is documented in docs/log.md.
 *
 * Pure apart from the time zone of the process: it makes a string. Writing it is file.ts.
 */
import { escapeClient, escapeText, escapeToken } from './escape.ts';

/** Why a source is blocked: so many misses and virus requests, or the operator's word. */
export interface SourceReason {
  readonly misses: number;
  readonly viruses: number;
  readonly byConsole: boolean;
}

/** Why a request was blocked, or would have been, and where to find it again. */
export interface VirusReason {
  /**
   * The pattern that matched, of which zero bytes at the end are padding and not printed; or the
   * confirmed keyword that it holds, latin1; or why its source is blocked.
   */
  readonly matched: Uint8Array | string | SourceReason;
  /**
   * The pattern's provenance: console, ncf, shipped, auto(KEYWORD) or miss(KEYWORD), in a fleet with @NODE; else
   * `source`.
   */
  readonly from: string;
  /** The id that the answer and the log line share. */
  readonly requestId: string;
}

/** What became of a request. Sizes are body bytes sent; 413, 502 and the like are `answered`. */
export type AccessOutcome =
  | {
      readonly kind: 'answered';
      /** Undefined: the client went away before a status was known; printed as `-`. */
      readonly status: number | undefined;
      readonly bytes: number;
      /** A virus request that was let pass, because of Mode=detect or of NeverBlock. */
      readonly passed?: VirusReason & { readonly because: 'detect' | 'never-block' };
      /** An answer of the proxy's own: a short code such as `origin_unreachable`, and the page's id. */
      readonly error?: { readonly code: string; readonly requestId: string };
      /** It counted against its source, which tells of it by this id. */
      readonly missId?: string;
    }
  | { readonly kind: 'slipped'; readonly reason: VirusReason }
  | { readonly kind: 'dropped'; readonly bytes: number; readonly reason: VirusReason }
  | {
      readonly kind: 'malformed';
      readonly status: number;
      readonly bytes: number;
      readonly requestId: string;
    };

/** One request, as PROXY.LOG tells of it. */
export interface AccessEntry {
  /** The client's address; what X-Forwarded-For named, when a trusted proxy said so. */
  readonly client: string;
  /** When the request line arrived, milliseconds since the epoch. */
  readonly atMs: number;
  /** The request line as received, latin1, without its line end; empty: none arrived. */
  readonly requestLine: string;
  readonly outcome: AccessOutcome;
}

/** A malformed request line, and any line above `wholeLineBytesMax`, is cut here, in raw bytes. */
export const cutLineBytes = 256;

/**
 * The longest well-formed request line that is written whole. The paper reads a new pattern and its
 * origLength off such a line, and log analysers need the version at its end.
 */
export const wholeLineBytesMax = 8192;

/** Stands after what is left of a request line that was cut. */
export const cutMark = ' (truncated)';

/** Formats one line of PROXY.LOG, without its newline: printable ASCII only, whatever was sent. */
export function formatAccess(entry: AccessEntry): string {
  const { outcome } = entry;
  const start = `${escapeClient(entry.client)} - - [${formatDate(entry.atMs)}]`;
  const request = formatRequestLine(entry.requestLine, outcome.kind === 'malformed');
  return `${start} "${request}" ${formatOutcome(outcome)}`;
}

function formatOutcome(outcome: AccessOutcome): string {
  switch (outcome.kind) {
    case 'slipped':
      return `- - ${formatReason(outcome.reason)} ${formatId(outcome.reason.requestId)}`;
    case 'dropped': {
      const { bytes, reason } = outcome;
      return `400 ${bytes} ${formatReason(reason)} ${formatId(reason.requestId)}`;
    }
    case 'malformed':
      return `${outcome.status} ${outcome.bytes} ${formatId(outcome.requestId)}`;
    case 'answered': {
      const { status, bytes, passed, error, missId } = outcome;
      const clf = `${status ?? '-'} ${bytes}`;
      const id = error?.requestId ?? passed?.requestId ?? missId;
      if (id === undefined) return clf;
      const mark = passed === undefined ? '' : ` ${passed.because} ${formatReason(passed)}`;
      const miss = missId === undefined ? '' : ' miss';
      const code = error === undefined ? '' : ` error=${escapeToken(error.code)}`;
      return `${clf}${mark}${miss}${code} ${formatId(id)}`;
    }
  }
}

function formatReason({ matched, from }: VirusReason): string {
  if (typeof matched === 'object' && 'misses' in matched) return formatSource(matched);
  const what =
    typeof matched === 'string'
      ? `keyword="${escapeText(matched)}"`
      : `pattern="${escapeText(unpaddedText(matched))}"`;
  return `${what} from=${escapeToken(from)}`;
}

function formatSource({ misses, viruses, byConsole }: SourceReason): string {
  return byConsole
    ? 'reason=source by=console'
    : `reason=source misses=${misses} viruses=${viruses}`;
}

/** A pattern as latin1 text, without the zero bytes at its end. */
export function unpaddedText(pattern: Uint8Array): string {
  let end = pattern.length;
  while (end > 0 && pattern[end - 1] === 0) end -= 1;
  let text = '';
  for (let index = 0; index < end; index += 1)
    text += String.fromCharCode(pattern[index] as number);
  return text;
}

function formatId(requestId: string): string {
  return `id=${escapeToken(requestId) || '-'}`;
}

function formatRequestLine(line: string, malformed: boolean): string {
  const cut = line.length > (malformed ? cutLineBytes : wholeLineBytesMax);
  const text = escapeText(cut ? line.slice(0, cutLineBytes) : line);
  const marked = cut ? `${text}${cutMark}` : text;
  if (malformed) return `(bad request line) ${marked}`;
  return marked === '' ? '-' : marked;
}

const monthNames = [
  'Jan',
  'Feb',
  'Mar',
  'Apr',
  'May',
  'Jun',
  'Jul',
  'Aug',
  'Sep',
  'Oct',
  'Nov',
  'Dec',
] as const;

function twoDigits(value: number): string {
  return value < 10 ? `0${value}` : String(value);
}

/**
 * Formats a moment as common log format does, `06/Aug/2001:09:58:58 -0600`, in the zone that lies
 * `offsetMinutes` east of Greenwich.
 */
export function formatZonedDate(atMs: number, offsetMinutes: number): string {
  const local = new Date(atMs + offsetMinutes * 60_000);
  const day = `${twoDigits(local.getUTCDate())}/${monthNames[local.getUTCMonth()]}`;
  const time = [local.getUTCHours(), local.getUTCMinutes(), local.getUTCSeconds()];
  const offset = Math.abs(offsetMinutes);
  const zone = `${twoDigits(Math.floor(offset / 60))}${twoDigits(offset % 60)}`;
  const sign = offsetMinutes < 0 ? '-' : '+';
  return `${day}/${local.getUTCFullYear()}:${time.map(twoDigits).join(':')} ${sign}${zone}`;
}

let cachedSecond = Number.NaN;
let cachedDate = '';

/** As `formatZonedDate`, in the time zone of the process; a second's text is made once. */
export function formatDate(atMs: number): string {
  const second = Math.floor(atMs / 1000);
  if (second !== cachedSecond) {
    cachedDate = formatZonedDate(atMs, -new Date(atMs).getTimezoneOffset());
    cachedSecond = second;
  }
  return cachedDate;
}
