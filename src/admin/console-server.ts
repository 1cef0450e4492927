/**
 * The console's side of the unix socket: takes requests from `wormgate virus` and `wormgate console`,
 * hands their lines to the console and sends the replies back. Who may open the socket is the console
 * user; there is no other check. Everything a client can send is bounded: clients, lines, messages,
 * idle time; a client that does not read is not read from. The console itself is console.ts.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { finished } from 'node:stream/promises';
import type { Clock, Timer } from '../clock.ts';
import { describeError } from '../config/fault.ts';
import type { Statistics } from '../statistics.ts';
import { type ConsoleContext, executeLines, notReadyText } from './console.ts';
import {
  type ConsoleAnswer,
  type ConsoleRequest,
  MessageCutter,
  messageBytesMax,
  readRequest,
} from './console-protocol.ts';
import { listenPrivately } from './console-socket.ts';

/** Bounds that a reload may change. */
export interface ConsoleLimits {
  readonly consoleClientsMax: number;
  readonly consoleLineBytesMax: number;
}

export interface ConsoleServerOptions {
  /** Where the socket is made: `console.sock` in the data folder. */
  readonly socketFile: string;
  readonly context: ConsoleContext;
  readonly statistics: Statistics;
  readonly clock: Clock;
  readonly limits: () => ConsoleLimits;
  /** A client that is silent, or does not read, for this long is let go; ten minutes by default. */
  readonly idleTimeoutMs?: number;
}

/** The running server, or a sentence saying why it cannot run. */
export type ConsoleServerStart =
  | { readonly ok: true; readonly server: ConsoleServer }
  | { readonly ok: false; readonly message: string };

const idleTimeoutDefaultMs = 600_000;
/** How long `close` waits for a batch in progress before it cuts the connection. */
const closeTimeoutMs = 2000;

/** One connection. */
class ConsoleSession {
  readonly #socket: Socket;
  readonly #options: ConsoleServerOptions;
  #idleTimer: Timer | undefined;
  #busy = false;
  #closing = false;

  constructor(socket: Socket, options: ConsoleServerOptions) {
    this.#socket = socket;
    this.#options = options;
  }

  /** Answers requests in order until the client goes or does something wrong. */
  async serve(): Promise<void> {
    this.#restartIdleTimer();
    try {
      await this.#answerAll();
      // What is still on its way is thrown away, so that closing does not take an answer along.
      if (!this.#socket.destroyed) await finished(this.#socket.resume().end());
    } catch {
      // The client broke the connection; nothing is owed to it any more.
    } finally {
      this.#idleTimer?.cancel();
      this.#socket.destroy();
    }
  }

  /** Ends the connection once the batch in progress is answered. */
  close(): void {
    this.#closing = true;
    if (!this.#busy) this.#socket.end();
  }

  async #answerAll(): Promise<void> {
    const cutter = new MessageCutter(messageBytesMax);
    // Iterating pauses the socket while the loop's body runs: that is the back-pressure.
    for await (const chunk of this.#socket.iterator({ destroyOnReturn: false })) {
      this.#restartIdleTimer();
      const messages = cutter.push(chunk);
      if (messages === undefined) {
        return await this.#fail(`a message is longer than ${messageBytesMax} bytes`);
      }
      for (const message of messages) {
        if (this.#closing) return;
        const read = readRequest(message);
        if (!read.ok) return await this.#fail(read.message);
        this.#busy = true;
        const answer = await this.#answer(read.request);
        if ('error' in answer) return await this.#fail(answer.error);
        await this.#send(answer);
        this.#busy = false;
      }
      if (this.#closing) return;
    }
  }

  async #answer(request: ConsoleRequest): Promise<ConsoleAnswer> {
    const { context } = this.#options;
    try {
      if (request.kind === 'lines') return await this.#execute(request);
      if (!context.ready()) return { id: null, error: notReadyText };
      await context.refresh();
      if (request.kind === 'status') {
        const text = context.status(request.source, request.isAdvice);
        return { id: request.id, status: text ?? null };
      }
      return { id: request.id, screen: context.snapshot() };
    } catch (error) {
      // A fault of ours must cost this client its answer, not the sites their proxy.
      const reason = describeError(error);
      return { id: null, error: `the console failed: ${reason}` };
    }
  }

  async #execute(request: ConsoleRequest & { kind: 'lines' }): Promise<ConsoleAnswer> {
    const { context, statistics, limits } = this.#options;
    const { id, lines, origin } = request;
    const replies = await executeLines(lines, context, origin, limits().consoleLineBytesMax);
    const refusedCount = replies.filter(({ ok }) => !ok).length;
    statistics.add('console_commands', replies.length - refusedCount);
    statistics.add('console_refused', refusedCount);
    return { id, replies };
  }

  async #fail(error: string): Promise<void> {
    await this.#send({ id: null, error });
  }

