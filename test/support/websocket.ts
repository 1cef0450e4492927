/**
 * WebSocket frames (RFC 6455 §5) and the handshake, as far as a test's client and its echoing origin
 * need them: whole frames only, no extensions.
 */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Cleanup } from './cleanup.ts';
import { startOrigin, type TestOrigin } from './origin.ts';

export const opcodes = { text: 1, binary: 2, close: 8 } as const;

export interface Frame {
  readonly opcode: number;
  readonly payload: Buffer;
}

/** The bytes of one frame; `mask`: four bytes, which every frame of a client needs. */
export function encodeFrame({ opcode, payload }: Frame, mask?: Buffer): Buffer {
  const { length } = payload;
  const head = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10);
  head[0] = 0x80 | opcode;
  const maskBit = mask === undefined ? 0 : 0x80;
  if (length < 126) head[1] = maskBit | length;
  else if (length < 65_536) {
    head[1] = maskBit | 126;
    head.writeUInt16BE(length, 2);
  } else {
    head[1] = maskBit | 127;
    head.writeBigUInt64BE(BigInt(length), 2);
  }
  if (mask === undefined) return Buffer.concat([head, payload]);
  return Buffer.concat([head, mask, applyMask(payload, mask)]);
}

function applyMask(payload: Buffer, mask: Buffer): Buffer {
  const masked = Buffer.from(payload);
  for (let index = 0; index < masked.length; index += 1) {
    masked[index] = (masked[index] ?? 0) ^ (mask[index % 4] ?? 0);
  }
  return masked;
}

/** Takes frames off a stream of bytes, however it is cut into packets. */
export class FrameReader {
  readonly #expectsMask: boolean;
  #held: Buffer = Buffer.alloc(0);

  /** `expectsMask`: true at the server's end. A frame that is masked otherwise throws. */
  constructor(expectsMask: boolean) {
    this.#expectsMask = expectsMask;
  }

  /** The frames that are whole now. */
  push(chunk: Buffer): Frame[] {
    this.#held = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    const frames: Frame[] = [];
    for (let frame = this.#take(); frame !== undefined; frame = this.#take()) frames.push(frame);
    return frames;
  }

  #take(): Frame | undefined {
    const held = this.#held;
    if (held.length < 2) return undefined;
    const [first = 0, second = 0] = held;
    if ((first & 0xf0) !== 0x80) throw new Error(`frame begins with ${first.toString(16)}`);
    if (second >= 0x80 !== this.#expectsMask) throw new Error('masked by the wrong side');
    const short = second & 0x7f;
    const sizeLength = short < 126 ? 0 : short === 126 ? 2 : 8;
    const maskStart = 2 + sizeLength;
    const start = maskStart + (this.#expectsMask ? 4 : 0);
    if (held.length < start) return undefined;
    let length = short;
    if (sizeLength === 2) length = held.readUInt16BE(2);
    if (sizeLength === 8) length = Number(held.readBigUInt64BE(2));
    if (held.length < start + length) return undefined;
    this.#held = held.subarray(start + length);
    const payload = held.subarray(start, start + length);
    const isPlain = !this.#expectsMask;
    return {
      opcode: first & 0x0f,
      payload: isPlain ? payload : applyMask(payload, held.subarray(maskStart, start)),
    };
  }
}

/** Sec-WebSocket-Accept for a Sec-WebSocket-Key. */
export function acceptFor(key: string): string {
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
}

/** An origin that echoes every message of every WebSocket. */
export function startEchoOrigin(test: Cleanup): Promise<TestOrigin> {
  return startOrigin(
    test,
    (_, answer) => answer.end('no upgrade\n'),
    (server) => {
      server.on('upgrade', (request, socket: Socket, head: Buffer) => {
        const accept = acceptFor(request.headers['sec-websocket-key'] ?? '');
        const reader = new FrameReader(true);
        const echo = (chunk: Buffer) => {
          for (const frame of reader.push(chunk)) {
            socket.write(encodeFrame(frame));
            if (frame.opcode === opcodes.close) socket.end();
          }
        };
        socket.on('error', () => {});
        socket.write(
          `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
        );
        if (head.length > 0) echo(head);
        socket.on('data', echo);
        test.after(() => socket.destroy());
      });
    },
  );
}

export class WebSocketClient {
  readonly socket: Socket;
  readonly #frames: Frame[] = [];
  readonly #reader = new FrameReader(false);
  #wake: () => void = () => {};
  #closed = false;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#frames.push(...this.#reader.push(chunk));
      this.#wake();
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#closed = true;
      this.#wake();
    });
  }

  /** Shakes hands; rejects when the answer is anything but the 101 that is due. */
  static async open(port: number, target = '/'): Promise<WebSocketClient> {
    const socket = connect(port, '127.0.0.1').setNoDelay(true);
    const key = randomBytes(16).toString('base64');
    socket.write(
      `GET ${target} HTTP/1.1\r\nHost: site.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`,
    );
    let head = Buffer.alloc(0);
    while (!head.includes('\r\n\r\n')) {
      const [chunk] = (await once(socket, 'data')) as [Buffer];
      head = Buffer.concat([head, chunk]);
    }
    const end = head.indexOf('\r\n\r\n') + 4;
    const text = head.toString('latin1', 0, end);
    if (!text.startsWith('HTTP/1.1 101 ') || !text.includes(`: ${acceptFor(key)}\r\n`)) {
      socket.destroy();
      throw new Error(`no WebSocket: ${text}`);
    }
    socket.pause();
    socket.unshift(head.subarray(end));
    const client = new WebSocketClient(socket);
    socket.resume();
    return client;
  }

  send(frame: Frame): void {
    this.socket.write(encodeFrame(frame, randomBytes(4)));
  }

  /** The next message; rejects when the connection is closed instead. */
  async next(): Promise<Frame> {
    for (;;) {
      const frame = this.#frames.shift();
      if (frame !== undefined) return frame;
      if (this.#closed) throw new Error('closed without another message');
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Resolves when the connection is closed. */
  async end(): Promise<void> {
    if (!this.#closed) await once(this.socket, 'close');
  }
}
