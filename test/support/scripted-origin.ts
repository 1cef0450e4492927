/**
 * An origin whose answers are scripts of raw bytes, told apart by the path of the request. It records
 * every head it receives, so that a test can say what reached the origin, and what did not.
 */
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import type { Cleanup } from './cleanup.ts';
import { freePort } from './wormgate.ts';

/** One request that the origin received. */
export interface Call {
  readonly socket: Socket;
  /** Request line and header lines, latin1, without the blank line. */
  readonly head: string;
  readonly target: string;
  /** Everything behind the head that has arrived up to now, latin1. */
  body(): string;
  /** Calls `action` whenever something behind the head has arrived, once the script has run. */
  onBody(action: () => void): void;
  /** Writes latin1 text. */
  say(text: string): void;
  /** Resolves when the connection is closed. */
  readonly closed: Promise<void>;
  isClosed(): boolean;
}

export type Script = (call: Call) => void;

/** `HTTP/1.1 200 OK` with a length and the text. */
export function okAnswer(text = 'ok'): string {
  return `HTTP/1.1 200 OK\r\nContent-Length: ${text.length}\r\n\r\n${text}`;
}

export class ScriptedOrigin {
  readonly #server = createServer((socket) => this.#serve(socket));
  readonly #sockets = new Set<Socket>();
  readonly #scripts = new Map<string, Script>();
  readonly calls: Call[] = [];
  /** Connections ever made. */
  connectionCount = 0;
  /** Bytes ever received, heads included. */
  receivedCount = 0;
  port = 0;

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Connections open now. */
  get openCount(): number {
    return this.#sockets.size;
  }

  /** Says what happens to requests whose target begins with `prefix`; the longest prefix wins. */
  on(prefix: string, script: Script): void {
    this.#scripts.set(prefix, script);
  }

  /** The calls whose target begins with `prefix`. */
  callsOf(prefix: string): Call[] {
    return this.calls.filter(({ target }) => target.startsWith(prefix));
  }

  /** By default on a port that is still free when the origin is started again. */
  async listen(port?: number): Promise<void> {
    this.port = port ?? (await freePort());
    this.#server.listen(this.port, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  /** Closes every connection. */
  hangUp(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Refuses connections from now on. */
  async close(): Promise<void> {
    this.hangUp();
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, 'close');
  }

  #serve(socket: Socket): void {
    this.connectionCount += 1;
    this.#sockets.add(socket);
    socket.on('error', () => {});
    const closed = new Promise<void>((resolve) => {
      socket.once('close', () => {
        this.#sockets.delete(socket);
        resolve();
      });
    });
    let received = '';
    let bodyStart = 0;
    let onBody = () => {};
    socket.on('data', (chunk) => {
      this.receivedCount += chunk.length;
      received += chunk.toString('latin1');
      for (;;) {
        // A head is taken wherever one can be: what a proxy smuggles in shows up as a call.
        const from = received.slice(bodyStart).search(/[A-Z-]+ \S+ HTTP\/1\.1\r\n/);
        if (from < 0) return onBody();
        const start = bodyStart + from;
        const end = received.indexOf('\r\n\r\n', start);
        if (end < 0) return onBody();
        bodyStart = end + 4;
        const ownStart = bodyStart;
        onBody = () => {};
        this.#answer({
          socket,
          head: received.slice(start, end),
          target: /^\S+ (\S+)/.exec(received.slice(start))?.[1] ?? '',
          body: () => received.slice(ownStart),
          onBody: (action) => {
            onBody = () => {
              if (received.length > ownStart) action();
            };
          },
          say: (text) => socket.write(text, 'latin1'),
          closed,
          isClosed: () => socket.closed || socket.destroyed,
        });
      }
    });
  }

  #answer(call: Call): void {
    this.calls.push(call);
    const prefixes = [...this.#scripts.keys()].filter((each) => call.target.startsWith(each));
    const longest = prefixes.sort((one, other) => other.length - one.length)[0] ?? '';
    const script = this.#scripts.get(longest);
    if (script === undefined) call.say(okAnswer());
    else script(call);
  }
}

/** A scripted origin on a free port; the test's end closes it. */
export async function startScriptedOrigin(test: Cleanup): Promise<ScriptedOrigin> {
  const origin = new ScriptedOrigin();
  await origin.listen();
  test.after(() => origin.close());
  return origin;
}

/** The header lines of a head, in the order and case received. */
export function headerLinesOf(head: string): [string, string][] {
  return head
    .split('\r\n')
    .slice(1)
    .map((line) => {
      const colon = line.indexOf(': ');
      return [line.slice(0, colon), line.slice(colon + 2)];
    });
}

/** The values of one header of a head. */
export function valuesOf(head: string, name: string): string[] {
  return headerLinesOf(head)
    .filter(([each]) => each.toLowerCase() === name.toLowerCase())
    .map(([, value]) => value);
}
