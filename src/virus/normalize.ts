/**
 * The second look at a request: its target as a forgiving server would read it, so that a worm does
 * not pass by writing `/%64efault.ida` or `/x/../default.ida`. Percent-escapes are decoded in two
 * rounds (Nimda's `%%35c` is a backslash), then, in the path, backslashes become slashes, runs of
 * slashes one slash, and dot segments are removed (RFC 3986 §5.2.4). Works in place on bytes, every
 * byte copied a fixed number of times, so that no target is slow. Never changes what is forwarded.
 */

const blank = 0x20;
const percent = 0x25;
const dot = 0x2e;
const slash = 0x2f;
const questionMark = 0x3f;
const backslash = 0x5c;

/** The value of an ASCII hexadecimal digit, by its byte; -1 for the other bytes. */
const hexValues = Int8Array.from({ length: 256 }, (_, byte) => {
  const value = Number.parseInt(String.fromCharCode(byte), 16);
  return Number.isNaN(value) ? -1 : value;
});

/** Where the target of the request string bytes[start, end) ends, and where its version begins. */
function findTargetEnd(bytes: Uint8Array, start: number, end: number): number {
  let at = findVersion(bytes, start, end);
  while (at > start && bytes[at - 1] === blank) at -= 1;
  return at;
}

/** Where the version begins: after the last blank; at `end` when there is no blank. */
function findVersion(bytes: Uint8Array, start: number, end: number): number {
  let at = end;
  while (at > start && bytes[at - 1] !== blank) at -= 1;
  return at === start ? end : at;
}

/** Whether the target bytes[start, end) is to be normalised: it holds `%`, `\`, `//` or `/.`. */
function hasTrigger(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) {
    const byte = bytes[at] as number;
    if (byte === percent || byte === backslash) return true;
    if (byte !== slash || at + 1 === end) continue;
    if (bytes[at + 1] === slash || bytes[at + 1] === dot) return true;
  }
  return false;
}

/**
 * Whether normalising the request string bytes[start, end) could change a byte before `windowEnd`
 * (all three positions in `bytes`). May say yes for nothing, never no wrongly: a query is decoded
 * only, so it matters up to the window's end, but anywhere in the path a dot segment, or an escape or
 * backslash that may be part of one, can pull later bytes into the window.
 */
export function needsNormalizing(
  bytes: Uint8Array,
  start: number,
  end: number,
  windowEnd: number,
): boolean {
  const targetEnd = findTargetEnd(bytes, start, end);
  // A path that does not begin with a slash can begin with a dot segment that is no trigger itself.
  if (bytes[start] !== slash) {
    return hasTrigger(bytes, start, targetEnd) || hasBlanks(bytes, targetEnd, end);
  }
  let at = start;
  for (; at < targetEnd; at += 1) {
    const byte = bytes[at] as number;
    if (byte > backslash) continue;
    if (byte === questionMark) break;
    if (byte === percent || byte === backslash) return true;
    if (byte !== slash || at + 1 === targetEnd) continue;
    if (bytes[at + 1] === dot) return true;
    if (bytes[at + 1] === slash && at + 1 < windowEnd) return true;
  }
  for (; at < targetEnd && at < windowEnd; at += 1) {
    if (bytes[at] === percent) return true;
  }
  // Of several blanks before the version one is left, as an origin is sent it.
  return targetEnd + 1 < windowEnd && hasBlanks(bytes, targetEnd, end);
}

/** True when more than one blank stands between target and version. */
function hasBlanks(bytes: Uint8Array, targetEnd: number, end: number): boolean {
  return targetEnd + 1 < end && bytes[targetEnd + 1] === blank;
}

/** Decodes the valid escapes of bytes[start, end) once, in place; gives the new end. */
export function decodeOnce(bytes: Uint8Array, start: number, end: number): number {
  let to = start;
  while (to < end && bytes[to] !== percent) to += 1;
  let from = to;
  while (from < end) {
    let byte = bytes[from] as number;
    from += 1;
    if (byte === percent && from + 1 < end) {
      const high = hexValues[bytes[from] as number] as number;
      const low = hexValues[bytes[from + 1] as number] as number;
      if (high >= 0 && low >= 0) {
        byte = high * 16 + low;
        from += 2;
      }
    }
    bytes[to] = byte;
    to += 1;
  }
  return to;
}