  async #send(answer: ConsoleAnswer): Promise<void> {
    const socket = this.#socket;
    const flushed = socket.write(`${JSON.stringify(answer)}\n`);
    if (!flushed && !socket.destroyed) {
      await new Promise<void>((done) => {
        const settle = () => {
          socket.off('drain', settle);
          socket.off('close', settle);
          done();
        };
        socket.on('drain', settle);
        socket.on('close', settle);
      });
    }
    this.#restartIdleTimer();
  }

  #restartIdleTimer(): void {
    this.#idleTimer?.cancel();
    const delayMs = this.#options.idleTimeoutMs ?? idleTimeoutDefaultMs;
    this.#idleTimer = this.#options.clock.after(delayMs, () => {
      const answer: ConsoleAnswer = { id: null, error: 'the connection was idle', idle: true };
      this.#socket.end(`${JSON.stringify(answer)}\n`);
      this.#idleTimer = this.#options.clock.after(closeTimeoutMs, () => this.#socket.destroy());
    });
  }
}

/** Listens until `close`. */
export class ConsoleServer {
  readonly #server: Server;
  readonly #options: ConsoleServerOptions;
  readonly #sessions = new Map<ConsoleSession, Socket>();

  /** For `startConsoleServer`, which also makes it listen. */
  constructor(options: ConsoleServerOptions) {
    this.#options = options;
    this.#server = createServer({ allowHalfOpen: true }, (socket) => this.#accept(socket));
  }

  listen(): Promise<{ readonly ok: true } | { readonly ok: false; readonly message: string }> {
    return listenPrivately(this.#server, this.#options.socketFile);
  }

  /** Stops listening, lets batches in progress be answered and removes the socket file. */
  async close(): Promise<void> {
    const closed = new Promise<void>((done) => this.#server.close(() => done()));
    for (const session of this.#sessions.keys()) session.close();
    const timer = this.#options.clock.after(closeTimeoutMs, () => {
      for (const socket of this.#sessions.values()) socket.destroy();
    });
    await closed;
    timer.cancel();
  }

  #accept(socket: Socket): void {
    socket.on('error', () => socket.destroy());
    const clientsMax = this.#options.limits().consoleClientsMax;
    if (this.#sessions.size >= clientsMax) {
      this.#options.statistics.add('console_clients_refused');
      const error = `there are ${clientsMax} console clients already`;
      const answer: ConsoleAnswer = { id: null, error };
      // Closed at once, with its request unread, the client would be reset and never read why.
      socket.resume();
      socket.end(`${JSON.stringify(answer)}\n`);
      const timer = this.#options.clock.after(closeTimeoutMs, () => socket.destroy());
      socket.on('close', () => timer.cancel());
      return;
    }
    const session = new ConsoleSession(socket, this.#options);
    this.#sessions.set(session, socket);
    void session.serve().finally(() => this.#sessions.delete(session));
  }
}

/** Starts the console server; `message` tells the operator why it cannot run. */
export async function startConsoleServer(
  options: ConsoleServerOptions,
): Promise<ConsoleServerStart> {
  const server = new ConsoleServer(options);
  const listening = await server.listen();
  return listening.ok ? { ok: true, server } : listening;
}
