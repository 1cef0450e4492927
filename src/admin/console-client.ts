/**
 * The operator's side of the unix socket: sends console lines to the running server and hands back
 * its replies. Failures are values with an exit code (docs/operations.md). Prints nothing.
 */
import { createConnection, type Socket } from 'node:net';
import { join, resolve } from 'node:path';
import { describeFileError } from '../config/fault.ts';
import type { ConsoleOrigin } from './console.ts';
import { answerBytesMax, MessageCutter, socketName } from './console-protocol.ts';
import { pathTooLong, socketPath } from './console-socket.ts';
import type { Reply } from './reply.ts';
import type { ScreenSnapshot } from './screen.ts';

/** Why there is no answer: 3 no server is running, 1 anything else. */
export interface ConsoleFailure {
  readonly ok: false;
  readonly message: string;
  readonly exitCode: 1 | 3;
}

export type ConsoleConnection =
  | { readonly ok: true; readonly client: ConsoleClient }
  | ConsoleFailure;
export type ConsoleReplies =
  | { readonly ok: true; readonly replies: readonly Reply[] }
  | ConsoleFailure;
export type ConsoleScreen =
  | { readonly ok: true; readonly snapshot: ScreenSnapshot }
  | ConsoleFailure;

/** `text` is undefined when nothing is known of the source asked for. */
export type ConsoleStatus =
  | { readonly ok: true; readonly text: string | undefined }
  | ConsoleFailure;

interface AnswerBody {
  readonly replies?: readonly Reply[];
  readonly status?: string | null;
  readonly screen?: ScreenSnapshot;
}

type Waiting = (answer: AnswerBody | ConsoleFailure) => void;

interface Answer extends AnswerBody {
  readonly id: number | null;
  readonly error?: string;
  readonly idle?: boolean;
}

function parseAnswer(message: string): Answer | undefined {
  try {
    const answer: Answer | null = JSON.parse(message);
    return typeof answer === 'object' && answer !== null ? answer : undefined;
  } catch {
    return undefined;
  }
}

function connectFailure(error: Error, dataFolder: string): ConsoleFailure {
  const code = 'code' in error ? String(error.code) : '';
  const folder = resolve(dataFolder);
  if (code === 'ENOENT' || code === 'ECONNREFUSED' || code === 'ENOTDIR') {
    const message = `no wormgate is running on data folder ${folder}`;
    return { ok: false, message, exitCode: 3 };
  }
  const message =
    code === 'EACCES' || code === 'EPERM'
      ? `not allowed to use the console in ${folder}: it is open only to the user that runs wormgate`
      : `cannot reach the console in ${folder}: ${describeFileError(error)}`;
  return { ok: false, message, exitCode: 1 };
}

/** A connection to the server. Requests may be sent before earlier ones are answered. */
export class ConsoleClient {
  readonly #socket: Socket;
  readonly #cutter = new MessageCutter(answerBytesMax);
  /** In the order of the requests, which is the order of the answers. */
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;
  #failure: ConsoleFailure | undefined;
  #idle = false;
  #onGone: ((failure: ConsoleFailure) => void) | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk) => this.#receive(chunk));
    socket.on('close', () => this.#lose());
  }

  /** False once the connection is lost or closed. */
  get usable(): boolean {
    return this.#failure === undefined && !this.#socket.destroyed;
  }

  /** Calls `action` when the server goes away by itself; not when it only ends an idle connection. */
  whenGone(action: (failure: ConsoleFailure) => void): void {
    this.#onGone = action;
  }

  /** Sends at most 500 lines, latin1 text without line ends; one reply a line, in order. */
  async send(lines: readonly string[], origin: ConsoleOrigin): Promise<ConsoleReplies> {
    const answer = await this.#request({ lines, origin });
    if ('exitCode' in answer) return answer;
    const { replies } = answer;
    if (Array.isArray(replies) && replies.length === lines.length) return { ok: true, replies };
    return this.#fail('the answer of the server does not fit the request', 1);
  }

  async screen(): Promise<ConsoleScreen> {
    const answer = await this.#request({ screen: true });
    if ('exitCode' in answer) return answer;
    const { screen } = answer;
    if (screen !== undefined) return { ok: true, snapshot: screen };
    return this.#fail('the answer of the server does not fit the request', 1);
  }

  /** The throttle's status report of a source, or of all; or its advice. */
  async status(source: string | undefined, isAdvice: boolean): Promise<ConsoleStatus> {
    const answer = await this.#request({ status: { source: source ?? null, isAdvice } });
    if ('exitCode' in answer) return answer;
    const { status } = answer;
    if (status !== undefined) return { ok: true, text: status ?? undefined };
    return this.#fail('the answer of the server does not fit the request', 1);
  }

  close(): void {
    this.#onGone = undefined;
    this.#socket.destroy();
  }

  #request(body: object): Promise<AnswerBody | ConsoleFailure> {
    if (this.#failure !== undefined) return Promise.resolve(this.#failure);
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((done) => {
      this.#waiting.set(id, done);
      this.#socket.write(`${JSON.stringify({ id, ...body })}\n`);
    });
  }

  #receive(chunk: Buffer): void {
    const messages = this.#cutter.push(chunk);
    if (messages === undefined) {
      this.#fail('the answer of the server is too long', 1);
      return;
    }
    for (const message of messages) this.#take(message);
  }

  #take(message: string): void {
    const answer = parseAnswer(message);
    if (answer === undefined) {
      this.#fail('the answer of the server is not understood', 1);
      return;
    }
    if (answer.id === null) {
      this.#idle = answer.idle === true;
      this.#fail(`the server refused: ${answer.error ?? 'no reason given'}`, 1);
      return;
    }
    const done = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    done?.(answer);
  }

  #lose(): void {
    this.#fail('the server has gone away', 3);
  }

  /** The first failure stays; whoever waits gets it. */
  #fail(message: string, exitCode: 1 | 3): ConsoleFailure {
    const first = this.#failure === undefined;
    const failure = this.#failure ?? { ok: false, message, exitCode };
    this.#failure = failure;
    this.#socket.destroy();
    for (const done of this.#waiting.values()) done(failure);
    this.#waiting.clear();
    if (first && !this.#idle) this.#onGone?.(failure);
    return failure;
  }
}

/** Connects to the server that runs on a data folder. */
export function connectConsole(dataFolder: string): Promise<ConsoleConnection> {
  const file = join(dataFolder, socketName);
  const path = socketPath(file);
  if (path === undefined) {
    return Promise.resolve({ ok: false, message: pathTooLong(file), exitCode: 1 });
  }
  return new Promise((done) => {
    const socket = createConnection(path);
    const failed = (error: Error) => done(connectFailure(error, dataFolder));
    socket.once('error', failed);
    socket.once('connect', () => {
      socket.off('error', failed);
      done({ ok: true, client: new ConsoleClient(socket) });
    });
  });
}
