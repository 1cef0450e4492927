/** How a client's requests arrive: in the clear or over TLS, as HTTP/1.1 or as streams of HTTP/2. */

export interface Arrival {
  readonly proto: 'http' | 'https';
  readonly isHttp2: boolean;
  /** The lanes count the connection's end; without it, whoever made the connection for them does. */
  readonly countsEnd: boolean;
}

/** Straight from a TCP connection. */
export const inTheClear: Arrival = { proto: 'http', isHttp2: false, countsEnd: true };

export const overTls: Arrival = { proto: 'https', isHttp2: false, countsEnd: false };

/** One stream of an HTTP/2 connection, each a connection of its own to the lanes. */
export const overHttp2: Arrival = { proto: 'https', isHttp2: true, countsEnd: false };

/** The version that the client speaks, as Via names it (RFC 9110 §7.6.3). */
export function versionOf({ isHttp2 }: Arrival, httpVersion: string): string {
  return isHttp2 ? '2.0' : httpVersion;
}

const ownVersion = /HTTP\/1\.1$/;

/** The request line as the log tells it: of HTTP/2 requests the lanes see the line in HTTP/1.1. */
export function loggedLine(line: string, isHttp2: boolean): string {
  return isHttp2 ? line.replace(ownVersion, 'HTTP/2.0') : line;
}

/** The line that the lanes saw, of one that the log tells. */
export function seenLine(logged: string): string {
  return logged.replace(/HTTP\/2\.0$/, 'HTTP/1.1');
}