function decodeTwice(bytes: Uint8Array, start: number, end: number): number {
  const once = decodeOnce(bytes, start, end);
  return once === end ? end : decodeOnce(bytes, start, once);
}

function isSlash(byte: number | undefined): boolean {
  return byte === slash || byte === backslash;
}

/** 1 for the segment `.`, 2 for `..`, 0 for any other. */
function countDots(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  if (length < 1 || length > 2) return 0;
  return bytes[start] === dot && bytes[end - 1] === dot ? length : 0;
}

/** Where the last segment before `end` begins, its slash included. */
function findLastSegment(bytes: Uint8Array, end: number): number {
  let at = Math.max(end - 1, 0);
  while (at > 0 && bytes[at] !== slash) at -= 1;
  return at;
}

/** Cleans the decoded path bytes[0, end) of backslashes, runs and dot segments; gives the new end. */
function cleanPath(bytes: Uint8Array, end: number): number {
  let to = 0;
  let from = 0;
  while (from < end) {
    const isRooted = isSlash(bytes[from]);
    while (from < end && isSlash(bytes[from])) from += 1;
    const start = from;
    while (from < end && !isSlash(bytes[from])) from += 1;
    const dots = countDots(bytes, start, from);
    if (dots === 0) {
      if (isRooted) bytes[to++] = slash;
      for (let at = start; at < from; at += 1) bytes[to++] = bytes[at] as number;
    } else if (isRooted) {
      if (dots === 2) to = findLastSegment(bytes, to);
      if (from === end) bytes[to++] = slash;
    } else {
      // RFC 3986 §5.2.4, steps 2A and 2D: a leading dot segment goes together with its slash.
      while (from < end && isSlash(bytes[from])) from += 1;
    }
  }
  return to;
}

/** Normalises the target bytes[0, end) in place; gives the new end. */
function normalizeTargetBytes(bytes: Uint8Array, end: number): number {
  let query = 0;
  while (query < end && bytes[query] !== questionMark) query += 1;
  const queryEnd = decodeTwice(bytes, query, end);
  const pathEnd = cleanPath(bytes, decodeTwice(bytes, 0, query));
  bytes.copyWithin(pathEnd, query, queryEnd);
  return pathEnd + queryEnd - query;
}

/** Normalises the request string bytes[0, end) in place, whatever it holds; gives the new end. */
export function normalizeRequestBytes(bytes: Uint8Array, end: number): number {
  const targetEnd = findTargetEnd(bytes, 0, end);
  const version = findVersion(bytes, 0, end);
  const newTargetEnd = normalizeTargetBytes(bytes, targetEnd);
  if (targetEnd === end) return newTargetEnd;
  bytes[newTargetEnd] = blank;
  bytes.copyWithin(newTargetEnd + 1, version, end);
  return newTargetEnd + 1 + end - version;
}

/** The normalised origin-form target, both latin1; undefined when there is nothing to normalise. */
export function normalizeTarget(target: string): string | undefined {
  const bytes = Buffer.from(target, 'latin1');
  if (!hasTrigger(bytes, 0, bytes.length)) return undefined;
  return bytes.toString('latin1', 0, normalizeTargetBytes(bytes, bytes.length));
}

/**
 * The normalised target, one blank and the version of a latin1 request string `TARGET BLANKS
 * VERSION`; without blanks the target alone. Undefined when there is nothing to normalise.
 */
export function normalizedRequestString(requestString: string): string | undefined {
  const bytes = Buffer.from(requestString, 'latin1');
  const targetEnd = findTargetEnd(bytes, 0, bytes.length);
  if (!hasTrigger(bytes, 0, targetEnd) && !hasBlanks(bytes, targetEnd, bytes.length)) {
    return undefined;
  }
  return bytes.toString('latin1', 0, normalizeRequestBytes(bytes, bytes.length));
}
