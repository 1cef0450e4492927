/**
 * An origin of raw bytes for the comparison of the two lanes: records every request with its body
 * decoded, and tells by the last address in X-Forwarded-For which scenario's client it came from.
 */
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';

/** The Date of every answer of these origins, so that one made by wormgate stands out. */
export const originDate = 'Tue, 15 Nov 1994 08:12:31 GMT';

/** The target of the request that finds out whether a connection is still open. */
export const sentinelTarget = '/sentinel';

/** One request that arrived at the origin. */
export interface LaneCall {
  readonly socket: Socket;
  /** Request line and header lines, latin1, without the blank line. */
  readonly head: string;
  readonly method: string;
  readonly target: string;
  /** How many requests of the same client came before. */
  readonly index: number;
  /** Decoded, latin1. */
  body: string;
  /** The trailer lines of a chunked body, each with its line end. */
  trailers: string;
  isComplete: boolean;
  /** Resolves when the body is complete. */
  readonly complete: Promise<void>;
  /** Writes latin1 text or bytes; nothing when the connection is gone. */
  say(...parts: readonly (string | Buffer)[]): void;
}

/** Answers a call whose head has arrived. */
export type LaneScript = (call: LaneCall) => unknown;

/** What an origin answers when no script says otherwise: method and target, once the body is here. */
export const echo: LaneScript = async (call) => {
  await call.complete;
  const body = `${call.method} ${call.target.slice(0, 200)} ${call.body.length}\n`;
  call.say(
    `HTTP/1.1 200 OK\r\nServer: Origin\r\nDate: ${originDate}\r\nContent-Length: ${body.length}\r\n\r\n`,
    call.method === 'HEAD' ? '' : body,
  );
};

export class LaneOrigin {
  readonly #server = createServer({ noDelay: true }, (socket) => this.#serve(socket));
  readonly #sockets = new Set<Socket>();
  readonly #calls = new Map<string, LaneCall[]>();
  readonly #scripts = new Map<string, LaneScript>();
  port = 0;

  async listen(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    this.port = address.port;
  }

  /** What answers the requests of the client at `address`, but for the sentinel. */
  script(address: string, script: LaneScript): void {
    this.#scripts.set(address, script);
  }

  /** The requests of the client at `address`, in the order of their heads. */
  callsOf(address: string): readonly LaneCall[] {
    return this.#calls.get(address) ?? [];
  }

  get openCount(): number {
    return this.#sockets.size;
  }

  hangUp(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  close(): void {
    this.hangUp();
    this.#server.close();
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => this.#sockets.delete(socket));
    const reader = new RequestReader((head) => this.#begin(socket, head));
    socket.on('data', (chunk) => reader.push(chunk.toString('latin1')));
  }

  #begin(socket: Socket, head: string): PendingCall {
    const forwardedFor = head.match(/^x-forwarded-for: .*$/gim)?.at(-1) ?? '';
    const address = /[^\s,]+$/.exec(forwardedFor)?.[0] ?? 'unknown';
    const known = this.#calls.get(address) ?? [];
    this.#calls.set(address, known);
    const call = new PendingCall(socket, head, known.length);
    known.push(call);
    const script = call.target === sentinelTarget ? echo : (this.#scripts.get(address) ?? echo);
    script(call);
    return call;
  }
}

class PendingCall implements LaneCall {
  readonly socket: Socket;
  readonly head: string;
  readonly method: string;
  readonly target: string;
  readonly index: number;
  readonly complete: Promise<void>;
  body = '';
  trailers = '';
  isComplete = false;
  #resolve: () => void = () => {};

  constructor(socket: Socket, head: string, index: number) {
    this.socket = socket;
    this.head = head;
    this.index = index;
    const [, method = '', target = ''] = /^(\S*) (\S*)/.exec(head) ?? [];
    this.method = method;
    this.target = target;
    this.complete = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  say(...parts: readonly (string | Buffer)[]): void {
    for (const part of parts) {
      if (part.length === 0 || !this.socket.writable) continue;
      this.socket.write(typeof part === 'string' ? Buffer.from(part, 'latin1') : part);
    }
  }

  finish(): void {
    this.isComplete = true;
    this.#resolve();
  }
}

/** Takes requests off a connection, bodies by Content-Length or chunked, anything else as a head. */
class RequestReader {
  readonly #onHead: (head: string) => PendingCall;
  #held = '';
  #call: PendingCall | undefined;
  /** Bytes still to come of the body or chunk; -1: a line of the chunked coding is next. */
  #left = 0;
  #inTrailers = false;

  constructor(onHead: (head: string) => PendingCall) {
    this.#onHead = onHead;
  }

  push(text: string): void {
    this.#held += text;
    while (this.#step());
  }

  /** True when something was taken and there may be more. */
  #step(): boolean {
    if (this.#call === undefined) return this.#takeHead();
    if (this.#left > 0) return this.#takeData(this.#call);
    if (this.#left < 0) return this.#takeLine(this.#call);
    this.#call.finish();
    this.#call = undefined;
    return true;
  }

  #takeHead(): boolean {
    const end = this.#held.indexOf('\r\n\r\n');
    if (end < 0) return false;
    const head = this.#held.slice(0, end);
    this.#held = this.#held.slice(end + 4);
    const chunked = /^transfer-encoding:/im.test(head);
    this.#left = chunked ? -1 : Number(/^content-length: (\d+)$/im.exec(head)?.[1] ?? 0);
    this.#inTrailers = false;
    this.#call = this.#onHead(head);
    return true;
  }

  #takeData(call: PendingCall): boolean {
    if (this.#held === '') return false;
    const part = this.#held.slice(0, this.#left);
    this.#held = this.#held.slice(part.length);
    call.body += part;
    this.#left -= part.length;
    if (this.#left === 0 && /^transfer-encoding:/im.test(call.head)) this.#left = -1;
    return true;
  }

  #takeLine(call: PendingCall): boolean {
    const end = this.#held.indexOf('\r\n');
    if (end < 0) return false;
    const line = this.#held.slice(0, end);
    this.#held = this.#held.slice(end + 2);
    if (this.#inTrailers) {
      if (line === '') this.#left = 0;
      else call.trailers += `${line}\r\n`;
      return true;
    }
    // The line end behind a chunk's data.
    if (line === '') return true;
    const size = Number.parseInt(line, 16);
    this.#inTrailers = size === 0;
    if (size > 0) this.#left = size;
    return true;
  }
}
