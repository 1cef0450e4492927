/** The trailer section of a chunked answer (RFC 9112 §7.1.2), read as strictly as its head. */
import { AnswerScanner } from './answer-head.ts';
import { type HeaderLine, usableTrailers } from './hop-by-hop.ts';

const scanner = new AnswerScanner();
const anyStatusLine = 'HTTP/1.1 200 OK\r\n';

/** The lines that may be passed on; undefined when `lines`, each with its line end, break the grammar. */
export function readTrailers(lines: string): readonly HeaderLine[] | undefined {
  const bytes = Buffer.from(`${anyStatusLine}${lines}\r\n`, 'latin1');
  if (scanner.read(bytes, 0, bytes.length) !== 'whole') return undefined;
  // Framing that comes behind what it would frame.
  if (scanner.contentLength >= 0 || scanner.isChunked) return undefined;
  return usableTrailers(scanner.rawHeaders(bytes));
}
