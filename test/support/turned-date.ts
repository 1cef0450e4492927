/**
 * A date that a test turns: loaded into a server before its own program (`node --import`), so that a log of
 * a month can be sent within seconds as if it took a month. The date stands still in between; timers go on
 * as ever. `TurnedDate` is the test's side of it.
 */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { isMainThread } from 'node:worker_threads';

/** The environment variable with the path of the socket on which a server is told the time. */
export const dateSocketVariable = 'TURNED_DATE_SOCKET';

const path = process.env[dateSocketVariable];
if (path !== undefined && isMainThread && process.argv.includes('start')) listen(path);

/** Takes milliseconds since the epoch, a line each, and answers each with a line. */
function listen(socketPath: string): void {
  const machineNow = Date.now;
  let turnedMs: number | undefined;
  Date.now = () => turnedMs ?? machineNow();
  const server = createServer((socket) => {
    socket.setEncoding('latin1').on('data', (text: string) => {
      turnedMs = Number(text);
      socket.write('turned\n');
    });
    socket.unref();
  });
  server.listen(socketPath);
  server.unref();
}

/** The test's side. */
export class TurnedDate {
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  static async connect(socketPath: string): Promise<TurnedDate> {
    const socket = connect(socketPath);
    await once(socket, 'connect');
    return new TurnedDate(socket);
  }

  /** Resolves when it is that time for the server. */
  async turnTo(atMs: number): Promise<void> {
    this.#socket.write(`${atMs}\n`);
    await once(this.#socket, 'data');
  }

  close(): void {
    this.#socket.destroy();
  }
}
