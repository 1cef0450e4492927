/**
 * A small, paced, humble client, as a program: `node humble-client.js PORT SECONDS`. Sends requests
 * at random moments over a few kept connections, and prints the percentiles of their latencies as
 * JSON. wrk would send as fast as it can, and its own requests would be the load.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { percentile } from './figures.ts';

const requestsPerSecond = 250;
const connectionCount = 8;
const warmUpCount = 500;
const request = 'GET /1k HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n';
const bodyBytes = 1024;

export interface HumbleReport {
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** One request at a time; resolves to when its answer was complete. */
class HumbleConnection {
  readonly #socket: Socket;
  #received = '';
  #answered: () => void = () => undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true).setEncoding('latin1');
    socket.on('data', (text) => {
      this.#received += text;
      const headEnd = this.#received.indexOf('\r\n\r\n');
      if (headEnd !== -1 && this.#received.length >= headEnd + 4 + bodyBytes) this.#answered();
    });
    socket.on('close', () => {
      throw new Error('the connection of the humble client was closed');
    });
  }

  async ask(): Promise<void> {
    this.#received = '';
    const answered = new Promise<void>((resolve) => {
      this.#answered = resolve;
    });
    this.#socket.write(request);
    await answered;
    if (!this.#received.startsWith('HTTP/1.1 200')) throw new Error(this.#received);
  }
}

async function run(port: number, seconds: number): Promise<HumbleReport> {
  const free: HumbleConnection[] = [];
  for (let count = 0; count < connectionCount; count += 1) {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    free.push(new HumbleConnection(socket));
  }
  const waiting: (() => void)[] = [];
  const latencies: number[] = [];
  const askOnce = async () => {
    // From the moment when it wants to ask: waiting for a connection counts.
    const begin = performance.now();
    if (free.length === 0) await new Promise<void>((resolve) => waiting.push(resolve));
    const connection = free.pop() as HumbleConnection;
    await connection.ask();
    latencies.push(performance.now() - begin);
    free.push(connection);
    waiting.shift()?.();
  };
  // Its own first requests are slow, and not by the proxy's fault.
  for (let count = 0; count < warmUpCount; count += 1) await askOnce();
  latencies.length = 0;
  const end = performance.now() + seconds * 1_000;
  const asked: Promise<void>[] = [];
  for (let due = performance.now(); due < end; ) {
    due += (-Math.log(1 - Math.random()) * 1_000) / requestsPerSecond;
    if (due - performance.now() >= 1) await sleep(due - performance.now());
    // Timers tick in whole milliseconds, and so do those of the flood: not in step with them.
    const moment = performance.now() + Math.random();
    while (performance.now() < moment) await turn();
    asked.push(askOnce());
  }
  await Promise.all(asked);
  return {
    count: latencies.length,
    p50Ms: percentile(latencies, 0.5),
    p99Ms: percentile(latencies, 0.99),
  };
}

const [port, seconds] = process.argv.slice(2).map(Number);
process.stdout.write(JSON.stringify(await run(port ?? 0, seconds ?? 0)), () => process.exit(0));
