/** The header that keeps browsers on TLS (RFC 6797), never sent in the clear. */
import type { TlsSettings } from '../config/shape.ts';
import { hstsName } from '../upstream/answer-text.ts';
import type { Arrival } from './arrival.ts';

/** The whole header line, its line end included, for answers of a site; empty: none. */
export function hstsLineOf(tls: TlsSettings | undefined, { proto }: Arrival): string {
  if (tls === undefined || tls.hsts === '' || proto !== 'https') return '';
  return `${hstsName}: ${tls.hsts}\r\n`;
}
