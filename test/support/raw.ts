/** Raw bytes over a socket: what curl and fetch are too polite to send. */
import { connect, type Socket } from 'node:net';

export interface RawAnswer {
  /** Everything received, latin1. */
  readonly text: string;
  /** True when the other side closed; false when the time was up first. */
  readonly closed: boolean;
}

/** Sends the parts one after the other and collects the answer until the other side closes. */
export function sendRaw(
  port: number,
  parts: readonly (string | Buffer)[],
  options: { readonly waitMs?: number; readonly end?: boolean } = {},
): Promise<RawAnswer> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const socket = connect(port, '127.0.0.1');
    const finish = (closed: boolean) => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ text: Buffer.concat(chunks).toString('latin1'), closed });
    };
    const timer = setTimeout(() => finish(false), options.waitMs ?? 5000);
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('error', () => finish(true));
    socket.on('close', () => finish(true));
    socket.on('connect', () => writeInTurn(socket, parts, options.end === true));
  });
}

function writeInTurn(socket: Socket, parts: readonly (string | Buffer)[], end: boolean): void {
  const [part, ...rest] = parts;
  if (part === undefined) {
    if (end) socket.end();
    return;
  }
  const bytes = typeof part === 'string' ? Buffer.from(part, 'latin1') : part;
  socket.write(bytes, () => setImmediate(() => writeInTurn(socket, rest, end)));
}

/** The status code of an answer; 0 when there is none. */
export function statusOf(answer: RawAnswer): number {
  return Number(/^HTTP\/1\.[01] (\d{3})/.exec(answer.text)?.[1] ?? 0);
}

/** One request in a connection of its own, closed after the answer; a header line ends in CRLF. */
export function askRaw(port: number, requestLine: string, headerLines = ''): Promise<RawAnswer> {
  const head = `${requestLine}\r\nHost: site.test\r\n${headerLines}Connection: close\r\n\r\n`;
  return sendRaw(port, [head]);
}

/** True when the connection was closed without a byte of answer. */
export function isSlipped(answer: RawAnswer): boolean {
  return answer.closed && answer.text === '';
}
