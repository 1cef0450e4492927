/** A client of raw bytes that stays connected: sends what it is told and reads answer by answer. */
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { type Answer, type ReadAnswer, readAnswer } from './answer.ts';

const patienceMs = 8000;

export class RawClient {
  readonly socket: Socket;
  /** True once the other side has closed. */
  closed = false;
  /** True when the other side closed by a reset. */
  wasReset = false;
  #bytes: Buffer[] = [];
  #joined: Buffer = Buffer.alloc(0);
  #wake: () => void = () => {};

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk) => {
      this.#bytes.push(chunk);
      this.#wake();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.wasReset = error.code === 'ECONNRESET';
    });
    socket.on('close', () => {
      this.closed = true;
      this.#wake();
    });
    // Half-closed is closed to a client that waits for more.
    socket.on('end', () => {
      this.closed = true;
      this.#wake();
    });
  }

  /** Connects; the socket stays open for writing when the other side ends. */
  static async connect(port: number, localAddress = '127.0.0.1'): Promise<RawClient> {
    const socket = connect({ port, host: '127.0.0.1', localAddress, allowHalfOpen: true });
    return await RawClient.#ready(socket, 'connect');
  }

  /** The same over TLS, whatever the certificate. */
  static async connectTls(port: number, localAddress = '127.0.0.1'): Promise<RawClient> {
    const socket = connectTls({
      port,
      host: '127.0.0.1',
      ...{ localAddress, allowHalfOpen: true },
      rejectUnauthorized: false,
    });
    return await RawClient.#ready(socket, 'secureConnect');
  }

  static async #ready(socket: Socket, event: string): Promise<RawClient> {
    const client = new RawClient(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once(event, resolve);
      socket.once('error', reject);
    });
    return client;
  }

  /** Writes latin1 text or bytes. */
  send(...parts: (string | Buffer)[]): this {
    for (const part of parts) {
      this.socket.write(typeof part === 'string' ? Buffer.from(part, 'latin1') : part);
    }
    return this;
  }

  /** Writes and waits until the kernel has it. */
  async flush(part: string | Buffer): Promise<void> {
    const bytes = typeof part === 'string' ? Buffer.from(part, 'latin1') : part;
    await new Promise<void>((resolve) => this.socket.write(bytes, () => resolve()));
  }

  #all(): Buffer {
    if (this.#bytes.length > 0) {
      this.#joined = Buffer.concat([this.#joined, ...this.#bytes]);
      this.#bytes = [];
    }
    return this.#joined;
  }

  /** Everything received and not yet read as an answer, latin1. */
  get text(): string {
    return this.#all().toString('latin1');
  }

  /** Waits for a condition, looked at whenever something arrives. */
  async until(condition: () => boolean, what: string): Promise<void> {
    if (await this.sees(condition, patienceMs)) return;
    throw new Error(`waited in vain for ${what}; got ${this.text.slice(0, 500)}`);
  }

  /** As `until`, but false when the condition has not come true after `waitMs`. */
  async sees(condition: () => boolean, waitMs: number): Promise<boolean> {
    // Not by the wall clock, which may step.
    const end = performance.now() + waitMs;
    while (!condition()) {
      const leftMs = end - performance.now();
      if (leftMs <= 0) return false;
      await new Promise<void>((resolve) => {
        // What came while this process was busy is looked at before the time counts as up.
        const timer = setTimeout(() => setImmediate(() => setImmediate(resolve)), leftMs);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    return true;
  }

  /** The next answer; `method` of the request it belongs to. */
  async answer(method = 'GET'): Promise<Answer> {
    let read: ReadAnswer | undefined;
    await this.until(() => {
      read = readAnswer(this.#all(), 0, method, this.closed);
      return read !== undefined || this.closed;
    }, 'an answer');
    if (read === undefined) throw new Error(`closed without an answer: ${this.text.slice(0, 300)}`);
    // What was read is let go, or each answer would have all before it copied.
    this.#joined = this.#joined.subarray(read.end);
    return read.answer;
  }

  /** Sends a request and reads its answer. */
  async ask(request: string): Promise<Answer> {
    this.send(request);
    return await this.answer(request.slice(0, request.indexOf(' ')));
  }

  /** Waits until the other side has closed. */
  async end(): Promise<void> {
    await this.until(() => this.closed, 'the end of the connection');
  }

  /** Closes with a reset, as a client that died does. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  destroy(): void {
    this.socket.destroy();
  }
}

/** One request on a connection of its own, which is closed after the answer. */
export async function askOnce(port: number, request: string): Promise<Answer> {
  const client = await RawClient.connect(port);
  try {
    return await client.ask(request);
  } finally {
    client.destroy();
  }
}
