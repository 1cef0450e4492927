/**
 * Interim answers (RFC 9110 §15.2, RFC 8297) that a client may see before the final one: 102 and 103.
 * 100 Continue is asked for and relayed by origin-request.ts; others mean nothing to anybody.
 */
import { linesText, withoutHopByHop } from './hop-by-hop.ts';

/** How a Link value begins (RFC 8288 §3): clients act on it, so nothing else is passed on. */
const linkValue = /^<[^<>"]*>\s*(?:[;,]|$)/;

/**
 * The text to write to the client, latin1; empty when there is nothing to pass on. Hints are optional
 * (RFC 8297 §2): those without a well-formed Link are not.
 */
export function interimText(status: number, rawHeaders: readonly string[]): string {
  if (status === 102) return 'HTTP/1.1 102 Processing\r\n\r\n';
  if (status !== 103) return '';
  const lines = withoutHopByHop(rawHeaders).filter(([name]) => !/^content-length$/i.test(name));
  const links = lines.filter(([name]) => /^link$/i.test(name));
  if (links.length === 0 || !links.every(([, value]) => linkValue.test(value))) return '';
  return `HTTP/1.1 103 Early Hints\r\n${linesText(lines)}\r\n`;
}
