/**
 * The request line, read strictly (RFC 9112 §3), and the request string that patterns are cut from:
 * target, blanks and version as the client sent them, the target reduced to origin-form. Works on
 * latin1 text, one character a byte. Node's own parser is more forgiving than this one (it accepts
 * several blanks after the method and RTSP versions, and forgets blanks after the target).
 */

export interface RequestLine {
  readonly method: string;
  /** The target as sent. */
  readonly target: string;
  /** The blanks between target and version; one, except from worms such as Code Red. */
  readonly blanks: string;
  /** `HTTP/1.0` or `HTTP/1.1`. */
  readonly version: string;
}

const methodToken = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** Takes a line without its line end apart; undefined when it breaks the grammar. Linear in its length. */
export function parseRequestLine(line: string): RequestLine | undefined {
  const methodEnd = line.indexOf(' ');
  const versionStart = line.lastIndexOf(' ') + 1;
  if (methodEnd < 1 || versionStart <= methodEnd + 1) return undefined;
  const version = line.slice(versionStart);
  if (version !== 'HTTP/1.1' && version !== 'HTTP/1.0') return undefined;
  const method = line.slice(0, methodEnd);
  if (!methodToken.test(method)) return undefined;
  let targetEnd = versionStart;
  while (targetEnd > methodEnd + 1 && line.charCodeAt(targetEnd - 1) === 0x20) targetEnd -= 1;
  const target = line.slice(methodEnd + 1, targetEnd);
  if (!isVisible(target)) return undefined;
  return { method, target, blanks: line.slice(targetEnd, versionStart), version };
}

/** True when the text is not empty and holds only visible ASCII; other bytes have to be %-encoded. */
function isVisible(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code <= 0x20 || code >= 0x7f) return false;
  }
  return text.length > 0;
}

export interface ReducedTarget {
  /** `/path?query`, or `*` for OPTIONS. */
  readonly target: string;
  /** The authority of an absolute-form target, which then counts instead of Host (RFC 9112 §3.2.2). */
  readonly authority: string | undefined;
}

const absoluteForm = /^https?:\/\/([^/?#]*)/i;

/**
 * Reduces an absolute-form target to origin-form; undefined when it is neither form, nor `*` for
 * OPTIONS.
 */
export function reduceToOriginForm(
  line: Pick<RequestLine, 'method' | 'target'>,
): ReducedTarget | undefined {
  const { method, target } = line;
  if (target.startsWith('/')) return { target, authority: undefined };
  if (target === '*') return method === 'OPTIONS' ? { target, authority: undefined } : undefined;
  const match = absoluteForm.exec(target);
  const authority = match?.[1];
  if (match === null || authority === undefined) return undefined;
  const rest = target.slice(match[0].length);
  // RFC 9112 §3.2.4: the server as a whole, asked through a proxy.
  if (rest === '' && method === 'OPTIONS') return { target: '*', authority };
  return { target: rest.startsWith('/') ? rest : `/${rest}`, authority };
}

/** The request string of a line: origin-form target, blanks, version. */
export function requestStringOf(line: RequestLine, originForm: string): string {
  return `${originForm}${line.blanks}${line.version}`;
}
